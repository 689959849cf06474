"""What the review shows: groups and rows of a plan, as they are filtered, sorted and collapsed. No drawing.

A row is a group's name or the index of a change. Boxes of groups speak of what is shown: a filter narrows what they choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

from planner.core.errors import UsageError
from planner.core.plan import PENDING, Change, Op, Plan
from planner.core.plan_file import plan_id
from planner.core.text import printable, short_digest
from planner.ui.plan.groups import group_of
from planner.ui.review.filters import Filter, everything, item_of, parse_filter
from planner.ui.review.selection import Ledger, Selection

Row = int | str
Grouping = Literal["repository", "source", "action", "flat"]
Sorting = Literal["danger", "name", "size"]
Box = Literal["", "all", "some", "none"]

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
_PROBLEMS: frozenset[Op] = frozenset({"delete", "blocked", "move", "repair"})
_DANGER = list(WORDS)

_Choice = TypeVar("_Choice")


@dataclass(slots=True)
class Group:
    """The shown members of a group, and how many of those that may be chosen are chosen."""

    name: str
    members: list[int] = field(default_factory=list)
    counts: dict[Op, int] = field(default_factory=lambda: dict.fromkeys(WORDS, 0))
    chosen: int = 0

    @property
    def selectable(self) -> int:
        """How many members may be chosen."""
        return sum(self.counts[op] for op in PENDING)


class PlanModel:
    """The state of a review. Whatever changes the rows leaves ``rows`` up to date and a new ``revision``."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.short_id = plan_id(plan)[7:19]
        self.selection = Selection(plan)
        self.counts: Counter[Op] = Counter(change.op for change in plan.changes)
        self.grouping: Grouping = "repository"
        self.sorting: Sorting = "danger"
        self.shows_same = False
        self.filter_text = ""
        self.rows: Sequence[Row] = ()
        self.revision = 0
        self.longest_name = 0
        self._ledger = Ledger()
        self._contents = tuple(tuple(self._content(change)) for change in plan.changes)
        self._items = tuple(
            item_of(change, self.size(index)) for index, change in enumerate(plan.changes)
        )
        self._filter: Filter = everything
        self._collapsed: set[tuple[Grouping, str]] = set()
        self._groups: dict[str, Group] = {}
        self._home: dict[int, Group] = {}
        self._orders: dict[Sorting, list[int]] = {}
        self._group_names: dict[Grouping, list[str]] = {}
        self._names: dict[bool, list[str]] = {}
        self._rebuild()

    @property
    def matching(self) -> int:
        """How many changes pass the filter and are not hidden."""
        return len(self._home)

    def change(self, row: Row) -> Change | None:
        """The change of a row; None for a group."""
        return self.plan.changes[row] if isinstance(row, int) else None

    def group(self, row: Row) -> Group:
        """The group that a row heads or belongs to."""
        return self._groups[row] if isinstance(row, str) else self._home[row]

    def members(self, row: Row) -> Sequence[int]:
        """The changes behind a row."""
        return (row,) if isinstance(row, int) else self._groups[row].members

    def size(self, row: Row) -> int:
        """Bytes of an image, or of all shown images of a group, each blob counted once per repository."""
        return self._ledger.total(self._contents[index] for index in self.members(row))

    def cost(self, row: Row) -> int:
        """Bytes to send for an image, or for all shown images of a group."""
        return self.selection.cost(self.members(row))

    def blobs(self, index: int) -> int:
        """How many blobs an image has."""
        return len(self._contents[index])

    def name(self, row: Row) -> str:
        """How a row is called, safe to print; what the rows around it share is left out."""
        return one_line(row) if isinstance(row, str) else self._names[self._is_by_repository][row]

    def box(self, row: Row) -> Box:
        """What stands in the box of a row; empty where nothing can be chosen."""
        if isinstance(row, int):
            pending = self.plan.changes[row].is_pending
            return "" if not pending else "all" if row in self.selection else "none"
        group = self._groups[row]
        if not group.selectable:
            return ""
        full = group.chosen == group.selectable
        return "all" if full else "some" if group.chosen else "none"

    def toggle(self, row: Row) -> frozenset[int]:
        """Choose or drop what a row stands for; the result are all changes that this touched."""
        return self._set(self.members(row), chosen=self.box(row) != "all")

    def toggle_all(self) -> frozenset[int]:
        """Choose all that is shown, or drop it when all of it is chosen."""
        full = all(group.chosen == group.selectable for group in self._groups.values())
        return self._set(tuple(self._home), chosen=not full)

    def is_collapsed(self, name: str) -> bool:
        """Whether a group shows its heading alone."""
        return (self.grouping, name) in self._collapsed

    def collapse(self, name: str, *, collapsed: bool) -> None:
        """Hide or show what is in a group."""
        change = self._collapsed.add if collapsed else self._collapsed.discard
        change((self.grouping, name))
        self._list_rows()

    def next_grouping(self) -> None:
        """Group by the next thing."""
        self.grouping = _after(GROUPINGS, self.grouping)
        self._rebuild()

    def next_sorting(self) -> None:
        """Sort by the next thing."""
        self.sorting = _after(SORTINGS, self.sorting)
        self._rebuild()

    def show_same(self, *, shown: bool) -> None:
        """Show or hide what is in sync."""
        self.shows_same = shown
        self._rebuild()

    def narrow(self, text: str) -> str:
        """Show only what passes a filter. The result says what is wrong with it; then nothing has changed."""
        try:
            wanted = parse_filter(text)
        except UsageError as error:
            return error.message
        self._filter, self.filter_text = wanted, text.strip()
        self._rebuild()
        return ""

    def position(self, row: Row) -> int:
        """Where a row is, or its heading when it is in a collapsed group; the first place when it is not shown."""
        home = self._home[row].name if isinstance(row, int) and row in self._home else row
        wanted = next((each for each in (row, home) if each in self.rows), None)
        return 0 if wanted is None else self.rows.index(wanted)

    def next_problem(self, row: Row | None, step: int) -> Row | None:
        """The next change after ``row`` (``step`` 1) or before it (-1) that needs a look, also in a collapsed group."""
        full = list(self._entries())
        start = full.index(row) if row in full else -1
        for distance in range(1, len(full) + 1):
            entry = full[(start + step * distance) % len(full)]
            if isinstance(entry, int) and self.plan.changes[entry].op in _PROBLEMS:
                return entry
        return None

    def _set(self, indexes: Iterable[int], *, chosen: bool) -> frozenset[int]:
        touched = self.selection.choose(indexes) if chosen else self.selection.drop(indexes)
        for index in touched & self._home.keys():
            self._home[index].chosen += 1 if chosen else -1
        return touched

    def _content(self, change: Change) -> Iterator[int]:
        blobs = self.plan.blobs(change) if change.is_pending else {}
        for digest, blob in blobs.items():
            yield self._ledger.number((change.place, digest), blob.size)

    def _rebuild(self) -> None:
        """Sort the shown changes into groups."""
        self._groups, self._home = {}, {}
        names, changes, selection = self._named_groups(), self.plan.changes, self.selection
        for index in self._shown():
            group = self._groups.get(names[index]) or self._new_group(names[index])
            group.members.append(index)
            group.counts[changes[index].op] += 1
            group.chosen += index in selection
            self._home[index] = group
        self._name_changes()
        self._list_rows()

    def _new_group(self, name: str) -> Group:
        return self._groups.setdefault(name, Group(name))

    def _shown(self) -> Iterator[int]:
        """The changes that are not hidden and pass the filter."""
        order: Iterable[int] = self._order(self.sorting)
        if not self.shows_same:
            order = (index for index in order if self.plan.changes[index].op != "same")
        if self._filter is everything:
            return iter(order)
        passes, items, selection = self._filter, self._items, self.selection
        return (index for index in order if passes(items[index], index in selection))

    def _list_rows(self) -> None:
        self.rows = tuple(self._entries(hides_collapsed=True))
        self.revision += 1

    def _entries(self, *, hides_collapsed: bool = False) -> Iterator[Row]:
        """The rows in their order: groups by their first change, actions by their danger."""
        groups: Iterable[Group] = self._groups.values()
        if self.grouping == "action":
            groups = sorted(groups, key=lambda each: list(WORDS.values()).index(each.name))
        for group in groups:
            if self.grouping != "flat":
                yield group.name
            if not (hides_collapsed and self.is_collapsed(group.name)):
                yield from group.members

    def _order(self, sorting: Sorting) -> list[int]:
        """All changes in an order that is worked out once; equal ones stay in the order of their names."""
        if sorting not in self._orders:
            changes = self.plan.changes
            if sorting == "name":
                keys = [str(change.target) for change in changes]
                self._orders[sorting] = sorted(range(len(changes)), key=keys.__getitem__)
            elif sorting == "danger":
                ranks = [_DANGER.index(change.op) for change in changes]
                self._orders[sorting] = sorted(self._order("name"), key=ranks.__getitem__)
            else:
                sizes = [-item.size for item in self._items]
                self._orders[sorting] = sorted(self._order("name"), key=sizes.__getitem__)
        return self._orders[sorting]

    def _named_groups(self) -> list[str]:
        """The group of each change."""
        if self.grouping not in self._group_names:
            self._group_names[self.grouping] = [
                self._group_name(each) for each in self.plan.changes
            ]
        return self._group_names[self.grouping]

    def _group_name(self, change: Change) -> str:
        match self.grouping:
            case "repository":
                return group_of(change)
            case "source":
                return change.source.registry
            case "action":
                return WORDS[change.op]
            case "flat":
                return ""

    def _name_changes(self) -> None:
        if self._is_by_repository not in self._names:
            registries = {
                change.target.registry for change in self.plan.changes if change.op != "blocked"
            }
            shared = f"{registries.pop()}/" if len(registries) == 1 else ""
            self._names[self._is_by_repository] = [
                self._short(each, shared) for each in self.plan.changes
            ]
        names = self._names[self._is_by_repository]
        self.longest_name = max((len(names[index]) for index in self._home), default=0)

    @property
    def _is_by_repository(self) -> bool:
        return self.grouping == "repository"

    def _short(self, change: Change, shared: str) -> str:
        if self._is_by_repository:
            shared = f"{change.target.name.rpartition('/')[0]}/"
        target = change.target._replace(digest=short_digest(change.target.digest))
        return one_line(str(target).removeprefix(shared))


def one_line(text: str) -> str:
    """``text``, safe to print, without line ends."""
    return printable(text).replace("\n", " ")


def _after(choices: Sequence[_Choice], current: _Choice) -> _Choice:
    return choices[(choices.index(current) + 1) % len(choices)]
