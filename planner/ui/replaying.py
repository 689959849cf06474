"""Event logs as runs to look at: one that is over, played at any speed, and one that another process still writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from planner.core.errors import InputError
from planner.core.event_lines import from_line, is_event_log
from planner.core.events import Event, Finished, Started
from planner.files import is_file
from planner.ui.feed import batches

SPEEDS = (1, 4, 16, 64, 256)
_PAUSE = 0.1
_GLANCE = 0.2
_FIRST_LINE = 256


def is_log(paths: Sequence[str]) -> bool:
    """Whether the arguments are one event log."""
    if len(paths) != 1 or not is_file(paths[0]):
        return False
    try:
        with Path(paths[0]).open("rb") as stream:
            return is_event_log(stream.read(_FIRST_LINE))
    except OSError:
        return False  # whoever reads it as something else tells why


def read_log(file: str) -> tuple[Event, ...]:
    """All events of a log; a last line that was cut off is left out, as a run that was killed leaves one.

    Raises:
        InputError: it cannot be read, or another line is no event.
    """
    try:
        text = Path(file).read_bytes().decode("utf-8", "replace")
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror or error}"
        raise InputError(message, "check the path and its permissions") from error
    lines = text.split("\n")[:-1]
    found = (from_line(line, file, number) for number, line in enumerate(lines, 1))
    return tuple(event for event in found if event)


class Replay:
    """A run that is over. It begins at its end, since what came of it is mostly what one wants to see."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.speed = SPEEDS[1]
        self.is_playing = False
        self._events = events
        self._at = 0
        self._now = float("inf")
        self._seeks = True
        self._closing = False
        self._changed = threading.Condition()

    @property
    def length(self) -> float:
        """Seconds that the run took."""
        return max((each.at for each in self._events), default=0.0)

    def play(self) -> None:
        """Play on, or hold; from the beginning where there is nothing to play."""
        with self._changed:
            if not self.is_playing and self._at >= len(self._events):
                self._go(0.0)
            self.is_playing = not self.is_playing
            self._changed.notify_all()

    def seek(self, at: float) -> None:
        """Go to a second, and hold there."""
        with self._changed:
            self.is_playing = False
            self._go(at)

    def faster(self, step: int) -> None:
        """Play by so many steps faster."""
        at = SPEEDS.index(self.speed) + step
        self.speed = SPEEDS[max(0, min(at, len(SPEEDS) - 1))]

    def close(self) -> None:
        """Let the reader come to its end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def batches(self) -> Generator[list[Event], None, None]:
        """What there is to be seen, until it is closed; nothing now and then. A beginning forgets what was before."""
        while not self._closing:
            with self._changed:
                if not (self._seeks or self.is_playing):
                    self._changed.wait(_GLANCE)
                batch = self._next() if self._seeks or self.is_playing else []
            yield batch
            time.sleep(_PAUSE if self.is_playing else 0)

    def _next(self) -> list[Event]:
        """What lies between the last moment and this one."""
        if not self._seeks:
            self._now += _PAUSE * self.speed
        self._seeks = False
        start = self._at
        while self._at < len(self._events) and self._events[self._at].at <= self._now:
            self._at += 1
        if self._at >= len(self._events):
            self.is_playing = False
        return list(self._events[start : self._at])

    def _go(self, at: float) -> None:
        at = max(at, self._events[0].at if self._events else 0.0)
        if at < self._now:
            self._at = 0
        self._now, self._seeks = at, True
        self._changed.notify_all()


class Watch:
    """A log that another process writes, now or later. The end of its run ends the following."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.has_begun = False
        self._closing = threading.Event()

    def close(self) -> None:
        """Let the reader come to its end."""
        self._closing.set()

    def batches(self) -> Generator[list[Event], None, None]:
        """What is written from now on, and what was written before.

        Raises:
            InputError: a line is no event.
        """
        yield from batches(self._events(), self._closing.is_set)

    def _events(self) -> Iterator[Event | None]:
        """The events, and None whenever there is nothing new."""
        number, rest, position = 0, b"", 0
        while True:
            data, is_new = self._read(position)
            if is_new:
                number, rest, position = 0, b"", 0
                continue
            if not data:
                yield None
                if self._closing.wait(_GLANCE):
                    return
                continue
            position += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                number += 1
                event = from_line(line.decode("utf-8", "replace"), self.file, number)
                self.has_begun = self.has_begun or isinstance(event, Started)
                if event:
                    yield event
                if isinstance(event, Finished):
                    return

    def _read(self, position: int) -> tuple[bytes, bool]:
        """What is there behind a position, and whether the file is a new one, which a shorter one is."""
        try:
            with Path(self.file).open("rb") as stream:
                if stream.seek(0, 2) < position:
                    return b"", True
                stream.seek(position)
                return stream.read(1 << 20), False
        except FileNotFoundError:
            return b"", position > 0
        except OSError as error:
            message = f"{self.file}: cannot be read: {error.strerror or error}"
            raise InputError(message, "check the path and its permissions") from error
