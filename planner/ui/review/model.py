"""What the review shows and what is chosen in it: a plan with its rows, figures and selection. No drawing.

A row is a group's name or the index of a change. Boxes of groups speak of what is shown: a filter narrows what they choose.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Literal, TypeVar

from planner.core.errors import UsageError
from planner.core.plan import PENDING, Change, Op, Plan
from planner.core.plan_file import plan_id
from planner.core.refs import ImageRef
from planner.core.text import printable, short_digest
from planner.ui.plan.filters import everything, item_of, parse_filter
from planner.ui.plan.sharing import Part, parts_of
from planner.ui.review.arrangement import (
    GROUPINGS,
    SORTINGS,
    WORDS,
    Arrangement,
    Grouping,
    Row,
    Sorting,
)
from planner.ui.review.contents import blobs_of, contents_of
from planner.ui.review.selection import Selection

Box = Literal["", "all", "some", "none"]

_PROBLEMS: frozenset[Op] = frozenset({"delete", "blocked", "move", "repair"})
_LONGEST = 300

_Choice = TypeVar("_Choice")


@dataclass(slots=True)
class Group:
    """The shown members of a group, and how many of those that may be chosen are chosen."""

    name: str
    members: Sequence[int]
    counts: dict[Op, int]
    chosen: int

    @property
    def selectable(self) -> int:
        """How many members may be chosen."""
        return sum(self.counts[op] for op in PENDING)


class PlanModel:
    """The state of a review. Whatever changes the rows leaves ``rows`` up to date and a new ``revision``."""

    def __init__(self, plan: Plan, tell: Callable[[float], None] = lambda _share: None) -> None:
        """``tell`` gets the share of the work that is done, which takes a while for a large plan."""
        self.plan = plan
        self.short_id = plan_id(plan)[7:19]
        self._held, self._missing = contents_of(plan, lambda share: tell(share / 2))
        self.selection = Selection(plan, self._missing)
        self.counts: Counter[Op] = Counter(change.op for change in plan.changes)
        self.filter_text = ""
        self.revision = 0
        self.longest_name = 0
        self._ops = [change.op for change in plan.changes]
        self._figures: dict[tuple[str, Grouping, str], int] = {}
        self._groups: dict[str, Group] = {}
        self._is_narrowed = False
        self._lengths = {
            True: array("H", (_length(each.target, shortest=True) for each in plan.changes)),
            False: array("H", (_length(each.target, shortest=False) for each in plan.changes)),
        }
        items = tuple(
            item_of(change, self.size(index)) for index, change in enumerate(plan.changes)
        )
        self._arrangement = Arrangement(plan, items, self.selection.__contains__)
        self._show()

    @property
    def rows(self) -> Sequence[Row]:
        """All that can be seen, from the first line to the last."""
        return self._arrangement.rows

    @property
    def grouping(self) -> Grouping:
        """What groups are made by."""
        return self._arrangement.grouping

    @property
    def sorting(self) -> Sorting:
        """What is first in them."""
        return self._arrangement.sorting

    @property
    def shows_same(self) -> bool:
        """Whether what is in sync is shown, too."""
        return self._arrangement.shows_same

    @property
    def matching(self) -> int:
        """How many changes pass the filter and are not hidden."""
        return sum(self._arrangement.shown)

    def change(self, row: Row) -> Change | None:
        """The change of a row; None for a group."""
        return self.plan.changes[row] if isinstance(row, int) else None

    def group(self, row: Row) -> Group:
        """The group that a row heads or belongs to, counted when it is first asked for."""
        name = row if isinstance(row, str) else self._arrangement.home(row)
        if name not in self._groups:
            members = self._arrangement.members(name)
            counts = Counter(map(self._ops.__getitem__, members))
            chosen = sum(map(self.selection.__contains__, members))
            self._groups[name] = Group(name, members, {op: counts[op] for op in WORDS}, chosen)
        return self._groups[name]

    def is_shown(self, index: int) -> bool:
        """Whether a change passes the filter and is not hidden, though its group may be collapsed."""
        return bool(self._arrangement.shown[index])

    def members(self, row: Row) -> Sequence[int]:
        """The changes behind a row."""
        return (row,) if isinstance(row, int) else self._arrangement.members(row)

    def size(self, row: Row) -> int:
        """Bytes of an image, or of all shown images of a group, each blob counted once per repository."""
        return self._worked_out("size", row, self._held.total)

    def cost(self, row: Row) -> int:
        """Bytes to send for an image, or for all shown images of a group."""
        return self._worked_out("cost", row, self.selection.cost)

    def blobs(self, index: int) -> int:
        """How many blobs an image has."""
        return self._held.count(index)

    def parts(self, index: int) -> Iterator[Part]:
        """The blobs of an image, and where they come from; none for what is not pending."""
        change = self.plan.changes[index]
        sizes = blobs_of(self.plan, change)
        registry = change.target.registry
        missing = (each for each in sizes if not self.plan.holders(registry, each))
        numbers = dict(zip(missing, self._missing[index], strict=True))
        users = self._users
        return parts_of(
            self.plan,
            change,
            sizes,
            lambda digest: [self.plan.changes[each] for each in users[numbers[digest]]],
        )

    @cached_property
    def _users(self) -> Sequence[Sequence[int]]:
        """Who needs each blob that a registry does not have."""
        users: list[list[int]] = [[] for _ in self._missing.sizes]
        for index in range(len(self.plan.changes)):
            for blob in self._missing[index]:
                users[blob].append(index)
        return users

    def name(self, row: Row) -> str:
        """How a row is called, safe to print; what the rows around it share is left out."""
        return one_line(row) if isinstance(row, str) else self._short(self.plan.changes[row])

    def box(self, row: Row) -> Box:
        """What stands in the box of a row; empty where nothing can be chosen."""
        if isinstance(row, int):
            pending = self.plan.changes[row].is_pending
            return "" if not pending else "all" if row in self.selection else "none"
        group = self.group(row)
        if not group.selectable:
            return ""
        full = group.chosen == group.selectable
        return "all" if full else "some" if group.chosen else "none"

    def toggle(self, row: Row) -> frozenset[int]:
        """Choose or drop what a row stands for; the result are all changes that this touched."""
        return self._set(self.members(row), chosen=self.box(row) != "all")

    def toggle_all(self) -> frozenset[int]:
        """Choose all that is shown, or drop it when all of it is chosen."""
        shown = compress(range(len(self._ops)), self._arrangement.shown)
        pending = [index for index in shown if self._ops[index] in PENDING]
        full = all(map(self.selection.__contains__, pending))
        return self._set(pending, chosen=not full)

    def is_collapsed(self, name: str) -> bool:
        """Whether a group shows its heading alone."""
        return self._arrangement.is_collapsed(name)

    def collapse(self, name: str, *, collapsed: bool) -> None:
        """Hide or show what is in a group."""
        self._arrangement.collapse(name, collapsed=collapsed)
        self.revision += 1

    def next_grouping(self) -> None:
        """Group by the next thing."""
        self.arrange(grouping=_after(GROUPINGS, self.grouping))

    def next_sorting(self) -> None:
        """Sort by the next thing."""
        self.arrange(sorting=_after(SORTINGS, self.sorting))

    def arrange(self, grouping: Grouping | None = None, sorting: Sorting | None = None) -> None:
        """Group and sort by these; None leaves it as it is."""
        arrangement = self._arrangement
        arrangement.grouping = grouping or arrangement.grouping
        arrangement.sorting = sorting or arrangement.sorting
        self._rebuild()

    def show_same(self, *, shown: bool) -> None:
        """Show or hide what is in sync."""
        self._arrangement.shows_same = shown
        self._rebuild()

    def narrow(self, text: str) -> str:
        """Show only what passes a filter. The result says what is wrong with it; then nothing has changed."""
        try:
            self._arrangement.filter = parse_filter(text)
        except UsageError as error:
            return error.message
        self.filter_text = text.strip()
        self._rebuild()
        return ""

    def position(self, row: Row) -> int:
        """Where a row is, or its heading when it is in a collapsed group; the first place when it is not shown."""
        with suppress(ValueError):
            return self.rows.index(row)
        if isinstance(row, int) and self.is_shown(row):
            return self.rows.index(self._arrangement.home(row))
        return 0

    def next_problem(self, row: Row | None, step: int) -> Row | None:
        """The next change after ``row`` (``step`` 1) or before it (-1) that needs a look, also in a collapsed group."""
        full = list(self._arrangement.entries())
        start = full.index(row) if row in full else -1
        for distance in range(1, len(full) + 1):
            entry = full[(start + step * distance) % len(full)]
            if isinstance(entry, int) and self.plan.changes[entry].op in _PROBLEMS:
                return entry
        return None

    def _worked_out(self, what: str, row: Row, figure: Callable[[Sequence[int]], int]) -> int:
        """A figure of an image; of a group it is worked out once, since that may have all of them."""
        if isinstance(row, int):
            return figure((row,))
        key = (what, self.grouping, row)
        if key not in self._figures:
            self._figures[key] = figure(self._arrangement.members(row))
        return self._figures[key]

    def _set(self, indexes: Iterable[int], *, chosen: bool) -> frozenset[int]:
        touched = self.selection.choose(indexes) if chosen else self.selection.drop(indexes)
        for index in touched:
            group = self._groups.get(self._arrangement.home(index))
            if group and self.is_shown(index):
                group.chosen += 1 if chosen else -1
        return touched

    def _rebuild(self) -> None:
        self._arrangement.rebuild()
        self._show()

    def _show(self) -> None:
        """Forget what was said of other rows."""
        self._groups.clear()
        is_narrowed = self._arrangement.filter is not everything
        if is_narrowed or self._is_narrowed:  # else a group has what it always has
            self._figures.clear()
        self._is_narrowed = is_narrowed
        lengths = self._lengths[self.grouping == "repository"]
        longest = max(compress(lengths, self._arrangement.shown), default=0)
        has_registry = not self._shared_registry and self.grouping != "repository"
        self.longest_name = longest + (self._longest_registry if has_registry else 0)
        self.revision += 1

    @cached_property
    def _shared_registry(self) -> str:
        """What all names begin with, when they do."""
        changes = self.plan.changes
        registries = {each.target.registry for each in changes if each.op != "blocked"}
        return f"{registries.pop()}/" if len(registries) == 1 else ""

    @cached_property
    def _longest_registry(self) -> int:
        return max((len(each.target.registry) + 1 for each in self.plan.changes), default=0)

    def _short(self, change: Change) -> str:
        shared = self._shared_registry
        if self.grouping == "repository":
            shared = f"{change.target.name.rpartition('/')[0]}/"
        target = change.target._replace(digest=short_digest(change.target.digest))
        return one_line(str(target).removeprefix(shared))


def _length(target: ImageRef, *, shortest: bool) -> int:
    """How long a name may be without its registry, or without its folders too; names that no registry takes count as others."""
    _, repository, tag, digest = target
    folders = repository.rfind("/") + 1 if shortest else 0
    return min(_LONGEST, len(repository) - folders + len(tag) + len(short_digest(digest)) + 2)


def one_line(text: str) -> str:
    """``text``, safe to print, without line ends."""
    return printable(text).replace("\n", " ")


def _after(choices: Sequence[_Choice], current: _Choice) -> _Choice:
    return choices[(choices.index(current) + 1) % len(choices)]
