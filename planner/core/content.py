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

LARGEST_MANIFEST = 16 * 1024 * 1024
_NOT_DISTRIBUTABLE = (".foreign.", ".nondistributable.")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content: ``size`` in bytes, ``platform`` like ``linux/amd64`` (empty when not said)."""

    digest: str
    size: int
    media_type: str
    platform: str = ""


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
        if self.is_index:
            return ()
        listed = [self._document.get("config"), *(self._document.get("layers") or [])]
        found = _descriptors(listed)
        return tuple(each for each in found if not _stays_at_home(each.media_type))

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        document: Mapping[str, Any] = json.loads(self.data)
        return document


def digest_of(data: bytes) -> str:
    """The sha256 digest of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


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
        _ = manifest.media_type and (manifest.children, manifest.blobs)
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
        yield Descriptor(digest, size, str(each.get("mediaType", "")), _platform(each))


def _platform(descriptor: Mapping[str, Any]) -> str:
    platform = descriptor.get("platform") or {}
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    return "/".join(str(part) for part in parts if part)


def _stays_at_home(media_type: str) -> bool:
    return any(mark in media_type for mark in _NOT_DISTRIBUTABLE)
