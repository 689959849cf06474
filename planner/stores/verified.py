"""A stream that only ends well when its bytes are the promised ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from planner.core.errors import RegistryError
from planner.core.text import size as size_text
from planner.stores.pieces import Piece

Report = Callable[[int], None]


class InterruptedStepError(Exception):
    """Somebody stopped the run while bytes were moving."""


def ignore(_: int) -> None:
    """Report nothing."""


class VerifiedStream:
    """Chunks of a blob from ``offset`` on, hashed as they pass; its length is what the promised ``size`` leaves to come.

    The last chunk is held back until size and digest have proved right, so that whoever consumes the stream can never
    complete a write of wrong bytes. Of one that does not begin at 0 only the size is proved: the digest is up to whoever has
    the first part already. Can be iterated once.

    ``report`` hears how many bytes went by, and may raise ``InterruptedStepError``. It is passed on at once, or, when
    ``is_patient``, by ``stop_if_asked``.
    """

    def __init__(
        self,
        chunks: Iterable[Piece],
        digest: str,
        size: int,
        where: str,
        report: Report = ignore,
        *,
        offset: int = 0,
    ) -> None:
        self.is_patient = False
        self._chunks = chunks
        self._digest = digest
        self._size = size
        self._where = where
        self._report = report
        self._offset = offset
        self._interruption: InterruptedStepError | None = None

    def __len__(self) -> int:
        return self._size - self._offset

    def __iter__(self) -> Iterator[Piece]:
        algorithm, _, expected = self._digest.partition(":")
        hasher = hashlib.new(algorithm)
        received = self._offset
        held: Piece = b""
        for chunk in self._chunks:
            hasher.update(chunk)
            received += len(chunk)
            if received > self._size:
                raise self._lie(f"sent more than the promised {size_text(self._size)}")
            if held:
                yield held
            held = chunk
            self._tell(len(chunk))
        if received < self._size:
            raise self._lie(f"ended after {received:,} of {self._size:,} bytes", retryable=True)
        if not self._offset and hasher.hexdigest() != expected:
            raise self._lie(f"sent bytes with the digest {algorithm}:{hasher.hexdigest()}")
        if held:
            yield held

    def stop_if_asked(self) -> None:
        """Raise the interruption that came in the meantime."""
        if self._interruption:
            raise self._interruption

    def _tell(self, count: int) -> None:
        try:
            self._report(count)
        except InterruptedStepError as interruption:
            if not self.is_patient:
                raise
            self._interruption = interruption

    def _lie(self, what: str, *, retryable: bool = False) -> RegistryError:
        return RegistryError(
            f"{self._where}: the source {what} for {self._digest}",
            "the content there is damaged or was tampered with; nothing was stored",
            code="DIGEST_MISMATCH",
            retryable=retryable,
        )
