"""A plan as it is saved: ``planner.plan/1``.

Deterministic: equal inputs and an equal registry give equal bytes, and the plan's id is their digest. No credential of any
kind is in it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, get_args

from planner import __version__
from planner.core.content import Manifest, parse_manifest
from planner.core.cost import cost_of
from planner.core.errors import InputError, RegistryError
from planner.core.family import Because
from planner.core.json_text import canonical, spread
from planner.core.namespaces import Namespace, NamespaceOp
from planner.core.place import Place
from planner.core.plan import Access, Change, Input, Op, Plan
from planner.core.refs import parse_canonical

FORMAT = "planner.plan/1"
_EXPANDED_LEVELS = 3


class Saved(NamedTuple):
    """A plan as a file has it."""

    id: str
    data: bytes


def plan_id(plan: Plan) -> str:
    """``sha256:…`` of the saved form."""
    return _id_of(_document(plan))


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
    digest = hashlib.sha256()
    for piece in canonical(document, _EXPANDED_LEVELS):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return f"sha256:{digest.hexdigest()}"


def _check_content(plan: Plan) -> None:
    """Every pending image is there, down to its last manifest."""
    needed = dict.fromkeys(each.digest for each in plan.pending if each.op != "delete")
    while needed:
        manifest = plan.manifests[needed.popitem()[0]]
        needed |= dict.fromkeys(child.digest for child in manifest.children)


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
        access=_read_access(document["access"]),
        namespaces=tuple(_read_namespace(each) for each in document["namespaces"]),
        referrers=document["referrers"],
    )


def _read_access(document: Mapping[str, Any]) -> Access:
    authorities = {host: tuple(given) for host, given in document["authorities"].items()}
    logins = tuple(document["logins"])
    return Access(**{**document, "logins": logins, "authorities": authorities})


def _read_manifest(digest: str, media_type: str, text: str) -> Manifest:
    manifest = parse_manifest(text.encode("utf-8"), media_type, digest)
    if manifest.digest != digest:
        raise ValueError(digest)
    return manifest


def _read_change(document: Mapping[str, Any]) -> Change:
    return Change(
        op=_one_of(get_args(Op), document["op"]),
        target=parse_canonical(document["target"]),
        source=parse_canonical(document["source"]),
        digest=document["digest"],
        current=document["current"],
        reason=document["reason"],
        because=tuple(Because(**each) for each in document["because"]),
        platforms=tuple(document["platforms"]),
        kind=document["kind"],
        drift=document["drift"],
        subject=document["subject"],
    )


def _read_namespace(document: Mapping[str, Any]) -> Namespace:
    _one_of(get_args(NamespaceOp), document["op"])
    return Namespace(**{**document, "repositories": tuple(document["repositories"])})


def _one_of(known: tuple[Any, ...], word: Any) -> Any:
    if word not in known:
        raise ValueError(word)
    return word


def _read_place(text: str) -> Place:
    registry, _, repository = text.partition("/")
    return Place(registry, repository)
