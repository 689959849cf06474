"""What everything that shows a plan calls its changes: symbols, words and colours, the dangerous first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.core.plan import Change, Op
from planner.core.text import printable, short_digest

SYMBOLS: dict[Op, str] = {
    "delete": "-",
    "blocked": "!",
    "move": "~",
    "repair": "r",
    "create": "+",
    "same": "=",
}
MEANINGS: dict[Op, str] = {
    "delete": "delete",
    "blocked": "blocked",
    "move": "move tag",
    "repair": "repair content",
    "create": "create",
    "same": "in sync",
}
COLOURS: dict[Op, str] = {
    "delete": "red",
    "blocked": "red",
    "move": "yellow",
    "repair": "yellow",
    "create": "green",
    "same": "dim",
}
DANGER: dict[Op, int] = {op: rank for rank, op in enumerate(SYMBOLS)}


def one_line(text: str) -> str:
    """``text``, safe to print, without line ends."""
    return printable(text).replace("\n", " ")


def name_of(change: Change) -> str:
    """The whole name that a change is about, safe to print."""
    return one_line(str(change.target))


def platforms_text(change: Change) -> str:
    """Which platforms it is for; of an index that is made of the source's, also what that had besides."""
    kept = one_line(", ".join(dict.fromkeys(change.platforms)))
    if not change.source_digest:
        return kept
    dropped = ", ".join(change.dropped_platforms)
    origin = short_digest(change.source_digest)
    return one_line(f"{kept}; rewritten from {origin}, without {dropped}")


def rewriting_texts(change: Change) -> Iterator[str]:
    """That its index is not the source's, the most telling first; nothing when it is."""
    if change.source_digest:
        kept = dict.fromkeys(change.platforms)
        of_all = len(kept) + len(change.dropped_platforms)
        names = one_line(", ".join(kept))
        origin = one_line(short_digest(change.source_digest))
        yield f"rewritten from {origin} for {names} ({len(kept)} of {of_all} platforms)"
        yield f"rewritten for {names} ({len(kept)} of {of_all})"
        yield f"rewritten ({len(kept)} of {of_all} platforms)"
        yield "rewritten"


def counts(changes: Iterable[Change]) -> dict[Op, int]:
    """How many changes of each kind there are, the dangerous first; no kind that there is none of."""
    found = dict.fromkeys(SYMBOLS, 0)
    for change in changes:
        found[change.op] += 1
    return {op: count for op, count in found.items() if count}


def by_danger(changes: Iterable[Change]) -> list[Change]:
    """The changes, the dangerous first, then by reason and name."""
    return sorted(changes, key=lambda each: (DANGER[each.op], each.reason, each.target))


def clusters_of(change: Change) -> tuple[str, ...]:
    """The clusters that need it, in order, safe to print."""
    return tuple(sorted({one_line(each.cluster) for each in change.because if each.cluster}))
