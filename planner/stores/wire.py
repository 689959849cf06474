"""HTTP/1.1 as registries need it: one request at a time over a connection that stays open.

Planning asks for thousands of names, and each question is a line there and a few lines back. A general client spends many
times longer on such an exchange than the registry (docs/decisions.md has figures), so this one does what RFC 9112 asks of
a client and nothing else: no redirect, no cookie, no proxy, no retry, no pipelining. Whatever is odd is an error.
"""

from __future__ import annotations

import re
import select
import socket
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from planner import __version__
from planner.stores.answer import Answer
from planner.stores.channel import Channel
from planner.stores.framing import Reader, incoming, read_head
from planner.stores.pieces import Piece
from planner.stores.refusals import StalledError

if TYPE_CHECKING:
    import ssl

Body = bytes | Iterable[Piece] | None
_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 120.0
_AT_ONCE = 64 * 1024
_SURE_FOR = 0.5
_VISIBLE = re.compile(r"[!-~]+")
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_UNSENDABLE = re.compile(r"[\0\r\n]")


class Wires:
    """The open connections to one origin, over TLS when there is a ``context``. Threads may share it.

    A long body is given up when none of it has moved for ``stall`` seconds, however slow it is otherwise.
    """

    def __init__(self, base: str, context: ssl.SSLContext | None, stall: float) -> None:
        parts = urlsplit(base)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if context else 80)
        self._context = context
        self._stall = stall
        self._base = base
        self._always = (
            f"Host: {parts.netloc.rpartition('@')[2]}\r\n"
            f"User-Agent: planner/{__version__}\r\n"
            "Accept-Encoding: identity\r\n"
        )
        self._idle: list[_Wire] = []
        weakref.finalize(self, _close, self._idle)

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body = None,
        *,
        is_streamed: bool = False,
    ) -> Answer:
        """One request and the head of its answer; the body waits on the wire until it is read or closed.

        That of one that ``is_streamed`` is long.

        Raises:
            OSError: no connection, no answer, or a broken one.
            ValueError: no request can be made of this URL or these headers.
        """
        lines = _lines(method, headers, body)
        head = f"{method} {self._target(url)} HTTP/1.1\r\n{self._always}{lines}\r\n".encode(
            "latin-1"
        )
        is_repeatable = body is None or isinstance(body, bytes)
        wire = self._take(is_repeatable=is_repeatable)
        try:
            was_taken = wire.send(head, body)
            status, found, stays = read_head(wire.reader)

            def free(is_complete: bool) -> None:  # noqa: FBT001 - a callback
                if was_taken and stays and is_complete:
                    if is_streamed:
                        wire.channel.wait_at_most(_READ_TIMEOUT)
                    wire.freed_at = time.monotonic()
                    self._idle.append(wire)
                else:
                    wire.close()

            coming = incoming(wire.reader, method, status, found, free)
            if coming is None:
                free(is_complete=True)
            elif is_streamed:
                wire.channel.wait_at_most(self._stall)
        except BaseException as error:
            wire.close()
            # RFC 9112, section 9.3.1: it was closed while nobody asked anything, and has not seen this.
            if wire.freed_at and is_repeatable and isinstance(error, ConnectionError):
                return self.ask(method, url, headers, body, is_streamed=is_streamed)
            raise
        return Answer(status, found, url, headers, coming)

    def _target(self, url: str) -> str:
        """Path and query."""
        if url.startswith(f"{self._base}/") and "#" not in url:
            target = url[len(self._base) :]
        else:
            parts = urlsplit(url)
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        return target if _VISIBLE.fullmatch(target) else quote(target, _SAFE)

    def _take(self, *, is_repeatable: bool) -> _Wire:
        """One that is open still, or a new one. For a request that cannot be repeated, its silence is no guess."""
        while True:
            try:
                wire = self._idle.pop()
            except IndexError:
                return _Wire(self._connect(), self._stall)
            if wire.is_quiet(0.0 if not is_repeatable else _SURE_FOR):
                return wire
            wire.close()

    def _connect(self) -> Channel:
        plain = socket.create_connection((self._host, self._port), _CONNECT_TIMEOUT)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = self._context
            found = context.wrap_socket(plain, server_hostname=self._host) if context else plain
        except BaseException:
            plain.close()
            raise
        channel = Channel(found, is_over_tls=context is not None)
        channel.wait_at_most(_READ_TIMEOUT)
        return channel


class _Wire:
    """One connection. ``freed_at`` is when it could take the next request; 0 for a new one."""

    def __init__(self, channel: Channel, stall: float) -> None:
        self.channel = channel
        self._stall = stall
        self.reader = Reader(channel)
        self.freed_at = 0.0

    def send(self, head: bytes, body: Body) -> bool:
        """The request; False when the registry stopped reading, but has sent an answer."""
        if body is None or isinstance(body, bytes):
            parts: Iterable[Piece] = (head + (body or b""),)
        else:
            parts = chain((head,), body if isinstance(body, Sized) else _chunked(body))
        for part in parts:
            try:
                if len(part) <= _AT_ONCE:
                    self.channel.send_all(part)
                else:
                    self._send_slowly(part)
            except (BrokenPipeError, ConnectionResetError):
                if self._has_answer():
                    return False
                raise
        return True

    def _send_slowly(self, part: Piece) -> None:
        """As the registry takes it. ``sendall`` would have to be over in time as a whole; so would TLS, which gets less."""
        self.channel.wait_at_most(self._stall)
        view = memoryview(part)
        most = _AT_ONCE if self.channel.is_over_tls else len(view)
        try:
            while view:
                view = view[self.channel.send(view[:most]) :]
        except TimeoutError as error:
            raise StalledError(f"no byte for {self._stall:g} s") from error
        self.channel.wait_at_most(_READ_TIMEOUT)

    def is_quiet(self, sure_for: float) -> bool:
        """Whether it can take a request: what says something without being asked was closed, or is out of step.

        Nobody looks when it was used within the last ``sure_for`` seconds.
        """
        if self.reader.rest:
            return False
        if time.monotonic() - self.freed_at < sure_for:
            return True
        if not hasattr(select, "poll"):  # Windows
            return not select.select([self.channel], [], [], 0)[0]
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """For good."""
        self.channel.close()

    def _has_answer(self) -> bool:
        try:
            self.reader.rest += self.channel.receive(_AT_ONCE)
        except OSError:
            return False
        return bool(self.reader.rest)


def _close(wires: Iterable[_Wire]) -> None:
    for wire in wires:
        wire.close()


def _lines(method: str, headers: Mapping[str, str], body: Body) -> str:
    if any(map(_UNSENDABLE.search, headers.values())):
        raise ValueError("a header with a line end in it")
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    if "Accept" not in headers:
        lines.append("Accept: */*\r\n")
    if isinstance(body, Sized):
        lines.append(f"Content-Length: {len(body)}\r\n")
    elif body is not None:
        lines.append("Transfer-Encoding: chunked\r\n")
    elif method not in ("GET", "HEAD"):
        lines.append("Content-Length: 0\r\n")
    return "".join(lines)


def _chunked(body: Iterable[Piece]) -> Iterator[bytes]:
    for part in filter(None, body):
        yield b"".join((b"%x\r\n" % len(part), bytes(part), b"\r\n"))
    yield b"0\r\n\r\n"
