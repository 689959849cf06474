"""How the bytes of a blob get into a session: whole or in chunks, as the registry takes them, and on from where it broke off.

Source: opencontainers/distribution-spec v1.1.1 spec.md, "Pushing a blob in chunks"; where servers differ, it says so there.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from planner.core.errors import RegistryError
from planner.stores.answer import Answer
from planner.stores.auth import push
from planner.stores.cutting import Cutter
from planner.stores.journal import Journal
from planner.stores.journal import Session as Journaled
from planner.stores.sessions import Blob, Session, Sessions, offset_of
from planner.stores.store import OpenBlob
from planner.stores.verified import VerifiedStream

_MIB = 1024 * 1024
_WHOLE = 64 * _MIB
_CHUNK = 32 * _MIB
_SMALLEST = _MIB
_MOST_CHANGES = 16
_OCTETS = {"Content-Type": "application/octet-stream"}
# Google: cloud.google.com/artifact-registry/docs/reference/docker-api; GitHub: containers/skopeo#1101.
_TAKE_NO_CHUNKS = frozenset({"gar", "ghcr"})
_NOT_THIS_WAY = frozenset({400, 404, 405, 415, 416, 501})


class _RefusalError(Exception):
    """A registry took a body of ``length`` bytes not, or not like this; ``error`` is what to say when nothing else helps."""

    def __init__(self, error: RegistryError, length: int, *, is_chunk: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.length = length
        self.is_chunk = is_chunk


class _MovedError(Exception):
    """A session stands elsewhere than where it was thought to."""


class Sender:
    """Sends to one registry, and learns what it takes. Threads may share it."""

    def __init__(
        self, sessions: Sessions, journal: Journal, product: Callable[[Answer | None], str]
    ) -> None:
        self._sessions = sessions
        self._journal = journal
        self._product = product
        self._takes_chunks = True
        self._largest: int | None = None

    def send(self, blob: Blob, session: Session, source: OpenBlob) -> None:
        """Send what a session lacks, in the way that this registry takes it."""
        starts = 0
        for _ in range(_MOST_CHANGES):
            starts += not session.offset
            session.is_continued = session.offset > 0
            try:
                with source(session.offset) as stream:
                    self._send_stream(blob, session, stream)
            except _RefusalError as refusal:
                session = self._changed(blob, session, refusal, is_first=starts < 2)
            except _MovedError:
                continue
            except BaseException:
                if not session.is_used:
                    self._sessions.cancel(blob, session)
                raise
            else:
                return
        message = f"{self._sessions.calls.name}/{blob.repository}@{blob.digest}: the registry keeps losing its place"
        raise RegistryError(message, "ask its operator for the log of the upload")

    def _send_stream(self, blob: Blob, session: Session, stream: VerifiedStream) -> None:
        size = session.offset + len(stream)
        if not session.offset and self._goes_whole(size):
            self._close(blob, session, stream)
            return
        stream.is_patient = True
        cutter = Cutter(stream)
        while session.offset < size:
            self._send_chunk(blob, session, cutter, size)
            held = Journaled(session.location, session.offset, size, session.least)
            self._journal.advance(blob.key, held)
            if session.offset < size:
                stream.stop_if_asked()
        self._close(blob, session, None)

    def _goes_whole(self, size: int) -> bool:
        if not self._chunks_are_taken():
            return True
        return size <= (_WHOLE if self._largest is None else self._largest)

    def _chunks_are_taken(self) -> bool:
        return self._takes_chunks and self._product(None) not in _TAKE_NO_CHUNKS

    def _send_chunk(self, blob: Blob, session: Session, cutter: Cutter, size: int) -> None:
        """PATCH the next bytes. ECR may answer 201 before the end."""
        chunk = max(min(_CHUNK, self._largest or _CHUNK), session.least)
        length = min(chunk, size - session.offset)
        until = session.offset + length
        headers = {**_OCTETS, "Content-Range": f"{session.offset}-{until - 1}"}
        session.is_used = True
        answer = self._sessions.calls.send(
            "PATCH",
            session.location,
            push(blob.key.repository),
            headers=headers,
            body=cutter.part(length),
        )
        if answer.status_code not in (200, 201, 202, 204):
            raise _RefusalError(self._sessions.refused(answer, blob), length, is_chunk=True)
        session.follow(answer)
        session.offset = until
        if offset_of(answer) not in (None, until):
            self._sessions.find_out(blob, session)
            if session.offset != until:
                raise _MovedError

    def _close(self, blob: Blob, session: Session, body: VerifiedStream | None) -> None:
        """The PUT that makes a session a blob, if its bytes have the digest."""
        joint = "&" if urlsplit(session.location).query else "?"
        session.is_used = True
        answer = self._sessions.calls.send(
            "PUT",
            f"{session.location}{joint}digest={quote(blob.digest, safe='')}",
            push(blob.key.repository),
            headers=_OCTETS,
            body=body,
        )
        if answer.status_code in (201, 204):
            return
        error = self._sessions.refused(answer, blob)
        if body is not None:
            raise _RefusalError(error, len(body), is_chunk=False)
        self._journal.forget(blob.key)
        if answer.status_code == 404 and self._sessions.has(blob):
            return
        if answer.status_code == 400 and not session.is_continued:
            raise _RefusalError(error, 0, is_chunk=True)
        error.retryable = error.retryable or session.is_continued
        raise error

    def _changed(
        self, blob: Blob, session: Session, refusal: _RefusalError, *, is_first: bool
    ) -> Session:
        """How to go on after a refusal; ``is_first``: nothing of the blob was sent twice yet.

        Who refuses the first chunk, or bytes that were proved, or loses its place for the second time, takes no chunks.

        Raises:
            RegistryError: there is no other way.
        """
        status = refusal.error.status
        if status == 413 and self._chunks_are_taken():
            least = max(_SMALLEST, session.least)
            if refusal.length <= least:
                raise refusal.error
            # What another thread has learnt meanwhile from a smaller body holds.
            self._largest = max(least, min(self._largest or _CHUNK, refusal.length // 2))
            return self._found_again(blob, session)
        if not refusal.is_chunk or status not in _NOT_THIS_WAY:
            raise refusal.error
        is_complete, has_begun = not refusal.length, session.offset > 0
        found = self._sessions.open(blob) if is_complete else self._found_again(blob, session)
        if found.offset or (has_begun and is_first and not is_complete):
            return found
        if self._largest is not None:
            raise refusal.error
        self._takes_chunks = False
        return found

    def _found_again(self, blob: Blob, session: Session) -> Session:
        """The same session as the registry sees it, or a new one."""
        if self._sessions.find_out(blob, session):
            return session
        self._journal.forget(blob.key)
        return self._sessions.open(blob)
