"""Asking the registries what they hold: one question for each name on either side, manifests by digest, blobs where it matters.

No scope but ``pull`` is ever asked for, and nothing is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from planner.core.content import NO_PLATFORM, Descriptor, Manifest, refuse_endless
from planner.core.errors import RegistryError
from planner.core.family import ArtifactKind, Because
from planner.core.place import Place
from planner.core.plan import Change, Op, Plan
from planner.core.refs import ImageRef
from planner.core.text import plural, short_digest
from planner.narrower import Narrower, told_if_whole
from planner.preflight import Ground
from planner.presence import Presence, parts
from planner.pulls import TOO_MANY_REQUESTS, Budget, Pulls
from planner.referrers import Escort
from planner.stores.cache import ManifestCache
from planner.stores.locks import Locks
from planner.stores.opening import Stores
from planner.stores.recorded import NotRecordedError
from planner.stores.store import Store
from planner.stores.workers import Workers

Work = TypeVar("Work")
Result = TypeVar("Result")
Note = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """One name that must exist, with every reason for it. ``pin`` is the digest that it is locked to, empty for none.

    ``platforms`` are the only ones that are wanted of it; none: all.
    """

    target: ImageRef
    source: ImageRef
    because: tuple[Because, ...]
    kind: ArtifactKind = "image"
    pin: str = ""
    platforms: tuple[str, ...] = ()


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
        self._sources: dict[ImageRef, Descriptor | None] = {}
        self._looking: Locks[ImageRef] = Locks()
        self._budget = Budget()
        self._narrower = Narrower(self._content)
        self._left_behind: dict[ImageRef, int] = {}

    def plan(self, wishes: list[Wish]) -> Plan:
        """The changes for all wishes, with the content of those that are pending."""
        self._pinned = frozenset(wish.target for wish in wishes if wish.pin)
        changes = self._each("names", self._compare, wishes)
        self._raise_where_all_is_refused()
        changes = self._each("manifests", self._with_content, changes)
        changes += self._escorts(changes) if self._referrers else []
        changes = [self._told_what_stays(each) for each in changes]
        everything = Plan(tuple(changes), self._manifests)
        present = Presence(self._stores, self._cache, self._ground, self._each).of(everything)
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
        """One question to either side; none where the answer is known, or a registry would not understand it."""
        if reason := _why_not_by_digest(wish.source, wish.pin or wish.source.digest):
            blocked = Change("blocked", wish.target, wish.source, reason=reason)
            return replace(blocked, because=wish.because, kind=wish.kind)
        current = self._current(wish.target)
        change = Change(
            "create",
            wish.target,
            wish.source,
            current=current,
            because=wish.because,
            kind=wish.kind,
            wanted_platforms=wish.platforms,
        )
        try:
            digest = wish.pin or self._wanted(wish, current)
        except RegistryError as error:
            if error.status not in (401, 403):
                raise
            self._refusals[wish.source.registry] = error
            return replace(change, op="blocked", reason=error.message)
        if not digest:
            return replace(change, op="blocked", reason=f"the source has no {wish.source}")
        if wish.platforms:
            change = self._narrowed(replace(change, digest=digest))
            if change.op == "blocked":
                return change
            digest = change.digest
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

    def _narrowed(self, change: Change) -> Change:
        """For the platforms that are wanted; a tag that cannot be moved may hold all of them."""
        if change.current == change.digest and self._ground.is_frozen(change.target):
            return change
        try:
            return self._narrower.narrowed(change)
        except RegistryError as error:
            return self._blocked_by(change, error)

    def _current(self, target: ImageRef) -> str:
        if self._ground.is_new(target):
            return ""
        try:
            held = self._stores.target(target.registry).head(target.repository, target.reference)
        except NotRecordedError:
            if not target.digest:
                raise
            held = None  # content has no other place than its digest: at worst it is there already
        self._narrower.saw(held)
        return held.digest if held else ""

    def _wanted(self, wish: Wish, current: str) -> str:
        """The digest that the source has, however many targets want it: probably what one of them holds already."""
        source = wish.source
        with self._looking[source]:
            if source not in self._sources:
                # Narrowed, the target has another digest than the source.
                likely = "" if wish.platforms else current
                self._sources[source] = self._look(source, likely, is_wanted=not current)
            found = self._sources[source]
        return (source.digest or found.digest) if found else ""

    def _look(self, source: ImageRef, likely: str, *, is_wanted: bool) -> Descriptor | None:
        """What a source has under a name; where its content is wanted anyway, and costs nothing, that is asked for at once."""
        store = self._stores.source(source.registry)
        found = self._met(source, store) if is_wanted and store.gives_freely else None
        if found is None:
            found = store.head(source.repository, source.reference, likely=likely)
        self._answered.add(source.registry)
        self._narrower.saw(found)
        return found

    def _met(self, source: ImageRef, store: Store) -> Descriptor | None:
        """What is there, by its manifest; None when that cannot be had: a HEAD will tell."""
        try:
            with self._budget.free_pull(source.registry):
                manifest = store.manifest(source.repository, source.reference)
        except RegistryError as error:
            if error.retryable and error.status != TOO_MANY_REQUESTS:
                raise
            return None  # told by the HEAD, or when the content is asked for
        self._manifests[manifest.digest] = manifest
        self._cache.put(manifest)
        return Descriptor(manifest.digest, len(manifest.data), manifest.media_type)

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
            platforms = tuple(self._fetch(change, change.digest))
        except RegistryError as error:
            return self._blocked_by(change, error)
        return told_if_whole(replace(change, platforms=platforms))

    def _blocked_by(self, change: Change, error: RegistryError) -> Change:
        """What is wrong with one image must not end the plan; that a registry does not answer does."""
        if error.retryable and error.status != TOO_MANY_REQUESTS:
            raise error
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
        refuse_endless(manifest, depth, str(change.source))
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
            "signatures", lambda each: escort.of(each, parts(self._manifests, each.digest)), images
        ):
            for each in escorts:
                first = found.setdefault(each.target, each)
                because = tuple(sorted({*first.because, *each.because}))
                found[each.target] = replace(first, because=because)
        self._left_behind = escort.left_behind
        wanted = [each for target, each in found.items() if target not in known]
        return self._each("manifests", self._with_content, wanted)

    def _told_what_stays(self, change: Change) -> Change:
        """What belongs to an index does not belong to what is made of it."""
        count = self._left_behind.get(change.target, 0)
        if not count or not change.source_digest:
            return change
        stays = f"{plural(count, 'signature')} and the like stay behind, being of the source's whole index"
        return replace(change, reason="; ".join(filter(None, (change.reason, stays))))

    def _manifest(self, change: Change, digest: str) -> Manifest:
        """Each one is asked for once, however many names share it.

        Raises:
            RegistryError: among others, it has a digest under which registries store no manifest.
        """
        if reason := _why_not_by_digest(change.source, digest):
            raise RegistryError(reason)
        manifest = self._content(change, digest)
        self._manifests[digest] = manifest
        return manifest

    def _content(self, change: Change, digest: str) -> Manifest:
        """The same, without making it a part of the plan."""
        with self._fetching[digest]:
            known = self._manifests.get(digest) or self._narrower.made.get(digest)
            manifest = known or self._cache.get(digest)
            if manifest is None:
                manifest = self._read(change, digest)
                self._cache.put(manifest)
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

    def _checked(
        self, change: Change, plan: Plan, present: Mapping[str, tuple[Place, ...]]
    ) -> Change:
        """A name that is right, with content behind it that is gone, needs repair."""
        if change.op != "same" or change.digest not in plan.manifests:
            return change
        missing = [
            digest
            for digest in (*plan.blobs(change), *parts(self._manifests, change.digest))
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
