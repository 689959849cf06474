"""What happens while a plan is carried out, as values: the engine emits them, views fold over them.

``at`` is seconds since the start. ``event_lines`` is how they are written down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from planner.core.text import duration, plural, size


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins: how many images, steps and bytes it is expected to take, and the ``names`` of the images."""

    at: float
    images: int
    steps: int
    bytes: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A worker took up a step that may move ``bytes``."""

    at: float
    step: str
    bytes: int


@dataclass(frozen=True, slots=True)
class BytesMoved:
    """``moved`` more bytes of a step went by."""

    at: float
    step: str
    moved: int


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step succeeded. ``moved`` is 0 when its result was there already, or was mounted.

    ``spared`` are the bytes that ``Started`` expected of it, and that the registry had already.
    """

    at: float
    step: str
    moved: int
    mounted: bool = False
    spared: int = 0


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step failed for good."""

    at: float
    step: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ImageDone:
    """An image is complete under its name."""

    at: float
    image: str
    digest: str


@dataclass(frozen=True, slots=True)
class ImageFailed:
    """An image will not be complete, unless it is retried; nothing points at what there is of it."""

    at: float
    image: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ImageCancelled:
    """Somebody left an image out: nothing of it starts any more that no other one needs."""

    at: float
    image: str


@dataclass(frozen=True, slots=True)
class Retried:
    """So many failed ``steps`` are done again, and with them these ``images`` are no failures any more."""

    at: float
    steps: int
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing new starts until the run is resumed."""

    at: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on."""

    at: float


@dataclass(frozen=True, slots=True)
class Ticked:
    """Nothing new, and still alive."""

    at: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """``host`` is left alone for some ``seconds``, as it asks; with none, something of it is tried again at once."""

    at: float
    host: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over. ``cancelled`` images were never finished because somebody stopped it, or left them out."""

    at: float
    done: int
    failed: int
    cancelled: int


Event = (
    Started
    | StepStarted
    | BytesMoved
    | StepDone
    | StepFailed
    | ImageDone
    | ImageFailed
    | ImageCancelled
    | Retried
    | Paused
    | Resumed
    | Ticked
    | Waiting
    | Finished
)


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run after some of its events: the fold that every view draws.

    ``active`` maps the running steps to the bytes that they moved so far; ``waiting`` are the waits that are not over;
    ``cancelled`` are the images that somebody left out.
    """

    images: int = 0
    steps: int = 0
    bytes: int = 0
    at: float = 0.0
    steps_done: int = 0
    images_done: int = 0
    mounted: int = 0
    moved: int = 0
    active: Mapping[str, int] = field(default_factory=dict)
    failed: tuple[ImageFailed, ...] = ()
    cancelled: tuple[str, ...] = ()
    is_paused: bool = False
    waiting: tuple[Waiting, ...] = ()
    end: Finished | None = None

    def after(self, event: Event) -> Progress:  # noqa: C901, PLR0911, PLR0912 - a case for each event
        """The state after one more event."""
        at = max(self.at, event.at)
        waiting = self.waiting and tuple(
            each for each in self.waiting if each.at + each.seconds > at
        )
        now = replace(self, at=at, waiting=waiting)
        match event:
            case Started():
                return replace(now, images=event.images, steps=event.steps, bytes=event.bytes)
            case StepStarted():
                return replace(now, active={**self.active, event.step: 0})
            case BytesMoved():
                so_far = self.active.get(event.step, 0) + event.moved
                active = (
                    {**self.active, event.step: so_far}
                    if event.step in self.active
                    else self.active
                )
                return replace(now, active=active, moved=self.moved + event.moved)
            case StepDone():
                return replace(
                    self._without(event.step, now),
                    steps_done=self.steps_done + 1,
                    bytes=self.bytes - event.spared,
                    mounted=self.mounted + event.mounted,
                )
            case StepFailed():
                return self._without(event.step, now)
            case ImageDone():
                return replace(now, images_done=self.images_done + 1)
            case ImageFailed():
                return replace(now, failed=(*self.failed, event))
            case ImageCancelled():
                cancelled = (*self.cancelled, event.image)
                return replace(now, cancelled=cancelled, failed=self._failed_but({event.image}))
            case Retried():
                return replace(now, failed=self._failed_but(frozenset(event.images)))
            case Paused() | Resumed():
                return replace(now, is_paused=isinstance(event, Paused))
            case Ticked():
                return now
            case Waiting():
                return replace(now, waiting=(*waiting, event)) if event.seconds else now
            case Finished():
                return replace(now, end=event, active={}, waiting=(), is_paused=False)

    @property
    def rate(self) -> float:
        """Bytes a second since the start; 0 before anything moved."""
        return self.moved / self.at if self.at else 0.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the rate so far; None while there is none."""
        remaining = max(0, self.bytes - self.moved)
        return remaining / self.rate if self.rate else None

    def _failed_but(self, images: Collection[str]) -> tuple[ImageFailed, ...]:
        return tuple(each for each in self.failed if each.image not in images)

    def _without(self, step: str, now: Progress) -> Progress:
        return replace(
            now, active={key: value for key, value in self.active.items() if key != step}
        )


def describe(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912 - a line for each event
    """The event for people."""
    match event:
        case Started():
            return f"{plural(event.images, 'image')}, {size(event.bytes)} to send"
        case StepStarted():
            return f"{event.step}: started"
        case BytesMoved():
            return f"{event.step}: {size(event.moved)} more"
        case StepDone():
            how = "mounted" if event.mounted else size(event.moved) if event.moved else "done"
            return f"{event.step}: {how}"
        case StepFailed():
            return f"{event.step}: {event.reason}"
        case ImageDone():
            return f"{event.image}: complete"
        case ImageFailed():
            return f"{event.image}: {event.reason}"
        case ImageCancelled():
            return f"{event.image}: cancelled"
        case Retried():
            again = plural(len(event.images), "image")
            return f"{plural(event.steps, 'failed step')} of {again} again"
        case Paused():
            return "paused: nothing new starts"
        case Resumed():
            return "resumed"
        case Ticked():
            return "still working"
        case Waiting() if event.seconds:
            return f"{event.host} asks to wait {duration(event.seconds)}: {event.reason}"
        case Waiting():
            return f"{event.host}: {event.reason}, trying again"
        case Finished():
            return f"{event.done} done, {event.failed} failed, {event.cancelled} not started"
