"""Manifests: what an image consists of.

Source: opencontainers/image-spec v1.1 (manifest.md, image-index.md); distribution's schema2 documents for Docker's types.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from planner.core.errors import RegistryError
from planner.core.refs import is_digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})

# Signed and unsigned. Its digest is of the payload, not of the bytes that a registry sends.
# Source: distribution v2.8.2 manifest/schema1/manifest.go:15-23.
_SCHEMA_1 = (
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
# What buildkit says of the attestations in an index, which run nowhere.
# Source: moby/buildkit docs/attestations/attestation-storage.md, "Attestation Manifest Descriptor".
NO_PLATFORM = "unknown/unknown"

LARGEST_MANIFEST = 16 * 1024 * 1024
_DEEPEST = 2
_MOST_CHILDREN = 1000
_NOT_DISTRIBUTABLE = (".foreign.", ".nondistributable.")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content: ``size`` in bytes, ``platform`` like ``linux/amd64`` (empty when not said).

    ``artifact_type`` says what the content is for, where it is no image; ``about`` is the digest of what it attests, in its
    index.
    """

    digest: str
    size: int
    media_type: str
    platform: str = ""
    artifact_type: str = ""
    about: str = ""


@dataclass(frozen=True)
class Manifest:
    """A manifest or index, byte for byte as it was received: its digest is of these bytes."""

    media_type: str
    data: bytes = field(repr=False)

    def __reduce__(self) -> tuple[type[Manifest], tuple[str, bytes]]:
        """Travels to workers without what was worked out from its bytes."""
        return Manifest, (self.media_type, self.data)

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of the bytes."""
        return digest_of(self.data)

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests."""
        return self.media_type in INDEX_TYPES

    @cached_property
    def children(self) -> tuple[Descriptor, ...]:
        """The manifests of an index."""
        return tuple(_descriptors(self._document.get("manifests"))) if self.is_index else ()

    @cached_property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers of an image, without the layers that must not be distributed."""
        return tuple(each for each in self._listed if not _stays_at_home(each.media_type))

    @cached_property
    def left_out(self) -> tuple[Descriptor, ...]:
        """The layers that must not be distributed: whoever runs the image gets them where they come from.

        Source: containerd 301026e core/remotes/handlers.go:305-332 ``SkipNonDistributableBlobs``.
        """
        return tuple(each for each in self._listed if _stays_at_home(each.media_type))

    @cached_property
    def subject(self) -> str:
        """The digest of the manifest that this one signs, attests or describes; empty when it stands for itself."""
        listed = self._document.get("subject")
        return next(_descriptors([listed])).digest if listed else ""

    @cached_property
    def artifact_type(self) -> str:
        """What it is for, as a list of referrers says it.

        Source: opencontainers/distribution-spec v1.1.1 spec.md, "Pushing Manifests with Subject".
        """
        config = self._document.get("config") or {}
        return str(self._document.get("artifactType") or config.get("mediaType") or "")

    def figures(self) -> tuple[dict[str, int], list[str]]:
        """Sizes of the blobs, and the digests of the children. For many manifests: nothing of it is kept."""
        document = self.document()
        if self.is_index:
            return {}, [each["digest"] for each in document.get("manifests") or ()]
        listed = [document.get("config"), *(document.get("layers") or ())]
        blobs = (each for each in listed if each and not _stays_at_home(each.get("mediaType", "")))
        return {each["digest"]: each["size"] for each in blobs}, []

    @property
    def annotations(self) -> Mapping[str, str]:
        """What whoever made it says of it."""
        return self._document.get("annotations") or {}

    @cached_property
    def _listed(self) -> tuple[Descriptor, ...]:
        if self.is_index:
            return ()
        listed = [self._document.get("config"), *(self._document.get("layers") or [])]
        return tuple(_descriptors(listed))

    def document(self) -> dict[str, Any]:
        """What the bytes say, for whoever makes other bytes of it."""
        found: dict[str, Any] = json.loads(self.data)
        return found

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        return self.document()


def refuse_endless(manifest: Manifest, depth: int, where: str) -> None:
    """Stop at an index that is too deep or too long; ``depth`` counts the indexes above it.

    Everything that walks an image visits each path to a manifest: an index of indexes multiplies them.

    Raises:
        RegistryError: it is.
    """
    if depth > _DEEPEST or len(manifest.children) > _MOST_CHILDREN:
        message = f"{where}: the index is too deep or too long to be an image's"
        raise RegistryError(message, "look at it: it may have been made to exhaust its readers")


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of ``data``."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def digest_like(reference: str, data: bytes) -> str:
    """The digest of ``data`` by the algorithm of another digest, so that the two can be compared."""
    return digest_of(data, reference.partition(":")[0])


def refuse_outdated(media_type: str, where: str) -> None:
    """Say what is to be done about an image in Docker's first format, whose digest does not fit what is sent.

    Source: containerd 301026e core/remotes/docker/resolver.go:447-449.

    Raises:
        RegistryError: it is one.
    """
    kind = media_type.partition(";")[0].strip()
    if kind in _SCHEMA_1:
        raise RegistryError(
            f"{where}: manifests of type {kind!r} cannot be copied: they are Docker's schema 1, which containerd 2 does not"
            " run either; push the image again with a current tool",
            "push the image again: rebuilt, or as skopeo copy --format oci makes it",
        )


def parse_manifest(data: bytes, media_type: str, where: str) -> Manifest:
    """Check that ``data`` is a manifest that can be copied; ``where`` names it in messages.

    ``media_type`` is what the registry said; the document's own word wins, since that is what the bytes promise.

    Raises:
        RegistryError: not JSON, or a kind that cannot be copied (Docker's schema 1, unknown types).
    """
    try:
        document = json.loads(data.decode("utf-8"))
        said = document.get("mediaType") or media_type.partition(";")[0].strip()
        manifest = Manifest(said if said in MEDIA_TYPES else _guess(document), data)
        vars(manifest)["_document"] = document  # as if it had been asked for
        _ = manifest.media_type and (manifest.children, manifest.blobs, manifest.subject)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise RegistryError(
            f"{where}: this is not an image manifest",
            "ask the registry's operator what it serves there",
        ) from error
    if not manifest.media_type:
        raise RegistryError(
            f"{where}: manifests of type {said or 'unknown'!r} cannot be copied",
            "push the image again with a current tool; Docker's schema 1 has no content digests",
        )
    return manifest


def _guess(document: Mapping[str, Any]) -> str:
    """The type of a manifest that does not say it (OCI allows that)."""
    if document.get("schemaVersion") != 2:
        return ""
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST if "config" in document else ""


def _descriptors(listed: Any) -> Iterator[Descriptor]:
    for each in listed or ():
        digest, size = each["digest"], each["size"]
        if not is_digest(digest) or not isinstance(size, int) or size < 0:
            raise ValueError(digest)
        media_type, artifact_type = (
            str(each.get("mediaType", "")),
            str(each.get("artifactType", "")),
        )
        yield Descriptor(digest, size, media_type, _platform(each), artifact_type, _about(each))


def _platform(descriptor: Mapping[str, Any]) -> str:
    platform = descriptor.get("platform") or {}
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    return "/".join(str(part) for part in parts if part)


def _about(descriptor: Mapping[str, Any]) -> str:
    """What buildkit says of an attestation.

    Source: moby/buildkit docs/attestations/attestation-storage.md, "Attestation Manifest Descriptor".
    """
    return str((descriptor.get("annotations") or {}).get("vnd.docker.reference.digest") or "")


def _stays_at_home(media_type: str) -> bool:
    return any(mark in media_type for mark in _NOT_DISTRIBUTABLE)
