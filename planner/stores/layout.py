"""An OCI image layout on disk as a store: no server, no network.

Names stand in ``index.json`` as the annotation ``org.opencontainers.image.ref.name``, in full (``registry/repository:tag``), so
that one folder holds what many registries hold, and ``skopeo copy oci:DIR:NAME`` finds each. Reading also accepts the short
names that other tools write (``rancher/pause:3.6``).

Invariants: a blob file appears under its digest only when it is complete and proved; ``index.json`` is replaced whole; so a
killed run leaves nothing that looks whole and is not.

Source: opencontainers/image-spec v1.1 image-layout.md, annotations.md.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from planner.core.content import (
    LARGEST_MANIFEST,
    Descriptor,
    Manifest,
    digest_like,
    parse_manifest,
)
from planner.core.errors import InputError, RegistryError
from planner.core.quota import Quota
from planner.core.refs import DOCKER_HUB, is_digest, parse_image
from planner.stores.pieces import Buffers, Piece, buffers
from planner.stores.store import Arrival, Chunks, OpenBlob

_NAME = "org.opencontainers.image.ref.name"
_MARKER = '{"imageLayoutVersion":"1.0.0"}'
_OFFICIAL = "library/"


class LayoutFolder:
    """The folder, shared by the registries that it stands in for. Threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._names: dict[str, dict[str, Any]] = {}

    def descriptor(self, names: tuple[str, ...]) -> dict[str, Any] | None:
        """The entry of the first name that the index has."""
        with self._lock:
            self._refresh()
            return next((self._names[name] for name in names if name in self._names), None)

    def names(self) -> list[str]:
        """All names of the index."""
        with self._lock:
            self._refresh()
            return list(self._names)

    def drop_name(self, name: str) -> None:
        """Forget a name; its content stays, since others may share it."""
        with self._lock, self._exclusive():
            index = self._read_index()
            index["manifests"] = [each for each in index["manifests"] if _name_of(each) != name]
            self._write_index(index)

    def set_name(self, name: str, descriptor: dict[str, Any]) -> None:
        """Point ``name`` at a manifest that is there."""
        with self._lock, self._exclusive():
            index = self._read_index()
            kept = [each for each in index["manifests"] if _name_of(each) != name]
            named = {**descriptor, "annotations": {_NAME: name}}
            index["manifests"] = sorted([*kept, named], key=_name_of)
            self._write_index(index)

    def blob(self, digest: str) -> Path:
        """Where a blob is or would be."""
        if not is_digest(digest):
            raise RegistryError(f"{self.path}: {digest!r} is not a digest")
        algorithm, _, hexadecimal = digest.partition(":")
        return self.path / "blobs" / algorithm / hexadecimal

    def read(self, digest: str, buffers: Buffers, offset: int = 0) -> Generator[Piece, None, None]:
        """The content of a blob from ``offset`` on, whatever it is."""
        with self._failures("read"), self.blob(digest).open("rb") as file:
            file.seek(offset)
            yield from buffers.pieces(file.readinto)

    def write(self, digest: str, chunks: Iterator[Piece]) -> None:
        """Store a blob whose chunks are known to have the digest once they end."""
        target = self.blob(digest)
        with self._failures("write"):
            self._make()
            target.parent.mkdir(parents=True, exist_ok=True)
            self._replace(target, chunks)

    def _write_index(self, index: dict[str, Any]) -> None:
        text = json.dumps(index, indent=1, sort_keys=True)
        self._replace(self.path / "index.json", text.encode())

    def _make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        marker = self.path / "oci-layout"
        if not marker.exists():
            self._replace(marker, _MARKER.encode())

    def _replace(self, target: Path, content: bytes | Iterator[Piece]) -> None:
        """Write beside, make durable, rename: there is no moment at which half a file has the name.

        What a killed run leaves stays in the folder's root, where no reader takes it for a blob.
        """
        import tempfile  # noqa: PLC0415 - slow, and a registry needs none

        with self._failures("write"):
            handle, name = tempfile.mkstemp(prefix=".planner-", dir=self.path)
            try:
                with os.fdopen(handle, "wb") as file:
                    for chunk in (content,) if isinstance(content, bytes) else content:
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).chmod(0o644)
                Path(name).replace(target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def _refresh(self) -> None:
        with self._failures("read"):
            seen = _state(self.path / "index.json")
        if seen != self._seen:
            self._names = {_name_of(each): each for each in self._read_index()["manifests"]}
            self._seen = seen

    def _read_index(self) -> dict[str, Any]:
        path = self.path / "index.json"
        try:
            index: dict[str, Any] = json.loads(path.read_bytes())
            index["manifests"] = [dict(each) for each in index["manifests"]]
        except FileNotFoundError:
            return {"schemaVersion": 2, "manifests": []}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RegistryError(
                f"{path}: this is not the index of an OCI layout", "look at the file"
            ) from error
        except OSError as error:
            raise self._failure("read", error) from error
        return index

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._failures("write"):
            self._make()
            with (self.path / ".planner-lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    @contextmanager
    def _failures(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failure(doing, error) from error

    def _failure(self, doing: str, error: OSError) -> RegistryError:
        reason = error.strerror or str(error)
        hint = "check that the folder exists and its permissions"
        if error.errno in (28, 122):  # ENOSPC, EDQUOT
            hint = "free some space and run it again: finished blobs are kept"
        return RegistryError(f"oci:{self.path}: cannot {doing}: {reason}", hint)


class Layout:
    """One registry as a layout folder stands in for it."""

    def __init__(self, folder: LayoutFolder, registry: str) -> None:
        self.name = f"oci:{folder.path}"
        self.quota: Quota | None = None
        self._folder = folder
        self._registry = registry

    def greet(self) -> None:
        """Nothing to do: one that is to be written may not exist yet."""

    def path_of(self, repository: str) -> str:
        """As everybody calls it."""
        return repository

    @property
    def gives_freely(self) -> bool:
        """Always."""
        return True

    def head(
        self, repository: str, reference: str, *, may_pull: bool = True, likely: str = ""
    ) -> Descriptor | None:
        """Look the name up; a name whose content is gone counts as absent."""
        if ":" in reference:
            return self._content(reference, "")
        found = self._folder.descriptor(self._names(repository, reference))
        if found is None:
            return None
        return self._content(str(found.get("digest")), str(found.get("mediaType", "")))

    def _content(self, digest: str, media_type: str) -> Descriptor | None:
        path = self._folder.blob(digest)
        return Descriptor(digest, path.stat().st_size, media_type) if path.is_file() else None

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Read it, and prove it."""
        descriptor = self.head(repository, reference)
        where = f"{self.name}: {self._registry}/{repository}:{reference}"
        if descriptor is None:
            raise RegistryError(f"{where}: not there", status=404, code="MANIFEST_UNKNOWN")
        if descriptor.size > LARGEST_MANIFEST:
            raise RegistryError(f"{where}: larger than any manifest", "this is not an image")
        with buffers() as lent:
            data = b"".join(map(bytes, self._folder.read(descriptor.digest, lent)))
        if digest_like(descriptor.digest, data) != descriptor.digest:
            raise RegistryError(
                f"{self._folder.blob(descriptor.digest)}: the content does not have this digest",
                "the file is damaged: fetch it again",
                code="DIGEST_MISMATCH",
            )
        return parse_manifest(data, descriptor.media_type, where)

    def has_blob(self, repository: str, digest: str) -> bool:
        """All repositories of a layout share its blobs."""
        return self._folder.blob(digest).is_file()

    @contextmanager
    def open_blob(
        self, repository: str, digest: str, part: range | None = None
    ) -> Iterator[Chunks]:
        """Read the file."""
        if not self.has_blob(repository, digest):
            message = f"{self.name}: the blob {digest} is not there"
            raise RegistryError(message, "fetch the image again", status=404, code="BLOB_UNKNOWN")
        start = part.start if part else 0
        with buffers() as lent, closing(self._folder.read(digest, lent, start)) as chunks:
            yield chunks

    def write_blob(
        self, repository: str, digest: str, source: OpenBlob, sibling: str = ""
    ) -> Arrival:
        """Write it once, whatever the repository."""
        if self.has_blob(repository, digest):
            return "mounted" if sibling else "present"
        with source() as stream:
            self._folder.write(digest, iter(stream))
        return "copied"

    def is_empty(self, repository: str) -> bool:
        """Never: all names share the content, and looking for it costs nothing."""
        return False

    def tags(self, repository: str) -> list[str]:
        """The names of the index that begin with the repository."""
        return sorted({tag for name, tag in self._named() if name == repository})

    def repositories(self) -> list[str]:
        """What the names of the index begin with."""
        return sorted({name for name, _ in self._named()})

    def delete(self, repository: str, reference: str) -> bool:
        """Forget the name; a digest goes by itself, when nothing names it any more."""
        if is_digest(reference):
            return False
        for name in self._names(repository, reference):
            self._folder.drop_name(name)
        return True

    def _named(self) -> Iterator[tuple[str, str]]:
        """Repository and tag of each name that belongs to this registry."""
        for name in self._folder.names():
            try:
                image = parse_image(name)
            except InputError:
                continue
            if image.registry == self._registry and image.tag:
                yield image.repository, image.tag

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
        """A layout has names alone."""
        return None

    def write_manifest(self, repository: str, reference: str, manifest: Manifest) -> bool:
        """Write it as a blob; under a tag, also into the index."""
        if not self._folder.blob(manifest.digest).is_file():
            self._folder.write(manifest.digest, iter((manifest.data,)))
        if not is_digest(reference):
            descriptor = {
                "mediaType": manifest.media_type,
                "digest": manifest.digest,
                "size": len(manifest.data),
            }
            self._folder.set_name(f"{self._registry}/{repository}:{reference}", descriptor)
        return False

    def _names(self, repository: str, tag: str) -> tuple[str, ...]:
        """The names under which tools write an image, the full one first."""
        full = f"{self._registry}/{repository}:{tag}"
        if self._registry != DOCKER_HUB:
            return (full,)
        return (full, f"{repository}:{tag}", f"{repository.removeprefix(_OFFICIAL)}:{tag}")


def _name_of(descriptor: Any) -> str:
    annotations = descriptor.get("annotations")
    return str(annotations.get(_NAME, "")) if isinstance(annotations, dict) else ""


def _state(path: Path) -> tuple[int, ...]:
    """What differs when a file was replaced; empty when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size
