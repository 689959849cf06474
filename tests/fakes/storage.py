"""What a registry keeps in memory, and the rules by which content comes in and goes out.

Every method is safe for threads and refuses with ``ApiError``.
"""

import threading
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from .content import INDEXES, digest_of, is_digest, references, subject_of
from .errors import ApiError


class Manifest(NamedTuple):
    """A manifest as it is served."""

    digest: str
    body: bytes
    media_type: str


@dataclass(slots=True)
class _Repository:
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    was_tagged: bool = False


class Storage:
    """Repositories and upload sessions."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.RLock()
        self._repositories: dict[str, _Repository] = {}
        self._uploads: dict[tuple[str, str], bytearray] = {}
        self._ids = count(1)

    def names(self) -> list[str]:
        """Return the repositories that have or had content, in order; sessions do not count."""
        with self._lock:
            return sorted(self._repositories)

    def tags(self, repository: str) -> list[str]:
        """Return the tags in order; a repository that never had one is unknown."""
        with self._lock:
            found = self._look(repository)
            if not found.was_tagged:
                raise ApiError("NAME_UNKNOWN", {"name": repository})
            return sorted(found.tags)

    def blob(self, repository: str, digest: str) -> bytes:
        """Return a blob of the repository."""
        with self._lock:
            try:
                return self._look(repository).blobs[check_digest(digest)]
            except KeyError:
                raise ApiError("BLOB_UNKNOWN", digest) from None

    def put_blob(self, repository: str, digest: str, data: bytes) -> None:
        """Keep a blob if it has that digest."""
        if digest_of(data) != check_digest(digest):
            raise ApiError("DIGEST_INVALID", {"Digest": digest})
        with self._lock:
            self._open(repository).blobs[digest] = data

    def mount_blob(self, repository: str, digest: str, source: str) -> bool:
        """Take a blob over from another repository; False when it is not there."""
        with self._lock:
            data = self._look(source).blobs.get(digest)
            if data is not None:
                self._open(repository).blobs[digest] = data
            return data is not None

    def delete_blob(self, repository: str, digest: str) -> None:
        """Forget a blob of the repository."""
        with self._lock:
            self.blob(repository, digest)
            del self._repositories[repository].blobs[digest]

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Return a manifest by tag or digest."""
        with self._lock:
            found = self._look(repository)
            if ":" in reference:
                digest = check_digest(reference)
                detail = {"Name": repository, "Revision": digest}
            else:
                digest, detail = found.tags.get(reference, ""), {"Tag": reference}
            if digest not in found.manifests:
                raise ApiError("MANIFEST_UNKNOWN", detail)
            return found.manifests[digest]

    def referrers(self, repository: str, subject: str) -> list[Manifest]:
        """Return what names a digest as its subject, in order; nothing for a repository that does not exist."""
        with self._lock:
            found = self._look(repository).manifests
            return [
                found[each] for each in sorted(found) if subject_of(found[each].body) == subject
            ]

    def check_manifest(self, repository: str, body: bytes, media_type: str) -> None:
        """Refuse a manifest that is malformed or names what the repository lacks."""
        try:
            needed = references(body, media_type)
        except ValueError as error:
            raise ApiError("MANIFEST_INVALID", str(error)) from error
        with self._lock:
            found = self._look(repository)
            present = found.manifests if media_type in INDEXES else found.blobs
            if missing := [digest for digest in needed if digest not in present]:
                raise ApiError("MANIFEST_BLOB_UNKNOWN", *missing)

    def put_manifest(self, repository: str, reference: str, body: bytes, media_type: str) -> str:
        """Keep a manifest, checked or not, under its digest, and its tag if it comes with one."""
        digest = digest_of(body)
        with self._lock:
            if ":" in reference and reference != digest:
                raise ApiError("DIGEST_INVALID")
            found = self._open(repository)
            found.manifests[digest] = Manifest(digest, body, media_type)
            if ":" not in reference:
                found.tags[reference] = digest
                found.was_tagged = True
        return digest

    def delete_manifest(self, repository: str, reference: str) -> None:
        """Forget a tag, or a manifest and every tag of it."""
        with self._lock:
            digest = self.manifest(repository, reference).digest
            found = self._repositories[repository]
            if is_digest(reference):
                del found.manifests[digest]
                found.tags = {tag: each for tag, each in found.tags.items() if each != digest}
            else:
                del found.tags[reference]

    def start_upload(self, repository: str) -> str:
        """Open a session and return its id."""
        with self._lock:
            session = f"session-{next(self._ids)}"
            self._uploads[repository, session] = bytearray()
            return session

    def upload_size(self, repository: str, session: str) -> int:
        """Return how many bytes a session has."""
        with self._lock:
            return len(self._upload(repository, session))

    def append_upload(self, repository: str, session: str, data: bytes, *, offset: int) -> int:
        """Add bytes to a session that has ``offset`` bytes, and return its new size."""
        with self._lock:
            upload = self._upload(repository, session)
            if len(upload) != offset:
                raise ApiError("RANGE_INVALID")
            upload += data
            return len(upload)

    def finish_upload(self, repository: str, session: str, digest: str) -> None:
        """Make a session a blob; a wrong digest ends the session too."""
        with self._lock:
            data = bytes(self._upload(repository, session))
            self.end_upload(repository, session)
            self.put_blob(repository, digest, data)

    def end_upload(self, repository: str, session: str) -> None:
        """Forget a session."""
        with self._lock:
            self._upload(repository, session)
            del self._uploads[repository, session]

    def open_uploads(self) -> int:
        """Return how many sessions there are."""
        with self._lock:
            return len(self._uploads)

    def _upload(self, repository: str, session: str) -> bytearray:
        if (repository, session) not in self._uploads:
            raise ApiError("BLOB_UPLOAD_UNKNOWN")
        return self._uploads[repository, session]

    def _look(self, repository: str) -> _Repository:
        return self._repositories.get(repository) or _Repository()

    def _open(self, repository: str) -> _Repository:
        return self._repositories.setdefault(repository, _Repository())


def check_digest(digest: str) -> str:
    """Return a digest, or refuse a text that is none."""
    if not is_digest(digest):
        raise ApiError("DIGEST_INVALID", "digest parsing failed")
    return digest
