"""A stream cut into the bodies of several requests, without collecting any of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.stores.pieces import Piece


class Cutter:
    """Hands a stream out in parts, one after the other."""

    def __init__(self, stream: Iterable[Piece]) -> None:
        self._pieces = iter(stream)
        self._rest: Piece = b""

    def part(self, length: int) -> Part:
        """The next ``length`` bytes. A part that is not read to its end leaves no way on."""
        return Part(self._take(length), length)

    def _take(self, length: int) -> Iterator[Piece]:
        while length:
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                return
            taken, self._rest = piece[:length], piece[length:]
            length -= len(taken)
            yield taken


class Part:
    """The body of one request: its length is known, it can be iterated once."""

    def __init__(self, pieces: Iterator[Piece], length: int) -> None:
        self._pieces = pieces
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Piece]:
        return self._pieces
