"""Registries where a push needs nothing but the right to push: distribution, zot, ACR, and layouts on disk.

Source: distribution/distribution v3.1.1 registry/handlers/app.go: a repository is whatever is written to; project-zot/zot
pkg/api/routes.go, likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from planner.core.namespaces import THERE, Standing


class Implicit:
    """A product without namespaces."""

    word = ""

    def __init__(self, name: str = "distribution", title: str = "a plain registry") -> None:
        self.name = name
        self.title = title

    def complaint(self, repository: str) -> str:
        """Nothing."""
        return ""

    def namespace(self, repository: str) -> str:
        """None."""
        return ""

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """All there."""
        return dict.fromkeys(namespaces, THERE)

    def create(self, namespace: str) -> None:
        """Nothing to do."""

    def administrators_command(self, namespace: str) -> str:
        """None."""
        return ""

    def repositories(self) -> Iterator[str] | None:
        """By the catalog."""
        return None
