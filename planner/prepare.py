"""From needs to a plan: what the registry lacks, found with reads alone.

One HEAD for each name on either side tells what differs. Manifests come by digest, through a cache that keeps them for
good; then one HEAD for each blob tells what has to move. A name that holds the right digest while content behind it is
gone is found as well, unless ``shallow``. No scope but ``pull`` is ever asked for, and nothing is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from planner.core.content import Manifest
from planner.core.errors import InputError, RegistryError, UsageError
from planner.core.family import ArtifactKind, Because, Need
from planner.core.plan import Access, Change, Op, Plan
from planner.core.refs import ImageRef
from planner.core.steps import Place
from planner.core.text import plural
from planner.needs import Collected
from planner.stores.cache import ManifestCache
from planner.stores.locks import Locks
from planner.stores.opening import Stores
from planner.stores.workers import workers

PARALLELISM = 16
# Everything that walks an image visits each path to a manifest: an index of indexes multiplies them.
_DEEPEST = 2
_MOST_CHILDREN = 1000

Work = TypeVar("Work")
Result = TypeVar("Result")
Note = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """One name that must exist, with every reason for it."""

    target: ImageRef
    source: ImageRef
    because: tuple[Because, ...]
    kind: ArtifactKind = "image"


def quiet(_what: str, _done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def make_plan(
    collected: Collected,
    stores: Stores,
    cache: ManifestCache,
    *,
    shallow: bool = False,
    note: Note = quiet,
) -> Plan:
    """Compare what the clusters need with what is there. ``note`` hears what is being counted, and how far it is.

    Raises:
        InputError: two sources want the same name.
        RegistryError: a registry does not answer, or refuses to.
    """
    needs = tuple(collected.needs)
    wishes = _wishes(needs)
    _check_apart(stores, wishes)
    blocked = [_unplaced(need) for need in needs if need.target is None]
    blocked += [_without_project(wish) for wish in wishes if _lacks_project(stores, wish)]
    wishes = [wish for wish in wishes if not _lacks_project(stores, wish)]
    with workers(PARALLELISM) as pool:
        survey = _Survey(stores, cache, pool, note, shallow=shallow)
        plan = survey.plan(wishes)
    changes = tuple(
        sorted((*plan.changes, *_merged(blocked)), key=lambda each: (each.target, each.op))
    )
    plan = replace(plan, changes=changes, inputs=collected.inputs)
    return replace(plan, access=_access(stores, plan))


def _check_apart(stores: Stores, wishes: Iterable[Wish]) -> None:
    """Names of two registries must not meet at one address, where one would be taken for the other."""
    places = stores.places
    met: dict[tuple[str, str], str] = {}
    for wish in wishes:
        for image, override in ((wish.source, places.read_from), (wish.target, places.write_to)):
            address = places.endpoint(image.registry, override).rstrip("/")
            side = "source" if image is wish.source else "target"
            key = (side, f"{address}/{image.repository}:{image.reference}")
            other = met.setdefault(key, image.registry)
            if other != image.registry and not address.startswith("oci:"):
                raise UsageError(
                    f"{image.repository}:{image.reference} of {other} and of {image.registry} meet at {address}",
                    "give each registry its own endpoint in planner.yaml (a path is enough), or use oci:DIR",
                )


def _wishes(needs: Iterable[Need]) -> list[Wish]:
    """One wish for each target name, however many clusters want it."""
    found: dict[ImageRef, Wish] = {}
    for need in needs:
        if need.target is None:
            continue
        wish = found.setdefault(need.target, Wish(need.target, need.source, (), need.kind))
        if wish.source != need.source:
            raise _collision(wish, need)
        found[need.target] = replace(wish, because=_joined(wish.because, need.because))
    return [found[target] for target in sorted(found)]


def _collision(wish: Wish, need: Need) -> InputError:
    one, other = wish.because[0], need.because[0]
    return InputError(
        f"two sources want the name {wish.target}: {wish.source} ({_place(one)}) and {need.source} ({_place(other)})",
        "give one of them another place: a rewrite, a path, or a registry of its own",
    )


def _place(reason: Because) -> str:
    return f"{reason.file}:{reason.line}" if reason.line else reason.file


def _unplaced(need: Need) -> Change:
    home = need.home
    if home is None:
        reason = f"no mirror: the nodes pull it from {need.source.registry} itself"
    else:
        reason = f"no registry serves the URL that nodes will ask: {home.url}"
    return Change(
        "blocked", need.source, need.source, reason=reason, because=need.because, kind=need.kind
    )


def _lacks_project(stores: Stores, wish: Wish) -> bool:
    """Whether a product with projects is to hold a repository outside of all of them.

    Source: goharbor/harbor src/server/middleware/v2auth/auth.go: the first component of a repository is
    its project, and without one every request is refused.
    """
    settings = stores.places.config.registries.get(wish.target.registry)
    return bool(settings and settings.product == "harbor" and "/" not in wish.target.repository)


def _without_project(wish: Wish) -> Change:
    reason = (
        f"Harbor keeps repositories in projects, and {wish.target.repository} would be in none: "
        f"write {wish.target.registry}/PROJECT in the spec"
    )
    return Change(
        "blocked", wish.target, wish.source, reason=reason, because=wish.because, kind=wish.kind
    )


def _merged(changes: Iterable[Change]) -> list[Change]:
    found: dict[tuple[ImageRef, str], Change] = {}
    for change in changes:
        key = (change.target, change.reason)
        earlier = found.get(key, change)
        found[key] = replace(earlier, because=_joined(earlier.because, change.because))
    return [found[key] for key in sorted(found)]


def _joined(one: tuple[Because, ...], other: tuple[Because, ...]) -> tuple[Because, ...]:
    return tuple(sorted({*one, *other}))


def _access(stores: Stores, plan: Plan) -> Access:
    places = stores.places
    contacted = places.contacted(plan.sources, plan.targets)
    return Access(
        places.read_from, places.write_to, dict(sorted(places.schemes.items())), contacted
    )


class _Survey:
    """Asks the registries. Lives for one plan."""

    def __init__(
        self,
        stores: Stores,
        cache: ManifestCache,
        pool: ThreadPoolExecutor,
        note: Note,
        *,
        shallow: bool,
    ) -> None:
        self._stores = stores
        self._cache = cache
        self._pool = pool
        self._note = note
        self._shallow = shallow
        self._manifests: dict[str, Manifest] = {}
        self._fetching: Locks[str] = Locks()
        self._refusals: dict[str, RegistryError] = {}
        self._answered: set[str] = set()

    def plan(self, wishes: list[Wish]) -> Plan:
        """The changes for all wishes, with the content of those that are pending."""
        self._greet(wishes)
        changes = self._each("names", self._compare, wishes)
        self._raise_where_all_is_refused()
        changes = self._each("manifests", self._with_content, changes)
        everything = Plan(tuple(changes), self._manifests)
        present = self._present(everything)
        checked = tuple(self._checked(change, everything, present) for change in changes)
        return _only_pending(replace(everything, changes=checked, present=present))

    def _greet(self, wishes: list[Wish]) -> None:
        """Meet every registry once, before the many requests: one that is down is one clear error."""
        sources = {wish.source.registry for wish in wishes}
        targets = {wish.target.registry for wish in wishes}
        stores = [
            *map(self._stores.source, sorted(sources)),
            *map(self._stores.target, sorted(targets)),
        ]
        list(self._pool.map(lambda store: store.greet(), stores))

    def _each(self, what: str, work: Callable[[Work], Result], items: list[Work]) -> list[Result]:
        results: list[Result] = []
        for result in self._pool.map(work, items):
            results.append(result)
            self._note(what, len(results), len(items))
        return results

    def _compare(self, wish: Wish) -> Change:
        """HEAD on both sides."""
        target, source = wish.target, wish.source
        held = self._stores.target(target.registry).head(target.repository, target.reference)
        change = Change(
            "create",
            target,
            source,
            "",
            held.digest if held else "",
            because=wish.because,
            kind=wish.kind,
        )
        try:
            found = self._stores.source(source.registry).head(source.repository, source.reference)
        except RegistryError as error:
            if error.status not in (401, 403):
                raise
            self._refusals[source.registry] = error
            return replace(change, op="blocked", reason=error.message)
        self._answered.add(source.registry)
        if found is None:
            return replace(change, op="blocked", reason=f"the source has no {source}")
        digest = source.digest or found.digest
        op: Op = "create" if held is None else "same" if held.digest == digest else "move"
        return replace(change, op=op, digest=digest)

    def _raise_where_all_is_refused(self) -> None:
        """One image that may not be read is that image's problem; a registry that lets nothing be read is ours."""
        for registry in sorted(self._refusals):
            if registry not in self._answered:
                raise self._refusals[registry]

    def _with_content(self, change: Change) -> Change:
        """Fetch the manifests of what is to change, and of what is to be checked."""
        if change.op == "blocked" or (change.op == "same" and self._shallow):
            return change
        try:
            return replace(change, platforms=tuple(self._fetch(change, change.digest)))
        except RegistryError as error:
            if error.retryable:
                raise
            return replace(change, op="blocked", reason=error.message)

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
        return self._stores.source(change.origin.registry).manifest(
            change.origin.repository, digest
        )

    def _present(self, plan: Plan) -> Mapping[str, tuple[Place, ...]]:
        """Which repositories hold which blobs, and of what is to be checked also which manifests: one HEAD each."""
        asked = list(dict.fromkeys(_questions(plan)))
        answers = self._each("blobs", self._holds, asked)
        found: dict[str, list[Place]] = {}
        for question, is_there in zip(asked, answers, strict=True):
            if is_there:
                found.setdefault(question.digest, []).append(question.place)
        return {digest: tuple(sorted(places)) for digest, places in found.items()}

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


def _questions(plan: Plan) -> Iterator[_Question]:
    for change in plan.changes:
        if change.op == "blocked":
            continue
        for digest in plan.blobs(change):
            yield _Question(change.place, digest, is_manifest=False)
        if change.op == "same" and change.digest in plan.manifests:
            for child in plan.manifests[change.digest].children:
                yield _Question(change.place, child.digest, is_manifest=True)


def _only_pending(plan: Plan) -> Plan:
    """Without the content of what needs nothing."""
    manifests: dict[str, Manifest] = {}
    for change in plan.pending:
        manifests.update(_closure(plan.manifests, change.digest))
    blobs = {digest for change in plan.pending for digest in plan.blobs(change)}
    present = {digest: plan.present[digest] for digest in sorted(blobs & plan.present.keys())}
    return replace(plan, manifests=manifests, present=present)


def _closure(manifests: Mapping[str, Manifest], digest: str) -> Iterator[tuple[str, Manifest]]:
    manifest = manifests[digest]
    yield digest, manifest
    for child in manifest.children:
        yield from _closure(manifests, child.digest)
