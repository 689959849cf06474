"""The manifests of a saved plan: tens of thousands, of which few are looked at."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from planner.core.content import Manifest

# Without header and checksum, which the digest is; half the memory of what a new compressor takes by itself.
_WINDOW, _LEVEL, _MEMORY = -12, 1, 4


class KeptManifests(Mapping[str, Manifest]):
    """Manifests by digest, packed: each is a value only while somebody looks at it."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Packed] = {}

    def add(self, digest: str, manifest: Manifest) -> None:
        """Keep one."""
        if manifest.media_type not in self._kinds:
            self._kinds[manifest.media_type] = _Packed(manifest.data)
        self._kinds[manifest.media_type].add(digest, manifest.data)

    def __getitem__(self, digest: str) -> Manifest:
        for media_type, packed in self._kinds.items():
            if digest in packed.names:
                return Manifest(media_type, packed.data(digest))
        raise KeyError(digest)

    def __contains__(self, digest: object) -> bool:
        return any(digest in packed.names for packed in self._kinds.values())

    def __iter__(self) -> Iterator[str]:
        return (digest for packed in self._kinds.values() for digest in packed.names)

    def __len__(self) -> int:
        return sum(len(packed.names) for packed in self._kinds.values())


class _Packed:
    """Texts that are much like the first of them take a quarter of their length, most of it digests."""

    def __init__(self, like: bytes) -> None:
        self.names: dict[str, bytes] = {}
        self._like = like

    def add(self, name: str, data: bytes) -> None:
        packing = zlib.compressobj(_LEVEL, wbits=_WINDOW, memLevel=_MEMORY, zdict=self._like)
        self.names[name] = packing.compress(data) + packing.flush()

    def data(self, name: str) -> bytes:
        return zlib.decompressobj(_WINDOW, self._like).decompress(self.names[name])
