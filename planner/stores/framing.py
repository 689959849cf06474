"""Where the parts of an answer begin and end.

Source: RFC 9112 (HTTP/1.1): section 4 the status line, 5 the headers, 6.3 the length of a body, 7.1 chunks.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from planner.stores.answer import Headers, Incoming

Free = Callable[[bool], None]
_AT_ONCE = 64 * 1024
_LONGEST_LINE = 64 * 1024
_LONGEST_HEAD = 256 * 1024
_MOST_INTERIM = 8
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: |$)")
_LENGTH = re.compile(r"\d{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|$)")


class BrokenAnswerError(OSError):
    """What came is no answer of HTTP/1.1, or not the whole of one."""


class Reader:
    """What arrives on a socket. ``rest`` is what came, and was not asked for yet."""

    def __init__(self, opened: socket.socket) -> None:
        self.rest = b""
        self._socket = opened

    def line(self) -> bytes:
        """Up to the next line end, without it.

        Raises:
            OSError: there is none.
        """
        while (end := self.rest.find(b"\n")) < 0:
            more = self._socket.recv(_AT_ONCE) if len(self.rest) < _LONGEST_LINE else b""
            if not more:
                raise (
                    BrokenAnswerError("the answer breaks off")
                    if self.rest
                    else ConnectionResetError("the connection was closed")
                )
            self.rest += more
        line, self.rest = self.rest[:end], self.rest[end + 1 :]
        return line.rstrip(b"\r")

    def readinto(self, buffer: memoryview) -> int:
        """What is there by now, as much as fits in: how many bytes; 0 when the connection was closed."""
        if not self.rest:
            return self._socket.recv_into(buffer)
        count = min(len(self.rest), len(buffer))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def read_head(reader: Reader) -> tuple[int, Headers, bool]:
    """Status and headers, and whether the connection stays open behind the answer. Interim answers are passed over.

    Raises:
        OSError: nothing came, or something else.
    """
    for _ in range(_MOST_INTERIM):
        found = _STATUS.match(reader.line())
        if not found or found[2] == b"101":
            break
        headers = _headers(reader)
        if found[2] >= b"200":
            stays = found[1] == b"1" and "close" not in headers.get("Connection", "").lower()
            return int(found[2]), headers, stays
    raise BrokenAnswerError("the answer is not one of HTTP/1.1")


def _headers(reader: Reader) -> Headers:
    values: dict[str, str] = {}
    size = 0
    while line := reader.line():
        size += len(line)
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip() or size > _LONGEST_HEAD:
            raise BrokenAnswerError("the headers of the answer are damaged or too long")
        key, text = name.lower(), value.strip()
        values[key] = f"{values[key]}, {text}" if key in values else text
    return Headers(values)


def incoming(reader: Reader, method: str, status: int, headers: Headers, free: Free) -> Incoming:
    """The body of an answer, by its headers. ``free`` is called once it is closed, with whether all of it was read.

    Raises:
        OSError: nobody can tell how long it is.
    """
    if method == "HEAD" or status in (204, 304):
        return _Sized(reader, 0, free)
    coding = headers.get("Transfer-Encoding", "").lower()
    length = headers.get("Content-Length")
    if coding == "chunked" and length is None:
        return _Chunked(reader, free)
    if coding:  # both is what somebody sends who wants two readers to disagree
        raise BrokenAnswerError("the answer says in two ways, or in an unknown one, how long it is")
    if length is None:
        return _Endless(reader, free)
    if not _LENGTH.fullmatch(length):
        raise BrokenAnswerError("the answer has no length that could be read")
    return _Sized(reader, int(length), free)


class _Body:
    """What the three kinds of bodies share."""

    def __init__(self, reader: Reader, free: Free) -> None:
        self._reader = reader
        self._free = free
        self._is_complete = False
        self._is_closed = False

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._free(self._is_complete)

    def _some(self, buffer: memoryview, most: int) -> int:
        count = self._reader.readinto(buffer[:most])
        if not count:
            raise BrokenAnswerError("the answer breaks off")
        return count


class _Sized(_Body):
    """As long as it says."""

    def __init__(self, reader: Reader, size: int, free: Free) -> None:
        super().__init__(reader, free)
        self._left = size
        self._is_complete = not size

    def readinto(self, buffer: memoryview) -> int:
        if not self._left:
            return 0
        count = self._some(buffer, self._left)
        self._left -= count
        self._is_complete = not self._left
        return count


class _Chunked(_Body):
    """In pieces, each with its size."""

    _left = 0

    def readinto(self, buffer: memoryview) -> int:
        if not self._left and not self._is_complete:
            self._begin_chunk()
        if self._is_complete:
            return 0
        count = self._some(buffer, self._left)
        self._left -= count
        if not self._left and self._reader.line():
            raise BrokenAnswerError("a chunk is longer than it says")
        return count

    def _begin_chunk(self) -> None:
        found = _CHUNK.match(self._reader.line())
        if not found:
            raise BrokenAnswerError("a chunk without size")
        self._left = int(found[1], 16)
        if not self._left:
            _headers(self._reader)  # the trailer, which nobody asked for
            self._is_complete = True


class _Endless(_Body):
    """Until the connection is closed; it cannot be used again, so it never counts as complete."""

    def readinto(self, buffer: memoryview) -> int:
        return self._reader.readinto(buffer)
