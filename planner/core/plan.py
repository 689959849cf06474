"""A plan: what is to change on the registry, image by image, and the content that it takes.

It pins digests and carries the manifests, so that carrying it out asks the source for nothing but blobs. Saved, it is
deterministic: equal inputs and an equal registry give equal bytes, and its id is their digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

from planner import __version__
from planner.core.content import Descriptor, Manifest, parse_manifest
from planner.core.errors import InputError, RegistryError
from planner.core.family import ArtifactKind, Because
from planner.core.refs import ImageRef, parse_canonical
from planner.core.steps import Place

FORMAT = "planner.plan/1"
Op = Literal["create", "move", "repair", "same", "blocked"]
_EXPANDED_LEVELS = 3
PENDING: frozenset[Op] = frozenset({"create", "move", "repair"})


@dataclass(frozen=True, slots=True)
class Change:
    """What is to happen to one name on the target registry.

    ``digest`` is what it shall hold, ``current`` what it holds now (empty: nothing). ``reason`` says why it is blocked, or
    what is to be repaired. For a blocked change without a target, ``target`` is the source.
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

    @property
    def place(self) -> Place:
        """The repository that it goes to."""
        return Place(self.target.registry, self.target.repository)

    @property
    def origin(self) -> Place:
        """The repository that it comes from."""
        return Place(self.source.registry, self.source.repository)

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
    """

    read_from: str = ""
    write_to: str = ""
    schemes: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Everything that ``show``, ``review`` and ``apply`` need.

    ``manifests`` by digest; ``present`` names the repositories of the target registries that already hold a blob, by digest.
    """

    changes: tuple[Change, ...]
    manifests: Mapping[str, Manifest] = field(default_factory=dict, repr=False)
    present: Mapping[str, tuple[Place, ...]] = field(default_factory=dict, repr=False)
    inputs: tuple[Input, ...] = ()
    access: Access = field(default_factory=Access)

    @cached_property
    def id(self) -> str:
        """``sha256:…`` of the saved form."""
        return _id_of(_document(self))

    @property
    def pending(self) -> tuple[Change, ...]:
        """The changes that are to be carried out."""
        return tuple(change for change in self.changes if change.is_pending)

    @property
    def sources(self) -> frozenset[str]:
        """The registries that are read."""
        return frozenset(change.source.registry for change in self.changes)

    @property
    def targets(self) -> frozenset[str]:
        """The registries that are compared with, and written."""
        placed = (change for change in self.changes if change.target != change.source)
        return frozenset(change.target.registry for change in placed)

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


def to_json(plan: Plan) -> bytes:
    """The saved form: UTF-8 JSON, sorted keys, a line end at the end."""
    return _dump({**_document(plan), "id": plan.id}) + b"\n"


def from_json(data: bytes, file: str) -> Plan:
    """Read a saved plan.

    Raises:
        InputError: not a plan, of a newer format, or altered since it was saved.
    """
    try:
        document = json.loads(data)
        stated = document["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{file}: this is not a saved plan", "make one with planner plan -o FILE"
        ) from error
    if stated != FORMAT:
        message = f"{file}: expected format {FORMAT}, got {stated}"
        raise InputError(message, "use the planner release that made it, or plan again")
    if document.pop("id", "") != _id_of(document):
        raise InputError(f"{file}: the plan was changed after it was saved", "plan again")
    try:
        plan = _read(document)
        _check_content(plan)
    except (ValueError, TypeError, KeyError, AttributeError, RegistryError) as error:
        raise InputError(f"{file}: the plan is damaged", "plan again") from error
    return plan


def _id_of(document: Mapping[str, Any]) -> str:
    """The digest of the document as JSON with sorted keys and no white space, however it is laid out in a file."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(canonical.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _check_content(plan: Plan) -> None:
    """Every pending image is there, down to its last manifest."""
    needed = dict.fromkeys(change.digest for change in plan.pending)
    while needed:
        manifest = plan.manifests[needed.popitem()[0]]
        needed |= dict.fromkeys(child.digest for child in manifest.children)


def _dump(document: Mapping[str, Any]) -> bytes:
    """One change, manifest or input a line: small differences, and the encoder stays fast for large plans."""
    return _lines(document, _EXPANDED_LEVELS).encode("utf-8", "surrogatepass")


def _lines(value: Any, levels: int) -> str:
    if not levels or not isinstance(value, dict | list) or not value:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    if isinstance(value, list):
        return "[\n" + ",\n".join(_lines(each, levels - 1) for each in value) + "\n]"
    pairs = (f"{json.dumps(key)}: {_lines(value[key], levels - 1)}" for key in sorted(value))
    return "{\n" + ",\n".join(pairs) + "\n}"


def _document(plan: Plan) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "planner": __version__,
        "inputs": [asdict(each) for each in plan.inputs],
        "access": asdict(plan.access),
        "changes": [_change_document(change) for change in plan.changes],
        "content": {
            "manifests": {
                digest: {"media_type": each.media_type, "data": each.data.decode("utf-8")}
                for digest, each in plan.manifests.items()
            },
            "present": {
                digest: sorted(map(str, places))
                for digest, places in plan.present.items()
                if places
            },
        },
        "totals": totals(plan),
    }


def totals(plan: Plan) -> dict[str, int]:
    """The figures of the summary: images by operation, and bytes."""
    counts = {op: plan.count(op) for op in get_args(Op)}
    return {
        **counts,
        "bytes": plan.total_bytes(plan.pending),
        "bytes_to_send": plan.bytes_to_send(plan.pending),
    }


def _change_document(change: Change) -> dict[str, Any]:
    return {
        "op": change.op,
        "kind": change.kind,
        "target": str(change.target),
        "source": str(change.source),
        "digest": change.digest,
        "current": change.current,
        "reason": change.reason,
        "platforms": list(change.platforms),
        "because": [each._asdict() for each in change.because],
    }


def _read(document: Mapping[str, Any]) -> Plan:
    content = document["content"]
    return Plan(
        changes=tuple(_read_change(each) for each in document["changes"]),
        manifests={
            digest: _read_manifest(digest, each["media_type"], each["data"])
            for digest, each in content["manifests"].items()
        },
        present={
            digest: tuple(_read_place(each) for each in places)
            for digest, places in content["present"].items()
        },
        inputs=tuple(Input(**each) for each in document["inputs"]),
        access=Access(**document["access"]),
    )


def _read_manifest(digest: str, media_type: str, text: str) -> Manifest:
    manifest = parse_manifest(text.encode("utf-8"), media_type, digest)
    if manifest.digest != digest:
        raise ValueError(digest)
    return manifest


def _read_change(document: Mapping[str, Any]) -> Change:
    return Change(
        op=document["op"],
        target=parse_canonical(document["target"]),
        source=parse_canonical(document["source"]),
        digest=document["digest"],
        current=document["current"],
        reason=document["reason"],
        because=tuple(Because(**each) for each in document["because"]),
        platforms=tuple(document["platforms"]),
        kind=document["kind"],
    )


def _read_place(text: str) -> Place:
    registry, _, repository = text.partition("/")
    return Place(registry, repository)
