"""Why something is in a plan, and what comes of it: ``--why``."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from planner.core.errors import UsageError
from planner.core.family import Because
from planner.core.plan import Change, Plan
from planner.core.text import plural, short_digest, size
from planner.ui.plan.sharing import Part, Sharing
from planner.ui.plan.words import COLOURS, MEANINGS, SYMBOLS, name_of, one_line, platforms_text
from planner.ui.style import Style

_NEIGHBOURS = 2


class Branch(NamedTuple):
    """A line of a tree, what hangs from it, and the place in a spec that it names."""

    text: str
    below: Sequence[Branch] = ()
    place: Because | None = None


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
    tracer, sharing = _Tracer(plan, style), Sharing(plan)
    trees = (tracer.lines(each, sharing.parts(each)) for each in chosen)
    return "\n".join("\n".join(lines) + "\n" for lines in trees)


def matches(change: Change, pattern: str) -> bool:
    """Whether a glob means the target or the source."""
    names = (str(change.target), str(change.source))
    return any(fnmatch.fnmatchcase(each, pattern) for each in names)


def derivation(plan: Plan, change: Change, parts: Iterable[Part]) -> Sequence[Branch]:
    """The tree of one change that consists of ``parts``, with digests cut as terminals show them."""
    return tuple(_Tracer(plan, Style(width=0)).branches(change, parts))


class _Tracer:
    """Makes the branches of changes. Lives for one page."""

    def __init__(self, plan: Plan, style: Style) -> None:
        self._plan = plan
        self._style = style

    def lines(self, change: Change, parts: Iterable[Part]) -> Iterator[str]:
        """The tree of one change."""
        symbol = self._style.paint(
            f"{SYMBOLS[change.op]} {MEANINGS[change.op]}", COLOURS[change.op]
        )
        yield f"{self._style.paint(name_of(change), 'bold')}   {symbol}"
        yield from (line for line, _ in drawn([*self.branches(change, parts)]))

    def branches(self, change: Change, parts: Iterable[Part]) -> Iterator[Branch]:
        """What there is to tell of it."""
        if change.reason:
            yield Branch(one_line(change.reason))
        if change.op != "delete" and change.has_place:
            yield Branch(f"from {one_line(str(change.source))}")
        if change.digest or change.current:
            yield Branch(f"digest {self._digests(change)}")
        if change.platforms:
            yield Branch(f"platforms {platforms_text(change)}")
        yield from self._needed(change)
        yield from self._namespace(change)
        yield from self._content(list(parts))

    def _needed(self, change: Change) -> Iterator[Branch]:
        """The reasons, by cluster."""
        by_cluster: dict[str, list[Branch]] = {}
        for each in change.because:
            place = f"{each.file}:{each.line}:{each.column}  " if each.line else f"{each.file}  "
            reason = Branch(one_line(f"{place}{each.text}"), place=each)
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

    def _content(self, parts: Sequence[Part]) -> Iterator[Branch]:
        """Its blobs: those that this image brings, and those that it shares."""
        sent = [each for each in parts if each.origin == "sent"]
        shared = [each for each in parts if each.origin != "sent"]
        if sent:
            weight = sum(each.size for each in sent)
            title = f"{plural(len(sent), 'blob')} to send, {size(weight)}"
            yield Branch(title, [self._part(each) for each in sent])
        if shared:
            title = f"{plural(len(shared), 'blob')} shared, not sent for it"
            yield Branch(title, [self._part(each) for each in shared])

    def _part(self, part: Part) -> Branch:
        told = origin_text(part)
        shown = f"{self._short(part.digest)}  {size(part.size):>9}"
        return Branch(f"{shown}  {told}" if told else shown)

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


def origin_text(part: Part) -> str:
    """How the target comes by a blob; empty for one that is sent for its image alone."""
    if part.holder:
        return f"is at {one_line(str(part.holder))}"
    if part.origin == "shared":
        return f"comes with {name_of(part.others[0])}"
    return f"also for {_named(part.others)}" if part.others else ""


def drawn(branches: Sequence[Branch], margin: str = "") -> Iterator[tuple[str, Branch]]:
    """The lines of a tree, each with its branch."""
    for number, each in enumerate(branches, 1):
        is_last = number == len(branches)
        yield f"{margin}{'└─' if is_last else '├─'} {each.text}", each
        yield from drawn(each.below, f"{margin}{'   ' if is_last else '│  '}")
