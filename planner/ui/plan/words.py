"""What everything that shows a plan calls its changes: symbols, words and colours, the dangerous first."""

from __future__ import annotations

from collections.abc import Iterable

from planner.core.plan import Change, Op
from planner.core.text import printable

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
