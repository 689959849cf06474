"""Asking the registries what they hold: one HEAD for each name on either side, manifests by digest, blobs where it matters.

No scope but ``pull`` is ever asked for, and nothing is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from planner.core.content import NO_PLATFORM, Manifest
from planner.core.errors import RegistryError
from planner.core.family import ArtifactKind, Because
from planner.core.place import Place
from planner.core.plan import Change, Op, Plan
from planner.core.refs import ImageRef
from planner.core.text import plural, short_digest
from planner.preflight import Ground
from planner.pulls import TOO_MANY_REQUESTS, Budget, Pulls
from planner.referrers import Escort
from planner.stores.cache import ManifestCache
from planner.stores.locks import Locks
from planner.stores.opening import Stores
from planner.stores.recorded import NotRecordedError
from planner.stores.workers import Workers

# Everything that walks an image visits each path to a manifest: an index of indexes multiplies them.
_DEEPEST = 2
_MOST_CHILDREN = 1000

Work = TypeVar("Work")
Result = TypeVar("Result")
Note = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """One name that must exist, with every reason for it. ``pin`` is the digest that it is locked to, empty for none."""

    target: ImageRef
    source: ImageRef
    because: tuple[Because, ...]
    kind: ArtifactKind = "image"
    pin: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a survey asks, how, and who hears how far it is.

    ``deep``: also look whether the content of names that are right is still there. ``referrers``: also look for what belongs to
    images without being a part of them.
    """

    stores: Stores
    cache: ManifestCache
    pool: Workers
    ground: Ground
    note: Note
    deep: bool = False
    referrers: bool = False


class Survey:
    """Asks the registries. Lives for one plan."""

    def __init__(self, asking: Asking) -> None:
        self._stores = asking.stores
        self._cache = asking.cache
        self._pool = asking.pool
        self._ground = asking.ground
        self._note = asking.note
        self._deep = asking.deep
        self._referrers = asking.referrers
        self._manifests: dict[str, Manifest] = {}
        self._fetching: Locks[str] = Locks()
        self._refusals: dict[str, RegistryError] = {}
        self._answered: set[str] = set()
        self._pinned: frozenset[ImageRef] = frozenset()
        self._budget = Budget()

    def plan(self, wishes: list[Wish]) -> Plan:
        """The changes for all wishes, with the content of those that are pending."""
        self._pinned = frozenset(wish.target for wish in wishes if wish.pin)
        changes = self._each("names", self._compare, wishes)
        self._raise_where_all_is_refused()
        changes = self._each("manifests", self._with_content, changes)
        changes += self._escorts(changes) if self._referrers else []
        everything = Plan(tuple(changes), self._manifests)
        present = self._present(everything)
        checked = tuple(self._checked(change, everything, present) for change in changes)
        return replace(everything, changes=checked, present=present).trimmed()

    def pulls(self, sources: Iterable[str]) -> Iterator[Pulls]:
        """What was used of the sources that limit pulls."""
        for registry in sources:
            quota = self._stores.source(registry).quota
            used, waiting = self._budget.used[registry], self._budget.refused[registry]
            if quota or waiting:
                yield Pulls(registry, used, waiting, quota)

    def _each(self, what: str, work: Callable[[Work], Result], items: list[Work]) -> list[Result]:
        results: list[Result] = []
        for result in self._pool.map(work, items):
            results.append(result)
            self._note(what, len(results), len(items))
        return results

    def _compare(self, wish: Wish) -> Change:
        """What an inventory does not tell keeps a name out, since absent it is not."""
        try:
            return self._compared(wish)
        except NotRecordedError as error:
            return Change(
                "blocked",
                wish.target,
                wish.source,
                reason=error.message,
                because=wish.because,
                kind=wish.kind,
            )

    def _compared(self, wish: Wish) -> Change:
        """HEAD on both sides; on neither, where the answer is known, or a registry would not understand the question."""
        if reason := _why_not_by_digest(wish.source, wish.pin or wish.source.digest):
            blocked = Change("blocked", wish.target, wish.source, reason=reason)
            return replace(blocked, because=wish.because, kind=wish.kind)
        current = self._current(wish.target)
        change = Change(
            "create", wish.target, wish.source, "", current, because=wish.because, kind=wish.kind
        )
        try:
            digest = wish.pin or self._wanted(wish.source)
        except RegistryError as error:
            if error.status not in (401, 403):
                raise
            self._refusals[wish.source.registry] = error
            return replace(change, op="blocked", reason=error.message)
        if not digest:
            return replace(change, op="blocked", reason=f"the source has no {wish.source}")
        op: Op = "create" if not current else "same" if current == digest else "move"
        if (
            op == "move"
            and wish.source.digest
            and wish.target.tag
            and self._ground.is_frozen(wish.target)
        ):
            # Nodes ask for the digest alone, and that can be had without moving the tag.
            target = wish.target._replace(tag="", digest=wish.source.digest)
            return self._compared(replace(wish, target=target))
        if op == "move" and self._ground.is_frozen(wish.target):
            reason = "the tag cannot be moved there: it is immutable"
            return replace(change, op="blocked", digest=digest, reason=reason)
        return replace(change, op=op, digest=digest)

    def _current(self, target: ImageRef) -> str:
        if self._ground.is_new(target):
            return ""
        try:
            held = self._stores.target(target.registry).head(target.repository, target.reference)
        except NotRecordedError:
            if not target.digest:
                raise
            held = None  # content has no other place than its digest: at worst it is there already
        return held.digest if held else ""

    def _wanted(self, source: ImageRef) -> str:
        found = self._stores.source(source.registry).head(source.repository, source.reference)
        self._answered.add(source.registry)
        return (source.digest or found.digest) if found else ""

    def _raise_where_all_is_refused(self) -> None:
        """One image that may not be read is that image's problem; a registry that lets nothing be read is ours."""
        for registry in sorted(self._refusals):
            if registry not in self._answered:
                raise self._refusals[registry]

    def _with_content(self, change: Change) -> Change:
        """Fetch the manifests of what is to change, and of what is to be checked."""
        if change.op == "blocked" or (change.op == "same" and not self._deep):
            return change
        try:
            return replace(change, platforms=tuple(self._fetch(change, change.digest)))
        except RegistryError as error:
            if error.retryable and error.status != TOO_MANY_REQUESTS:
                raise
            return replace(change, op="blocked", reason=self._why_not_fetched(change, error))

    def _why_not_fetched(self, change: Change, error: RegistryError) -> str:
        """What is pinned may be gone: the source is asked for that digest alone."""
        if error.status != 404 or change.target not in self._pinned:
            return error.message
        pinned = f"planner.lock pins {change.source} to {short_digest(change.digest)}"
        return f"{pinned}, which the source no longer has: planner plan --lock=update moves the pin"

    def _fetch(self, change: Change, digest: str, depth: int = 0) -> Iterator[str]:
        """Load a manifest and its children; yield the platforms of an index."""
        manifest = self._manifest(change, digest)
        if depth > _DEEPEST or len(manifest.children) > _MOST_CHILDREN:
            message = f"{change.source}: the index is too deep or too long to be an image's"
            raise RegistryError(message, "look at it: it may have been made to exhaust its readers")
        for child in manifest.children:
            if child.platform != NO_PLATFORM:
                yield child.platform or "unknown"
            yield from self._fetch(change, child.digest, depth + 1)

    def _escorts(self, changes: Iterable[Change]) -> list[Change]:
        """What belongs to the images whose content is known, each name once."""
        escort = Escort(self._stores, self._ground, self._manifest)
        known = {each.target for each in changes}
        images = [
            each for each in changes if each.op != "blocked" and each.digest in self._manifests
        ]
        found: dict[ImageRef, Change] = {}
        for escorts in self._each(
            "signatures", lambda each: escort.of(each, self._parts(each.digest)), images
        ):
            for each in escorts:
                first = found.setdefault(each.target, each)
                because = tuple(sorted({*first.because, *each.because}))
                found[each.target] = replace(first, because=because)
        wanted = [each for target, each in found.items() if target not in known]
        return self._each("manifests", self._with_content, wanted)

    def _parts(self, digest: str) -> Iterator[str]:
        """The digests of the manifests below one."""
        for child in self._manifests[digest].children:
            yield child.digest
            yield from self._parts(child.digest)

    def _manifest(self, change: Change, digest: str) -> Manifest:
        """Each one is asked for once, however many names share it.

        Raises:
            RegistryError: among others, it has a digest under which registries store no manifest.
        """
        if reason := _why_not_by_digest(change.source, digest):
            raise RegistryError(reason)
        with self._fetching[digest]:
            manifest = self._manifests.get(digest) or self._cache.get(digest)
            if manifest is None:
                manifest = self._read(change, digest)
                self._cache.put(manifest)
            self._manifests[digest] = manifest
            return manifest

    def _read(self, change: Change, digest: str) -> Manifest:
        """What is the same on both sides is read from the target, which counts no pulls."""
        if change.op == "same":
            with contextlib.suppress(RegistryError):
                return self._stores.target(change.place.registry).manifest(
                    change.place.repository, digest
                )
        store = self._stores.source(change.origin.registry)
        with self._budget.pull(change.origin.registry, store):
            return store.manifest(change.origin.repository, digest)

    def _present(self, plan: Plan) -> Mapping[str, tuple[Place, ...]]:
        """Which repositories hold which blobs, and of what is to be checked also which manifests: one HEAD each."""
        asked = list(dict.fromkeys(self._questions(plan, self._empty_places(plan))))
        answers = self._each("blobs", self._holds, asked)
        found: dict[str, list[Place]] = {}
        for question, is_there in zip(asked, answers, strict=True):
            if is_there:
                found.setdefault(question.digest, []).append(question.place)
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
                for digest in self._parts(change.digest):
                    yield _Question(change.place, digest, is_manifest=True)

    def _holds(self, question: _Question) -> bool:
        store = self._stores.target(question.place.registry)
        if question.is_manifest:
            return store.head(question.place.repository, question.digest) is not None
        return store.has_blob(question.place.repository, question.digest)

    def _checked(
        self, change: Change, plan: Plan, present: Mapping[str, tuple[Place, ...]]
    ) -> Change:
        """A name that is right, with content behind it that is gone, needs repair."""
        if change.op != "same" or change.digest not in plan.manifests:
            return change
        missing = [
            digest
            for digest in (*plan.blobs(change), *self._parts(change.digest))
            if change.place not in present.get(digest, ())
        ]
        if not missing:
            return change
        reason = f"the tag is right, but {plural(len(missing), 'part')} of its content is gone"
        return replace(change, op="repair", reason=reason)


def _why_not_by_digest(source: ImageRef, digest: str) -> str:
    """Why a manifest with this digest cannot be copied; empty when it can, and for no digest.

    Source: distribution v2.8.2 registry/storage/blobstore.go ``Put`` and registry/handlers/manifests.go ``PutManifest``, which
    compute sha256 and refuse a manifest that comes under another digest.
    """
    if not digest or digest.startswith("sha256:"):
        return ""
    return (
        f"{source.name}: registries store manifests by sha256 alone, and {short_digest(digest)} is another digest:"
        " name it by its tag, or by the sha256 digest of the same bytes"
    )


class _Question(NamedTuple):
    """Does the place hold the digest?"""

    place: Place
    digest: str
    is_manifest: bool
