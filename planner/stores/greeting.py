"""The first answer of a registry, which tells what it is and how it wants to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Greeting(NamedTuple):
    """What a registry answered to ``GET /v2/``: ``headers`` by lower-case name, ``body`` the start of it."""

    status: int = 0
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def challenge(self) -> str:
        """How it wants to be asked."""
        return self.headers.get("www-authenticate", "")
