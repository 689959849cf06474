"""Proof: walk the nodes' own order of attempts on the live registries, for every image that the clusters need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from planner.core.content import Descriptor, Manifest
from planner.core.errors import RegistryError
from planner.core.family import Need
from planner.core.narrowing import kept_of, lacking_in
from planner.core.platforms import of_all
from planner.core.refs import ImageRef
from planner.core.resolution import Attempt
from planner.core.text import plural
from planner.referrers import missing
from planner.stores.opening import Stores
from planner.stores.rehash import Reading, Report, damage_of
from planner.stores.store import Store
from planner.stores.workers import workers

PARALLELISM = 16
_READERS = 8

Verdict = Literal["found", "unsigned", "incomplete", "corrupted", "upstream", "missing"]


@dataclass(frozen=True, slots=True)
class Verified:
    """What the nodes will meet when they ask for one image.

    *found*: the first registry that answers is a private one and holds everything. *unsigned*: it does, without signatures and
    the like that its source has. *incomplete*: it answers, and parts are missing. *corrupted*: parts are not what they should
    be. *upstream*: no private registry has it, so the nodes turn to the image's own. *missing*: no node will find it.
    ``digest`` is what was found; ``where`` the endpoint that answered, or would be asked last, and ``number`` its place among
    the attempts, from 1 (0: none of them is left). ``detail`` says what is not there. ``blobs`` are what was looked for of it,
    where it was found.
    """

    need: Need
    verdict: Verdict
    where: str = ""
    digest: str = ""
    detail: str = ""
    number: int = 0
    blobs: tuple[Reading, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the private registry serves it."""
        return self.verdict == "found"


def verify(
    needs: Iterable[Need], stores: Stores, *, blobs: bool, referrers: bool = False
) -> Iterator[Verified]:
    """One verdict for each distinct thing that a node asks for, in order.

    ``blobs`` looks for every blob as well, ``referrers`` for what the source has that belongs to an image.

    Raises:
        RegistryError: a registry does not answer, or refuses to; with ``referrers``, that may be a source.
    """
    distinct = _distinct(needs)
    origins = _Origins(stores)

    def verdict(need: Need) -> Verified:
        return _Walk(stores, need, origins, blobs=blobs, referrers=referrers).verdict()

    with workers(PARALLELISM) as pool:
        yield from pool.map(verdict, distinct)


def readings_of(results: Iterable[Verified]) -> tuple[Reading, ...]:
    """The blobs of what was found, the largest first; each once on each registry, or in each layout."""
    found = {_key(reading): reading for result in results for reading in result.blobs}
    return tuple(sorted(found.values(), key=lambda each: (-each.blob.size, each.blob.digest)))


def rehash(
    results: Iterable[Verified], readings: Iterable[Reading], report: Report
) -> Iterator[Verified]:
    """The verdicts after every blob was read and hashed. ``report`` hears of bytes as they pass, on several threads.

    Raises:
        RegistryError: a registry does not answer, or refuses to.
    """
    listed = list(readings)
    with workers(_READERS) as pool:
        damages = list(pool.map(lambda each: damage_of(each, report), listed))
    damaged = {
        _key(each): f"{each.blob.digest} {damage}"
        for each, damage in zip(listed, damages, strict=True)
        if damage
    }
    for result in results:
        hit = list(dict.fromkeys(damaged[key] for key in map(_key, result.blobs) if key in damaged))
        if not hit:
            yield result
            continue
        lost = f"{plural(len(hit), 'blob')} damaged: {'; '.join(hit)}"
        detail = f"{result.detail}; {lost}" if result.verdict == "incomplete" else lost
        yield replace(result, verdict="corrupted", detail=detail)


def _key(reading: Reading) -> tuple[str, str]:
    return reading.store.name, reading.blob.digest


def _distinct(needs: Iterable[Need]) -> list[Need]:
    """Each question once, with the reasons of all who ask it."""
    found: dict[tuple[object, ...], Need] = {}
    for need in needs:
        key = need.source, need.kind, need.resolution.attempts
        first = found.setdefault(key, need)
        more = (each for each in need.because if each not in first.because)
        platforms = of_all((first.platforms, need.platforms))
        found[key] = first._replace(because=(*first.because, *more), platforms=platforms)
    return list(found.values())


class _Origins:
    """What sources have for which platform; threads may share it. One that cannot be asked is not asked again."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._silent: set[str] = set()

    def lack(self, image: ImageRef, platforms: Sequence[str]) -> tuple[str, ...]:
        """Those of the platforms that the source surely has nothing for."""
        if image.registry in self._silent:
            return ()
        try:
            source = self._stores.source(image.registry)
            found = source.manifest(image.repository, image.reference)
        except RegistryError as error:
            if error.status != 404:
                self._silent.add(image.registry)
            return ()
        return lacking_in(found.children, platforms)


class _Walk:
    """One image's way through its attempts."""

    def __init__(
        self, stores: Stores, need: Need, origins: _Origins, *, blobs: bool, referrers: bool
    ) -> None:
        self._stores = stores
        self._need = need
        self._origins = origins
        self._blobs = blobs
        self._referrers = referrers
        self._parts: list[str] = []
        self._readings: list[Reading] = []
        self._nowhere: tuple[str, ...] = ()
        self._root = ""

    def verdict(self) -> Verified:
        refusals: list[str] = []
        for number, attempt in enumerate(self._need.resolution.attempts, 1):
            is_upstream = attempt.registry == self._need.source.registry
            ask = self._upstream if is_upstream else self._ask
            if verified := ask(attempt, refusals):
                return replace(verified, number=number)
        return Verified(self._need, "missing", detail=_all(refusals) or "no endpoint is configured")

    def _upstream(self, attempt: Attempt, refusals: list[str]) -> Verified:
        detail = _all(refusals) or "the spec sends the nodes nowhere else"
        return Verified(self._need, "upstream", attempt.endpoint, detail=detail)

    def _ask(self, attempt: Attempt, refusals: list[str]) -> Verified | None:
        target = attempt.target
        if target is None:
            refusals.append(f"{attempt.url} is no registry URL")
            return None
        store = self._stores.target(target.registry)
        found = store.head(target.repository, target.reference)
        if found is None:
            refusals.append(f"{target} is not there")
            return None
        self._root = found.digest
        verdict: Verdict = "incomplete"
        lost = _counted("part", self._missing(store, target.repository, found.digest))
        if not lost:
            verdict, lost = "unsigned", self._unsigned(target, found.digest)
        if not lost:
            verdict, lost = "found", _all([*refusals, *self._said_of_platforms()])
        readings = tuple(self._readings)
        return Verified(self._need, verdict, attempt.endpoint, found.digest, lost, blobs=readings)

    def _unsigned(self, target: ImageRef, digest: str) -> str:
        if not self._referrers:
            return ""
        listed = missing(
            self._need.source,
            target,
            digest,
            self._parts,
            self._stores,
            of_each=bool(self._need.platforms),
        )
        return _counted("signature or the like", listed)

    def _said_of_platforms(self) -> Iterator[str]:
        if self._nowhere:
            yield f"the image has nothing for {', '.join(self._nowhere)}"

    def _missing(self, store: Store, repository: str, digest: str) -> Iterator[str]:
        """What a manifest names for the cluster's platforms, and the repository does not hold."""
        manifest = self._manifest(store, repository, digest)
        if manifest is None:
            yield digest
            return
        if digest == self._root:
            yield from self._lacking(manifest)
        for child in kept_of(manifest.children, self._need.platforms):
            self._parts.append(child.digest)
            yield from self._missing_child(store, repository, child)
        if self._blobs:
            for blob in manifest.blobs:
                if store.has_blob(repository, blob.digest):
                    self._readings.append(Reading(store, repository, blob))
                else:
                    yield blob.digest

    def _lacking(self, manifest: Manifest) -> Iterator[str]:
        """The platforms that nodes will look for in vain, and that a plan would bring.

        What the source has nothing for either is no fault, as long as some of the nodes can run the image: they are all that it
        is for. Where the source cannot be asked, that is not proved.
        """
        lacking = lacking_in(manifest.children, self._need.platforms)
        if lacking and len(lacking) < len(self._need.platforms):
            self._nowhere = self._origins.lack(self._need.source, lacking)
        yield from (f"an image for {each}" for each in lacking if each not in self._nowhere)

    def _missing_child(self, store: Store, repository: str, child: Descriptor) -> Iterator[str]:
        if self._blobs:
            yield from self._missing(store, repository, child.digest)
        elif store.head(repository, child.digest) is None:
            yield child.digest

    def _manifest(self, store: Store, repository: str, digest: str) -> Manifest | None:
        try:
            return store.manifest(repository, digest)
        except RegistryError as error:
            if error.status == 404 or error.code == "DIGEST_MISMATCH":
                return None
            raise


def _counted(what: str, missing: Iterable[str]) -> str:
    """What is missing; empty when nothing is."""
    listed = list(missing)
    return f"{plural(len(listed), what)} missing, first {listed[0]}" if listed else ""


def _all(refusals: list[str]) -> str:
    return "; ".join(dict.fromkeys(refusals))
