"""Which repositories of the targets hold which content already: what need not be sent again."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

from planner.core.content import Manifest
from planner.core.place import Place
from planner.core.plan import Plan
from planner.preflight import Ground
from planner.stores.cache import ManifestCache
from planner.stores.opening import Stores

# To read and prove a manifest of the cache takes as long as a quarter of a request on one machine.
_MOST_REMEMBERED = 2000

Work = TypeVar("Work")
Result = TypeVar("Result")


class Each(Protocol):
    """Does the same for many things at a time, and tells how far it is with ``what``."""

    def __call__(
        self, what: str, work: Callable[[Work], Result], items: list[Work], /
    ) -> Sequence[Result]:
        """The results, in the order of the things."""
        ...


class _Question(NamedTuple):
    """Does the place hold the digest?"""

    place: Place
    digest: str
    is_manifest: bool


class Presence:
    """Looks for the content of one plan."""

    def __init__(self, stores: Stores, cache: ManifestCache, ground: Ground, each: Each) -> None:
        self._stores = stores
        self._cache = cache
        self._ground = ground
        self._each = each

    def of(self, plan: Plan) -> Mapping[str, tuple[Place, ...]]:
        """The places of each blob, and of what is to be checked also of each manifest: one HEAD for each that may matter.

        Other repositories are believed to hold what images in sync consist of: a mount that is refused for that goes on as an
        upload, so to be wrong costs nothing.
        """
        asked = list(dict.fromkeys(self._questions(plan, self._empty_places(plan))))
        answers = self._each("blobs", self._holds, asked)
        found: dict[str, set[Place]] = {}
        for question, is_there in zip(asked, answers, strict=True):
            if is_there:
                found.setdefault(question.digest, set()).add(question.place)
        known = {(question.place, question.digest) for question in asked}
        for place, digest in self._remembered(plan):
            if (place, digest) not in known:
                found.setdefault(digest, set()).add(place)
        return {digest: tuple(sorted(places)) for digest, places in found.items()}

    def _empty_places(self, plan: Plan) -> frozenset[Place]:
        """The repositories without any tag: what a run that broke off left there, copying finds and need not send again."""
        placed = [each for each in plan.changes if each.op != "blocked"]
        unknown = {each.place for each in placed} - {each.place for each in placed if each.current}
        new = {each.place for each in placed if self._ground.is_new(each.target)}
        asked = sorted(unknown - new)
        empty = self._each("repositories", self._is_empty, asked)
        found = (place for place, is_empty in zip(asked, empty, strict=True) if is_empty)
        return frozenset((*new, *found))

    def _is_empty(self, place: Place) -> bool:
        return self._stores.target(place.registry).is_empty(place.repository)

    def _questions(self, plan: Plan, empty: Container[Place]) -> Iterator[_Question]:
        for change in plan.changes:
            if change.op == "blocked" or change.place in empty:
                continue
            for digest in plan.blobs(change):
                yield _Question(change.place, digest, is_manifest=False)
            if change.op == "same" and change.digest in plan.manifests:
                for digest in parts(plan.manifests, change.digest):
                    yield _Question(change.place, digest, is_manifest=True)

    def _holds(self, question: _Question) -> bool:
        store = self._stores.target(question.place.registry)
        if question.is_manifest:
            return store.head(question.place.repository, question.digest) is not None
        return store.has_blob(question.place.repository, question.digest)

    def _remembered(self, plan: Plan) -> Iterator[tuple[Place, str]]:
        """What images in sync consist of, as far as earlier plans left their manifests here."""
        wanted = {digest for each in plan.changes if each.is_pending for digest in plan.blobs(each)}
        if not wanted:
            return
        same = {
            (each.place, each.digest): each
            for each in plan.changes
            if each.op == "same" and each.digest not in plan.manifests
        }
        for change in islice(same.values(), _MOST_REMEMBERED):
            for digest in self._blobs_of(change.digest):
                if digest in wanted:
                    yield change.place, digest

    def _blobs_of(self, digest: str) -> Iterator[str]:
        """Those of an image, and of the images of an index; what lies deeper is rare."""
        manifest = self._cache.get(digest)
        blobs, children = manifest.figures() if manifest else ({}, [])
        yield from blobs
        for child in filter(None, map(self._cache.get, children)):
            yield from child.figures()[0]


def parts(manifests: Mapping[str, Manifest], digest: str) -> Iterator[str]:
    """The digests of the manifests below one."""
    for child in manifests[digest].children:
        yield child.digest
        yield from parts(manifests, child.digest)
