"""Many small requests at a time: results in order, and no work behind a failure."""

from __future__ import annotations

import threading
from itertools import islice

import pytest

from planner.stores.workers import workers
from tests.support.process import PATIENCE


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    with workers(4) as pool:
        assert list(pool.map(lambda number: number * 2, range(count))) == [
            number * 2 for number in range(count)
        ]


def test_so_many_are_under_way_at_a_time() -> None:
    together = threading.Barrier(3, timeout=PATIENCE)
    with workers(3) as pool:
        list(pool.map(lambda _: together.wait(), range(9)))


def test_the_first_failure_is_raised_and_nothing_begins_behind_it() -> None:
    begun: list[int] = []
    second = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            second.wait(10)
            raise ValueError("three")
        if number == 4:
            second.set()
            raise KeyError("four")
        return number

    with workers(2) as pool:
        results = pool.map(work, range(100))
        assert list(islice(results, 3)) == [0, 1, 2]
        with pytest.raises(ValueError, match="three"):
            next(results)
    assert max(begun) == 4


def test_who_stops_listening_stops_the_work() -> None:
    begun: list[int] = []
    go = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number > 1:
            go.wait(10)
        return number

    with workers(1) as pool:
        results = pool.map(work, range(100))
        assert next(results) == 0
        results.close()  # type: ignore[attr-defined]  # a generator
        go.set()
    assert len(begun) <= 3


def test_work_begins_before_anybody_asks_for_it() -> None:
    begun = threading.Event()
    with workers(1) as pool:
        results = pool.map(lambda _: begun.set(), range(1))
        assert begun.wait(10)
        assert list(results) == [None]
