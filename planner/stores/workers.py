"""Threads for many small requests, which nobody waits for once something went wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_GLANCE = 0.05


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """So many threads; an error or Ctrl-C leaves them at once, although a request may still hang."""
    pool = ThreadPoolExecutor(count)
    try:
        yield Workers(pool, count)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


class Workers:
    """What ``workers`` gives. One thing at a time: who waits for it inside of its own work waits for ever."""

    def __init__(self, pool: ThreadPoolExecutor, count: int) -> None:
        self._pool = pool
        self._count = count

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """What ``work`` makes of each item, in their order; it begins at once, and nothing begins behind a failure.

        Each thread takes one item after the other. A future for each, and a main thread that wakes for each, would take as
        long as the requests themselves.

        Raises:
            Exception: what ``work`` raised for the first item that failed, when its turn comes.
        """
        queue = _Queue(work, items)
        count = min(self._count, queue.total)
        return queue.results([self._pool.submit(queue.run) for _ in range(count)])


class _Queue(Generic[Item, Result]):
    """What is left to do, and what came of the rest."""

    def __init__(self, work: Callable[[Item], Result], items: Iterable[Item]) -> None:
        self._work = work
        self._waiting = deque(enumerate(items))
        self._done: dict[int, Result] = {}
        self._failed: dict[int, BaseException] = {}
        self.total = len(self._waiting)

    def run(self) -> None:
        """One thread's part."""
        while not self._failed:
            try:
                number, item = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._done[number] = self._work(item)
            except BaseException as error:  # noqa: BLE001 - raised where somebody waits for the result
                self._failed[number] = error

    def results(self, running: list[Future[None]]) -> Iterator[Result]:
        """All results; looks for new ones some times in a second."""
        number = 0
        try:
            while number < self.total:
                is_over = not wait(running, _GLANCE).not_done
                while number in self._done:
                    yield self._done.pop(number)
                    number += 1
                if is_over and number < self.total:
                    raise self._failed[min(self._failed)]
        finally:
            self._waiting.clear()
