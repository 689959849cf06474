"""Which changes are chosen, and what they cost; kept up to date with every choice, not counted anew."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

from planner.core.plan import Change, Op, Plan
from planner.ui.review.contents import Owned
from planner.ui.review.ties import Ties


class Selection:
    """The chosen changes of a plan, by index; at first all that are pending. ``missing`` are the blobs that each would send."""

    def __init__(self, plan: Plan, missing: Owned) -> None:
        self._changes = plan.changes
        self._ties = Ties(plan)
        self._missing = missing
        self._users = array("L", (0,)) * len(missing.sizes)
        self._chosen: set[int] = set()
        self.counts: Counter[Op] = Counter()
        self.bytes_to_send = 0
        for index, change in enumerate(plan.changes):
            if change.is_pending:
                self._choose(index)

    def __contains__(self, index: int) -> bool:
        return index in self._chosen

    def __len__(self) -> int:
        return len(self._chosen)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is chosen, in the order of the plan."""
        return tuple(self._changes[index] for index in sorted(self._chosen))

    def needs(self, index: int) -> int:
        """How many blobs of a change are not on its registry yet."""
        return self._missing.count(index)

    def cost(self, indexes: Iterable[int]) -> int:
        """Bytes to send for these changes, if nothing else were chosen."""
        return self._missing.total(indexes)

    def own_cost(self, index: int) -> int:
        """Bytes that would not be sent without this chosen change."""
        sizes = self._missing.sizes
        return sum(sizes[blob] for blob in self._missing[index] if self._users[blob] == 1)

    def choose(self, indexes: Iterable[int]) -> frozenset[int]:
        """Choose these and everything that comes with them; the result are all that were not chosen before."""
        pending = (index for index in indexes if self._changes[index].is_pending)
        added = self._ties.chosen_with(pending, self._chosen)
        for index in added:
            self._choose(index)
        return added

    def drop(self, indexes: Iterable[int]) -> frozenset[int]:
        """Drop these and everything that cannot be without them; the result are all that were chosen before."""
        removed = self._ties.dropped_with(indexes, self._chosen)
        for index in removed:
            self._drop(index)
        return removed

    def _choose(self, index: int) -> None:
        self._chosen.add(index)
        self.counts[self._changes[index].op] += 1
        for blob in self._missing[index]:
            self._users[blob] += 1
            if self._users[blob] == 1:
                self.bytes_to_send += self._missing.sizes[blob]

    def _drop(self, index: int) -> None:
        self._chosen.remove(index)
        self.counts[self._changes[index].op] -= 1
        for blob in self._missing[index]:
            self._users[blob] -= 1
            if self._users[blob] == 0:
                self.bytes_to_send -= self._missing.sizes[blob]
