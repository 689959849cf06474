"""Asking the registries what they hold: one HEAD for each name on either side, manifests by digest, blobs where it matters.

No scope but ``pull`` is ever asked for, and nothing is written.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from planner.core.content import Manifest
from planner.core.errors import RegistryError
from planner.core.family import ArtifactKind, Because
from planner.core.place import Place
from planner.core.plan import Change, Op, Plan
from planner.core.quota import Quota
from planner.core.refs import ImageRef
from planner.core.text import plural, short_digest
from planner.preflight import Ground
from planner.stores.cache import ManifestCache
from planner.stores.locks import Locks
from planner.stores.opening import Stores
from planner.stores.recorded import NotRecordedError
from planner.stores.store import Store
from planner.stores.workers import Workers

# Everything that walks an image visits each path to a manifest: an index of indexes multiplies them.
_DEEPEST = 2
_MOST_CHILDREN = 1000
_TOO_MANY_REQUESTS = 429

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


class Pulls(NamedTuple):
    """What a plan used of a source's pulls: manifests that were fetched, and images that the limit kept out."""

    registry: str
    used: int
    waiting: int
    quota: Quota | None


@dataclass(frozen=True, slots=True)
class Asking:
    """What a survey asks, how, and who hears how far it is.

    ``deep``: also look whether the content of names that are right is still there.
    """

    stores: Stores
    cache: ManifestCache
    pool: Workers
    ground: Ground
    note: Note
    deep: bool = False


class Survey:
    """Asks the registries. Lives for one plan."""

    def __init__(self, asking: Asking) -> None:
        self._stores = asking.stores
        self._cache = asking.cache
        self._pool = asking.pool
        self._ground = asking.ground
        self._note = asking.note
        self._deep = asking.deep
        self._manifests: dict[str, Manifest] = {}
        self._fetching: Locks[str] = Locks()
        self._refusals: dict[str, RegistryError] = {}
        self._answered: set[str] = set()
        self._pinned: frozenset[ImageRef] = frozenset()
        self._budget = _Budget()

    def plan(self, wishes: list[Wish]) -> Plan:
        """The changes for all wishes, with the content of those that are pending."""
        self._pinned = frozenset(wish.target for wish in wishes if wish.pin)
        changes = self._each("names", self._compare, wishes)
        self._raise_where_all_is_refused()
        changes = self._each("manifests", self._with_content, changes)
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
        """HEAD on both sides; on neither, where the answer is known."""
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
            if error.retryable and error.status != _TOO_MANY_REQUESTS:
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
            yield child.platform or "unknown"
            yield from self._fetch(change, child.digest, depth + 1)

    def _manifest(self, change: Change, digest: str) -> Manifest:
        """Each one is asked for once, however many names share it."""
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
        asked = list(dict.fromkeys(self._questions(plan)))
        answers = self._each("blobs", self._holds, asked)
        found: dict[str, list[Place]] = {}
        for question, is_there in zip(asked, answers, strict=True):
            if is_there:
                found.setdefault(question.digest, []).append(question.place)
        return {digest: tuple(sorted(places)) for digest, places in found.items()}

    def _questions(self, plan: Plan) -> Iterator[_Question]:
        for change in plan.changes:
            if change.op == "blocked" or self._ground.is_new(change.target):
                continue
            for digest in plan.blobs(change):
                yield _Question(change.place, digest, is_manifest=False)
            if change.op == "same" and change.digest in plan.manifests:
                for child in plan.manifests[change.digest].children:
                    yield _Question(change.place, child.digest, is_manifest=True)

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
        children = (child.digest for child in plan.manifests[change.digest].children)
        missing = [
            digest
            for digest in (*plan.blobs(change), *children)
            if change.place not in present.get(digest, ())
        ]
        if not missing:
            return change
        reason = f"the tag is right, but {plural(len(missing), 'part')} of its content is gone"
        return replace(change, op="repair", reason=reason)


class _Question(NamedTuple):
    """Does the place hold the digest?"""

    place: Place
    digest: str
    is_manifest: bool


@dataclass(slots=True)
class _Budget:
    """Spends a source's pulls, and never more than it says are left. Threads may share it."""

    used: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _exhausted: set[str] = field(default_factory=set)
    _under_way: Counter[str] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextlib.contextmanager
    def pull(self, registry: str, store: Store) -> Iterator[None]:
        """Around one pull.

        Raises:
            RegistryError: none is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_settled(registry, store))
            if self._is_used_up(registry, store):
                self.refused[registry] += 1
                raise RegistryError(
                    f"the pulls that {registry} allows are used up",
                    "wait for its next window and plan again, or log in",
                    status=_TOO_MANY_REQUESTS,
                )
            self._under_way[registry] += 1
            self.used[registry] += 1
        try:
            yield
        except RegistryError as error:
            if error.status == _TOO_MANY_REQUESTS:
                with self._changed:
                    self.refused[registry] += 1
                    self._exhausted.add(registry)
            raise
        finally:
            with self._changed:
                self._under_way[registry] -= 1
                self._changed.notify_all()

    def _is_settled(self, registry: str, store: Store) -> bool:
        """Whether what is under way can change nothing about the answer."""
        is_plenty = store.quota is None or store.quota.remaining > self._under_way[registry]
        return is_plenty or not self._under_way[registry] or registry in self._exhausted

    def _is_used_up(self, registry: str, store: Store) -> bool:
        quota = store.quota
        is_spent = quota is not None and quota.remaining <= self._under_way[registry]
        return is_spent or registry in self._exhausted
