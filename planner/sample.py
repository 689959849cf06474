"""Small real images under any names, the same bytes every time: what the demo and the tests copy.

Layers are gzipped tars that a container runtime can unpack; images of one origin share a base layer, every third one is a
multi-platform index. Compression is off, since the same text compressed by another zlib would have another digest.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from planner.core.content import OCI_INDEX, OCI_MANIFEST, Manifest, digest_of
from planner.core.refs import ImageRef
from planner.stores.store import Store
from planner.stores.verified import VerifiedStream

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_PLATFORMS = ("amd64", "arm64")
_KIB = 1024


def write_samples(
    images: Iterable[ImageRef], store_of: Callable[[str], Store], kib: int = 256
) -> None:
    """Store an image under each name. ``kib`` is about the size of one's own layer; the shared base has four times that."""
    for number, image in enumerate(images):
        store = store_of(image.registry)
        platforms = _PLATFORMS if number % 3 == 0 else _PLATFORMS[:1]
        manifests = [_write_image(store, image, platform, kib) for platform in platforms]
        root = manifests[0] if len(manifests) == 1 else _index(manifests)
        if root not in manifests:
            for manifest in manifests:
                store.write_manifest(image.repository, manifest.digest, manifest)
        store.write_manifest(image.repository, image.reference, root)


def _write_image(store: Store, image: ImageRef, platform: str, kib: int) -> Manifest:
    origin = image.repository.partition("/")[0]
    layers = [
        _layer("usr/share/base", f"{origin}/{platform}", 4 * kib),
        _layer(f"opt/{image.repository.rpartition('/')[2]}", f"{image}/{platform}", kib),
    ]
    config = _config(platform, layers)
    for blob in (*layers, config):
        _write_blob(store, image.repository, blob)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _descriptor(_CONFIG, config),
        "layers": [_descriptor(_LAYER, layer) for layer in layers],
    }
    return Manifest(OCI_MANIFEST, _json(document))


def _write_blob(store: Store, repository: str, data: bytes) -> None:
    @contextmanager
    def source(offset: int = 0, /) -> Iterator[VerifiedStream]:
        yield VerifiedStream(
            iter((data[offset:],)), digest_of(data), len(data), "the sample", offset=offset
        )

    store.write_blob(repository, digest_of(data), source)


def _layer(folder: str, seed: str, kib: int) -> bytes:
    """A tar with one file of bytes that look random and depend on ``seed`` alone."""
    content = hashlib.shake_256(seed.encode()).digest(kib * _KIB)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(f"{folder}/data")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), compresslevel=0, mtime=0)


def _config(platform: str, layers: list[bytes]) -> bytes:
    diff_ids = [digest_of(gzip.decompress(layer)) for layer in layers]
    return _json(
        {
            "architecture": platform,
            "os": "linux",
            "config": {"Cmd": ["/pause"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
    )


def _index(manifests: list[Manifest]) -> Manifest:
    described = [
        {
            **_descriptor(OCI_MANIFEST, manifest.data),
            "platform": {"architecture": platform, "os": "linux"},
        }
        for manifest, platform in zip(manifests, _PLATFORMS, strict=True)
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": described}
    return Manifest(OCI_INDEX, _json(document))


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
