"""The bytes of a blob, from wherever in it, over as many connections as it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from planner.core.errors import RegistryError
from planner.stores.answer import Answer
from planner.stores.auth import pull
from planner.stores.calls import Calls
from planner.stores.pieces import PIECE, Buffers, buffers
from planner.stores.refusals import unreachable
from planner.stores.store import Chunks

_WORTHWHILE = 1024 * 1024
_MOST_BARREN = 3
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-")


@contextmanager
def read_blob(
    calls: Calls, repository: str, digest: str, part: range | None = None
) -> Iterator[Chunks]:
    """Stream a blob with one GET, or a ``part`` of it; a download that breaks off is continued where it did.

    Redirects to an object store are followed without our credentials; each continuation begins at the registry again, since
    what it redirects to may have expired.

    Raises:
        RegistryError: it is not there, or breaks off time and again without getting much further.
    """
    reading = _Reading(calls, repository, digest, part or range(0))
    reading.open()
    try:
        with buffers(reading.length) as lent:
            yield reading.chunks(lent)
    finally:
        reading.close()


class _Reading:
    """One blob on its way. ``part`` that is empty means all of it, whose length the first answer tells."""

    def __init__(self, calls: Calls, repository: str, digest: str, part: range) -> None:
        self._calls = calls
        self._repository = repository
        self._digest = digest
        self._at, self._end = part.start, part.stop
        self._to_skip = 0
        self._answer: Answer | None = None

    def open(self, *, is_counted: bool = True) -> None:
        """Ask for what is still to come.

        Source: RFC 9110, section 14. The range is closed, since some servers answer 416 to an open one. Who ignores it sends
        everything with 200; who refuses it is asked for everything.
        """
        self._to_skip = 0
        if not self._at:
            answer = self._get({}, is_counted=is_counted)
            if not self._end and answer.headers.get("Content-Length", "").isdecimal():
                self._end = int(answer.headers["Content-Length"])
        else:
            wanted = {"Range": f"bytes={self._at}-{self._end - 1}"}
            answer = self._get(wanted, is_counted=is_counted)
            if answer.status_code == 416:
                answer = self._get({}, is_counted=is_counted)
        is_part = answer.status_code == 206 and self._at > 0
        if answer.status_code != 200 and not is_part:
            answer.close()
            raise self._calls.refused(answer, "fetching", self._repository, self._digest)
        if not is_part:
            self._to_skip = self._at
        elif not _begins_at(answer, self._at):
            answer.close()
            message = f"{self._calls.name}/{self._repository}@{self._digest}: asked for one part, got another"
            raise RegistryError(message, "a proxy in front of the registry may be at fault")
        self._answer = answer

    @property
    def length(self) -> int:
        """How many bytes are to come, as far as that is known."""
        return self._end - self._at if self._end else PIECE

    def chunks(self, buffers: Buffers) -> Chunks:
        """All bytes from the start on; nothing here knows whether they are the right ones."""
        barren = 0
        while (answer := self._answer) is not None:
            before = self._at
            try:
                yield from self._arriving(answer.pieces(buffers))
            except OSError as error:
                barren = 0 if self._at - before >= _WORTHWHILE else barren + 1
                if not self._end or barren >= _MOST_BARREN:
                    raise unreachable(error, answer.url, max(1, barren)) from error
                self.close()
                if self._at < self._end:
                    # Who copies within one registry sends at this moment: it would wait for itself.
                    self.open(is_counted=False)
            else:
                return

    def close(self) -> None:
        """Leave what was not read."""
        if self._answer:
            self._answer.close()
            self._answer = None

    def _arriving(self, pieces: Chunks) -> Chunks:
        for chunk in pieces:
            new = chunk[self._to_skip :]
            self._to_skip -= len(chunk) - len(new)
            if new:
                self._at += len(new)
                yield new

    def _get(self, headers: dict[str, str], *, is_counted: bool) -> Answer:
        path = self._calls.path(self._repository, "blobs", self._digest)
        scope = pull(self._calls.full(self._repository))
        return self._calls.send(
            "GET", path, scope, headers=headers, longest=None, is_counted=is_counted
        )


def _begins_at(answer: Answer, offset: int) -> bool:
    found = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    return found is not None and int(found[1]) == offset
