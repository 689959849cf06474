"""The lock of sources: ``planner.lock/1``, the digest that each of them is held to, one a line.

Whoever has the file plans the same images, whatever tags point at by then. References that name a digest need no lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from planner.core.errors import InputError
from planner.core.family import Need
from planner.core.json_text import spread
from planner.core.refs import ImageRef, is_digest, is_tag, name_problem, parse_canonical

FORMAT = "planner.lock/1"
FILE_NAME = "planner.lock"
_ANEW = "remove the file and write it anew with planner plan --lock"
_HINT = f"repair that line, or {_ANEW}"

Pins = Mapping[ImageRef, str]


class Relocked(NamedTuple):
    """Pins as they shall be, and what became of them: ``moved`` from one digest to another."""

    pins: Pins
    added: tuple[ImageRef, ...] = ()
    moved: tuple[tuple[ImageRef, str, str], ...] = ()
    dropped: tuple[ImageRef, ...] = ()


def lockable(needs: Iterable[Need]) -> tuple[ImageRef, ...]:
    """The sources that a lock is for: those that are copied, and named by a tag."""
    sources = {each.source for each in needs if each.target and not each.source.digest}
    return tuple(sorted(sources))


def uncovered(needs: Iterable[Need], pins: Pins) -> tuple[ImageRef, ...]:
    """What is needed, and not pinned."""
    return tuple(each for each in lockable(needs) if each not in pins)


def unneeded(needs: Iterable[Need], pins: Pins) -> tuple[ImageRef, ...]:
    """What is pinned, and not needed."""
    wanted = set(lockable(needs))
    return tuple(sorted(each for each in pins if each not in wanted))


def relocked(pins: Pins, seen: Pins, needs: Iterable[Need], *, drop: bool) -> Relocked:
    """Pins with the digests that were ``seen``, which win; with ``drop``, without those that none of the needs asks for."""
    needs = tuple(needs)
    dropped = unneeded(needs, pins) if drop else ()
    wanted = {each: seen[each] for each in lockable(needs) if each in seen}
    added = tuple(each for each in wanted if each not in pins)
    moved = tuple(
        (each, pins[each], digest)
        for each, digest in wanted.items()
        if each in pins and pins[each] != digest
    )
    kept = {each: digest for each, digest in pins.items() if each not in dropped}
    return Relocked({**kept, **wanted}, added, moved, dropped)


def to_text(pins: Pins) -> str:
    """The file."""
    document = {"format": FORMAT, "sources": {str(each): pins[each] for each in pins}}
    return "".join((*spread(document, 2), "\n"))


def from_text(text: str, file: str) -> dict[ImageRef, str]:
    """Read it.

    Raises:
        InputError: it is no lock, or one of its lines is no source with a digest.
    """
    pairs = _pairs(text, file)
    found: dict[ImageRef, str] = {}
    for source, digest in pairs:
        image = parse_canonical(source)
        problem = _problem(image, source, digest)
        if not problem and found.setdefault(image, str(digest)) != digest:
            problem = f"{source} is pinned twice, to different digests"
        if problem:
            line = _line_of(text, source, nth=1 if image in found else 0)
            raise InputError(f"{file}:{line}: {problem}", _HINT)
    return found


def _pairs(text: str, file: str) -> list[tuple[str, object]]:
    try:
        # As pairs: what a merge doubled must not pass.
        document = dict(json.loads(text, object_pairs_hook=list))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}:{error.lineno}: this is not JSON: {error.msg}", _HINT) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{file}:1: this is not a lock of planner", _HINT) from error
    if (stated := document.get("format")) != FORMAT:
        if not str(stated).startswith("planner.lock/"):
            raise InputError(f"{file}:1: this is not a lock of planner", _HINT)
        message = f"{file}:1: expected format {FORMAT}, got {stated}"
        raise InputError(message, f"use the planner release that made it, or {_ANEW}")
    pairs = document.get("sources")
    if not isinstance(pairs, list) or not all(isinstance(each, tuple) for each in pairs):
        raise InputError(f"{file}:1: sources is not a mapping of sources to digests", _HINT)
    return pairs


def _problem(image: ImageRef, source: str, digest: object) -> str:
    if str(image) != source or not is_tag(image.tag) or image.digest:
        return f"{source!r} is not a source with a tag"
    if problem := name_problem(image.registry, image.repository):
        return problem
    if not isinstance(digest, str) or not is_digest(digest):
        return f"{digest!r} is not a digest (sha256: and 64 hex digits)"
    return ""


def _line_of(text: str, source: str, nth: int) -> int:
    """The line of a source, or of its ``nth`` repetition (from 0)."""
    key = f"{json.dumps(source, ensure_ascii=False)}"
    lines = [number for number, line in enumerate(text.splitlines(), 1) if key in line]
    return lines[min(nth, len(lines) - 1)] if lines else 1
