"""Where content lies."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A repository on a registry."""

    registry: str
    repository: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}"
