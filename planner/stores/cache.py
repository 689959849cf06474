"""Manifests that were fetched once are never fetched again: they are addressed by their content."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from planner.core.content import Manifest, digest_of, parse_manifest
from planner.core.errors import RegistryError
from planner.core.refs import is_digest


class ManifestCache:
    """A folder of manifests by digest. A damaged or unwritable cache is an empty one, never an error."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _default_folder()

    def get(self, digest: str) -> Manifest | None:
        """The manifest with this digest, when it was seen before."""
        if not is_digest(digest):
            return None
        try:
            media_type, _, data = self._path(digest).read_bytes().partition(b"\n")
            return self._proved(digest, media_type.decode("ascii"), data)
        except (OSError, ValueError, RegistryError):
            return None

    def put(self, manifest: Manifest) -> None:
        """Remember it. Written in place: whoever reads half of it sees by the digest that it is not whole."""
        path = self._path(manifest.digest)
        content = manifest.media_type.encode() + b"\n" + manifest.data
        with contextlib.suppress(OSError):
            try:
                path.write_bytes(content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def _proved(self, digest: str, media_type: str, data: bytes) -> Manifest | None:
        return parse_manifest(data, media_type, "cache") if digest_of(data) == digest else None

    def _path(self, digest: str) -> Path:
        algorithm, _, hexadecimal = digest.partition(":")
        return self._folder / algorithm / hexadecimal[:2] / hexadecimal


def _default_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "planner" / "manifests"
