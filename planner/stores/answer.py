"""What came back for a request, wherever it came from."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, overload
from urllib.parse import urljoin

from planner.stores.pieces import Buffers, Piece

_NEXT = re.compile(r'<([^>]*)>\s*(?:;[^,<]*)?;\s*rel="?(?:[^",;]* )?next\b', re.IGNORECASE)
_AT_ONCE = 16 * 1024
_PACKED = frozenset({"gzip", "x-gzip"})


class Incoming(Protocol):
    """The body of an answer while it is on the wire."""

    def readinto(self, buffer: memoryview) -> int:
        """The next bytes, as many as came and fit in; 0 at the end, and only there. May raise ``OSError``."""
        ...

    def close(self) -> None:
        """Free the connection: for the next request when all was read, for good otherwise. May be called again."""
        ...


class Headers(Mapping[str, str]):
    """Headers by name, whose case does not matter. What came several times is joined by commas.

    They are made of names in lower case.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    @overload  # type: ignore[override]
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """Thousands of times, and mostly of what is not there, so that no error is to be made of it."""
        return self._values.get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Answer:
    """Status, headers and body. ``url`` is where it came from, ``sent`` the headers of the request.

    ``content`` is what ``load`` took in; a body that was not loaded is read with ``pieces``, and then closed. ``tries`` is how
    often was asked for it, and ``advice`` what to do where asking once more is no use.
    """

    __slots__ = ("_body", "advice", "content", "headers", "sent", "status_code", "tries", "url")

    def __init__(
        self,
        status_code: int,
        headers: Headers,
        url: str,
        sent: Mapping[str, str],
        body: Incoming | None = None,
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self.url = url
        self.sent = sent
        self.content = b""
        self.tries = 1
        self.advice = ""
        self._body = body

    def json(self) -> Any:
        """The content as JSON.

        Raises:
            ValueError: it is none.
            RecursionError: it is nested too deeply.
        """
        return json.loads(self.content)

    @property
    def next_page(self) -> str:
        """Where a list goes on, by the Link of the relation ``next``; empty on the last page. Source: RFC 8288, section 3."""
        found = _NEXT.search(self.headers.get("Link", ""))
        return urljoin(self.url, found[1]) if found else ""

    def load(self, longest: int) -> None:
        """Take the body in, which frees the connection for the next request; only the start of a longer one.

        Raises:
            OSError: it broke off. That does not matter for a refusal, whose status says enough.
        """
        if self._body is None:
            return
        parts = bytearray()
        buffer = memoryview(bytearray(min(longest, _AT_ONCE)))
        try:
            while (left := longest - len(parts)) and (count := self._readinto(buffer[:left])):
                parts += buffer[:count]
        except OSError:
            if self.status_code < 400:
                raise
        finally:
            self.close()
        is_packed = parts and self.headers.get("Content-Encoding", "").lower() in _PACKED
        self.content = _unpacked(parts, longest) if is_packed else bytes(parts)

    def pieces(self, buffers: Buffers) -> Iterator[Piece]:
        """The body.

        Raises:
            OSError: it broke off.
        """
        return buffers.pieces(self._readinto)

    def watch(self, watching: Callable[[Incoming], Incoming]) -> None:
        """Read the body through something else."""
        if self._body:
            self._body = watching(self._body)

    def close(self) -> None:
        """Leave what was not read."""
        if self._body:
            self._body.close()

    def _readinto(self, buffer: memoryview) -> int:
        return self._body.readinto(buffer) if self._body else 0


def _unpacked(content: bytes | bytearray, longest: int) -> bytes:
    """What a server packed although nobody asked it to; the start of it when it is longer."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(content, longest)
    except zlib.error as error:
        raise ConnectionError(f"an answer that cannot be unpacked: {error}") from error
    if not unpacker.eof and len(unpacked) < longest and len(content) < longest:
        raise ConnectionError("a packed answer that breaks off")
    return unpacked
