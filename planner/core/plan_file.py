"""A plan as it is saved: ``planner.plan/1``.

Deterministic: equal inputs and an equal registry give equal bytes, and the plan's id is their digest. No credential of any
kind is in it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any, BinaryIO, NamedTuple, get_args

from planner import __version__
from planner.core.content import Manifest, parse_manifest
from planner.core.cost import cost_of
from planner.core.errors import InputError, RegistryError
from planner.core.family import Because
from planner.core.json_stream import Entries, Path
from planner.core.json_text import canonical, spread
from planner.core.kept_manifests import KeptManifests
from planner.core.namespaces import Namespace, NamespaceOp
from planner.core.place import Place
from planner.core.plan import Access, Change, Input, Op, Plan
from planner.core.refs import ImageRef, parse_canonical

FORMAT = "planner.plan/1"
_EXPANDED_LEVELS = 3
# What there are many of: read one by one.
_MANY: frozenset[Path] = frozenset(
    {("changes",), ("content",), ("content", "manifests"), ("content", "present")}
)
_OPS = frozenset(get_args(Op))
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, RegistryError)


class Saved(NamedTuple):
    """A plan as a file has it."""

    id: str
    data: bytes


def plan_id(plan: Plan) -> str:
    """``sha256:…`` of the saved form; worked out once, and known of a plan that was read."""
    known: str = vars(plan).get("_id") or _id_of(_document(plan))
    vars(plan)["_id"] = known
    return known


def to_json(plan: Plan) -> bytes:
    """The saved form: UTF-8 JSON, sorted keys, a line end at the end."""
    return save(plan).data


def save(plan: Plan) -> Saved:
    """The saved form, and the id that stands in it."""
    document = _document(plan)
    document["id"] = _id_of(document)
    return Saved(document["id"], _dump(document))


def from_json(data: bytes, file: str) -> Plan:
    """Read a saved plan.

    Raises:
        InputError: not a plan, of a newer format, or altered since it was saved.
    """
    return read_plan(io.BytesIO(data), file)


def read_plan(stream: BinaryIO, file: str) -> Plan:
    """Read a saved plan from where it can be read twice.

    What planner wrote is read entry by entry, without the whole of it as text or tables in memory. Anything else, of which a
    plan in another layout is the one that is right, is read at once.

    Raises:
        InputError: not a plan, of a newer format, or altered since it was saved.
    """
    start = stream.tell()
    plan = _read_in_order(stream)
    if plan is None:
        stream.seek(start)
        plan = _read_at_once(stream.read(), file)
    return plan


def _read_in_order(stream: BinaryIO) -> Plan | None:
    """The plan; None when it is not as planner wrote it, whatever is wrong."""
    digest = hashlib.sha256()
    document = Entries(
        stream.read,
        _MANY,
        lambda text: digest.update(text.encode("utf-8", "surrogatepass")),
        "id",
    )
    parts = _Parts()
    try:
        for path, value in document:
            parts.take(path, value)
        if parts.rest.pop("format") != FORMAT:
            return None
        plan, stated = parts.plan(), parts.rest["id"]
    except _DAMAGE:
        return None
    if stated != f"sha256:{digest.hexdigest()}":
        return None
    vars(plan)["_id"] = stated
    return plan


def _read_at_once(data: bytes, file: str) -> Plan:
    try:
        document = json.loads(data)
        stated = document["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{file}: this is not a saved plan", "make one with planner plan -o FILE"
        ) from error
    if stated != FORMAT:
        if not str(stated).startswith("planner.plan/"):
            what = f"{file}: this is not a saved plan, but {stated}"
            raise InputError(what, "make one with planner plan -o FILE")
        message = f"{file}: expected format {FORMAT}, got {stated}"
        raise InputError(message, "use the planner release that made it, or plan again")
    stated = document.pop("id", "")
    if stated != _id_of(document):
        raise InputError(f"{file}: the plan was changed after it was saved", "plan again")
    parts = _Parts()
    try:
        for path, value in _entries(document):
            parts.take(path, value)
        plan = parts.plan()
    except _DAMAGE as error:
        raise InputError(f"{file}: the plan is damaged", "plan again") from error
    vars(plan)["_id"] = stated
    return plan


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """What ``Entries`` finds in a plan."""
    content = document["content"]
    for name in ("manifests", "present"):
        yield from ((("content", name, each), value) for each, value in content[name].items())
    yield from ((("changes",), each) for each in document["changes"])
    yield from (
        ((name,), document[name]) for name in document if name not in ("content", "changes")
    )


def _id_of(document: Mapping[str, Any]) -> str:
    """The digest of the document as JSON with sorted keys and no white space, however it is laid out in a file."""
    digest = hashlib.sha256()
    for piece in canonical(document, _EXPANDED_LEVELS):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return f"sha256:{digest.hexdigest()}"


def _dump(document: Mapping[str, Any]) -> bytes:
    """One change, manifest or input a line."""
    data = io.BytesIO()
    for piece in spread(document, _EXPANDED_LEVELS):
        data.write(piece.encode("utf-8", "surrogatepass"))
    data.write(b"\n")
    return data.getvalue()


def _document(plan: Plan) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "planner": __version__,
        "inputs": [asdict(each) for each in plan.inputs],
        "access": asdict(plan.access),
        "namespaces": [asdict(each) for each in plan.namespaces],
        "referrers": plan.referrers,
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
    """The figures of the summary: images by operation, bytes, and what they cost."""
    counts = {op: plan.count(op) for op in get_args(Op)}
    cost = cost_of(plan, plan.pending)
    return {
        **counts,
        "bytes": plan.total_bytes(plan.pending),
        "bytes_to_send": cost.bytes,
        "blobs_to_send": cost.copies,
        "blobs_to_mount": cost.mounts,
        "blobs_shared": cost.shared,
        "requests": cost.requests,
        "drifted": sum(each.drift != "" for each in plan.changes),
    }


def _change_document(change: Change) -> dict[str, Any]:
    return {
        "op": change.op,
        "kind": change.kind,
        "drift": change.drift,
        "target": str(change.target),
        "source": str(change.source),
        "digest": change.digest,
        "current": change.current,
        "reason": change.reason,
        "subject": change.subject,
        "platforms": list(change.platforms),
        "wanted_platforms": list(change.wanted_platforms),
        "dropped_platforms": list(change.dropped_platforms),
        "source_digest": change.source_digest,
        "because": [each._asdict() for each in change.because],
    }


class _Parts:
    """A plan as its parts come in. Texts that are the same are kept once: names of registries, tags, digests, reasons."""

    def __init__(self) -> None:
        self.rest: dict[str, Any] = {}
        self._changes: list[Change] = []
        self._manifests = KeptManifests()
        self._listed: dict[str, tuple[str, ...]] = {}
        self._present: dict[str, tuple[Place, ...]] = {}
        self._texts: dict[str, str] = {}
        self._because: dict[Because, Because] = {}

    def take(self, path: Path, value: Any) -> None:
        """One more part."""
        match path:
            case ("changes",):
                self._changes.append(self._change(value))
            case ("content", "manifests", digest):
                self._manifests.add(self._once(digest), self._manifest(digest, value))
            case ("content", "present", digest):
                self._present[self._once(digest)] = tuple(_read_place(each) for each in value)
            case (name,):
                self.rest[name] = value
            case _:
                raise KeyError(path)

    def plan(self) -> Plan:
        """All of it."""
        document = self.rest
        plan = Plan(
            changes=tuple(self._changes),
            manifests=self._manifests,
            present=self._present,
            inputs=tuple(Input(**each) for each in document["inputs"]),
            access=_read_access(document["access"]),
            namespaces=tuple(_read_namespace(each) for each in document["namespaces"]),
            referrers=document["referrers"],
        )
        self._check_content(plan)
        return plan

    def _check_content(self, plan: Plan) -> None:
        """Every pending image is there, down to its last manifest."""
        needed = {each.digest for each in plan.pending if each.op != "delete"}
        while needed:
            digest = needed.pop()
            if digest not in self._manifests:
                raise KeyError(digest)
            needed.update(self._listed.get(digest, ()))

    def _manifest(self, digest: str, document: Mapping[str, Any]) -> Manifest:
        found = parse_manifest(document["data"].encode("utf-8"), document["media_type"], digest)
        if found.digest != digest:
            raise ValueError(digest)
        if found.children:
            self._listed[digest] = tuple(self._once(each.digest) for each in found.children)
        return found

    def _change(self, document: Mapping[str, Any]) -> Change:
        once = self._once
        return Change(
            op=_one_of(_OPS, once(document["op"])),
            target=self._name(document["target"]),
            source=self._name(document["source"]),
            digest=once(document["digest"]),
            current=once(document["current"]),
            reason=once(document["reason"]),
            because=tuple(self._reason(each) for each in document["because"]),
            platforms=tuple(map(once, document["platforms"])),
            kind=once(document["kind"]),
            drift=once(document["drift"]),
            subject=once(document["subject"]),
            wanted_platforms=tuple(map(once, document["wanted_platforms"])),
            source_digest=once(document["source_digest"]),
            dropped_platforms=tuple(map(once, document["dropped_platforms"])),
        )

    def _name(self, text: str) -> ImageRef:
        once = self._once
        registry, repository, tag, digest = parse_canonical(text)
        return ImageRef(once(registry), once(repository), once(tag), once(digest))

    def _reason(self, document: Mapping[str, Any]) -> Because:
        reason = Because(**document)
        return self._because.setdefault(reason, reason)

    def _once(self, text: str) -> Any:
        return self._texts.setdefault(text, text)


def _read_access(document: Mapping[str, Any]) -> Access:
    authorities = {host: tuple(given) for host, given in document["authorities"].items()}
    logins = tuple(document["logins"])
    return Access(**{**document, "logins": logins, "authorities": authorities})


def _read_namespace(document: Mapping[str, Any]) -> Namespace:
    _one_of(get_args(NamespaceOp), document["op"])
    return Namespace(**{**document, "repositories": tuple(document["repositories"])})


def _one_of(known: Collection[Any], word: Any) -> Any:
    if word not in known:
        raise ValueError(word)
    return word


def _read_place(text: str) -> Place:
    registry, _, repository = text.partition("/")
    return Place(registry, repository)
