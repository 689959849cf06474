"""What a registry holds: its repositories, their tags, and the digest of each tag.

Nothing is written and no manifest is fetched: a GET of one counts as a pull, and retention rules take it for use.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeVar

from planner.core.errors import RegistryError
from planner.core.family import Need
from planner.core.inventory import Holdings, Listing
from planner.core.refs import ImageRef, is_digest, is_tag, name_problem
from planner.core.text import printable
from planner.stores.opening import Stores
from planner.stores.store import Store
from planner.stores.workers import Workers, workers

PARALLELISM = 16
# A catalog is nobody's duty: these are the ways in which registries have none, or none for everybody.
_NO_LIST = frozenset({401, 403, 404, 405})
_NOT_THERE = frozenset({401, 403, 404})
# No answer, or none for now: the next question would fare no better.
_ENDS_ALL = frozenset({0, 429})

Work = TypeVar("Work")
Result = TypeVar("Result")
Note = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Named:
    """What specs say of one registry: tags and digests by repository. ``is_target``: something of theirs must be there."""

    references: Mapping[str, Collection[str]] = field(default_factory=dict)
    is_target: bool = False


class _Asked(NamedTuple):
    """What is to be asked about one repository; ``is_listed``: the registry itself names it."""

    repository: str
    is_listed: bool


class _Listed(NamedTuple):
    """A repository and the references whose digests are wanted, or why they are not known."""

    repository: str
    references: Sequence[str] = ()
    error: str = ""


class _Name(NamedTuple):
    repository: str
    reference: str


class _Held(NamedTuple):
    """What stands under a name: a digest, empty when the registry names none; None for nothing."""

    name: _Name
    digest: str | None = None
    error: str = ""


def named_by(needs: Iterable[Need]) -> dict[str, Named]:
    """What specs say of registries, by registry: of targets, and of sources that are none."""
    targets: dict[str, dict[str, set[str]]] = {}
    sources: dict[str, dict[str, set[str]]] = {}
    for need in needs:
        _add(sources, need.source)
        if need.target:
            _add(targets, need.target)
    found = {name: Named(references, is_target=True) for name, references in targets.items()}
    return {name: Named(references) for name, references in sources.items()} | found


def take(
    registry: str, stores: Stores, named: Named | None, globs: Sequence[str], note: Note
) -> Holdings:
    """What a registry holds, of the repositories that one of ``globs`` fits (none: of all).

    ``named`` are the names that specs know. Of a registry that they only read from, which may be the whole world's, nothing
    else is asked. Elsewhere they are asked about besides what the registry lists, since a list may be for others.

    Raises:
        RegistryError: the registry does not answer, or neither it nor a spec tells what to look for.
    """
    store, product = stores.target(registry), stores.product(registry)
    known = named.references if named else {}
    listing: Listing = "names"
    listed: frozenset[str] = frozenset()
    if named is None or named.is_target:
        listing, listed = _list(registry, stores, has_names=bool(known))
    asked = [
        _Asked(each, each in listed or listing in ("specs", "names"))
        for each in sorted({*listed, *known})
        if not globs or any(fnmatchcase(each, glob) for glob in globs)
    ]
    with workers(PARALLELISM) as pool:
        look = _Look(registry, store, pool, note)
        lists = look.names(asked, known) if listing == "names" else look.tags(asked, known)
        held = look.digests(lists)
    errors = _errors(lists, held)
    return Holdings(
        product.name,
        listing,
        not globs and not errors and listing in ("api", "catalog"),
        _repositories(lists, held, errors),
        errors,
    )


def _add(to: dict[str, dict[str, set[str]]], image: ImageRef) -> None:
    to.setdefault(image.registry, {}).setdefault(image.repository, set()).add(image.reference)


def _list(registry: str, stores: Stores, *, has_names: bool) -> tuple[Listing, frozenset[str]]:
    """Who lists the repositories, and which."""
    refusal: RegistryError | None = None
    lists: tuple[tuple[Listing, Callable[[], Iterable[str] | None]], ...] = (
        ("api", lambda: stores.repositories_by_product(registry)),
        ("catalog", stores.target(registry).repositories),
    )
    for listing, ask in lists:
        try:
            found = ask()
        except RegistryError as error:
            if error.status not in _NO_LIST:
                raise
            refusal = error
            continue
        # An empty catalog is also what a proxy has to offer.
        if found is not None and not (listing == "catalog" and not found and has_names):
            return listing, frozenset(found)
    if refusal and not has_names:
        raise refusal
    return "specs", frozenset()


class _Look:
    """Many questions to one registry, side by side."""

    def __init__(self, registry: str, store: Store, pool: Workers, note: Note) -> None:
        self._registry = registry
        self._store = store
        self._pool = pool
        self._note = note

    def names(self, asked: Iterable[_Asked], known: Mapping[str, Collection[str]]) -> list[_Listed]:
        """What specs name, and nothing else."""
        return [_Listed(each.repository, sorted(known[each.repository])) for each in asked]

    def tags(self, asked: list[_Asked], known: Mapping[str, Collection[str]]) -> list[_Listed]:
        """All tags of repositories, and the digests that specs name in them."""
        found = self._each("repositories", self._tags, asked)
        return [
            each._replace(references=[*each.references, *_digests(known.get(each.repository, ()))])
            for each in found
            if each is not None
        ]

    def digests(self, listed: Iterable[_Listed]) -> list[_Held]:
        """One HEAD for each name."""
        names = [_Name(each.repository, name) for each in listed for name in each.references]
        return self._each("tags", self._digest, names)

    def _tags(self, asked: _Asked) -> _Listed | None:
        """None for a repository that only specs name, and that is not there."""
        repository = asked.repository
        if problem := name_problem(self._registry, repository):
            return _Listed(repository, error=problem)
        try:
            tags = self._store.tags(repository)
        except RegistryError as error:
            if not asked.is_listed and error.status in _NOT_THERE:
                return None
            return _Listed(repository, error=_said(error))
        if not tags and not asked.is_listed:
            return None
        strange = [each for each in tags if not is_tag(each)]
        problem = f"{strange[0]!r} is no tag" if strange else ""
        return _Listed(repository, [each for each in tags if is_tag(each)], problem)

    def _digest(self, name: _Name) -> _Held:
        try:
            found = self._store.head(*name, may_pull=False)
        except RegistryError as error:
            return _Held(name, error=_said(error))
        return _Held(name, found.digest if found else None)

    def _each(self, what: str, work: Callable[[Work], Result], items: list[Work]) -> list[Result]:
        results: list[Result] = []
        for result in self._pool.map(work, items):
            results.append(result)
            self._note(what, len(results), len(items))
        return results


def _said(error: RegistryError) -> str:
    """What went wrong with one repository; what went wrong with the registry goes on."""
    if error.retryable and error.status in _ENDS_ALL:
        raise error
    return error.message


def _digests(references: Iterable[str]) -> Iterator[str]:
    return (each for each in sorted(references) if is_digest(each))


def _errors(lists: Iterable[_Listed], held: Iterable[_Held]) -> dict[str, str]:
    """By repository: the first thing that went wrong, and how much else."""
    found: dict[str, list[str]] = {}
    for repository, error in (
        *((each.repository, each.error) for each in lists),
        *((each.name.repository, each.error) for each in held),
    ):
        if error:
            found.setdefault(repository, []).append(error)
    return {
        printable(repository): printable(f"{first} (and {len(more):,} more)" if more else first)
        for repository, (first, *more) in found.items()
    }


def _repositories(
    lists: Iterable[_Listed], held: Iterable[_Held], errors: Collection[str]
) -> dict[str, dict[str, str]]:
    """What is known of each: one that could not be read at all is not among them."""
    found: dict[str, dict[str, str]] = {each.repository: {} for each in lists}
    for each in held:
        if each.digest is not None:
            found[each.name.repository][each.name.reference] = each.digest
    return {name: tags for name, tags in found.items() if tags or printable(name) not in errors}
