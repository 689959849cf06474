"""Bytes on their way, in two buffers that take turns.

New memory costs: the kernel clears each page of it before the first byte is written. New buffers for each piece take an eighth
of a copy's time, new ones for each blob a twentieth of the client's processor time (docs/performance.md). So they are lent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Piece = bytes | memoryview
# As much as stays in a processor's cache until it is hashed and sent.
PIECE = 1024 * 1024
# What malloc(3) has at hand again anyway; beyond (M_MMAP_THRESHOLD), it asks the kernel each time.
_CHEAP = 128 * 1024

_unused: list[Buffers] = []


class Buffers:
    """Two buffers of ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self._next, self._last = _memory(size), _memory(size)

    def pieces(self, readinto: Callable[[memoryview], int]) -> Iterator[memoryview]:
        """What ``readinto`` fills in, until it fills in nothing.

        A piece holds until the one behind the next is asked for, of whatever source: whoever keeps one back while looking at
        the next may do so, also where one source breaks off and another goes on.
        """
        while count := readinto(self._next):
            self._next, self._last = self._last, self._next
            yield self._last[:count]


def _memory(size: int) -> memoryview:
    """Of what is long, the kernel gives only as much as is ever filled in."""
    if size <= _CHEAP:
        return memoryview(bytearray(size))
    from mmap import mmap  # noqa: PLC0415 - plans load this module, too, and read nothing long

    return memoryview(mmap(-1, size))


@contextmanager
def buffers(most: int = PIECE) -> Iterator[Buffers]:
    """For at most so many bytes. Behind the ``with``, pieces are somebody else's."""
    if most <= _CHEAP:
        yield Buffers(max(1, most))
        return
    try:
        lent = _unused.pop()
    except IndexError:
        lent = Buffers(PIECE)
    try:
        yield lent
    finally:
        _unused.append(lent)
