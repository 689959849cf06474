"""An index for some of its platforms: the same bytes without the manifests of the others.

Nothing is written anew but what has to be: every byte that stays is the source's, in its place, so the result depends on the
source and the platforms alone. An index of which everything is kept stays what it is, digest and all; one of which a single
manifest is kept stays an index.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from planner.core.content import (
    INDEX_TYPES,
    NO_PLATFORM,
    Descriptor,
    Manifest,
    refuse_endless,
)
from planner.core.errors import RegistryError
from planner.core.platforms import missing, normalised, taken

Fetch = Callable[[str], Manifest]
_UNNAMED = ("", NO_PLATFORM)
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Narrowed(NamedTuple):
    """What is left of an index; ``manifest`` is None when nothing is.

    ``made`` are all indexes that are new, those below it too. ``kept`` and ``dropped`` are platforms as the index has them,
    ``lacking`` those that were wanted and that it has nothing for.
    """

    manifest: Manifest | None
    made: tuple[Manifest, ...] = ()
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


class _Span(NamedTuple):
    """A value in a text. ``key`` is its name, empty in a list."""

    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Part:
    """What becomes of one index: itself, something new, or None."""

    manifest: Manifest | None
    made: tuple[Manifest, ...]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]


def narrow(index: Manifest, wanted: Sequence[str], fetch: Fetch, where: str) -> Narrowed:
    """``index`` for the ``wanted`` platforms; ``fetch`` gets the indexes that it lists, ``where`` names it in messages.

    Raises:
        RegistryError: it cannot be narrowed, since it says something twice, or is too deep or too long.
    """
    there = frozenset(map(normalised, _platforms(index, fetch, where, 0)))
    try:
        part = _narrowed(index, taken(wanted, there), fetch)
    except RecursionError as error:  # the stack is deeper here than where it was parsed
        raise RegistryError(f"{where}: the index is nested too deeply to be rewritten") from error
    lacking = missing(wanted, there) if there else ()
    kept, dropped = (tuple(dict.fromkeys(each)) for each in (part.kept, part.dropped))
    return Narrowed(part.manifest, part.made, kept, dropped, lacking)


def kept_of(children: Sequence[Descriptor], wanted: Sequence[str]) -> tuple[Descriptor, ...]:
    """What of one index is for the wanted platforms (none: all of it): for looking at it, as nodes do."""
    if not wanted:
        return tuple(children)
    named = (each.platform for each in children if each.platform not in _UNNAMED)
    accepted = taken(wanted, frozenset(map(normalised, named)))
    stays = _staying(children, accepted)
    return tuple(each for each, is_kept in zip(children, stays, strict=True) if is_kept)


def lacking_in(children: Sequence[Descriptor], wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted platforms for which one index has nothing; none where some of its children do not tell theirs."""
    images = [each for each in children if each.platform != NO_PLATFORM and not each.about]
    if not images or not all(each.platform for each in images):
        return ()
    return missing(wanted, frozenset(normalised(each.platform) for each in images))


def _staying(
    children: Sequence[Descriptor],
    accepted: frozenset[str],
    kept: Collection[str] = (),
    lost: Collection[str] = (),
) -> list[bool]:
    """Whether each child stays. ``kept`` and ``lost`` are digests about which that is known.

    What says something about a manifest of the same index stays, or goes, with that.
    """
    known = {each.digest for each in children}
    images = [
        each.digest in kept or (each.digest not in lost and _is_for(each, accepted))
        for each in children
    ]
    staying = {
        each.digest
        for each, is_kept in zip(children, images, strict=True)
        if is_kept and each.about not in known
    }
    return [
        each.about in staying if each.about in known else is_kept
        for each, is_kept in zip(children, images, strict=True)
    ]


def _is_for(child: Descriptor, accepted: frozenset[str]) -> bool:
    """Whether it is an image for these platforms; one that names none may be for any."""
    return not child.platform or normalised(child.platform) in accepted


def _platforms(index: Manifest, fetch: Fetch, where: str, depth: int) -> Iterator[str]:
    """The platforms of the images of an index, and of the indexes in it that do not say theirs."""
    refuse_endless(index, depth, where)
    for child in index.children:
        if child.platform not in _UNNAMED:
            yield child.platform
        elif child.media_type in INDEX_TYPES:
            yield from _platforms(fetch(child.digest), fetch, where, depth + 1)


def _narrowed(index: Manifest, accepted: frozenset[str], fetch: Fetch) -> _Part:
    """One index, and those in it."""
    known = {each.digest for each in index.children}
    inner = {
        each.digest: _narrowed(fetch(each.digest), accepted, fetch)
        for each in index.children
        if each.media_type in INDEX_TYPES and each.platform in _UNNAMED and each.about not in known
    }
    lost = {digest for digest, part in inner.items() if part.manifest is None}
    stays = _staying(index.children, accepted, inner.keys() - lost, lost)
    becomes = [
        inner[each.digest].manifest if each.digest in inner else None for each in index.children
    ]
    names = [_names(each, inner) for each in index.children]
    parts = inner.values()
    manifest = _written(index, stays, becomes)
    own = () if manifest is None or manifest is index else (manifest,)
    return _Part(
        manifest,
        (*(made for part in parts for made in part.made), *own),
        tuple(
            name for kept, listed in zip(stays, names, strict=True) if kept for name in listed[0]
        ),
        tuple(
            name
            for kept, (one, other) in zip(stays, names, strict=True)
            for name in (other if kept else (*one, *other))
        ),
    )


def _names(child: Descriptor, inner: dict[str, _Part]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The platforms of what is kept of a child, and of what is not; what only speaks of others has none."""
    if part := inner.get(child.digest):
        return part.kept, part.dropped
    if child.platform == NO_PLATFORM or child.about:
        return (), ()
    return (child.platform or "unknown",), ()


def _written(
    index: Manifest, stays: Sequence[bool], becomes: Sequence[Manifest | None]
) -> Manifest | None:
    """The index without what goes, and with what an index in it becomes; itself, where that changes nothing."""
    if stays and not any(stays):
        return None
    others = [
        new if new is not None and new.digest != child.digest else None
        for child, new in zip(index.children, becomes, strict=True)
    ]
    if all(stays) and not any(others):
        return index
    text = index.data.decode()
    listed = [each for each in _members(text, _behind(text, 0)) if each.key.lower() == "manifests"]
    if len(listed) != 1:
        raise _twice("manifests")
    items = list(_items(text, listed[0].start))
    written = text[: items[0].start]
    end, is_first = items[0].start, True
    for item, is_kept, new in zip(items, stays, others, strict=True):
        if is_kept:
            written += "" if is_first else text[end : item.start]
            written += _item(text[item.start : item.end], new)
            is_first = False
        end = item.end
    return Manifest(index.media_type, (written + text[end:]).encode())


def _item(text: str, new: Manifest | None) -> str:
    """The descriptor of an index as it stands, or of what it becomes."""
    if new is None:
        return text
    values: dict[str, Any] = {
        "digest": new.digest,
        "size": len(new.data),
        "data": base64.b64encode(new.data).decode(),
    }
    spans = [each for each in _members(text, 0) if each.key.lower() in values]
    if len({each.key.lower() for each in spans}) != len(spans):
        raise _twice("digest or size")
    for span in reversed(spans):
        text = f"{text[: span.start]}{json.dumps(values[span.key.lower()])}{text[span.end :]}"
    return text


def _twice(what: str) -> RegistryError:
    return RegistryError(
        f"the index says {what!r} twice, so that nobody knows which one counts",
        "look at it: it may have been made to deceive its readers",
    )


def _members(text: str, at: int) -> Iterator[_Span]:
    """The values of the object that begins there, which is known to be JSON."""
    at = _behind(text, at + 1)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        start = _behind(text, _behind(text, end) + 1)
        end = _DECODER.raw_decode(text, start)[1]
        yield _Span(key, start, end)
        at = _next(text, end)


def _items(text: str, at: int) -> Iterator[_Span]:
    """The values of the list that begins there."""
    at = _behind(text, at + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        yield _Span("", at, end)
        at = _next(text, end)


def _next(text: str, end: int) -> int:
    at = _behind(text, end)
    return _behind(text, at + 1) if text[at] == "," else at


def _behind(text: str, at: int) -> int:
    """Where the white space ends that begins there."""
    found = _SPACE.match(text, at)
    return found.end() if found else at
