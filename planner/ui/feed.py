"""The events of a run, handed out in batches on a thread, and handed on to whoever shows them next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator

from planner.core.events import Event, Finished, Progress
from planner.ui.progress import View

_PAUSE = 0.1
_MOST = 2_000


class Feed:
    """A run that one reader at a time reads. ``progress`` is what came of it so far, and ``error`` what broke it.

    The run itself knows nothing of its readers: who reads decides on which thread its engine takes its turns.
    """

    def __init__(self, events: Iterable[Event], views: Iterable[View] = ()) -> None:
        self.progress = Progress()
        self.error: Exception | None = None
        self._events = iter(events)
        self._views = tuple(views)
        self._reading = threading.Lock()
        self._is_left = threading.Event()

    def leave(self) -> None:
        """Let the reader on another thread come to its end at the next event, so that somebody else may read on."""
        self._is_left.set()

    def close(self) -> None:
        """End the run's iteration where it is; what it has to write down it writes."""
        if isinstance(self._events, Generator):
            self._events.close()

    def take_over(self) -> Iterator[Event]:
        """What is left, one by one, once the reader before has let go."""
        with self._reading:
            for event in self._events:
                self._see(event)
                yield event

    def batches(self) -> Generator[list[Event], None, None]:
        """What happened since the last batch, at most ten a second, until the end or until it is left.

        Raises:
            Exception: whatever broke the run; it is kept in ``error``, too.
        """
        with self._reading:
            yield from batches(self._seen(), self._is_left.is_set)

    def _seen(self) -> Iterator[Event]:
        try:
            for event in self._events:
                self._see(event)
                yield event
        except Exception as error:
            self.error = error
            raise

    def _see(self, event: Event) -> None:
        self.progress = self.progress.after(event)
        for view in self._views:
            view(event)


def batches(
    events: Iterable[Event | None], is_over: Callable[[], bool]
) -> Generator[list[Event], None, None]:
    """Events in lists, at most ten a second, and the end of a run at once; None only says that there is nothing new.

    Lists may be empty: whoever reads them shall have a chance to go.
    """
    batch: list[Event] = []
    handed_at = 0.0
    for event in events:
        if event:
            batch.append(event)
        now = time.monotonic()
        is_due = now - handed_at >= _PAUSE or len(batch) >= _MOST
        if is_due or isinstance(event, Finished):
            handed_at = now
            yield batch
            batch = []
        if is_over():
            break
    if batch:
        yield batch
