"""Which changes are chosen, and what they cost; kept up to date with every choice, not counted anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from planner.core.place import Place
from planner.core.plan import Change, Op, Plan
from planner.core.refs import subject_of


class Ledger:
    """Sizes of things by number; a thing that is named twice has one number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self.sizes: list[int] = []

    def number(self, thing: Hashable, size: int) -> int:
        """The number of a thing."""
        number = self._numbers.setdefault(thing, len(self.sizes))
        if number == len(self.sizes):
            self.sizes.append(size)
        return number

    def total(self, owned: Iterable[Sequence[int]]) -> int:
        """The size of all that several owners have, what they share counted once."""
        return sum(self.sizes[number] for number in set().union(*owned))


class Selection:
    """The chosen changes of a plan, by index; at first all that are pending."""

    def __init__(self, plan: Plan) -> None:
        self._changes = plan.changes
        self._ties = _ties(plan)
        self._ledger = Ledger()
        self._needs = tuple(tuple(self._to_send(plan, each)) for each in plan.changes)
        self._users = [0] * len(self._ledger.sizes)
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
        return len(self._needs[index])

    def cost(self, indexes: Iterable[int]) -> int:
        """Bytes to send for these changes, if nothing else were chosen."""
        return self._ledger.total(self._needs[index] for index in indexes)

    def own_cost(self, index: int) -> int:
        """Bytes that would not be sent without this chosen change."""
        sizes = self._ledger.sizes
        return sum(sizes[blob] for blob in self._needs[index] if self._users[blob] == 1)

    def choose(self, indexes: Iterable[int]) -> frozenset[int]:
        """Choose these and everything that comes with them; the result are all that were not chosen before."""
        wanted = self._ties.closure(indexes, self._ties.brings)
        added = frozenset(
            index for index in wanted - self._chosen if self._changes[index].is_pending
        )
        for index in added:
            self._choose(index)
        return added

    def drop(self, indexes: Iterable[int]) -> frozenset[int]:
        """Drop these and everything that would bring them back; the result are all that were chosen before."""
        removed = self._ties.closure(indexes, self._ties.brought_by) & self._chosen
        for index in removed:
            self._drop(index)
        return frozenset(removed)

    def _choose(self, index: int) -> None:
        self._chosen.add(index)
        self.counts[self._changes[index].op] += 1
        for blob in self._needs[index]:
            self._users[blob] += 1
            if self._users[blob] == 1:
                self.bytes_to_send += self._ledger.sizes[blob]

    def _drop(self, index: int) -> None:
        self._chosen.remove(index)
        self.counts[self._changes[index].op] -= 1
        for blob in self._needs[index]:
            self._users[blob] -= 1
            if self._users[blob] == 0:
                self.bytes_to_send -= self._ledger.sizes[blob]

    def _to_send(self, plan: Plan, change: Change) -> Iterator[int]:
        registry = change.target.registry
        blobs = plan.blobs(change) if change.is_pending else {}
        for digest, blob in blobs.items():
            if not plan.holders(registry, digest):
                yield self._ledger.number((registry, digest), blob.size)


class _Ties:
    """Which changes are carried out by carrying out others, in both directions."""

    def __init__(self, brings: Mapping[int, set[int]]) -> None:
        self.brings = brings
        self.brought_by: dict[int, set[int]] = {}
        for index, others in brings.items():
            for other in others:
                self.brought_by.setdefault(other, set()).add(index)

    @staticmethod
    def closure(indexes: Iterable[int], along: Mapping[int, set[int]]) -> set[int]:
        found: set[int] = set()
        waiting = list(indexes)
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                waiting += along.get(index, ())
        return found


def _ties(plan: Plan) -> _Ties:
    """What comes with what.

    A tag is one thing, however many changes name it; and an image brings everything that it consists of, which may
    be wanted by digest as well.
    """
    names: dict[tuple[Place, str], set[int]] = {}
    for index, change in enumerate(plan.changes):
        if change.is_pending:
            names.setdefault((change.place, change.target.tag or change.digest), set()).add(index)
    brings: dict[int, set[int]] = {}
    bare = any(change.is_pending and not change.target.tag for change in plan.changes)
    for (place, _), indexes in names.items():
        for index in indexes:
            inside = _inside(plan, plan.changes[index].digest) if bare else ()
            parts = (names.get((place, digest), set()) for digest in inside)
            others = indexes.union(*parts) - {index}
            if others:
                brings[index] = others
    for index, subjects in _subjects(plan):
        brings.setdefault(index, set()).update(subjects)
    return _Ties(brings)


def _subjects(plan: Plan) -> Iterator[tuple[int, list[int]]]:
    """What is said about an image (its signature) is deleted only together with all the tags of it that are to go."""
    deleted = [(index, each) for index, each in enumerate(plan.changes) if each.op == "delete"]
    by_digest: dict[tuple[Place, str], list[int]] = {}
    for index, each in deleted:
        by_digest.setdefault((each.place, each.current), []).append(index)
    for index, each in deleted:
        if subjects := by_digest.get((each.place, subject_of(each.target.tag))):
            yield index, subjects


def _inside(plan: Plan, digest: str) -> Iterator[str]:
    """The digests of a manifest and of all that it lists."""
    yield digest
    manifest = plan.manifests.get(digest)
    for child in manifest.children if manifest else ():
        yield from _inside(plan, child.digest)
