"""Views of a run: its figures in words, lines for logs, and the JSON log. Each view is fed every event."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from planner.core.errors import InputError
from planner.core.event_lines import header, to_line
from planner.core.events import (
    Event,
    Finished,
    ImageCancelled,
    ImageDone,
    ImageFailed,
    Paused,
    Progress,
    Resumed,
    Retried,
    Waiting,
    describe,
)
from planner.core.text import duration, plural, printable, size

View = Callable[[Event], None]
HEARTBEAT = 30.0


def headline(progress: Progress) -> str:
    """Where a run is: ``[12/45] 1.3 GiB of 4.5 GiB, 28 %, 9.1 MiB/s, 5m40s left``."""
    share = f", {100 * progress.moved // progress.bytes} %" if progress.bytes else ""
    rate = f", {size(int(progress.rate))}/s" if progress.moved else ""
    left = progress.seconds_left
    remaining = f", {duration(left)} left" if left and progress.moved < progress.bytes else ""
    moved = f"{size(progress.moved)} of {size(progress.bytes)}"
    return f"[{progress.images_done}/{progress.images}] {moved}{share}{rate}{remaining}"


def outcome(progress: Progress) -> str:
    """The last words of a run."""
    end = progress.end or Finished(progress.at, 0, 0, 0)
    counts = [f"{plural(end.done, 'image')} done"]
    counts += [f"{end.failed} failed"] if end.failed else []
    counts += [f"{end.cancelled} not finished"] if end.cancelled else []
    mounts = (
        f", {plural(progress.mounted, 'blob')} shared instead of sent" if progress.mounted else ""
    )
    return f"{', '.join(counts)}: {size(progress.moved)} sent{mounts}, in {duration(progress.at)}."


def tell_wait(host: str, seconds: float, reason: str) -> None:
    """One line on stderr, where no run has views for it; a line that is drawn over gives way."""
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    said = describe(Waiting(0.0, host, seconds, reason))
    sys.stderr.write(f"{clear}{printable(said)}\n")
    sys.stderr.flush()


class Lines:
    """Plain lines for logs: one per finished image, and a heartbeat when nothing else was said for a while.

    They begin where ``progress`` is.
    """

    def __init__(
        self, stream: TextIO, heartbeat: float = HEARTBEAT, progress: Progress | None = None
    ) -> None:
        self._stream = stream
        self._heartbeat = heartbeat
        self._progress = progress or Progress()
        self._said_at = self._progress.at

    def __call__(self, event: Event) -> None:
        """Say what is worth a line."""
        self._progress = self._progress.after(event)
        match event:
            case ImageDone():
                self._say(f"{headline(self._progress)}: {printable(event.image)}")
            case ImageFailed():
                self._say(f"failed: {printable(event.image)}: {printable(event.reason)}")
            case Waiting() | ImageCancelled() | Paused() | Resumed() | Retried():
                self._say(printable(describe(event)))
            case Finished():
                pass
            case _:
                if event.at - self._said_at >= self._heartbeat:
                    active = ", ".join(sorted(self._progress.active))
                    self._say(f"{headline(self._progress)}, active: {active or 'nothing'}")

    def _say(self, text: str) -> None:
        self._said_at = self._progress.at
        self._stream.write(f"{text}\n")
        self._stream.flush()


class EventLog:
    """``planner.events/1``: one JSON object a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stream.write(f"{header()}\n")

    def __call__(self, event: Event) -> None:
        """Write it down at once, so that a killed run leaves a whole log."""
        self._stream.write(f"{to_line(event)}\n")
        self._stream.flush()


@contextmanager
def event_log(file: str) -> Iterator[View]:
    """A log into a file.

    Raises:
        InputError: it cannot be written.
    """
    try:
        stream = Path(file).open("w", encoding="utf-8")  # noqa: SIM115 - closed below, opened apart for its error
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror or error}"
        raise InputError(message, "check the folder and its permissions") from error
    with stream:
        yield EventLog(stream)
