"""The state of a run for its screen: a fold of its events, without a word about drawing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from planner.core.events import (
    BytesMoved,
    Event,
    Finished,
    ImageCancelled,
    ImageDone,
    ImageFailed,
    Paused,
    Progress,
    Retried,
    Started,
    StepDone,
    StepFailed,
    StepStarted,
    Ticked,
    describe,
)

_WINDOW = 10.0
_MOST_LINES = 50_000


class Meter:
    """Bytes a second, over the last seconds."""

    def __init__(self, started_at: float = 0.0) -> None:
        self._since = started_at
        self._moved: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, at: float, moved: int) -> None:
        """Some more bytes."""
        self._moved.append((at, moved))
        self._sum += moved
        self._forget(at)

    def rate(self, at: float) -> float:
        """How fast it is at a time."""
        self._forget(at)
        seconds = min(_WINDOW, at - self._since)
        return self._sum / seconds if seconds > 0 else 0.0

    def _forget(self, at: float) -> None:
        while self._moved and self._moved[0][0] < at - _WINDOW:
            self._sum -= self._moved.popleft()[1]


@dataclass(slots=True)
class Transfer:
    """A step that is running. ``total`` is 0 for what moves no blob."""

    step: str
    total: int
    meter: Meter = field(repr=False)
    moved: int = 0


class RunModel:
    """What the screen shows. Images are ``queued`` until they are done, have failed, or are cancelled."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.progress = Progress()
        self.meter = Meter()
        self.active: dict[str, Transfer] = {}
        self.queued: dict[str, None] = {}
        self._queue: list[str] = []
        self.done: list[str] = []
        self.failed: dict[str, ImageFailed] = {}
        self.cancelled: dict[str, None] = {}
        self.lines: deque[tuple[float, str]] = deque(maxlen=_MOST_LINES)
        self.lines_lost = 0

    def see(self, events: Iterable[Event]) -> None:
        """Follow the run; the beginning of one forgets the one before."""
        for event in events:
            if isinstance(event, Started):
                self._begin()
            self.progress = self.progress.after(event)
            self._count(event)
            if not isinstance(event, BytesMoved | Ticked):
                self.lines_lost += len(self.lines) == _MOST_LINES
                self.lines.append((event.at, describe(event)))

    def _count(self, event: Event) -> None:
        match event:
            case Started():
                self.queued = dict.fromkeys(event.names)
            case StepStarted():
                self.active[event.step] = Transfer(event.step, event.bytes, Meter(event.at))
            case BytesMoved():
                self.meter.add(event.at, event.moved)
                if transfer := self.active.get(event.step):
                    transfer.moved += event.moved
                    transfer.meter.add(event.at, event.moved)
            case StepDone() | StepFailed():
                self.active.pop(event.step, None)
            case _:
                self._count_images(event)

    def _count_images(self, event: Event) -> None:
        match event:
            case ImageDone():
                self.queued.pop(event.image, None)
                self.done.append(event.image)
            case ImageFailed():
                self.queued.pop(event.image, None)
                self.failed[event.image] = event
            case ImageCancelled():
                self.queued.pop(event.image, None)
                self.failed.pop(event.image, None)
                self.cancelled[event.image] = None
            case Retried():
                for image in event.images:
                    self.failed.pop(image, None)
                    self.queued[image] = None
                self._queue = []
            case Paused():
                self.meter = Meter(event.at)
            case Finished():
                self.active.clear()
            case _:
                pass

    @property
    def queue(self) -> list[str]:
        """The images that are queued, in their order."""
        if len(self._queue) != len(self.queued):
            self._queue = list(self.queued)
        return self._queue

    @property
    def rate(self) -> float:
        """Bytes a second by now."""
        return self.meter.rate(self.progress.at)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the rate by now; None where there is none."""
        remaining = self.progress.bytes - self.progress.moved
        rate = self.rate
        return remaining / rate if rate and remaining > 0 and not self.progress.is_paused else None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done but to try again what failed."""
        return not (self.queued or self.active or self.progress.end) and bool(self.failed)
