"""A plan: what is to change on the registry, image by image, and the content that it takes.

It pins digests and carries the manifests, so that carrying it out asks the source for nothing but blobs. ``plan_file`` is how
it is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from planner.core.content import Descriptor, Manifest
from planner.core.family import ArtifactKind, Because
from planner.core.namespaces import Namespace
from planner.core.place import Place
from planner.core.refs import ImageRef

Op = Literal["create", "move", "repair", "same", "delete", "blocked"]
Drift = Literal["", "source", "target", "both"]
PENDING: frozenset[Op] = frozenset({"create", "move", "repair", "delete"})


@dataclass(frozen=True, slots=True)
class Change:
    """What is to happen to one name on the target registry.

    ``digest`` is what it shall hold, ``current`` what it holds now (empty: nothing). ``reason`` says why it is blocked, or
    what is to be repaired. For a blocked change without a target, ``target`` is the source; of what is to be deleted,
    ``source`` is the target. ``drift`` says which sides hold something else than what was last applied. ``subject`` is the
    digest of the image, in the same repository, that a signature, an attestation or an SBOM belongs to; ``reason`` says how.

    ``wanted_platforms`` are the only ones that are wanted of it (none: all). Where the source's index is rewritten for that,
    ``digest`` is that of the new one, ``source_digest`` that of the source's, and ``dropped_platforms`` are what is left out.
    """

    op: Op
    target: ImageRef
    source: ImageRef
    digest: str = ""
    current: str = ""
    reason: str = ""
    because: tuple[Because, ...] = ()
    platforms: tuple[str, ...] = ()
    kind: ArtifactKind = "image"
    drift: Drift = ""
    subject: str = ""
    wanted_platforms: tuple[str, ...] = ()
    source_digest: str = ""
    dropped_platforms: tuple[str, ...] = ()

    @property
    def held_at_source(self) -> str:
        """The digest that the source has; empty when that is not known."""
        return self.source_digest or self.digest

    @property
    def place(self) -> Place:
        """The repository that it goes to."""
        return Place(self.target.registry, self.target.repository)

    @property
    def origin(self) -> Place:
        """The repository that it comes from."""
        return Place(self.source.registry, self.source.repository)

    @property
    def has_place(self) -> bool:
        """Whether there is a name on a private registry that it is about."""
        return self.op == "delete" or self.target != self.source

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do."""
        return self.op in PENDING


@dataclass(frozen=True, slots=True)
class Input:
    """A file that the plan was made from. ``sha256`` is hexadecimal."""

    path: str
    sha256: str
    role: str


@dataclass(frozen=True, slots=True)
class Access:
    """How registries were reached, so that the plan is carried out in the same places.

    ``read_from`` and ``write_to`` are the overrides of the command line; ``schemes`` says with which one the specs send
    their nodes to a registry; ``endpoints`` what was contacted, by registry, as far as it is not the registry's own address.
    ``logins`` and ``authorities`` are what the specs say about registries, by host:port: to which ones their own tools log in
    from the environment, and what they are verified with (PEM, or ``$NAME``, a variable that names a file). ``inventories``
    are the files that answered in place of registries, which are asked when the plan is carried out.
    """

    read_from: str = ""
    write_to: str = ""
    schemes: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    logins: tuple[str, ...] = ()
    authorities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inventories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Everything that ``show``, ``review`` and ``apply`` need.

    ``manifests`` by digest; ``present`` names the repositories of the target registries that already hold a blob, by digest.
    ``namespaces`` are those that must exist, in order, with the ones that do. ``referrers`` says whether signatures and the
    like were looked for.
    """

    changes: tuple[Change, ...]
    manifests: Mapping[str, Manifest] = field(default_factory=dict, repr=False)
    present: Mapping[str, tuple[Place, ...]] = field(default_factory=dict, repr=False)
    inputs: tuple[Input, ...] = ()
    access: Access = field(default_factory=Access)
    namespaces: tuple[Namespace, ...] = ()
    referrers: bool = False

    @cached_property
    def pending(self) -> tuple[Change, ...]:
        """The changes that are to be carried out."""
        return tuple(change for change in self.changes if change.is_pending)

    @property
    def sources(self) -> frozenset[str]:
        """The registries that are read."""
        return frozenset(each.source.registry for each in self.changes if each.op != "delete")

    @property
    def targets(self) -> frozenset[str]:
        """The registries that are compared with, and written."""
        return frozenset(each.target.registry for each in self.changes if each.has_place)

    @cached_property
    def new_namespaces(self) -> Mapping[Place, Namespace]:
        """The namespaces that are to be created, by the repositories that lie in them."""
        return {
            Place(each.registry, repository): each
            for each in self.namespaces
            if each.op == "create"
            for repository in each.repositories
        }

    def namespaces_for(self, changes: Iterable[Change]) -> tuple[Namespace, ...]:
        """What is created before these changes are carried out, in order."""
        new = self.new_namespaces
        places = (each.place for each in changes if each.is_pending and each.op != "delete")
        return tuple(sorted({new[place] for place in places if place in new}))

    def count(self, op: Op) -> int:
        """How many changes of one kind there are."""
        return sum(change.op == op for change in self.changes)

    def blobs(self, change: Change) -> Mapping[str, Descriptor]:
        """The blobs of an image by digest, of all its platforms; empty for what is not pending."""
        return self._blobs_by_root.get(change.digest, {})

    def total_bytes(self, changes: Iterable[Change]) -> int:
        """Size of the images, each blob counted once per target repository."""
        needed = {
            (change.place, blob.digest): blob.size
            for change in changes
            for blob in self.blobs(change).values()
        }
        return sum(needed.values())

    def bytes_to_hold(self, changes: Iterable[Change]) -> int:
        """What the repositories would hold more: each blob once, none that one of them has."""
        listed = list(changes)
        places = {change.place for change in listed}
        wanted = {
            each.digest: each.size for change in listed for each in self.blobs(change).values()
        }
        return sum(
            size
            for digest, size in wanted.items()
            if not places.intersection(self.present.get(digest, ()))
        )

    def trimmed(self) -> Plan:
        """Without the content of what needs nothing, and without namespaces to create that nothing would come to."""
        manifests = {
            digest: self.manifests[digest]
            for change in self.pending
            for digest in self._closure(change.digest)
        }
        blobs = {digest for change in self.pending for digest in self.blobs(change)}
        present = {digest: self.present[digest] for digest in sorted(blobs & self.present.keys())}
        coming = {change.place for change in self.pending if change.op != "delete"}
        namespaces = tuple(
            each
            for each in self.namespaces
            if each.op != "create"
            or any(Place(each.registry, name) in coming for name in each.repositories)
        )
        return replace(self, manifests=manifests, present=present, namespaces=namespaces)

    def _closure(self, digest: str) -> Iterator[str]:
        if digest in self.manifests:
            yield digest
            for child in self.manifests[digest].children:
                yield from self._closure(child.digest)

    def bytes_to_send(self, changes: Iterable[Change]) -> int:
        """Bytes that must cross: each blob once per target registry, and none that the registry already has."""
        return sum(size for _, size in self._to_send(changes))

    def _to_send(self, changes: Iterable[Change]) -> Iterator[tuple[str, int]]:
        seen: set[tuple[str, str]] = set()
        for change in changes:
            registry = change.target.registry
            for blob in self.blobs(change).values():
                key = (registry, blob.digest)
                if key not in seen and not self.holders(registry, blob.digest):
                    yield blob.digest, blob.size
                seen.add(key)

    def holders(self, registry: str, digest: str) -> tuple[Place, ...]:
        """The repositories of one registry that already hold a blob."""
        return tuple(place for place in self.present.get(digest, ()) if place.registry == registry)

    @cached_property
    def _blobs_by_root(self) -> Mapping[str, Mapping[str, Descriptor]]:
        roots = {change.digest for change in self.changes if change.digest in self.manifests}
        return {root: dict(self._walk(root)) for root in roots}

    def _walk(self, digest: str) -> Iterator[tuple[str, Descriptor]]:
        manifest = self.manifests.get(digest)
        if manifest is None:
            return
        yield from ((blob.digest, blob) for blob in manifest.blobs)
        for child in manifest.children:
            yield from self._walk(child.digest)
