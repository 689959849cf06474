"""What differs between two plans, or between what two versions of specs need, name by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from planner.core.family import ArtifactKind, Because, Need
from planner.core.plan import Change, Input, Op, Plan
from planner.core.platforms import of_all
from planner.core.refs import ImageRef

InputChange = Literal["added", "removed", "changed"]


class Item(NamedTuple):
    """One name on one side. ``target`` is empty where nothing is redirected.

    ``platforms`` are the only ones that are wanted. Of a plan, the rest is what ``Change`` says of it. Of specs, ``op``,
    ``current`` and ``reason`` are empty, and ``digest`` is what the source is locked to.
    """

    target: str
    source: str
    kind: ArtifactKind = "image"
    op: Op | Literal[""] = ""
    digest: str = ""
    current: str = ""
    reason: str = ""
    because: tuple[Because, ...] = ()
    platforms: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called: the target, or the source of what has none."""
        return self.target or self.source

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters that need it, in order."""
        return tuple(sorted({each.cluster for each in self.because if each.cluster}))

    @property
    def repository(self) -> tuple[str, str, str]:
        """What stays the same when another version is wanted."""
        return self.kind, _repository(self.target), _repository(self.source)


class Changed(NamedTuple):
    """One name on both sides, or its other version; ``fields`` are those of ``Item`` that differ."""

    before: Item
    after: Item
    fields: tuple[str, ...]


class Difference(NamedTuple):
    """What is only after, only before, and otherwise on both sides; ``inputs`` are files, by path."""

    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()
    changed: tuple[Changed, ...] = ()
    unchanged: int = 0
    inputs: Mapping[str, InputChange] = {}

    @property
    def is_empty(self) -> bool:
        """Whether the names are the same on both sides, in everything that counts."""
        return not (self.added or self.removed or self.changed)


class Side(NamedTuple):
    """What is compared: everything that one side has, and the files that it was made from."""

    items: tuple[Item, ...]
    inputs: tuple[Input, ...] = ()


_FIELDS = ("source", "kind", "op", "digest", "current", "reason", "clusters", "platforms")


def side_of_plan(plan: Plan) -> Side:
    """The names of a plan."""
    return Side(tuple(map(item_of, plan.changes)), plan.inputs)


def item_of(change: Change) -> Item:
    """A change of a plan."""
    return Item(
        str(change.target) if change.has_place else "",
        str(change.source),
        change.kind,
        change.op,
        change.digest,
        change.current,
        change.reason,
        change.because,
        change.wanted_platforms,
    )


def side_of_needs(
    needs: Iterable[Need], pins: Mapping[ImageRef, str], inputs: Iterable[Input]
) -> Side:
    """What specs need, as it is locked."""
    items = (
        Item(
            str(need.target or ""),
            str(need.source),
            need.kind,
            digest=pins.get(need.source, ""),
            because=need.because,
            platforms=need.platforms,
        )
        for need in needs
    )
    return Side(tuple(items), tuple(inputs))


def compare(before: Side, after: Side) -> Difference:
    """What differs. One version of a repository that is gone and one that is new are one change."""
    old, new = _by_name(before.items), _by_name(after.items)
    added = [new[name] for name in sorted(new.keys() - old.keys())]
    removed = [old[name] for name in sorted(old.keys() - new.keys())]
    changed = [
        Changed(old[name], new[name], fields)
        for name in sorted(old.keys() & new.keys())
        if (fields := _differing(old[name], new[name]))
    ]
    unchanged = len(old.keys() & new.keys()) - len(changed)
    for one, other in _versions(removed, added):
        removed.remove(one)
        added.remove(other)
        changed.append(Changed(one, other, ("target", *_differing(one, other))))
    changed.sort(key=lambda each: each.after.name)
    inputs = dict(_inputs(before.inputs, after.inputs))
    return Difference(tuple(added), tuple(removed), tuple(changed), unchanged, inputs)


def _by_name(items: Iterable[Item]) -> dict[str, Item]:
    """Each name once, with all reasons."""
    found: dict[str, Item] = {}
    for item in items:
        earlier = found.setdefault(item.name, item)
        because = tuple(sorted({*earlier.because, *item.because}))
        platforms = of_all((earlier.platforms, item.platforms))
        found[item.name] = earlier._replace(because=because, platforms=platforms)
    return found


def _differing(one: Item, other: Item) -> tuple[str, ...]:
    return tuple(each for each in _FIELDS if getattr(one, each) != getattr(other, each))


def _versions(removed: Sequence[Item], added: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs of a repository's versions, where there is only one on either side."""
    old, new = _alone(removed), _alone(added)
    return [(old[key], new[key]) for key in sorted(old.keys() & new.keys())]


def _alone(items: Iterable[Item]) -> dict[tuple[str, str, str], Item]:
    found: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        found.setdefault(item.repository, []).append(item)
    return {key: members[0] for key, members in found.items() if len(members) == 1}


def _repository(name: str) -> str:
    """A name as it is written, without tag and digest; a registry may have a port."""
    folder, slash, last = name.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def _inputs(before: Iterable[Input], after: Iterable[Input]) -> Iterable[tuple[str, InputChange]]:
    old = {each.path: each.sha256 for each in before}
    new = {each.path: each.sha256 for each in after}
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            yield path, "added"
        elif path not in new:
            yield path, "removed"
        elif old[path] != new[path]:
            yield path, "changed"
