"""Wall clocks that go backwards or jump by a year: nothing that is copied, kept or expected hangs on them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from planner.config import Config, RegistrySettings
from planner.core.cost import pace_of
from planner.core.events import BytesMoved, Finished, Progress, Started, StepStarted
from planner.core.record import PastRun, Record
from planner.record import load_record
from planner.recording import Recording
from planner.stores import sending
from planner.stores.journal import Journal
from planner.stores.opening import Places, Stores
from planner.stores.patience import asked_pause
from planner.ui.copying import Copying
from tests.fakes import CutUploadAfter, Fault
from tests.making import IMPATIENT, MIRROR, UPSTREAM, World, make_world

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()
YEAR = 366 * 86400.0
LAYER = random.Random(1).randbytes(300_000)
Clock = Callable[[], float]


def standing() -> Clock:
    return lambda: NOW


def to_and_fro() -> Clock:
    """Each look tells another time."""
    times = itertools.cycle((NOW, NOW + YEAR, NOW - YEAR))
    return lambda: next(times)


def backwards() -> Clock:
    """Each look tells an earlier time."""
    times = itertools.count(NOW, -3600)
    return lambda: float(next(times))


CLOCKS = {"standing": standing, "to and fro": to_and_fro, "backwards": backwards}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two images that share a layer, which goes in chunks."""
    for name, size in (("_WHOLE", 100_000), ("_CHUNK", 80_000)):
        monkeypatch.setattr(sending, name, size)
    with make_world(tmp_path) as world:
        for name in ("one", "two"):
            world.upstream.add_image(f"a/{name}", "1", [LAYER, name.encode()])
        yield world


@contextmanager
def stores_by(world: World, clock: Clock) -> Iterator[Stores]:
    """Stores that take the time from ``clock``, with a journal on disk."""
    fakes = {UPSTREAM: world.upstream, MIRROR: world.mirror}
    settings = {name: RegistrySettings(endpoint=fake.url) for name, fake in fakes.items()}
    with Journal(world.folder / ".planner", clock) as journal:
        patience = replace(IMPATIENT, now=clock)
        yield Stores(Places(Config(registries=settings)), patience, journal=journal)


def run(world: World, clock: Clock) -> Finished:
    plan = world.plan("a/one:1", "a/two:1")
    recording = Recording(
        world.folder / ".planner", plan, lambda: datetime.fromtimestamp(clock(), UTC)
    )
    with stores_by(world, clock) as stores:
        *_, last = Copying(plan, plan.pending, stores, recording=recording).events()
    assert isinstance(last, Finished)
    assert recording.note == ""
    return last


@pytest.mark.parametrize("kind", CLOCKS)
def test_a_run_ends_well_by_any_clock(world: World, kind: str) -> None:
    world.mirror.faults.add(Fault("PATCH", "/uploads/", CutUploadAfter(10_000), nth=2))
    end = run(world, CLOCKS[kind]())
    assert (end.done, end.failed, end.cancelled) == (2, 0, 0)
    assert end.at < YEAR
    for name in ("one", "two"):
        assert world.mirror.manifest(f"a/{name}", "1") == world.upstream.manifest(f"a/{name}", "1")
    remembered = load_record(world.folder / ".planner")
    assert (remembered.note, len(remembered.record.runs)) == ("", 1)


@pytest.mark.parametrize(
    ("jump", "sent"),
    [
        pytest.param(0.0, 1, id="none"),
        pytest.param(-YEAR, 1, id="backwards"),
        pytest.param(YEAR, 2, id="forwards"),
    ],
)
def test_an_upload_is_continued_or_sent_anew_after_a_jump(
    world: World, jump: float, sent: int
) -> None:
    """Whatever is older than a day by the clock is forgotten, and costs its bytes once more."""
    world.mirror.faults.add(Fault("PATCH", "/uploads/", CutUploadAfter(0), nth=2, times=99))
    assert run(world, lambda: NOW).failed == 2
    world.mirror.faults.clear()
    before = len(world.mirror.requests)
    assert run(world, lambda: NOW + jump).done == 2
    received = sum(
        each.bytes_in for each in world.mirror.requests[before:] if each.method == "PATCH"
    )
    assert received == (len(LAYER) if sent == 2 else len(LAYER) - 80_000)


def test_a_date_to_wait_for_is_one_of_the_servers_clock() -> None:
    headers = {
        "Date": "Thu, 01 Jan 2026 00:00:00 GMT",
        "Retry-After": "Thu, 01 Jan 2026 00:00:07 GMT",
    }
    for now in (0.0, NOW, NOW + YEAR):
        assert asked_pause(headers, now) == 7.0


def test_runs_by_a_clock_that_was_ahead_do_not_displace_later_ones() -> None:
    slow = PastRun("p", "2031-01-01T00:00:00Z", 1, 0, 0, 100 * 2**20, 100.0, ("s",), ("t",))
    fast = slow._replace(at="2026-01-01T00:00:00Z", seconds=10.0)
    record = Record()
    for each in [slow] * 25 + [fast] * 3:
        record = record.after(each, {})
    assert record.runs[-3:] == (fast,) * 3
    pace = pace_of(record, ["s"], ["t"])
    assert pace
    assert pace.rate == 10 * 2**20


def test_what_is_left_is_foretold_although_time_went_backwards() -> None:
    progress = Progress()
    for event in (
        Started(0.0, 1, 1, 1000),
        StepStarted(0.0, "s", 1000),
        BytesMoved(10.0, "s", 500),
        BytesMoved(-YEAR, "s", 100),
    ):
        progress = progress.after(event)
    assert progress.at == 10.0
    assert progress.seconds_left == pytest.approx(400 / 60)
