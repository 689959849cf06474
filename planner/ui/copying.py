"""A run of the engine on threads, with a way to stop it: what ``apply`` and the review share."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from planner.apply import DEFAULT_PARALLELISM, Run, apply
from planner.core.events import Event
from planner.core.plan import Change, Plan
from planner.record import Recording
from planner.stores.opening import Stores
from planner.stores.perform import InterruptedStepError, perform


class Copying:
    """Carries out changes once. ``stop`` may be called from any thread and from a signal handler."""

    def __init__(
        self,
        plan: Plan,
        changes: Sequence[Change],
        stores: Stores,
        *,
        parallelism: int = DEFAULT_PARALLELISM,
        fail_fast: bool = False,
        recording: Recording | None = None,
    ) -> None:
        self._plan = plan
        self._changes = changes
        self._stores = stores
        self._parallelism = parallelism
        self._fail_fast = fail_fast
        self._recording = recording
        self._moved: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Start nothing new, and cut off what is moving; a cut-off upload leaves nothing behind."""
        self._stopping.set()

    def events(self) -> Generator[Event, None, None]:
        """The run; to be iterated once."""
        with ThreadPoolExecutor(self._parallelism, thread_name_prefix="copy") as executor:
            run = Run(
                executor=executor,
                perform=partial(perform, self._stores, self._report),
                limit=self._parallelism,
                tick=0.25,
                cancelled=self._stopping.is_set,
                drain=self._drain,
                fail_fast=self._fail_fast,
            )
            yield from self._recorded(apply(self._plan, self._changes, run))

    def _recorded(self, events: Iterator[Event]) -> Iterator[Event]:
        """What is done is written down before anybody hears of the end, and also when nobody listens to the end."""
        if self._recording is None:
            yield from events
            return
        try:
            for event in events:
                self._recording.see(event)
                yield event
        finally:
            self._recording.write()

    def _report(self, step: str, moved: int) -> None:
        if self._stopping.is_set():
            raise InterruptedStepError
        self._moved.put((step, moved))

    def _drain(self) -> Iterator[tuple[str, int]]:
        """Bytes by step since the last time, added up."""
        sums: dict[str, int] = {}
        while True:
            try:
                step, moved = self._moved.get_nowait()
            except queue.Empty:
                return iter(sums.items())
            sums[step] = sums.get(step, 0) + moved
