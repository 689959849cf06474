"""What the targets hold and no spec needs: what ``--prune`` adds to a plan.

Only repositories that planner manages are looked at: those that it filled, by its record, and those in the scope that
planner.yaml names. Everything else on a registry is somebody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from planner.core.content import INDEX_TYPES
from planner.core.errors import RegistryError
from planner.core.place import Place
from planner.core.plan import Change
from planner.core.refs import ImageRef, is_tag, subject_of
from planner.stores.opening import Stores
from planner.stores.workers import Workers


class Managed(NamedTuple):
    """What planner may delete from: repositories that it filled, and globs over ``registry/repository``."""

    repositories: frozenset[Place] = frozenset()
    scope: tuple[str, ...] = ()


class Needed(NamedTuple):
    """What must stay: the names that nodes ask for, and those that they, or a copy, are read from."""

    targets: Collection[ImageRef]
    sources: Collection[ImageRef] = ()


class _Held(NamedTuple):
    """A tag that no spec needs, and what it points at."""

    place: Place
    tag: str
    digest: str


def superfluous(
    needed: Needed, managed: Managed, stores: Stores, pool: Workers
) -> Iterator[Change]:
    """A deletion for each tag of a managed repository that is not ``needed``, on the registries of the targets.

    Names are told apart by the machine and path that they lead to: several names of registries may lead to one, and what
    another one needs is needed. What is said about content that stays (signatures and the like) stays.

    Raises:
        RegistryError: a registry does not tell what it holds.
    """
    where = stores.places.target_of
    known = _known(needed, stores)
    registries = sorted({each.registry for each in needed.targets})
    places = [place for name in registries for place in _places(name, managed, stores)]
    places = list({where(_in(each)): each for each in reversed(places)}.values())
    tags = dict(zip(places, pool.map(lambda place: _tags(place, stores), places), strict=True))
    names = [
        (place, tag)
        for place in places
        for tag in tags[place]
        if is_tag(tag) and (where(_in(place)), tag) not in known
    ]
    found = pool.map(lambda name: _held(*name, stores), names)
    held = [each for each in found if each and (where(_in(each.place)), each.digest) not in known]
    by_place: dict[Place, list[_Held]] = {}
    for each in held:
        by_place.setdefault(each.place, []).append(each)
    for place, members in by_place.items():
        wanted = {reference for address, reference in known if address == where(_in(place))}
        staying = {*tags[place], *wanted}.difference(each.tag for each in members)
        for each in _without_what_is_about(staying, members, stores):
            target = _in(place)._replace(tag=each.tag)
            yield Change("delete", target, target, current=each.digest, reason="no spec needs it")


def _in(place: Place) -> ImageRef:
    return ImageRef(place.registry, place.repository)


def _known(needed: Needed, stores: Stores) -> set[tuple[str, str]]:
    """What is needed, by where it is: tags, and digests that are asked for as such."""
    targets = ((stores.places.target_of(each), each) for each in needed.targets)
    sources = ((stores.places.source_of(each), each) for each in needed.sources)
    found = [*targets, *sources]
    return {(where, name) for where, each in found for name in (each.tag, each.digest) if name}


def _without_what_is_about(
    staying: Iterable[str], members: Sequence[_Held], stores: Stores
) -> Iterator[_Held]:
    """The tags of one repository that may go: all but the signatures of what stays in it under other references."""
    going = {each.digest for each in members if not subject_of(each.tag)}
    if any(subject_of(each.tag) in going for each in members):
        going.difference_update(_contents(members[0].place, staying, stores))
    for each in members:
        subject = subject_of(each.tag)
        if not subject or subject in going:
            yield each


def _contents(place: Place, references: Iterable[str], stores: Stores) -> Iterator[str]:
    """The digests of what stands under references, and of what they list."""
    store = stores.target(place.registry)
    for reference in sorted(references):
        found = None if subject_of(reference) else store.head(place.repository, reference)
        if found:
            yield found.digest
            if found.media_type in INDEX_TYPES:
                children = store.manifest(place.repository, found.digest).children
                yield from _contents(place, [each.digest for each in children], stores)


def _places(registry: str, managed: Managed, stores: Stores) -> Iterator[Place]:
    """The managed repositories of one registry. A catalog is asked for only where a scope speaks of the registry."""
    known = {each for each in managed.repositories if each.registry == registry}
    scope = [each for each in managed.scope if fnmatchcase(registry, each.partition("/")[0])]
    if scope:
        listed = (Place(registry, each) for each in _repositories(registry, stores))
        known |= {each for each in listed if any(fnmatchcase(str(each), glob) for glob in scope)}
    return iter(sorted(known))


def _repositories(registry: str, stores: Stores) -> Iterable[str]:
    try:
        listed = stores.repositories_by_product(registry)
        return stores.target(registry).repositories() if listed is None else listed
    except RegistryError as error:
        raise RegistryError(
            f"{registry} does not tell its repositories, so what prune.scope covers is not known: {error.message}",
            "log in with the right to list them, or take prune.scope out of planner.yaml:"
            " what planner filled itself is pruned without it",
            status=error.status,
        ) from error


def _tags(place: Place, stores: Stores) -> list[str]:
    return stores.target(place.registry).tags(place.repository)


def _held(place: Place, tag: str, stores: Stores) -> _Held | None:
    found = stores.target(place.registry).head(place.repository, tag)
    return _Held(place, tag, found.digest) if found else None
