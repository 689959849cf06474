"""A run of the engine on threads, with a way to stop it: what ``apply`` and the review share."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from planner.apply import DEFAULT_PARALLELISM, Run, apply
from planner.core.events import Event, Finished
from planner.core.plan import Change, Plan
from planner.recording import Recording
from planner.stores.opening import Stores
from planner.stores.perform import perform
from planner.stores.verified import InterruptedStepError

Item = TypeVar("Item")
_FRESH = 60.0


class Copying:
    """Carries out changes once. ``stop`` may be called from any thread and from a signal handler.

    ``looked_at`` is when the target's tags were last compared with the plan, by ``time.monotonic``.
    """

    def __init__(
        self,
        plan: Plan,
        changes: Sequence[Change],
        stores: Stores,
        *,
        parallelism: int = DEFAULT_PARALLELISM,
        fail_fast: bool = False,
        recording: Recording | None = None,
        looked_at: float = -math.inf,
    ) -> None:
        self._plan = plan
        self._changes = changes
        self._stores = stores
        self._parallelism = parallelism
        self._fail_fast = fail_fast
        self._recording = recording
        self._looked_at = looked_at
        self._moved: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._waits: queue.SimpleQueue[tuple[str, float, str]] = queue.SimpleQueue()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Start nothing new, and cut off what is moving; a cut-off upload leaves nothing behind."""
        self._stopping.set()
        self._stores.traffic.stop()

    def events(self) -> Generator[Event, None, None]:
        """The run; to be iterated once."""
        self._stores.traffic.tell = lambda *wait: self._waits.put(wait)
        with ThreadPoolExecutor(self._parallelism, thread_name_prefix="copy") as executor:
            run = Run(
                executor=executor,
                perform=partial(perform, self._stores, self._report, is_fresh=self._is_fresh),
                limit=self._parallelism,
                tick=0.25,
                cancelled=self._stopping.is_set,
                drain=self._drain,
                waits=lambda: _all_in(self._waits),
                fail_fast=self._fail_fast,
            )
            yield from self._journaled(self._recorded(apply(self._plan, self._changes, run)))

    def _journaled(self, events: Iterator[Event]) -> Iterator[Event]:
        """What of the uploads a later run could go on with is kept, as long as there is something to go on with."""
        is_complete = False
        try:
            for event in events:
                if isinstance(event, Finished):
                    is_complete = not (event.failed or event.cancelled)
                yield event
        finally:
            self._stores.journal.close(is_complete=is_complete)

    def _recorded(self, events: Iterator[Event]) -> Iterator[Event]:
        """What is done is written down before anybody hears of the end, and also when nobody listens to the end."""
        if self._recording is None:
            yield from events
            return
        self._recording.begin(self._changes)
        try:
            for event in events:
                self._recording.see(event)
                yield event
        finally:
            self._recording.write()

    def _is_fresh(self) -> bool:
        """Whether the tags were looked at just now; between a look and a write there is always a moment."""
        return time.monotonic() - self._looked_at < _FRESH

    def _report(self, step: str, moved: int) -> None:
        if self._stopping.is_set():
            raise InterruptedStepError
        self._moved.put((step, moved))

    def _drain(self) -> Iterator[tuple[str, int]]:
        """Bytes by step since the last time, added up."""
        sums: dict[str, int] = {}
        for step, moved in _all_in(self._moved):
            sums[step] = sums.get(step, 0) + moved
        return iter(sums.items())


def _all_in(waiting: queue.SimpleQueue[Item]) -> Iterator[Item]:
    """What is there by now."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return
