"""Signatures, attestations and SBOMs: what belongs to an image without being a part of it, and has to travel with it.

There are two ways to attach them. OCI's referrers name the image as their subject, and registries (or, in their place, an index
under a tag) list them. cosign's older way is a tag beside the image that is made of its digest: ``sha256-….sig``.

For each image that is four requests, or five, and what they find is asked in turn: an SBOM may be signed. The images of an
index are asked only when there is something about the index itself, since who signs each platform
(``cosign sign --recursive``) signs the index as well; for all others that would be a multiple of the requests for nothing.

Source: opencontainers/distribution-spec v1.1.1 spec.md, "Listing Referrers"; sigstore/cosign specs/SIGNATURE_SPEC.md,
"Discovery"; sigstore/cosign pkg/oci/remote/remote.go (``.sig``, ``.att``, ``.sbom``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from planner.core.content import Manifest
from planner.core.errors import RegistryError
from planner.core.plan import Change
from planner.core.refs import ImageRef
from planner.core.text import short_digest
from planner.preflight import Ground
from planner.stores.opening import Stores
from planner.stores.referring import is_listed, referrers_of, tag_of
from planner.stores.store import Store

_ENDINGS = {"sig": "signs", "att": "attests", "sbom": "describes"}
_DEEPEST = 2
_MOST = 1000
_TOO_MANY_REQUESTS = 429

Fetch = Callable[[str], Manifest]


class Companion(NamedTuple):
    """Something that belongs to an image; ``word`` says what it does to it. ``tag`` is empty when its subject leads to it.

    ``image`` is the digest of the manifest that it belongs to in the end, of an index or of one in it.
    """

    digest: str
    tag: str
    word: str
    image: str = ""

    def beside(self, image: ImageRef) -> ImageRef:
        """Its name in the repository of an image."""
        return image._replace(tag=self.tag, digest="" if self.tag else self.digest)


def companions(
    store: Store,
    repository: str,
    digest: str,
    children: Iterable[str],
    fetch: Fetch,
    *,
    of_each: bool = False,
) -> Iterator[Companion]:
    """All that belongs to an image and, if there is anything, to its ``children``; each after what it is about.

    ``of_each``: to the children in any case.

    Raises:
        RegistryError: the store cannot tell, or there is more of it than anybody means.
    """
    parts = tuple(children)
    found: list[str] = []
    for subject in (digest, *parts):
        for each in _about(store, repository, subject, fetch):
            found.append(each.digest)
            if len(found) > _MOST:
                raise RegistryError(
                    f"{store.name}/{repository}@{digest}: more than {_MOST:,} signatures and the like belong to it",
                    "look at them: they may have been made to exhaust their readers",
                )
            if each.tag or each.digest not in parts:
                yield each._replace(image=subject)
        if not found and not of_each:
            return


def _about(
    store: Store, repository: str, digest: str, fetch: Fetch, depth: int = 0
) -> Iterator[Companion]:
    found = [
        Companion(each.digest, "", _word(each.artifact_type))
        for each in referrers_of(store, repository, digest, fetch)
    ]
    for ending, word in _ENDINGS.items():
        tag = f"{tag_of(digest)}.{ending}"
        if held := store.head(repository, tag):
            found.append(Companion(held.digest, tag, word))
    for each in found:
        yield each
        if depth < _DEEPEST:
            yield from _about(store, repository, each.digest, fetch, depth + 1)


def _word(artifact_type: str) -> str:
    """What an artifact does to its subject, as far as its type tells."""
    kinds = {
        "signature": "signs",
        "sigstore.bundle": "signs",
        "in-toto": "attests",
        "spdx": "describes",
        "cyclonedx": "describes",
        "sbom": "describes",
    }
    return next((word for mark, word in kinds.items() if mark in artifact_type), "refers to")


class Escort:
    """Finds what has to go with images. ``fetch`` gets a manifest of a change's source by its digest, once.

    ``left_behind`` counts what belongs to indexes of which others are made, for fewer platforms: it would not fit these.
    """

    def __init__(
        self, stores: Stores, ground: Ground, fetch: Callable[[Change, str], Manifest]
    ) -> None:
        self._stores = stores
        self._ground = ground
        self._fetch = fetch
        self.left_behind: dict[ImageRef, int] = {}

    def of(self, change: Change, children: Iterable[str]) -> list[Change]:
        """The changes that take along what belongs to the image of a change; blocked is what cannot be found out."""
        source = self._stores.source(change.origin.registry)
        repository = change.origin.repository
        done: list[Change] = []

        def fetch(digest: str) -> Manifest:
            return self._fetch(replace(change, op="create"), digest)

        try:
            for each in companions(source, repository, change.held_at_source, children, fetch):
                if each.image == change.source_digest:
                    count = self.left_behind.get(change.target, 0)
                    self.left_behind[change.target] = count + 1
                else:
                    done.append(self._change(change, each))
        except RegistryError as error:
            if error.retryable and error.status != _TOO_MANY_REQUESTS:
                raise
            lost = Companion("", tag_of(change.held_at_source), "refers to")
            done.append(replace(self._change(change, lost), op="blocked", reason=error.message))
        return done

    def _change(self, image: Change, companion: Companion) -> Change:
        target = companion.beside(image.target)
        change = Change(
            "create",
            target,
            companion.beside(image.source),
            companion.digest,
            because=image.because,
            reason=f"{companion.word} {_called(image)}",
            kind="artifact",
            subject=image.digest,
        )
        if not companion.digest or self._ground.is_new(target):
            return change
        store = self._stores.target(target.registry)
        held = store.head(target.repository, target.reference)
        if held is None:
            return change
        change = replace(change, current=held.digest)
        return self._tagged(change, store) if target.tag else self._listed(change, store)

    def _tagged(self, change: Change, store: Store) -> Change:
        """Under one tag, cosign keeps all signatures of an image: those of others there must not be lost."""
        if change.current == change.digest:
            return replace(change, op="same")
        if self._ground.is_frozen(change.target):
            return replace(
                change, op="blocked", reason="the tag cannot be moved there: it is immutable"
            )
        there = store.manifest(change.target.repository, change.current)
        here = self._fetch(replace(change, op="create"), change.digest)
        if {each.digest for each in there.blobs[1:]} <= {each.digest for each in here.blobs[1:]}:
            return replace(change, op="move")
        reason = (
            "the tag there holds signatures that the source lacks, and moving it would lose them"
        )
        return replace(change, op="blocked", reason=reason)

    def _listed(self, change: Change, store: Store) -> Change:
        """What is there may still be told to nobody."""
        if _is_told(store, change.target):
            return replace(change, op="same")
        reason = f"{change.reason}: it is there, and not listed for it"
        return replace(change, op="repair", reason=reason)


def missing(
    image: ImageRef,
    held: ImageRef,
    digest: str,
    children: Iterable[str],
    stores: Stores,
    *,
    of_each: bool = False,
) -> Iterator[str]:
    """What belongs to an image at its source, and is not found beside it where it is ``held``; in words.

    ``of_each``: also when nothing belongs to the index, which may have been made for fewer platforms than its source has.

    Raises:
        RegistryError: one of the two cannot tell.
    """
    source, target = stores.source(image.registry), stores.target(held.registry)

    def fetch(wanted: str) -> Manifest:
        return source.manifest(image.repository, wanted)

    for each in companions(source, image.repository, digest, children, fetch, of_each=of_each):
        name = each.beside(held)
        found = target.head(name.repository, name.reference)
        if found is None:
            yield f"{name.reference} ({each.word} it)"
        elif not each.tag and not _is_told(target, name):
            yield f"{name.reference} ({each.word} it; there, but not listed)"


def _is_told(store: Store, name: ImageRef) -> bool:
    return is_listed(store, name.repository, store.manifest(name.repository, name.digest))


def _called(image: Change) -> str:
    """What it belongs to, in short: the repository is the same."""
    return f":{image.target.tag}" if image.target.tag else short_digest(image.digest)
