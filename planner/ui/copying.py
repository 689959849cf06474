"""A run of the engine on threads, with its controls: what ``apply`` and the review share."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TypeVar

from planner.apply import DEFAULT_PARALLELISM, Run, apply
from planner.core.controls import Cancel, Control, Pause, Resume, Retry
from planner.core.events import Event, Finished
from planner.core.plan import Change, Plan
from planner.recording import Recording
from planner.stores.opening import Stores
from planner.stores.verified import InterruptedStepError
from planner.ui.executors import Crew, Desk, threads

Item = TypeVar("Item")
_FRESH = 60.0


class Copying:
    """Carries out changes once. Its controls may be used from any thread, and ``stop`` from a signal handler.

    ``looked_at`` is when the target's tags were last compared with the plan, by ``time.monotonic``. ``crew`` does the steps.
    """

    def __init__(  # noqa: PLR0913 - each of them is a choice of its own
        self,
        plan: Plan,
        changes: Sequence[Change],
        stores: Stores,
        *,
        parallelism: int = DEFAULT_PARALLELISM,
        fail_fast: bool = False,
        recording: Recording | None = None,
        looked_at: float = -math.inf,
        crew: Crew = threads,
    ) -> None:
        self._plan = plan
        self._changes = changes
        self._stores = stores
        self._parallelism = parallelism
        self._fail_fast = fail_fast
        self._recording = recording
        self._looked_at = looked_at
        self._crew = crew
        self._moved: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._waits: queue.SimpleQueue[tuple[str, float, str]] = queue.SimpleQueue()
        self._controls: queue.SimpleQueue[Control] = queue.SimpleQueue()
        self._unwanted: set[str] = set()
        self._stays = False
        self._stopping = threading.Event()

    def pause(self) -> None:
        """Start nothing new; what moves comes to its end."""
        self._controls.put(Pause())

    def resume(self) -> None:
        """Go on."""
        self._controls.put(Resume())

    def cancel(self, image: str) -> None:
        """Leave an image out, by its name in the target, and cut off what moves for it alone."""
        self._controls.put(Cancel(image))

    def retry(self) -> None:
        """Do again what failed."""
        self._controls.put(Retry())

    def stay(self, *, stays: bool) -> None:
        """Whether the run goes on when nothing is left but what failed, so that it can be retried; never with ``fail_fast``."""
        self._stays = stays

    def stop(self) -> None:
        """Start nothing new, and cut off what is moving; a cut-off upload leaves nothing behind."""
        self._stopping.set()
        self._stores.traffic.stop()

    def events(self) -> Generator[Event, None, None]:
        """The run; to be iterated once."""
        self._stores.traffic.tell = lambda *wait: self._waits.put(wait)
        with self._crew(self._desk()) as (executor, perform):
            run = Run(
                executor=executor,
                perform=perform,
                limit=self._parallelism,
                tick=0.25,
                cancelled=self._stopping.is_set,
                drain=self._drain,
                waits=lambda: _all_in(self._waits),
                controls=lambda: _all_in(self._controls),
                unwanted=self._unwanted,
                stays=lambda: self._stays and not self._fail_fast,
                fail_fast=self._fail_fast,
            )
            yield from self._journaled(self._recorded(apply(self._plan, self._changes, run)))

    def _desk(self) -> Desk:
        return Desk(
            self._stores,
            self._parallelism,
            self._report,
            lambda step, moved: self._moved.put((step, moved)),
            lambda *wait: self._waits.put(wait),
            self._is_fresh,
            self._stopping,
        )

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
        if self._stopping.is_set() or step in self._unwanted:
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
