"""Which manifests name another one as their subject, on stores that list them and on those that do not.

Where the store has no such list, clients keep it: an index under a tag that is made of the subject's digest.

Source: opencontainers/distribution-spec v1.1.1 spec.md, "Referrers Tag Schema" and "Pushing Manifests with Subject".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from planner.core.content import OCI_INDEX, Descriptor, Manifest
from planner.core.errors import RegistryError
from planner.stores.store import Store

_LONGEST_ALGORITHM, _LONGEST_HASH = 32, 64


def tag_of(digest: str) -> str:
    """The tag of a client's list for a subject; cosign's tags add an ending to it."""
    algorithm, _, hexadecimal = digest.partition(":")
    return f"{algorithm[:_LONGEST_ALGORITHM]}-{hexadecimal[:_LONGEST_HASH]}"


def referrers_of(
    store: Store, repository: str, digest: str, fetch: Callable[[str], Manifest]
) -> tuple[Descriptor, ...]:
    """What names ``digest`` as its subject; ``fetch`` gets a manifest of the repository by its digest.

    Raises:
        RegistryError: the store cannot tell, or something else stands under the tag of the list.
    """
    listed = store.referrers(repository, digest)
    if listed is not None:
        return listed
    held = store.head(repository, tag_of(digest))
    return _checked(fetch(held.digest), store, repository, digest).children if held else ()


def is_listed(store: Store, repository: str, manifest: Manifest) -> bool:
    """Whether whoever asks for the subject of ``manifest`` is told of it."""

    def fetch(digest: str) -> Manifest:
        return store.manifest(repository, digest)

    listed = referrers_of(store, repository, manifest.subject, fetch)
    return any(each.digest == manifest.digest for each in listed)


def put_referrer(store: Store, repository: str, manifest: Manifest) -> None:
    """Store a manifest under its digest, and see to it that it is listed. One at a time for each subject.

    Entries of others stay in the list as they are.

    Raises:
        RegistryError: the store refuses it, or something else stands under the tag of the list.
    """
    is_done = store.write_manifest(repository, manifest.digest, manifest)
    if is_done or not manifest.subject:
        return
    tag = tag_of(manifest.subject)
    if before := store.head(repository, tag):
        held = store.manifest(repository, before.digest)
        index = _checked(held, store, repository, manifest.subject).document()
    else:
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    entry = _entry(manifest)
    if all(each["digest"] != entry["digest"] for each in index["manifests"]):
        index["manifests"].append(entry)
        data = json.dumps(index, separators=(",", ":"), ensure_ascii=False).encode()
        store.write_manifest(repository, tag, Manifest(OCI_INDEX, data))


def _entry(manifest: Manifest) -> dict[str, Any]:
    """The descriptor of a manifest in a list."""
    entry: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.data),
        "artifactType": manifest.artifact_type,
        "annotations": dict(manifest.annotations),
    }
    return {name: value for name, value in entry.items() if value}


def _checked(found: Manifest, store: Store, repository: str, digest: str) -> Manifest:
    if found.media_type != OCI_INDEX:
        raise RegistryError(
            f"{store.name}/{repository}:{tag_of(digest)} should list what refers to {digest}, and is no index",
            "somebody uses a tag that is meant for this list: give it another name",
        )
    return found
