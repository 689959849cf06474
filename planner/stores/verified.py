"""A stream that only ends well when its bytes are the promised ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from planner.core.errors import RegistryError
from planner.core.text import size as size_text

Report = Callable[[int], None]


def ignore(_: int) -> None:
    """Report nothing."""


class VerifiedStream:
    """Chunks of a blob, hashed as they pass; its length is the promised size.

    The last chunk is held back until size and digest have proved right, so that whoever consumes the stream can never
    complete a write of wrong bytes. ``report`` hears how many bytes went by. Can be iterated once.
    """

    def __init__(
        self, chunks: Iterable[bytes], digest: str, size: int, where: str, report: Report = ignore
    ) -> None:
        self._chunks = chunks
        self._digest = digest
        self._size = size
        self._where = where
        self._report = report

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        algorithm, _, expected = self._digest.partition(":")
        hasher = hashlib.new(algorithm)
        received, held = 0, b""
        for chunk in self._chunks:
            hasher.update(chunk)
            received += len(chunk)
            if received > self._size:
                raise self._lie(f"sent more than the promised {size_text(self._size)}")
            if held:
                yield held
            held = chunk
            self._report(len(chunk))
        if received < self._size:
            raise self._lie(f"ended after {received:,} of {self._size:,} bytes", retryable=True)
        if hasher.hexdigest() != expected:
            raise self._lie(f"sent bytes with the digest {algorithm}:{hasher.hexdigest()}")
        if held:
            yield held

    def _lie(self, what: str, *, retryable: bool = False) -> RegistryError:
        return RegistryError(
            f"{self._where}: the source {what} for {self._digest}",
            "the content there is damaged or was tampered with; nothing was stored",
            code="DIGEST_MISMATCH",
            retryable=retryable,
        )
