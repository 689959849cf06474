"""Small images for a registry: the same seed gives the same bytes, and so the same digests.

Made for questions, not for transfers: each repository has one layer, and each tag a manifest of its own. One tag in eight is
an index, and every third repository has Docker's media types, since registries answer for those by other ways.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import NamedTuple

_OCI = "application/vnd.oci.image"
_DOCKER = "application/vnd.docker"
_LAYER = 4096
_THREADS = 4


class Kinds(NamedTuple):
    """The media types of one family."""

    several: str
    manifest: str
    config: str
    layer: str


OCI = Kinds(
    *(
        f"{_OCI}.{kind}"
        for kind in ("index.v1+json", "manifest.v1+json", "config.v1+json", "layer.v1.tar")
    )
)
DOCKER = Kinds(
    f"{_DOCKER}.distribution.manifest.list.v2+json",
    f"{_DOCKER}.distribution.manifest.v2+json",
    f"{_DOCKER}.container.image.v1+json",
    f"{_DOCKER}.image.rootfs.diff.tar",
)


class Set(NamedTuple):
    """``repositories`` times ``tags`` images, in repositories whose names begin with ``prefix``."""

    prefix: str
    repositories: int
    tags: int

    def names(self) -> Iterator[str]:
        """Repository and tag, with a colon between."""
        for number in range(self.repositories):
            repository = self.repository(number)
            yield from (f"{repository}:{_tag(each)}" for each in range(self.tags))

    def repository(self, number: int) -> str:
        """Two folders deep, as most are."""
        return f"{self.prefix}/{('platform', 'apps', 'data')[number % 3]}/service-{number:03}"


def fill(host: str, images: Set, seed: int = 1) -> None:
    """Push all images of a set to a registry over plain HTTP."""
    with ThreadPoolExecutor(_THREADS) as pool:
        list(
            pool.map(
                lambda number: _fill_one(host, images, number, seed), range(images.repositories)
            )
        )


def _fill_one(host: str, images: Set, number: int, seed: int) -> None:
    connection = HTTPConnection(host, timeout=60)
    repository = images.repository(number)
    kinds = OCI if number % 3 else DOCKER
    layer = random.Random(f"{seed}/{repository}").randbytes(_LAYER)  # noqa: S311 - no secret
    config = as_json(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        }
    )
    for blob in (layer, config):
        push_blob(connection, repository, blob)
    for each in range(images.tags):
        manifest = as_json(
            {
                "schemaVersion": 2,
                "mediaType": kinds.manifest,
                "config": descriptor(kinds.config, config),
                "layers": [descriptor(kinds.layer, layer)],
                "annotations": {"org.opencontainers.image.version": f"{_tag(each)}-{seed}"},
            }
        )
        if (number + each) % 8:
            push_manifest(connection, repository, _tag(each), kinds.manifest, manifest)
            continue
        push_manifest(connection, repository, digest_of(manifest), kinds.manifest, manifest)
        platform = {"architecture": "amd64", "os": "linux"}
        child = {**descriptor(kinds.manifest, manifest), "platform": platform}
        index = as_json({"schemaVersion": 2, "mediaType": kinds.several, "manifests": [child]})
        push_manifest(connection, repository, _tag(each), kinds.several, index)
    connection.close()


def push_blob(connection: HTTPConnection, repository: str, data: bytes) -> None:
    """Upload a blob in one piece."""
    location = ask(connection, "POST", f"/v2/{repository}/blobs/uploads/", b"", {})
    joint = "&" if "?" in location else "?"
    headers = {"Content-Type": "application/octet-stream"}
    ask(connection, "PUT", f"{location}{joint}digest={digest_of(data)}", data, headers)


def push_manifest(
    connection: HTTPConnection, repository: str, reference: str, kind: str, data: bytes
) -> None:
    """Upload a manifest under a tag or its digest; ``kind`` is its media type."""
    path = f"/v2/{repository}/manifests/{reference}"
    ask(connection, "PUT", path, data, {"Content-Type": kind})


def ask(
    connection: HTTPConnection, method: str, url: str, body: bytes, headers: dict[str, str]
) -> str:
    """Send something that makes something; the answer's ``Location``."""
    connection.request(method, url, body, headers)
    response = connection.getresponse()
    text = response.read()
    if response.status not in (201, 202):
        raise SystemExit(f"{method} {url}: {response.status} {text[:200]!r}")
    return response.headers.get("Location", "")


def descriptor(kind: str, data: bytes) -> dict[str, object]:
    """As manifests name what they consist of."""
    return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}


def digest_of(data: bytes) -> str:
    """Its SHA-256, as registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def as_json(document: dict[str, object]) -> bytes:
    """As a blob or manifest."""
    return json.dumps(document, indent=2).encode()


def _tag(number: int) -> str:
    return f"v1.{number}.0"
