"""What the targets hold and no spec needs: what ``--prune`` adds to a plan.

Only repositories that planner manages are looked at: those that it filled, by its record, and those in the scope that
planner.yaml names. Everything else on a registry is somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from planner.core.errors import RegistryError
from planner.core.place import Place
from planner.core.plan import Change
from planner.core.refs import ImageRef, is_tag
from planner.stores.opening import Stores
from planner.stores.workers import Workers

# Signatures, attestations and SBOMs stand beside what they are about, under its digest.
# Source: sigstore/cosign specs/SIGNATURE_SPEC.md; opencontainers/distribution-spec v1.1.1 "Referrers Tag Schema".
_ABOUT = re.compile(r"(sha256)-([0-9a-f]{64})(?:\..+)?")


class Managed(NamedTuple):
    """What planner may delete from: repositories that it filled, and globs over ``registry/repository``."""

    repositories: frozenset[Place] = frozenset()
    scope: tuple[str, ...] = ()


class _Held(NamedTuple):
    """A tag that no spec needs, and what it points at."""

    place: Place
    tag: str
    digest: str

    @property
    def subject(self) -> str:
        """The digest that a tag like ``sha256-….sig`` is about; empty for others."""
        found = _ABOUT.fullmatch(self.tag)
        return f"{found[1]}:{found[2]}" if found else ""


def superfluous(
    wanted: Iterable[ImageRef], managed: Managed, stores: Stores, pool: Workers
) -> Iterator[Change]:
    """A deletion for each tag of a managed repository that is not ``wanted``, on the registries that are.

    What is said about content that stays (signatures and the like) stays.

    Raises:
        RegistryError: a registry does not tell what it holds.
    """
    needed = {(Place(each.registry, each.repository), each.tag) for each in wanted}
    registries = sorted({place.registry for place, _ in needed})
    places = [place for name in registries for place in _places(name, managed, stores)]
    tags = pool.map(lambda place: _tags(place, stores), places)
    names = [
        (place, tag)
        for place, listed in zip(places, tags, strict=True)
        for tag in listed
        if is_tag(tag) and (place, tag) not in needed
    ]
    held = [each for each in pool.map(lambda name: _held(*name, stores), names) if each]
    going = {(each.place, each.digest) for each in held if not each.subject}
    for each in held:
        if not each.subject or (each.place, each.subject) in going:
            target = ImageRef(each.place.registry, each.place.repository, each.tag)
            yield Change("delete", target, target, current=each.digest, reason="no spec needs it")


def _places(registry: str, managed: Managed, stores: Stores) -> Iterator[Place]:
    """The managed repositories of one registry. A catalog is asked for only where a scope speaks of the registry."""
    known = {each for each in managed.repositories if each.registry == registry}
    scope = [each for each in managed.scope if fnmatchcase(registry, each.partition("/")[0])]
    if scope:
        listed = (Place(registry, each) for each in _repositories(registry, stores))
        known |= {each for each in listed if any(fnmatchcase(str(each), glob) for glob in scope)}
    return iter(sorted(known))


def _repositories(registry: str, stores: Stores) -> Iterable[str]:
    store = stores.target(registry)
    try:
        listed = stores.product(registry).repositories()
        return store.repositories() if listed is None else listed
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
