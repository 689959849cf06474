"""How a blob gets into a repository: found there, mounted, sent whole, or sent in chunks that outlive a crash.

Source: opencontainers/distribution-spec v1.1.1 spec.md, "Pushing blobs" and "Mounting a blob from another repository"; where
servers differ, the server is named at the place.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from planner.core.errors import RegistryError
from planner.stores.answer import Answer
from planner.stores.auth import push
from planner.stores.calls import Calls
from planner.stores.journal import Journal, Key
from planner.stores.sending import Sender
from planner.stores.sessions import Blob, Session, Sessions, session_of
from planner.stores.store import Arrival, OpenBlob

# Which answer truly when a blob is mounted from the very repository that it is to go to: 201 when it is there, 202 when not.
# Measured with distribution 2.8.2 and 3.1, and zot 6d19b44 with and without dedupe; read in quay/quay ffba0c7
# endpoints/v2/blob.py _try_to_mount_blob and goharbor/harbor c50c7dd src/server/middleware/blob (which is distribution below).
# ECR mounts only what a manifest names already (aws/containers-roadmap#2860); of the others nobody knows.
_TELL_BY_MOUNTING = frozenset({"distribution", "zot", "harbor", "quay"})
_RIGHTS = frozenset({401, 403, 404})


class Uploads:
    """What is written to one registry, and what was learned of it. Threads may share it.

    ``product`` tells by an answer what the registry is (None: by what is known already).
    """

    def __init__(
        self, calls: Calls, journal: Journal, product: Callable[[Answer | None], str]
    ) -> None:
        self._calls = calls
        self._journal = journal
        self._product = product
        self._sessions = Sessions(calls)
        self._sender = Sender(self._sessions, journal, product)
        self._tells_by_mounting = True

    def write(self, repository: str, digest: str, source: OpenBlob, sibling: str = "") -> Arrival:
        """Make a repository hold a blob, with as few requests and bytes as the registry allows.

        One POST asks whether the blob is there, or in ``sibling``, and opens an upload otherwise. What is small is sent with
        one PUT; larger blobs in chunks, each of which the journal knows once it is acknowledged. An upload that was broken off
        is continued from there: its digest is then proved by the registry alone, which refuses to close an upload with another
        one.

        Raises:
            RegistryError: it is not there afterwards. Worth another call when it is ``retryable``.
            InterruptedStepError: the source's; what was acknowledged is in the journal.
        """
        blob = Blob(
            repository, Key(self._calls.connection.base, self._calls.full(repository), digest)
        )
        way = self._continued(blob) or self._begun(blob, sibling)
        if not isinstance(way, Session):
            return way
        self._sender.send(blob, way, source)
        self._journal.finish(blob.key)
        return "copied"

    def _continued(self, blob: Blob) -> Arrival | Session | None:
        """The upload of an earlier try, or of a run that is gone; None when there is none any more."""
        held = self._journal.session(blob.key)
        if held is None:
            return None
        if self._sessions.has(blob):
            self._journal.finish(blob.key)
            return "present"
        session = Session(held.location, held.least)
        if self._sessions.find_out(blob, session) and session.offset <= held.size:
            session.is_used = True
            return session
        self._journal.forget(blob.key)
        return None

    def _begun(self, blob: Blob, sibling: str) -> Arrival | Session:
        """Found or mounted, or else an upload; a probe that fails fails nothing."""
        if sibling and sibling != blob.repository:
            return self._begun_at(blob, self._calls.full(sibling))
        # A run that was killed may have sent it to another repository, whose image is complete and in no plan any more.
        if not self._journal.is_finished(blob.key) and (other := self._journal.holder(blob.key)):
            return self._begun_at(blob, other)
        if not self._asks_by_mounting(blob):
            return "present" if self._sessions.has(blob) else self._sessions.open(blob)
        answer = self._mount(blob, blob.key.repository)
        if answer and answer.status_code == 201:
            return "present"
        session = session_of(answer)
        if session and self._product(answer) in _TELL_BY_MOUNTING:
            return session
        # An odd answer, or a product that was not known until now.
        if not session and not (answer and answer.status_code in _RIGHTS):
            self._tells_by_mounting = False
        if self._sessions.has(blob):
            self._sessions.cancel(blob, session)
            return "present"
        return session or self._sessions.open(blob)

    def _begun_at(self, blob: Blob, other: str) -> Arrival | Session:
        """Mounted; where that is refused, an earlier run may have sent it."""
        answer = self._mount(blob, other)
        if answer and answer.status_code == 201:
            return "mounted"
        session = session_of(answer)
        if self._sessions.has(blob):
            self._sessions.cancel(blob, session)
            return "present"
        return session or self._sessions.open(blob)

    def _asks_by_mounting(self, blob: Blob) -> bool:
        if self._journal.is_finished(blob.key):
            return False
        return self._tells_by_mounting and self._product(None) in _TELL_BY_MOUNTING

    def _mount(self, blob: Blob, other: str) -> Answer | None:
        """The answer to a mount, from what the registry itself calls the other repository.

        None where not even a token for it can be had.
        """
        query = f"?mount={blob.digest}&from={quote(other, safe='')}"
        scope = push(blob.key.repository, "" if other == blob.key.repository else other)
        try:
            return self._calls.send("POST", self._sessions.place(blob) + query, scope)
        except RegistryError as error:
            if not error.status:
                raise
            return None
