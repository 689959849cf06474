"""Which changes of a plan belong together, so that no choice of them leaves a registry worse off. No drawing.

* A tag is one thing, however many changes name it; and an image brings everything that it consists of, which may be wanted by
  digest as well.
* What is to be deleted waits for all that is to come to its repository: it may be what that replaces, and be needed until then.
* A signature, an attestation or an SBOM is nothing without an image that it is about, under whichever of its tags; an image
  brings what belongs to it.
* What is said about an image is deleted only together with all the tags of it that are to go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.refs import subject_of

_Content = tuple[Place, str]


class _Tie(NamedTuple):
    """Each of some changes can only be where all of the others are."""

    needing: Collection[int]
    needed: Collection[int]


class Ties:
    """What comes and goes with what, by the index of a change; all of it speaks of what is pending."""

    def __init__(self, plan: Plan) -> None:
        pending = [(index, each) for index, each in enumerate(plan.changes) if each.is_pending]
        self._ties = (*_parts(plan, pending), *_replaced(pending), *_told_of(pending))
        self._as_needing: dict[int, list[int]] = {}
        self._as_needed: dict[int, list[int]] = {}
        for number, (needing, needed) in enumerate(self._ties):
            for index in needing:
                self._as_needing.setdefault(index, []).append(number)
            for index in needed:
                self._as_needed.setdefault(index, []).append(number)
        self._images = dict(_subjects(plan, pending))
        self._companions: dict[int, list[int]] = {}
        for index, images in self._images.items():
            for image in images:
                self._companions.setdefault(image, []).append(index)

    def chosen_with(self, indexes: Iterable[int], chosen: Collection[int]) -> frozenset[int]:
        """What is to be added to what is ``chosen`` so that these can be."""
        added: set[int] = set()
        followed: set[int] = set()
        waiting = list(indexes)
        while waiting:
            while waiting:
                index = waiting.pop()
                if index not in added and index not in chosen:
                    added.add(index)
                    waiting += self._brought_by(index, followed)
            alone = (self._images[each] for each in added if each in self._images)
            waiting = [
                image
                for images in alone
                if not any(each in added or each in chosen for each in images)
                for image in images
            ]
        return frozenset(added)

    def dropped_with(self, indexes: Iterable[int], chosen: Collection[int]) -> frozenset[int]:
        """What is to be taken from what is ``chosen`` so that these are not."""
        removed: set[int] = set()
        followed: set[int] = set()
        waiting = list(indexes)
        while waiting:
            index = waiting.pop()
            if index in removed or index not in chosen:
                continue
            removed.add(index)
            for number in self._as_needed.get(index, ()):
                if number not in followed:
                    followed.add(number)
                    waiting += self._ties[number].needing
            waiting += (
                each
                for each in self._companions.get(index, ())
                if not any(image in chosen and image not in removed for image in self._images[each])
            )
        return frozenset(removed)

    def _brought_by(self, index: int, followed: set[int]) -> Iterator[int]:
        """What comes with one change, but for an image, of which one is enough; no tie is followed twice."""
        yield from self._companions.get(index, ())
        for number in self._as_needing.get(index, ()):
            if number not in followed:
                followed.add(number)
                yield from self._ties[number].needed


def _parts(plan: Plan, pending: Iterable[tuple[int, Change]]) -> Iterator[_Tie]:
    """What has the same name, and what an image consists of."""
    names: dict[_Content, set[int]] = {}
    for index, change in pending:
        names.setdefault((change.place, change.target.tag or change.digest), set()).add(index)
    has_bare = any(not change.target.tag for _, change in pending)
    for (place, _), indexes in names.items():
        if len(indexes) > 1:
            yield _Tie(indexes, indexes)
        for index in indexes if has_bare else ():
            inside = _inside(plan, plan.changes[index].digest)
            parts: set[int] = set().union(*(names.get((place, digest), ()) for digest in inside))
            if parts - indexes:
                yield _Tie((index,), parts)


def _replaced(pending: Iterable[tuple[int, Change]]) -> Iterator[_Tie]:
    """What is deleted needs what is to come to the same repository."""
    going: dict[Place, list[int]] = {}
    coming: dict[Place, list[int]] = {}
    for index, change in pending:
        side = going if change.op == "delete" else coming
        side.setdefault(change.place, []).append(index)
    return (_Tie(indexes, coming[place]) for place, indexes in going.items() if place in coming)


def _told_of(pending: Iterable[tuple[int, Change]]) -> Iterator[_Tie]:
    """What is said about an image, and to be deleted, needs the deletions of all its tags."""
    deleted: dict[_Content, list[int]] = {}
    for index, change in pending:
        if change.op == "delete":
            deleted.setdefault((change.place, change.current), []).append(index)
    for index, change in pending:
        subject = (change.place, subject_of(change.target.tag))
        if change.op == "delete" and subject in deleted:
            yield _Tie((index,), deleted[subject])


def _subjects(
    plan: Plan, pending: Iterable[tuple[int, Change]]
) -> Iterator[tuple[int, frozenset[int]]]:
    """What belongs to images, with those images as far as they are pending: whole ones, or such as the subject is a part of."""
    companions = [(index, each) for index, each in pending if each.subject and each.op != "delete"]
    if not companions:
        return
    holders: dict[_Content, set[int]] = {}
    for index, change in pending:
        for digest in _inside(plan, change.digest) if change.op != "delete" else ():
            holders.setdefault((change.place, digest), set()).add(index)
    in_sync = {(each.place, each.digest) for each in plan.changes if each.op == "same"}
    for index, change in companions:
        subject = (change.place, change.subject)
        images = frozenset(holders.get(subject, ())) - {index}
        if images and subject not in in_sync:
            yield index, images


def _inside(plan: Plan, digest: str) -> Iterator[str]:
    """The digests of a manifest and of all that it lists."""
    yield digest
    manifest = plan.manifests.get(digest)
    for child in manifest.children if manifest else ():
        yield from _inside(plan, child.digest)
