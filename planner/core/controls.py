"""What may be asked of a run while it runs, as values: views hand them in, the engine takes them up between two steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """Start nothing new until ``Resume``; what moves comes to its end."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Leave out one image, by its name in the target, and what nobody else needs of it."""

    image: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Put back all steps that failed so far, and with them the images that they kept from being finished."""


Control = Pause | Resume | Cancel | Retry
