"""Where the parts of an answer begin and end.

Source: RFC 9112 (HTTP/1.1): section 4 the status line, 5 the headers, 6.3 the length of a body, 7.1 chunks.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from planner.stores.answer import Headers, Incoming
from planner.stores.channel import Channel

Free = Callable[[bool], None]
_AT_ONCE = 64 * 1024
_LONGEST_LINE = 64 * 1024
_LONGEST_HEAD = 256 * 1024
_MOST_INTERIM = 8
_MOST_TRAILERS = 100
_PROTOCOL = b"HTTP/1."
_NO_HTTP = "the answer is not one of HTTP/1.1"
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: |\r?$)")
_LENGTH = re.compile(r"\d{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|$)")


class BrokenAnswerError(OSError):
    """What came is no answer of HTTP/1.1, or not the whole of one."""


class Reader:
    """What arrives on a channel. ``rest`` is what came, and was not asked for yet."""

    def __init__(self, channel: Channel) -> None:
        self.rest = b""
        self._channel = channel

    def head(self) -> str:
        """Up to the next empty line, without it.

        Raises:
            OSError: there is none, or this is another protocol.
        """
        while not (end := _END_OF_HEAD.search(self.rest)):
            if not _PROTOCOL.startswith(self.rest[: len(_PROTOCOL)]):
                raise BrokenAnswerError(_NO_HTTP)
            self._more(_LONGEST_HEAD)
        if end.start() > _LONGEST_HEAD:
            raise BrokenAnswerError("the head of the answer is too long")
        head, self.rest = self.rest[: end.start()], self.rest[end.end() :]
        return head.decode("latin-1")

    def line(self) -> bytes:
        """Up to the next line end, without it.

        Raises:
            OSError: there is none.
        """
        while (end := self.rest.find(b"\n")) < 0:
            self._more(_LONGEST_LINE)
        line, self.rest = self.rest[:end], self.rest[end + 1 :]
        return line.rstrip(b"\r")

    def _more(self, longest: int) -> None:
        """Take in more, unless there is too much."""
        more = self._channel.receive(_AT_ONCE) if len(self.rest) < longest else b""
        if not more:
            raise (
                BrokenAnswerError("the answer breaks off")
                if self.rest
                else ConnectionResetError("the connection was closed")
            )
        self.rest += more

    def readinto(self, buffer: memoryview) -> int:
        """What is there by now, as much as fits in: how many bytes; 0 when the connection was closed."""
        if not self.rest:
            return self._channel.receive_into(buffer)
        count = min(len(self.rest), len(buffer))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def read_head(reader: Reader) -> tuple[int, Headers, bool]:
    """Status and headers, and whether the connection stays open behind the answer. Interim answers are passed over.

    Raises:
        OSError: nothing came, or something else.
    """
    for _ in range(_MOST_INTERIM):
        first, _, lines = reader.head().partition("\n")
        found = _STATUS.match(first)
        if not found or found[2] == "101":
            break
        if found[2] >= "200":
            headers = _headers(lines)
            stays = found[1] == "1" and "close" not in headers.get("Connection", "").lower()
            return int(found[2]), headers, stays
    raise BrokenAnswerError(_NO_HTTP)


def _headers(lines: str) -> Headers:
    values: dict[str, str] = {}
    for line in lines.split("\n") if lines else ():
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BrokenAnswerError("the headers of the answer are damaged")
        key, text = name.lower(), value.strip()
        values[key] = f"{values[key]}, {text}" if key in values else text
    return Headers(values)


def incoming(
    reader: Reader, method: str, status: int, headers: Headers, free: Free
) -> Incoming | None:
    """The body of an answer, by its headers; None for an answer that has none.

    ``free`` is called once it is closed, with whether all of it was read.

    Raises:
        OSError: nobody can tell how long it is.
    """
    if method == "HEAD" or status in (204, 304):
        return None
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
            self._pass_trailer()
            self._is_complete = True

    def _pass_trailer(self) -> None:
        """Nobody asked for it."""
        for _ in range(_MOST_TRAILERS):
            if not self._reader.line():
                return
        raise BrokenAnswerError("the trailer of the answer is too long")


class _Endless(_Body):
    """Until the connection is closed; it cannot be used again, so it never counts as complete."""

    def readinto(self, buffer: memoryview) -> int:
        return self._reader.readinto(buffer)
