"""What the images of a plan consist of, in figures: many changes share many blobs, and all of them are counted all the time."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from planner.core.plan import Change, Plan

_BATCH = 1000


class Owned:
    """The things that each of many owners has, by number, and their sizes. What two of them share has one number.

    In arrays: tuples of numbers take ten times as much memory.
    """

    def __init__(self) -> None:
        self.sizes = array("q")
        self._things = array("I")
        self._ends = array("I", (0,))

    def __getitem__(self, owner: int) -> Sequence[int]:
        """What an owner has."""
        return self._things[self._ends[owner] : self._ends[owner + 1]]

    def __len__(self) -> int:
        return len(self._ends) - 1

    def count(self, owner: int) -> int:
        """How many things an owner has."""
        return self._ends[owner + 1] - self._ends[owner]

    def total(self, owners: Iterable[int]) -> int:
        """The size of all that several owners have, what they share counted once."""
        things: set[int] = set().union(*map(self.__getitem__, owners))
        return sum(map(self.sizes.__getitem__, things))

    def append(self, things: Iterable[int]) -> None:
        """One more owner."""
        self._things.extend(things)
        self._ends.append(len(self._things))

    def within(self, homes: Sequence[Hashable], has: Callable[[int, int], bool]) -> Owned:
        """The same for owners that share only with those of the same home, without what the second of ``has`` has already."""
        found = Owned()
        numbers: defaultdict[Hashable, dict[int, int]] = defaultdict(dict)
        for owner, home in enumerate(homes):
            known = numbers[home]
            for thing in self[owner]:
                if has(thing, owner):
                    continue
                number = known.setdefault(thing, len(found.sizes))
                if number == len(found.sizes):
                    found.sizes.append(self.sizes[thing])
                found._things.append(number)
            found.append(())
        return found


class Contents(NamedTuple):
    """Blobs by the index of a change: what there is of each in its repository, and what its registry does not have yet.

    What is not pending has none.
    """

    held: Owned
    missing: Owned


def contents_of(plan: Plan, tell: Callable[[float], None] = lambda _share: None) -> Contents:
    """Go through all manifests once; ``tell`` gets the share of them that is done."""
    blobs, there = _blobs(plan, tell)
    registries = [each.target.registry for each in plan.changes]
    places = [each.place for each in plan.changes]
    return Contents(
        blobs.within(places, lambda _blob, _owner: False),
        blobs.within(registries, lambda blob, owner: (blob, registries[owner]) in there),
    )


def _blobs(plan: Plan, tell: Callable[[float], None]) -> tuple[Owned, set[tuple[int, str]]]:
    """All blobs, and which registries hold which of them."""
    found = Owned()
    there: set[tuple[int, str]] = set()
    known: dict[bytes, int] = {}
    for index, change in enumerate(plan.changes):
        if index % _BATCH == 0:
            tell(index / len(plan.changes))
        mine = []
        for digest, size in blobs_of(plan, change).items():
            number = known.setdefault(_short(digest), len(known))
            if number == len(found.sizes):
                found.sizes.append(size)
                there |= {(number, each.registry) for each in plan.present.get(digest, ())}
            mine.append(number)
        found.append(mine)
    return found, there


def _short(digest: str) -> bytes:
    """A digest in half the memory; of two algorithms they have different lengths."""
    return bytes.fromhex(digest.partition(":")[2])


def blobs_of(plan: Plan, change: Change) -> dict[str, int]:
    """Sizes of the blobs of an image, of all its platforms, by digest; none for what is not pending."""
    found: dict[str, int] = {}
    waiting = [change.digest] if change.is_pending else []
    while waiting:
        if manifest := plan.manifests.get(waiting.pop()):
            blobs, children = manifest.figures()
            found |= blobs
            waiting += reversed(children)
    return found
