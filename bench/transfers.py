"""Images for a registry to be copied from it: the same seed gives the same bytes, and so the same digests.

As real ones are: several repositories begin with the layers of one base image, tags of a repository share most of theirs, and
some images are indexes of two architectures. A layer is a tar file of random bytes in gzip's wrapping, which nothing can
make smaller. Every third repository has Docker's media types.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import random
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from multiprocessing import get_context
from typing import NamedTuple

from bench.images import (
    DOCKER,
    OCI,
    Kinds,
    as_json,
    ask,
    descriptor,
    digest_of,
    push_blob,
    push_manifest,
)

_THREADS = 2
_AT_ONCE = 1 << 20
_LEAST = 300
# Popular bases and the others.
_BASES = (0, 0, 1, 0, 2, 0, 1, 3)


class Workload(NamedTuple):
    """What is copied: ``size`` bytes of layers, each counted once.

    The first ``shared`` of the ``layers`` of an image come from one of ``bases`` base images, the last ``changing`` are new in
    each tag. ``indexes`` is the share of repositories whose images are indexes, ``spread`` how much the sizes of layers differ
    (sigma of a log-normal distribution).
    """

    name: str
    repositories: int
    tags: int
    layers: int
    size: float
    shared: int = 0
    changing: int = 1
    bases: int = 1
    indexes: float = 0.0
    spread: float = 1.0

    @property
    def prefix(self) -> str:
        """With which the names of its repositories begin."""
        return self.name.lower()

    @property
    def images(self) -> int:
        """How many tags there are."""
        return self.repositories * self.tags

    def scaled(self, factor: float) -> Workload:
        """Fewer repositories, and as many bytes less."""
        repositories = max(1, round(self.repositories * factor))
        return self._replace(
            repositories=repositories, size=self.size * repositories / self.repositories
        )

    def repository(self, number: int) -> str:
        """One folder deep: ``skopeo sync`` keeps the last part of a name alone."""
        return f"{self.prefix}/service-{number:03}"

    def architectures(self, number: int) -> tuple[str, ...]:
        """More than one when the images of a repository are indexes."""
        is_index = int((number + 1) * self.indexes) > int(number * self.indexes)
        return ("amd64", "arm64") if is_index else ("amd64",)

    def keys(self, number: int, tag: int, architecture: str) -> tuple[str, ...]:
        """What each layer of an image is made from: the same key is the same layer."""
        base = _BASES[number % len(_BASES)] % self.bases
        keys = [f"base-{base}/{architecture}/{each}" for each in range(self.shared)]
        for each in range(self.shared, self.layers):
            version = tag if each >= self.layers - self.changing else 0
            keys.append(f"{number}/{architecture}/{each}/{version}")
        return tuple(keys)

    def sizes(self, seed: int) -> Mapping[str, int]:
        """Bytes of each layer, before its wrapping."""
        found: dict[str, float] = {}
        for number, tag, architecture in self._each():
            for key in self.keys(number, tag, architecture):
                found.setdefault(
                    key, self._random(seed, key, "size").lognormvariate(0, self.spread)
                )
        factor = self.size / math.fsum(found.values())
        return {key: max(_LEAST, int(each * factor)) for key, each in found.items()}

    def layer(self, seed: int, key: str, size: int) -> bytes:
        """Its bytes."""
        source = self._random(seed, key)
        parts = [source.randbytes(min(_AT_ONCE, size - at)) for at in range(0, size, _AT_ONCE)]
        info = tarfile.TarInfo("data")
        info.size = size
        padding = bytes(-size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
        return gzip.compress(b"".join((info.tobuf(), *parts, padding)), 0, mtime=0)

    def _each(self) -> Iterator[tuple[int, int, str]]:
        for number in range(self.repositories):
            for tag in range(self.tags):
                for architecture in self.architectures(number):
                    yield number, tag, architecture

    def _random(self, *seeds: object) -> random.Random:
        return random.Random("/".join(map(str, (self.name, *seeds))))  # noqa: S311 - no secret


class Filled(NamedTuple):
    """What a source holds: the digest of each ``repository:tag``, and the bytes of each blob."""

    digests: Mapping[str, str]
    blobs: Mapping[str, int]


class _Layer(NamedTuple):
    digest: str
    size: int
    repository: str


def fill(host: str, work: Workload, seed: int = 1) -> Filled:
    """Push all images of a workload to a registry over plain HTTP.

    In a process of its own: what a process has had of memory at its peak counts as that of the programs that it starts.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_fill, host, work, seed).result()


def _fill(host: str, work: Workload, seed: int) -> Filled:
    homes: dict[str, str] = {}
    for number in range(work.repositories):
        for tag in range(work.tags):
            for architecture in work.architectures(number):
                for key in work.keys(number, tag, architecture):
                    homes.setdefault(key, work.repository(number))
    sizes = work.sizes(seed)
    digests: dict[str, str] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        pushed = pool.map(
            lambda key: _push_layer(host, work.layer(seed, key, sizes[key]), homes[key]), homes
        )
        layers = dict(zip(homes, pushed, strict=True))
        blobs = {each.digest: each.size for each in layers.values()}
        one = partial(_fill_one, host, work, layers)
        for found in pool.map(one, range(work.repositories)):
            digests |= found.digests
            blobs |= found.blobs
    return Filled(digests, blobs)


def _push_layer(host: str, data: bytes, repository: str) -> _Layer:
    connection = HTTPConnection(host, timeout=300)
    push_blob(connection, repository, data)
    connection.close()
    return _Layer(digest_of(data), len(data), repository)


def _fill_one(host: str, work: Workload, layers: Mapping[str, _Layer], number: int) -> Filled:
    """All tags of a repository; the layers are in the registry, but some in another repository."""
    connection = HTTPConnection(host, timeout=300)
    repository = work.repository(number)
    kinds = OCI if number % 3 else DOCKER
    found = Filled({}, {})
    digests, blobs = dict(found.digests), dict(found.blobs)
    mounted: set[str] = set()
    for tag in range(work.tags):
        name = f"v1.{tag}.0"
        children = []
        architectures = work.architectures(number)
        for architecture in architectures:
            own = [layers[key] for key in work.keys(number, tag, architecture)]
            for layer in own:
                if layer.repository != repository and layer.digest not in mounted:
                    query = f"?mount={layer.digest}&from={layer.repository}"
                    ask(connection, "POST", f"/v2/{repository}/blobs/uploads/{query}", b"", {})
                    mounted.add(layer.digest)
            config = _config(architecture, f"{repository}:{name}", own)
            push_blob(connection, repository, config)
            blobs[digest_of(config)] = len(config)
            manifest = _manifest(kinds, config, own)
            reference = digest_of(manifest) if len(architectures) > 1 else name
            push_manifest(connection, repository, reference, kinds.manifest, manifest)
            platform = {"architecture": architecture, "os": "linux"}
            children.append({**descriptor(kinds.manifest, manifest), "platform": platform})
        top = str(children[0]["digest"])
        if len(children) > 1:
            index = as_json({"schemaVersion": 2, "mediaType": kinds.several, "manifests": children})
            push_manifest(connection, repository, name, kinds.several, index)
            top = digest_of(index)
        digests[f"{repository}:{name}"] = top
    connection.close()
    return Filled(digests, blobs)


def _config(architecture: str, name: str, layers: list[_Layer]) -> bytes:
    """No runtime will see it: the names of what is inside of the layers are made up."""
    inside = [f"sha256:{hashlib.sha256(each.digest.encode()).hexdigest()}" for each in layers]
    return as_json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/app"], "Labels": {"org.opencontainers.image.title": name}},
            "rootfs": {"type": "layers", "diff_ids": inside},
        }
    )


def _manifest(kinds: Kinds, config: bytes, layers: list[_Layer]) -> bytes:
    gzipped = f"{kinds.layer}{'+' if kinds is OCI else '.'}gzip"
    listed = [{"mediaType": gzipped, "digest": each.digest, "size": each.size} for each in layers]
    return as_json(
        {
            "schemaVersion": 2,
            "mediaType": kinds.manifest,
            "config": descriptor(kinds.config, config),
            "layers": listed,
        }
    )
