"""What the picture of a plan shows, before anything has a position: bands of rows between sources and destinations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from planner.core.namespaces import Namespace
from planner.core.plan import Change, Op, Plan
from planner.core.text import plural, size
from planner.ui.plan.figures import counted
from planner.ui.plan.groups import group_of
from planner.ui.plan.lines import bytes_to_send
from planner.ui.plan.words import DANGER, MEANINGS, SYMBOLS, by_danger, counts, one_line

MOST_ROWS = 300
_MOST_GROUPS = 120


@dataclass(frozen=True, slots=True)
class Row:
    """An image, or several. ``own`` are the bytes that cross for it, ``shared`` those that come with others or are there."""

    name: str
    op: Op
    about: str = ""
    own: int = 0
    shared: int = 0


@dataclass(frozen=True, slots=True)
class Home:
    """Where a band goes: a namespace, or a folder of repositories. It has the colour of ``op``."""

    registry: str
    name: str
    about: str = ""
    op: Op = "same"


@dataclass(frozen=True, slots=True)
class Band:
    """Rows under a heading. ``flows`` are the bytes to send by source registry; ``blocked`` those of which nothing comes."""

    name: str
    figures: str
    home: Home
    rows: Sequence[Row]
    flows: Mapping[str, int]
    blocked: frozenset[str] = frozenset()

    @property
    def op(self) -> Op:
        """Its most dangerous kind of change."""
        return min((row.op for row in self.rows), key=DANGER.__getitem__)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is drawn. ``sources`` are registries with what is said below their names."""

    title: str
    subtitle: str
    sources: Mapping[str, str]
    bands: Sequence[Band]
    ops: Sequence[Op] = field(default_factory=tuple)


def scene_of(plan: Plan) -> Scene:
    """The picture's content: a row for each image, or, when there are too many, for each folder of repositories."""
    weights = dict(_weights(plan))
    is_detailed = len(plan.changes) - plan.count("same") <= MOST_ROWS
    bands = _bands(plan, weights) if is_detailed else _coarse_bands(plan)
    title = ", ".join(counted(plan)) if plan.pending else "nothing to do"
    total = plan.total_bytes(plan.pending)
    subtitle = (
        f"{size(bytes_to_send(plan, plan.changes))} to send of {size(total)}" if total else ""
    )
    ordered = sorted(bands, key=lambda each: (each.home.registry, each.home.name, each.name))
    return Scene(title, subtitle, _sources(plan), ordered, tuple(counts(plan.changes)))


def _weights(plan: Plan) -> Iterator[tuple[Change, tuple[int, int]]]:
    """The bytes that cross for each change, and those that it shares with earlier ones or with what is there."""
    seen: set[tuple[str, str]] = set()
    for change in plan.pending:
        own = shared = 0
        for digest, blob in plan.blobs(change).items():
            key = (change.target.registry, digest)
            if key in seen or plan.holders(change.target.registry, digest):
                shared += blob.size
            else:
                own += blob.size
            seen.add(key)
        yield change, (own, shared)


def _sources(plan: Plan) -> dict[str, str]:
    images = Counter(each.source.registry for each in plan.changes if each.op != "delete")
    return {name: plural(images[name], "image") for name in sorted(images)}


def _bands(plan: Plan, weights: Mapping[Change, tuple[int, int]]) -> Iterator[Band]:
    """A band for each folder of repositories, a row for each image that is not in sync."""
    homes = _homes_by_place(plan)
    for name, members in _grouped(plan.changes):
        changes = by_danger(members)
        rows = [
            _row(change, name, *weights.get(change, (0, 0)))
            for change in changes
            if change.op != "same"
        ]
        if same := len(changes) - len(rows):
            rows.append(Row(f"{plural(same, 'image')} in sync", "same"))
        yield _band(plan, name, changes, rows, _home(name, changes, homes))


def _row(change: Change, group: str, own: int, shared: int) -> Row:
    name = one_line(str(change.target).removeprefix(f"{group}/"))
    if change.op in ("blocked", "repair", "delete"):
        return Row(name, change.op, one_line(change.reason), own, shared)
    return Row(name, change.op, f"from {one_line(str(change.source))}", own, shared)


def _coarse_bands(plan: Plan) -> Iterator[Band]:
    """A band for each namespace, a row for each folder, or, of very many, for the first component of their names."""
    homes = _homes_by_place(plan)
    folders = _grouped(plan.changes)
    if len(folders) > _MOST_GROUPS:
        folders = _grouped(plan.changes, depth=1)
    by_home = [(_wide_home(name, changes, homes), name, changes) for name, changes in folders]
    by_home.sort(key=lambda each: (each[0].registry, each[0].name, each[1]))
    for home, group in groupby(by_home, lambda each: each[0]):
        listed = [(name, changes) for _, name, changes in group]
        rows = [_coarse_row(plan, name, changes) for name, changes in listed]
        everything = [change for _, changes in listed for change in changes]
        name = f"{home.registry}/{home.name}".strip("/")
        yield _band(plan, name, everything, rows, home)


def _wide_home(
    name: str, changes: Sequence[Change], homes: Mapping[tuple[str, str], Namespace]
) -> Home:
    """The namespace, or, where none is known, the first component of the names."""
    home = _home(name, changes, homes)
    return home if home.about else Home(home.registry, home.name.partition("/")[0])


def _coarse_row(plan: Plan, name: str, changes: Sequence[Change]) -> Row:
    pending = [each for each in changes if each.is_pending]
    own = bytes_to_send(plan, pending)
    worst = min((each.op for each in changes), key=DANGER.__getitem__)
    kinds = "  ".join(f"{SYMBOLS[op]}{count}" for op, count in counts(changes).items())
    shown = one_line(name.partition("/")[2] or name)
    words = ", ".join(f"{count} {MEANINGS[op]}" for op, count in counts(changes).items())
    return Row(f"{shown}   {kinds}", worst, words, own, plan.total_bytes(pending) - own)


def _band(
    plan: Plan, name: str, changes: Sequence[Change], rows: Sequence[Row], home: Home
) -> Band:
    flows: dict[str, int] = {}
    blocked: set[str] = set()
    ordered = sorted(changes, key=lambda each: each.source.registry)
    for registry, group in groupby(ordered, lambda each: each.source.registry):
        members = [each for each in group if each.op != "delete"]
        if members:
            flows[registry] = bytes_to_send(plan, members)
        if members and all(each.op == "blocked" for each in members):
            blocked.add(registry)
    sent, total = (
        bytes_to_send(plan, changes),
        plan.total_bytes([c for c in changes if c.is_pending]),
    )
    figures = f"{size(sent)} of {size(total)} to send" if total else ""
    return Band(one_line(name), figures, home, tuple(rows), flows, frozenset(blocked))


def _grouped(changes: Iterable[Change], depth: int = 0) -> list[tuple[str, list[Change]]]:
    """By the folder of their repositories, or by as many of its components."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        name = group_of(change)
        if depth:
            name = "/".join(name.split("/")[: depth + 1])
        found.setdefault(name, []).append(change)
    return sorted(found.items())


def _homes_by_place(plan: Plan) -> dict[tuple[str, str], Namespace]:
    return {
        (each.registry, repository): each
        for each in plan.namespaces
        for repository in each.repositories
    }


_SAID: Mapping[str, tuple[Op, str]] = {
    "create": ("create", "to be created"),
    "same": ("same", ""),
    "blocked": ("blocked", "blocked"),
    "unknown": ("move", "may be missing"),
}


def _home(name: str, changes: Sequence[Change], homes: Mapping[tuple[str, str], Namespace]) -> Home:
    """The namespace that all of a folder lies in; else the folder, with what becomes of its namespaces."""
    first = changes[0].target
    if not any(each.has_place for each in changes):
        return Home("", "nowhere", "no mirror is named", "blocked")
    found = {homes.get((each.target.registry, each.target.repository)) for each in changes}
    known = sorted(each for each in found if each)
    folder = name.partition("/")[2]
    if len(found) == len(known) == 1:
        only = known[0]
        op, said = _SAID[only.op]
        return Home(first.registry, one_line(only.name), one_line(f"{only.kind} {said}"), op)
    if not known:
        return Home(first.registry, one_line(folder))
    worst = min((_SAID[each.op] for each in known), key=lambda said: DANGER[said[0]])
    number = sum(_SAID[each.op] == worst for each in known)
    about = f"{number} {one_line(known[0].kind)}: {worst[1] or 'there'}"
    return Home(first.registry, one_line(folder), about, worst[0])
