"""The protocol that registries and layouts share, so that plan, apply and verify are one code path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from planner.core.content import Descriptor, Manifest
from planner.core.quota import Quota
from planner.stores.pieces import Piece
from planner.stores.verified import VerifiedStream

Chunks = Iterator[Piece]
Arrival = Literal["present", "mounted", "copied"]


class OpenBlob(Protocol):
    """Opens a blob's bytes from ``offset`` on; may be called again."""

    def __call__(self, offset: int = 0, /) -> AbstractContextManager[VerifiedStream]:
        """A stream that is read inside of a ``with``."""
        ...


class Store(Protocol):
    """One registry, real or stood in for. ``name`` is how messages call it, ``quota`` what it last said of its limits on pulls.

    Every method may raise ``RegistryError``. References are tags or digests.
    """

    name: str
    quota: Quota | None

    def greet(self) -> None:
        """Fail early, and once, when nobody is there."""
        ...

    def path_of(self, repository: str) -> str:
        """What the store itself calls a repository: a path in its address stands before the name."""
        ...

    @property
    def gives_freely(self) -> bool:
        """Whether a manifest may be asked for where ``head`` would do: it can be had, and nobody counts how often."""
        ...

    def head(
        self, repository: str, reference: str, *, may_pull: bool = True, likely: str = ""
    ) -> Descriptor | None:
        """What stands under a reference; None when nothing does.

        Not ``may_pull``: the digest is empty where only a pull would tell it. ``likely`` is the digest that it probably has; a
        store may save itself everything but saying so.
        """
        ...

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Fetch a manifest; its bytes match the reference when that is a digest."""
        ...

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a repository holds a blob."""
        ...

    def open_blob(
        self, repository: str, digest: str, part: range | None = None
    ) -> AbstractContextManager[Chunks]:
        """Stream what the store has under a digest, or a ``part`` of its bytes.

        Whether it is that content, a ``VerifiedStream`` finds out.
        """
        ...

    def write_blob(
        self, repository: str, digest: str, source: OpenBlob, sibling: str = ""
    ) -> Arrival:
        """Make a repository hold a blob: find it there, mount it from ``sibling``, or read it from ``source``.

        Nothing is stored unless the bytes have the digest.
        """
        ...

    def is_empty(self, repository: str) -> bool:
        """Whether a repository surely has no tag, so that looking for content in it is hardly worth a request for each blob."""
        ...

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository, in order; none when there is no such repository."""
        ...

    def repositories(self) -> list[str]:
        """The repositories that the store tells of, in order; they may have lost all their tags."""
        ...

    def delete(self, repository: str, reference: str) -> bool:
        """Delete a tag, or a manifest with all its tags; False where the store does not delete such references.

        What is not there is a success.
        """
        ...

    def write_manifest(self, repository: str, reference: str, manifest: Manifest) -> bool:
        """Store a manifest under a tag or its digest, byte for byte; whether the store itself lists it for its subject."""
        ...

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
        """What names a digest as its subject; None where the store keeps no such list: ``referring`` knows where it is then."""
        ...
