"""Uploads that a registry keeps open, and how far it says they are."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urljoin

from planner.core.errors import RegistryError
from planner.stores.answer import Answer
from planner.stores.auth import push
from planner.stores.calls import Calls
from planner.stores.journal import Key

_RANGE = re.compile(r"(bytes=)?0-(-?\d{0,18})")


class Blob(NamedTuple):
    """What is to be written: ``repository`` as everybody calls it, ``key`` as the journal does."""

    repository: str
    key: Key

    @property
    def digest(self) -> str:
        """The blob's."""
        return self.key.digest


class Session:
    """Where the next bytes go to; ``location`` changes with every chunk. ``offset`` is how many bytes are there already.

    ``least`` is the smallest chunk that the registry takes, ``is_used`` whether anything was sent to it, ``is_continued``
    whether its first bytes came by another stream than its last ones.
    """

    __slots__ = ("is_continued", "is_used", "least", "location", "offset")

    def __init__(self, location: str, least: int = 0) -> None:
        self.location = location
        self.offset = 0
        self.least = least
        self.is_used = False
        self.is_continued = False

    def follow(self, answer: Answer) -> None:
        """Go on where an answer points to."""
        if place := answer.headers.get("Location"):
            self.location = urljoin(answer.url, place)


class Sessions:
    """The sessions of one registry, and what is asked beside them. Threads may share it."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def place(self, blob: Blob) -> str:
        """Where a session is opened."""
        return f"{self.calls.path(blob.repository, 'blobs', 'uploads')}/"

    def open(self, blob: Blob) -> Session:
        """A new one."""
        answer = self.calls.send("POST", self.place(blob), push(blob.key.repository))
        session = session_of(answer)
        if session is None:
            raise self.refused(answer, blob)
        return session

    def find_out(self, blob: Blob, session: Session) -> bool:
        """Ask a session how far it is; whether it is still there."""
        answer = self.calls.send("GET", session.location, push(blob.key.repository))
        offset = offset_of(answer, is_asked=True)
        if answer.status_code not in (200, 204) or offset is None:
            return False
        session.follow(answer)
        session.offset = offset
        return True

    def has(self, blob: Blob) -> bool:
        """One HEAD. What is refused here is refused again to whoever writes, and in better words."""
        path = self.calls.path(blob.repository, "blobs", blob.digest)
        return self.calls.send("HEAD", path, push(blob.key.repository)).status_code == 200

    def cancel(self, blob: Blob, session: Session | None) -> None:
        """Leave no session open that nothing was sent to. A registry that does not allow it throws it away some day."""
        if session is None:
            return
        try:
            self.calls.send("DELETE", session.location, push(blob.key.repository))
        except RegistryError:
            return

    def refused(self, answer: Answer, blob: Blob) -> RegistryError:
        """The error for an answer that ends an upload."""
        return self.calls.refused(answer, "uploading to", blob.repository, blob.digest)


def offset_of(answer: Answer, *, is_asked: bool = False) -> int | None:
    """How many bytes a session has, by the Range of an answer; None when it does not say.

    ``0-N`` names the last byte, and ``0-0`` that there is none: who has one byte does not tell it. Quay says ``bytes=0--1`` at
    the beginning and, when it is asked, ``bytes=0-N`` with the end behind the last byte.

    Source: opencontainers/distribution-spec v1.1.1 spec.md, "Pushing a blob in chunks"; distribution v3.1.1
    registry/handlers/blobupload.go blobUploadResponse; quay/quay ffba0c7 endpoints/v2/blob.py _render_range.
    """
    found = _RANGE.fullmatch(answer.headers.get("Range", "").strip())
    if not found:
        return None
    last = int(found[2]) if found[2] not in ("", "-") else 0
    if last <= 0:
        return 0
    return last if found[1] and is_asked else last + 1


def session_of(answer: Answer | None) -> Session | None:
    """The upload that an answer opens."""
    if answer is None or answer.status_code != 202 or "Location" not in answer.headers:
        return None
    least = answer.headers.get("OCI-Chunk-Min-Length", "")
    place = urljoin(answer.url, answer.headers["Location"])
    return Session(place, int(least) if least.isdecimal() and len(least) < 12 else 0)
