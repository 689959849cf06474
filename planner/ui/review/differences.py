"""What an image was and what it will be, as lines: layers, configuration, manifests, annotations. Asks nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from typing import Any

from planner.core.content import NO_PLATFORM, Descriptor, Manifest
from planner.core.text import plural, short_digest, size
from planner.ui.plan.reasons import origin_text
from planner.ui.plan.sharing import Part
from planner.ui.review.lines import Line, Look

_MOST = 4_000
_SIZE = 10
_NOT_SENT = ("is there", "is at", "not sent")
_MARKS: dict[str, Look] = {"=": "dim", "-": "bad", "+": "good", "~": "changed"}
_OF_CONFIG = ("architecture", "os", "variant", "author", "created")
_BY_NAME = ("Labels", "Annotations")
_AS_A_SET = ("ExposedPorts", "Volumes")


@dataclass(frozen=True, slots=True)
class Side:
    """An image as it was or will be: a root with all manifests by digest. No ``root``: there is none."""

    root: str = ""
    manifests: Mapping[str, Manifest] | None = None

    def platforms(self) -> dict[str, Manifest]:
        """The images of an index by platform; a single image stands under an empty name."""
        known = self.manifests or {}
        root = known.get(self.root)
        if root is None:
            return {}
        return dict(_leaves(root, known, "")) if root.is_index else {"": root}


def layer_lines(before: Side, after: Side, parts: Mapping[str, Part]) -> Iterator[Line]:
    """The blobs of each platform: what stays, what goes, what comes and how."""
    old, new = before.platforms(), after.platforms()
    if not (old or new):
        return
    yield Line(_layers_summary(old.values(), new.values(), parts), "bold")
    for name, one, other in _pairs(old, new):
        yield from _heading(name, one, other)
        yield from _blob_lines(_blobs(one), _blobs(other), parts)
    for platform, missing in _not_there(before, after):
        yield Line(f"{platform}: {missing}", "dim")


def config_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Line]:
    """What an image does when it is run, by platform; a text in place of a configuration says why it cannot be had."""
    for name, one, other in _pairs(before, after):
        yield from _heading(name, None, None)
        told = [each for each in (one, other) if isinstance(each, str)]
        if told:
            yield from (Line(each, "changed", hanging=2) for each in dict.fromkeys(told))
            continue
        yield from _field_lines(_fields(one or {}), _fields(other or {}))


def annotation_lines(before: Side, after: Side) -> Iterator[Line]:
    """What whoever made it says of it."""
    old, new = dict(_annotated(before)), dict(_annotated(after))
    for name, one, other in _pairs(old, new):
        if one or other:
            yield from _heading(name, None, None)
            yield from _field_lines(one or {}, other or {})


def json_lines(before: Side, after: Side, context: int) -> Iterator[Line]:
    """The manifests as JSON; where there are two, what differs with so many lines around it."""
    for name, one, other in _pairs(_documents(before), _documents(after)):
        yield Line(name, "bold")
        if one is None or other is None:
            yield from (Line(text, hanging=4) for text in (one or other or [])[:_MOST])
        elif one == other:
            yield Line("  the same", "dim")
        else:
            yield from _unified(one, other, context)


def _leaves(
    index: Manifest, known: Mapping[str, Manifest], above: str
) -> Iterator[tuple[str, Manifest]]:
    count: dict[str, int] = {}
    for child in index.children:
        manifest = known.get(child.digest)
        name = child.platform if child.platform != NO_PLATFORM else "attestation"
        name = name or child.artifact_type or above or "no platform"
        count[name] = count.get(name, 0) + 1
        if count[name] > 1:
            name = f"{name} ({count[name]})"
        if manifest and manifest.is_index:
            yield from _leaves(manifest, known, name)
        elif manifest:
            yield name, manifest


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What there is of each name; two single ones belong together, whatever they are called."""
    if len(before) == len(after) == 1:
        (one,), (name, other) = before.values(), next(iter(after.items()))
        yield name or next(iter(before)), one, other
        return
    for name in dict.fromkeys((*after, *before)):
        yield name, before.get(name), after.get(name)


def _heading(name: str, before: Manifest | None, after: Manifest | None) -> Iterator[Line]:
    digests = " → ".join(short_digest(each.digest) for each in (before, after) if each)
    if before and after and before.digest == after.digest:
        digests = f"{short_digest(after.digest)}, the same"
    text = "   ".join(filter(None, (name, digests)))
    shown = after or before
    if text:
        yield Line("")
        yield Line(text, "bold", shown.digest if shown else None)


def _blobs(manifest: Manifest | None) -> tuple[Descriptor, ...]:
    return (*manifest.blobs, *manifest.left_out) if manifest else ()


def _blob_lines(
    old: Sequence[Descriptor], new: Sequence[Descriptor], parts: Mapping[str, Part]
) -> Iterator[Line]:
    matcher = SequenceMatcher(
        None, [each.digest for each in old], [each.digest for each in new], autojunk=False
    )
    for _, start, end, new_start, new_end in matcher.get_opcodes():
        gone, come = old[start:end], new[new_start:new_end]
        stays = {each.digest for each in old}
        kept = {each.digest for each in new}
        yield from (_blob("-", each, "removed") for each in gone if each.digest not in kept)
        for each in come:
            if each.digest in stays:
                yield _blob("=", each, "same")
            else:
                yield _blob("+", each, _fate(each, parts.get(each.digest)))


def _blob(mark: str, blob: Descriptor, fate: str) -> Line:
    what = "  (config)" if "config" in blob.media_type else ""
    text = f"{mark} {short_digest(blob.digest)}  {size(blob.size):>{_SIZE}}  {fate}{what}"
    look: Look = "plain" if fate.startswith(_NOT_SENT) else _MARKS[mark]
    return Line(text, look, blob.digest, hanging=4)


def _fate(blob: Descriptor, part: Part | None) -> str:
    if part is None:
        return (
            "not copied: whoever runs the image gets it elsewhere" if _is_foreign(blob) else "new"
        )
    match part.origin:
        case "there":
            return "is there already"
        case "mounted":
            return f"is at {part.holder}, mounted from there"
        case "shared":
            return f"not sent for it: {origin_text(part)}"
        case "sent":
            told = origin_text(part)
            return f"to send, {told}" if told else "to send"


def _is_foreign(blob: Descriptor) -> bool:
    return "foreign" in blob.media_type or "nondistributable" in blob.media_type


def _layers_summary(
    old: Iterable[Manifest], new: Iterable[Manifest], parts: Mapping[str, Part]
) -> str:
    before = {each.digest: each.size for one in old for each in _blobs(one)}
    after = {each.digest: each.size for one in new for each in _blobs(one)}
    if not after:
        return f"{plural(len(before), 'blob')}, {size(sum(before.values()))}"
    sent = [each.size for each in parts.values() if each.origin == "sent" and each.digest in after]
    said = [f"{plural(len(after), 'blob')}, {size(sum(after.values()))}"]
    if before:
        said += [f"{len(before.keys() & after.keys())} same"]
        said += [f"{len(before.keys() - after.keys())} removed"]
    if parts:
        shared = sum(each.origin != "sent" for each in parts.values())
        said += [f"{len(sent)} to send ({size(sum(sent))})" if sent else "nothing to send"]
        said += [f"{shared} shared or there"] if shared else []
    return ": ".join((said[0], ", ".join(said[1:]))) if said[1:] else said[0]


def _not_there(before: Side, after: Side) -> Iterator[tuple[str, str]]:
    for side, where in ((before, "is not there now"), (after, "is not copied")):
        known = side.manifests or {}
        root = known.get(side.root)
        for child in root.children if root else ():
            if child.digest not in known:
                yield child.platform or short_digest(child.digest), where


def _fields(config: Mapping[str, Any]) -> dict[str, str]:
    """A configuration as names and texts. Source: opencontainers/image-spec v1.1.1 config.md, "Properties"."""
    found = {name: _text(config[name]) for name in _OF_CONFIG if config.get(name)}
    run = config.get("config")
    for name, value in (run if isinstance(run, dict) else {}).items():
        if name == "Env" and isinstance(value, list):
            pairs = (str(each).partition("=") for each in value)
            found |= {f"Env {key}": text for key, _, text in pairs}
        elif name in _BY_NAME and isinstance(value, dict):
            found |= {f"{name[:-1]} {key}": _text(each) for key, each in sorted(value.items())}
        elif name in _AS_A_SET and isinstance(value, dict):
            found[name] = " ".join(sorted(value))
        elif value not in (None, "", [], {}):
            found[name] = _text(value)
    steps = config.get("history")
    if isinstance(steps, list):
        found["history"] = plural(len(steps), "step")
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _field_lines(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Line]:
    """First what is different. Without a side to compare with, all of it."""
    if not (before and after):
        yield from _same(after or before)
        return
    for name in dict.fromkeys((*after, *before)):
        old, new = before.get(name), after.get(name)
        if old is None:
            yield Line(f"+ {name}  {new}", "good", new, hanging=4)
        elif new is None:
            yield Line(f"- {name}  {old}", "bad", old, hanging=4)
        elif old != new:
            yield Line(f"~ {name}  {old} → {new}", "changed", new, hanging=4)
    same = {name: text for name, text in after.items() if before.get(name) == text}
    yield from (each._replace(text=f"={each.text[1:]}", look="dim") for each in _same(same))


def _same(fields: Mapping[str, str]) -> Iterator[Line]:
    width = min(24, max(map(len, fields), default=0))
    for name, text in fields.items():
        yield Line(f"  {name:{width}}  {text}", "plain", text, hanging=width + 4)


def _annotated(side: Side) -> Iterator[tuple[str, dict[str, str]]]:
    known = side.manifests or {}
    if side.root in known and known[side.root].is_index:
        yield "index", _texts(known[side.root])
    yield from ((name, _texts(each)) for name, each in side.platforms().items())


def _texts(manifest: Manifest) -> dict[str, str]:
    return {str(name): _text(each) for name, each in manifest.annotations.items()}


def _documents(side: Side) -> dict[str, list[str]]:
    known = side.manifests or {}
    root = known.get(side.root)
    named = {"index": root} if root and root.is_index else {}
    named |= {name or "manifest": each for name, each in side.platforms().items()}
    return {name: _pretty(each.document()) for name, each in named.items()}


def _pretty(document: Mapping[str, Any]) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False).splitlines()


def _unified(before: list[str], after: list[str], context: int) -> Iterator[Line]:
    looks: dict[str, Look] = {"+": "good", "-": "bad", "@": "dim"}
    diff = list(unified_diff(before, after, lineterm="", n=context))[2:]
    for text in diff[:_MOST]:
        yield Line(text, looks.get(text[:1], "plain"), hanging=4)
