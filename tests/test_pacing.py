"""Pacing: how wide the lanes to a registry are, how long it is left alone, and who tries again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from planner.core.errors import RegistryError
from planner.core.events import ImageFailed, Waiting
from planner.stores.pacing import Host, Lane, Traffic
from planner.stores.patience import Patience, asked_pause, backoff, pause_before_step
from planner.stores.verified import InterruptedStepError
from planner.ui.copying import Copying
from tests.fakes import Fault, Status
from tests.making import World, ending, make_world


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.told: list[tuple[str, float, str]] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def traffic(self, sleep: Callable[[float], None] | None = None) -> Traffic:
        traffic = Traffic(Patience(sleep=sleep or self.sleep, clock=lambda: self.now))
        traffic.tell = lambda *wait: self.told.append(wait)
        return traffic


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def host(clock: Clock) -> Host:
    return clock.traffic().host("r.corp")


def go(lane: Lane, times: int = 1, *, is_too_fast: bool = False) -> None:
    """Requests one after the other."""
    for _ in range(times):
        lane.leave(lane.enter(), is_too_fast=is_too_fast)


def test_a_refusal_halves_the_lane(host: Host) -> None:
    lane = host.lanes(32).small
    widths = []
    for _ in range(7):
        go(lane, is_too_fast=True)
        widths.append(lane.width)
    assert widths == [16, 8, 4, 2, 1, 1, 1]


def test_what_was_on_its_way_together_counts_once(host: Host) -> None:
    lane = host.lanes(32).small
    for epoch in [lane.enter() for _ in range(20)]:
        lane.leave(epoch, is_too_fast=True)
    assert lane.width == 16


def test_a_width_of_good_answers_adds_one_up_to_the_cap(host: Host) -> None:
    lane = host.lanes(8).small
    go(lane, is_too_fast=True)
    go(lane, 3)
    assert lane.width == 4
    go(lane, 1)
    assert lane.width == 5
    go(lane, 100)
    assert lane.width == 8


def test_the_lanes_are_apart(host: Host) -> None:
    lanes = host.lanes(8)
    go(lanes.writes, is_too_fast=True)
    assert (lanes.reads.width, lanes.writes.width, lanes.small.width) == (8, 4, 8)


@pytest.mark.parametrize("other", ["small", "writes"])
def test_together_they_keep_to_the_cap(host: Host, other: str) -> None:
    lanes = host.lanes(1)
    epoch = lanes.small.enter()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(getattr(lanes, other).enter)
        while not lanes.waiting:
            assert not waiting.done()
        lanes.small.leave(epoch, is_too_fast=False)
        waiting.result(5)
    assert lanes.under_way == 1


def test_connections_to_one_host_share_its_lanes(clock: Clock) -> None:
    traffic = clock.traffic()
    assert traffic.host("r.corp") is traffic.host("r.corp")
    assert traffic.host("r.corp").lanes(8) is traffic.host("r.corp").lanes(8)
    assert traffic.host("registry-1.docker.io").name == "docker.io"


def test_one_pause_is_told_and_counted_once(clock: Clock) -> None:
    host = clock.traffic(lambda _: None).host("r.corp")  # as if all began at the same moment
    for _ in range(3):
        host.pause(35.0, "429", is_shared=True)
    assert clock.told == [("r.corp", 35.0, "429")]
    assert (host.counts.waited, host.pauses) == (35.0, 0)


def test_a_pause_that_gets_longer_is_told_again(clock: Clock) -> None:
    host = clock.traffic(lambda _: None).host("r.corp")
    host.pause(35.0, "429", is_shared=True)
    host.pause(50.0, "429", is_shared=True)
    assert [seconds for _, seconds, _ in clock.told] == [35.0, 50.0]
    assert host.counts.waited == 50.0


def test_short_pauses_are_not_worth_telling(clock: Clock, host: Host) -> None:
    host.pause(0.5, "503", is_shared=True)
    host.pause(9.0, "503", is_shared=False)
    assert (clock.told, host.counts.waited) == ([], 9.5)


def test_who_waits_goes_on_when_the_pause_is_over(clock: Clock) -> None:
    def sleep(_: float) -> None:
        waiting.append(pool.submit(lane.enter))
        while not lanes.waiting:
            assert not waiting[0].done()

    waiting = list[Future[int]]()
    host = clock.traffic(sleep).host("r.corp")
    lanes = host.lanes(8)
    lane = lanes.small
    with ThreadPoolExecutor(1) as pool:
        host.pause(35.0, "429", is_shared=True)
        assert waiting[0].result(5) == 0
    assert lanes.under_way == 1


def test_nobody_waits_in_a_run_that_was_stopped() -> None:
    traffic = Traffic()
    lanes = traffic.host("r.corp").lanes(1)
    lanes.small.enter()
    traffic.stop()
    for wait in (lambda: traffic.sleep(500), lanes.small.enter):
        with pytest.raises(InterruptedStepError):
            wait()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("Thu, 01 Jan 1970 00:01:40 GMT", 40.0, id="date"),
        pytest.param("Thu, 01 Jan 1970 00:00:40 GMT", 0.0, id="past"),
        pytest.param("9" * 400, 366 * 86400.0, id="absurd"),
        pytest.param("", None, id="none"),
        pytest.param("soon", None, id="neither"),
    ],
)
def test_a_registry_says_how_long_to_wait(value: str, seconds: float | None) -> None:
    assert asked_pause({"Retry-After": value}, now=60.0) == seconds


def test_backing_off_takes_twice_as_long_each_time() -> None:
    for status, first in ((503, 0.5), (429, 1.0)):
        waits = [backoff(attempt, status) for attempt in range(1, 5)]
        assert waits == [pytest.approx(first * 2**each, rel=0.21) for each in range(4)]


def test_a_step_that_came_further_is_done_again() -> None:
    assert pause_before_step(error(retryable=True, tries=5), 1, came_further=True) == 1.0


def error(code: str = "", **more: object) -> RegistryError:
    return RegistryError("no", code=code, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        pytest.param(error(retryable=True), [1.0, 2.0, None], id="once"),
        pytest.param(error(retryable=True, tries=5), [None], id="tried"),
        pytest.param(error(), [None], id="final"),
        pytest.param(error("MANIFEST_BLOB_UNKNOWN", status=404), [0.3, 0.6, 1.2, None], id="lag"),
        pytest.param(error("BLOB_UPLOAD_UNKNOWN", status=404), [0.3, 0.6, 1.2, None], id="ecr"),
    ],
)
def test_a_step_is_done_again_when_nobody_tried_again(
    failure: RegistryError, waits: list[float | None]
) -> None:
    found = [pause_before_step(failure, attempt) for attempt in range(1, len(waits) + 1)]
    assert found == waits


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as found:
        found.upstream.add_image("a/b", "v1", [b"layer"])
        yield found


LAGS = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}'


def test_a_registry_that_does_not_see_its_blobs_yet_is_asked_again(world: World) -> None:
    world.mirror.faults.add(Fault("PUT", "manifests/v1", Status(404, LAGS), times=2))
    slept = list[float]()
    world.patience = Patience(3, slept.append)
    assert world.sync("a/b:v1").done == 1
    assert slept == [0.3, 0.6]


def test_content_that_is_gone_is_not_waited_for_for_long(world: World) -> None:
    world.mirror.faults.add(Fault("PUT", "manifests/v1", Status(400, LAGS), every=True))
    slept = list[float]()
    world.patience = Patience(3, slept.append)
    assert world.sync("a/b:v1").failed == 1
    assert sum(slept) == pytest.approx(2.1)


@pytest.mark.parametrize(("code", "tries"), [(503, 3), (403, 1)])
def test_tries_do_not_multiply(world: World, code: int, tries: int) -> None:
    plan = world.plan("a/b:v1")
    world.mirror.faults.add(Fault("PUT", "manifests/v1", Status(code), every=True))
    (failed,) = [each for each in world.apply(plan) if isinstance(each, ImageFailed)]
    assert str(code) in failed.reason
    assert world.mirror.count("PUT", "manifests/v1") == tries


def test_a_run_tells_that_it_waits(world: World) -> None:
    plan = world.plan("a/b:v1")
    busy = Status(429, b'{"errors":[{"code":"TOOMANYREQUESTS"}]}', {"Retry-After": "35"})
    world.mirror.faults.add(Fault("PUT", "manifests/v1", busy))
    events = list(Copying(plan, plan.pending, world.stores()).events())
    assert ending(events).done == 1
    (wait,) = [each for each in events if isinstance(each, Waiting)]
    assert (wait.host, wait.seconds, wait.reason) == (
        world.mirror.host,
        35.0,
        "429 TOOMANYREQUESTS",
    )
