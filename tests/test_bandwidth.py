"""Bandwidth: rates as people write them, and a bucket that all transfers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.core.errors import UsageError
from planner.stores.bandwidth import Bucket, parse_rate
from planner.stores.pacing import Traffic
from planner.stores.patience import Patience
from tests.making import make_world


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("50MiB/s", 50 * 1024**2),
        ("50MB/s", 50e6),
        ("400Mbit/s", 50e6),
        ("1.5 GiB", 1.5 * 1024**3),
        ("512KiB/s", 512 * 1024),
        ("1Mbit/s", 125e3),
        ("200000B/s", 200e3),
        ("2000kbit/s", 250e3),
    ],
)
def test_a_rate_is_bytes_a_second(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no rate"),
        ("fast", "is no rate"),
        ("50", "is no rate"),
        ("-5MiB/s", "is no rate"),
        ("50MiB/h", "is no rate"),
        ("1e9MiB/s", "is no rate"),
        ("50Mb/s", "bits or bytes"),
        ("50M", "bits or bytes"),
        ("50mib/s", "bits or bytes"),
        ("0MiB/s", "too slow"),
        ("10KiB/s", "too slow"),
    ],
)
def test_what_is_no_rate_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_rate(text)
    assert caught.value.hint


class Clock:
    """Moves when a test says so; notes who wanted to sleep, and moves on when ``is_moving``."""

    def __init__(self, *, is_moving: bool = True) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._is_moving = is_moving

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._is_moving:
            self.now += seconds


def bucket(clock: Clock, rate: float) -> Bucket:
    return Bucket(rate, lambda: clock.now, clock.sleep)


def test_over_time_no_more_than_the_rate_passes() -> None:
    clock = Clock()
    limited = bucket(clock, 1_000_000)
    for _ in range(100):
        limited.take(100_000)
    assert clock.now == pytest.approx(10.0, abs=0.26)


def test_what_fits_into_the_bucket_passes_at_once() -> None:
    clock = Clock()
    bucket(clock, 1_000_000).take(250_000)
    assert clock.slept == []


def test_a_pause_saves_up_no_more_than_the_bucket_holds() -> None:
    clock = Clock()
    limited = bucket(clock, 1_000_000)
    clock.now = 3600.0
    limited.take(1_250_000)
    assert clock.slept == [pytest.approx(1.0)]


def test_all_transfers_share_it() -> None:
    clock = Clock(is_moving=False)  # all of them come at the same moment
    limited = bucket(clock, 1_000_000)
    for _ in range(3):
        limited.take(1_000_000)
    assert clock.slept == [pytest.approx(each) for each in (0.75, 1.75, 2.75)]


def test_slow_bandwidth_is_read_in_small_pieces() -> None:
    assert bucket(Clock(), 200_000).piece == 50_000
    assert bucket(Clock(), 1e9).piece == 1024 * 1024


def test_without_a_limit_nothing_waits() -> None:
    Traffic(Patience(sleep=lambda _: pytest.fail("slept"))).throttle(1 << 40)


def test_copying_keeps_to_the_limit(tmp_path: Path) -> None:
    clock = Clock()
    with make_world(tmp_path) as world:
        world.patience = Patience(3, clock.sleep, clock=lambda: clock.now)
        world.upstream.add_image("a/b", "v1", [bytes([each]) * 1_000_000 for each in range(3)])
        plan = world.plan("a/b:v1")
        stores = world.stores()
        stores.traffic.limit(1_000_000)
        world.stores = lambda: stores  # type: ignore[method-assign]
        world.apply(plan, limit=1)
        assert world.mirror.tags("a/b") == ["v1"]
    assert clock.now == pytest.approx(2.75, abs=0.01)
