"""The rows of a review: which changes are shown, in which groups and in which order.

What no filter changes is worked out at the start, so that a key costs one walk through the changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from typing import Literal, get_args

from planner.core.plan import Change, Op, Plan
from planner.ui.plan.filters import Filter, Item, everything
from planner.ui.plan.groups import group_of
from planner.ui.plan.words import clusters_of

Row = int | str
Grouping = Literal["repository", "source", "cluster", "action", "flat"]
Sorting = Literal["danger", "name", "size"]

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
SORTINGS: tuple[Sorting, ...] = get_args(Sorting)
# What may do harm comes first.
WORDS: dict[Op, str] = {
    "delete": "delete",
    "blocked": "blocked",
    "move": "move",
    "repair": "repair",
    "create": "create",
    "same": "in sync",
}
_DANGER = list(WORDS)
_NO_CLUSTER = "needed by no cluster that is known"


class Arrangement:
    """Rows are names of groups and indexes of changes. Whoever sets a field calls ``rebuild``.

    ``is_chosen`` is what filters may ask of a change.
    """

    def __init__(self, plan: Plan, items: Sequence[Item], is_chosen: Callable[[int], bool]) -> None:
        self.grouping: Grouping = "repository"
        self.sorting: Sorting = "danger"
        self.shows_same = False
        self.filter: Filter = everything
        self.rows: Sequence[Row] = ()
        self.shown = bytearray()
        self._items = items
        self._is_chosen = is_chosen
        self._members: dict[str, list[int]] = {}
        self._collapsed: set[tuple[Grouping, str]] = set()
        self._all = bytes([1]) * len(items)
        self._unlike = bytes(each.op != "same" for each in plan.changes)
        self._homes = {each: _homes(plan.changes, each) for each in GROUPINGS}
        self._orders = _orders(plan.changes, items)
        self.rebuild()

    def rebuild(self) -> None:
        """Sort the shown changes into groups."""
        self.shown = self._passing()
        order = self._orders[self.sorting]
        shown = compress(order, map(self.shown.__getitem__, order))
        if self.grouping == "flat":
            found = list(shown)
            self._members = {"": found} if found else {}
        else:
            homes = self._homes[self.grouping]
            members: defaultdict[str, list[int]] = defaultdict(list)
            for index in shown:
                members[homes[index]].append(index)
            self._members = dict(members)
        self._list_rows()

    def home(self, index: int) -> str:
        """The name of the group that a change belongs to, shown or not."""
        return self._homes[self.grouping][index]

    def members(self, group: str) -> Sequence[int]:
        """The shown changes of a group."""
        return self._members[group]

    def is_collapsed(self, group: str) -> bool:
        """Whether a group shows its heading alone."""
        return (self.grouping, group) in self._collapsed

    def collapse(self, group: str, *, collapsed: bool) -> None:
        """Hide or show what is in a group."""
        change = self._collapsed.add if collapsed else self._collapsed.discard
        change((self.grouping, group))
        self._list_rows()

    def entries(self) -> Iterator[Row]:
        """All rows in their order, also those of collapsed groups: groups by their first change, actions by their danger."""
        for group in self._groups():
            yield from self._heading(group)
            yield from self._members[group]

    def _list_rows(self) -> None:
        rows: list[Row] = []
        for group in self._groups():
            rows.extend(self._heading(group))
            if not self.is_collapsed(group):
                rows.extend(self._members[group])
        self.rows = rows

    def _groups(self) -> Iterable[str]:
        if self.grouping == "action":
            return sorted(self._members, key=list(WORDS.values()).index)
        return self._members

    def _heading(self, group: str) -> tuple[str, ...]:
        return () if self.grouping == "flat" else (group,)

    def _passing(self) -> bytearray:
        """Which changes are not hidden and pass the filter."""
        shown = bytearray(self._all if self.shows_same else self._unlike)
        passes, items, is_chosen = self.filter, self._items, self._is_chosen
        if passes is not everything:
            for index in compress(range(len(shown)), bytes(shown)):
                if not passes(items[index], is_chosen(index)):
                    shown[index] = 0
        return shown


def _homes(changes: Sequence[Change], grouping: Grouping) -> Sequence[str]:
    """The group of each change; equal names are one text."""
    once: dict[str, str] = {}
    named = (_home(change, grouping) for change in changes)
    return [once.setdefault(each, each) for each in named]


def _home(change: Change, grouping: Grouping) -> str:
    match grouping:
        case "repository":
            return group_of(change)
        case "source":
            return change.source.registry
        case "cluster":  # what several need stands once: every row has one place
            return ", ".join(clusters_of(change)) or _NO_CLUSTER
        case "action":
            return WORDS[change.op]
        case "flat":
            return ""


def _orders(changes: Sequence[Change], items: Sequence[Item]) -> dict[Sorting, Sequence[int]]:
    """All changes in each order; equal ones stay in the order of their names."""
    names = [str(change.target) for change in changes]
    ranks = [_DANGER.index(change.op) for change in changes]
    sizes = [-item.size for item in items]
    by_name = sorted(range(len(changes)), key=names.__getitem__)
    return {
        "danger": sorted(by_name, key=ranks.__getitem__),
        "name": by_name,
        "size": sorted(by_name, key=sizes.__getitem__),
    }
