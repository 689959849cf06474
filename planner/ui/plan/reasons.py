"""Why something is in a plan, and what comes of it: ``--why``."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from planner.core.errors import UsageError
from planner.core.plan import Change, Plan
from planner.core.text import plural, short_digest, size
from planner.ui.plan.words import COLOURS, MEANINGS, SYMBOLS, name_of, one_line
from planner.ui.style import Style

_NEIGHBOURS = 2


class Branch(NamedTuple):
    """A line of a tree, and what hangs from it."""

    text: str
    below: Sequence[Branch] = ()


def because_lines(change: Change) -> list[str]:
    """Why an image is needed: a place and a reason each."""
    return [
        f"{each.file}:{each.line}:{each.column}  {each.reason}" if each.line else each.reason
        for each in change.because
    ]


def why_text(plan: Plan, patterns: Iterable[str], style: Style) -> str:
    """The derivation of all names that match: globs over targets and sources.

    Raises:
        UsageError: a pattern matches nothing.
    """
    chosen: dict[Change, None] = {}
    for pattern in patterns:
        found = [each for each in plan.changes if matches(each, pattern)]
        if not found:
            known = name_of(plan.changes[0]) if plan.changes else "registry/repository:tag"
            raise UsageError(f"--why {pattern!r} matches no name", f"names look like {known}")
        chosen |= dict.fromkeys(found)
    tracer = _Tracer(plan, style)
    return "\n".join("\n".join(tracer.lines(each)) + "\n" for each in chosen)


def matches(change: Change, pattern: str) -> bool:
    """Whether a glob means the target or the source."""
    names = (str(change.target), str(change.source))
    return any(fnmatch.fnmatchcase(each, pattern) for each in names)


class _Tracer:
    """Knows who needs which blob. Lives for one page."""

    def __init__(self, plan: Plan, style: Style) -> None:
        self._plan = plan
        self._style = style
        self._users: dict[tuple[str, str], list[Change]] = {}
        for change in plan.pending:
            for digest in plan.blobs(change):
                self._users.setdefault((change.target.registry, digest), []).append(change)

    def lines(self, change: Change) -> Iterator[str]:
        """The tree of one change."""
        symbol = self._style.paint(
            f"{SYMBOLS[change.op]} {MEANINGS[change.op]}", COLOURS[change.op]
        )
        yield f"{self._style.paint(name_of(change), 'bold')}   {symbol}"
        yield from _drawn([*self._branches(change)])

    def _branches(self, change: Change) -> Iterator[Branch]:
        if change.reason:
            yield Branch(one_line(change.reason))
        if change.op != "delete" and change.has_place:
            yield Branch(f"from {one_line(str(change.source))}")
        if change.digest or change.current:
            yield Branch(f"digest {self._digests(change)}")
        if change.platforms:
            yield Branch(f"platforms {one_line(', '.join(dict.fromkeys(change.platforms)))}")
        yield from self._needed(change)
        yield from self._namespace(change)
        yield from self._content(change)

    def _needed(self, change: Change) -> Iterator[Branch]:
        """The reasons, by cluster."""
        by_cluster: dict[str, list[Branch]] = {}
        for each in change.because:
            place = f"{each.file}:{each.line}:{each.column}  " if each.line else f"{each.file}  "
            reason = Branch(one_line(f"{place}{each.text}"))
            by_cluster.setdefault(each.cluster, []).append(reason)
        for cluster, reasons in by_cluster.items():
            yield Branch(f"needed by {one_line(cluster) or 'no cluster that is known'}", reasons)

    def _namespace(self, change: Change) -> Iterator[Branch]:
        for each in self._plan.namespaces:
            if (
                each.registry == change.target.registry
                and change.target.repository in each.repositories
            ):
                words = {
                    "create": "is created first",
                    "same": "is there",
                    "unknown": "may be there",
                }
                said = words.get(each.op, "is blocked")
                below = [Branch(one_line(each.reason))] if each.reason else []
                below += [Branch(f"run: {one_line(each.command)}")] if each.command else []
                yield Branch(one_line(f"{each.kind} {each.name} {said}"), below)

    def _content(self, change: Change) -> Iterator[Branch]:
        """Its blobs: those that this image brings, and those that it shares."""
        sent, shared = [], []
        weight = 0
        for digest, blob in self._plan.blobs(change).items():
            users = self._users.get((change.target.registry, digest), [])
            holders = self._plan.holders(change.target.registry, digest)
            shown = f"{self._short(digest)}  {size(blob.size):>9}"
            if holders:
                place = f"{change.target.registry}/{change.target.repository}"
                there = place if change.place in holders else str(holders[0])
                shared.append(Branch(f"{shown}  is at {one_line(there)}"))
            elif users and users[0] is not change:
                shared.append(Branch(f"{shown}  comes with {name_of(users[0])}"))
            else:
                weight += blob.size
                others = [each for each in users if each is not change]
                with_others = f"  also for {_named(others)}" if others else ""
                sent.append(Branch(f"{shown}{with_others}"))
        if sent:
            yield Branch(f"{plural(len(sent), 'blob')} to send, {size(weight)}", sent)
        if shared:
            yield Branch(f"{plural(len(shared), 'blob')} shared, not sent for it", shared)

    def _digests(self, change: Change) -> str:
        after, before = self._short(change.digest), self._short(change.current)
        if change.op == "delete":
            return f"{before}, which is there now"
        if before and before != after:
            return f"{before} → {after}" if after else f"{before}, which is there now"
        return after

    def _short(self, digest: str) -> str:
        return digest if self._style.width is None else short_digest(digest)


def _named(changes: Sequence[Change]) -> str:
    more = len(changes) - _NEIGHBOURS
    listed = ", ".join(map(name_of, changes[:_NEIGHBOURS]))
    return f"{listed} and {more} more" if more > 0 else listed


def _drawn(branches: Sequence[Branch], margin: str = "") -> Iterator[str]:
    for number, each in enumerate(branches, 1):
        is_last = number == len(branches)
        yield f"{margin}{'└─' if is_last else '├─'} {each.text}"
        yield from _drawn(each.below, f"{margin}{'   ' if is_last else '│  '}")
