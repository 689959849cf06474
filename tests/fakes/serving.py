"""HTTP plumbing of the fakes: a threaded server on 127.0.0.1 that asks an application for replies.

A reply says what goes on the wire, byte for byte, and may ask for a broken connection. Bugs of
an application do not print; they come out of ``HttpServer.__exit__``.
"""

import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from .messages import BODILESS, Call, Reply

_BLOCK = 65536
_POLL = 0.01
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Incoming:
    """A request whose body is still on the wire.

    Attributes:
        sent_path: The path as it was sent, still quoted.
        complete: Whether ``receive`` has come to the end of the body.
    """

    def __init__(
        self, method: str, target: str, headers: "Message[str, str]", wire: BufferedIOBase
    ) -> None:
        """Wrap the parsed head and the stream behind it."""
        origin_form = re.sub("^http://[^/]*", "", target)  # proxies are asked for whole addresses
        path, _, query = origin_form.partition("?")
        self.sent_path = path
        self.call = Call(method, unquote(path), query, headers)
        self.complete = False
        self._wire = wire

    def receive(self, limit: int | None = None, pause: float = 0.0) -> Call:
        """Return the call with its body, or what came before ``limit`` or the client's farewell.

        Each block of it is read after a ``pause`` in seconds.
        """
        return replace(self.call, body=self._read(limit, pause))

    def _read(self, limit: int | None, pause: float) -> bytes:
        body = bytearray()
        with suppress(ConnectionError):
            for block in self._blocks():
                time.sleep(pause)
                body += block
                if limit is not None and len(body) >= limit:
                    return bytes(body[:limit])
            self.complete = True
        return bytes(body)

    def _blocks(self) -> Iterator[bytes]:
        if self.call.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self._line().partition(b";")[0], 16):
                yield from self._exactly(size)
                self._line()
            self._line()
        else:
            yield from self._exactly(int(self.call.headers.get("Content-Length", "0")))

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            block = self._wire.read1(min(size, _BLOCK))
            if not block:
                raise ConnectionError("the body ends early")
            size -= len(block)
            yield block

    def _line(self) -> bytes:
        line = self._wire.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the body ends early")
        return line.strip()


Application = Callable[[Incoming], Reply]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Listener"

    def do_GET(self) -> None:
        incoming = Incoming(self.command, self.path, self.headers, self.rfile)
        reply = self.server.application(incoming)
        if reply.status:
            self._send(reply)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        if not reply.status or reply.cut is not None or not incoming.complete:
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers and reply.status not in BODILESS:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            for piece in reply.pieces(reply.body[: reply.cut]):
                self.wfile.write(piece)

    def log_message(self, *_args: Any, **_options: Any) -> None:
        pass


for _method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.do_GET)


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close joins the threads
    request_queue_size = 128

    def __init__(self, application: Application, receive_buffer: int) -> None:
        self.application = application
        self._receive_buffer = receive_buffer
        self.failures: list[BaseException] = []
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        if self._receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        TCPServer.server_bind(self)  # HTTPServer's asks the name service for the host's name

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        self.close_request(request)  # no shutdown() first: it would send FIN before a reset

    def handle_error(self, *_args: Any, **_options: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.failures.append(error)

    def hang_up(self) -> None:
        with self._lock, suppress(OSError):
            for connection in self._connections:
                connection.shutdown(socket.SHUT_RDWR)


class HttpServer:
    """An application on a free port of 127.0.0.1, for the time of a ``with`` block.

    Args:
        application: Answers.
        receive_buffer: How many bytes the system takes that the application did not read yet; 0: its default.
    """

    def __init__(self, application: Application, receive_buffer: int = 0) -> None:
        """Bind nothing yet."""
        self._application = application
        self._receive_buffer = receive_buffer

    @property
    def port(self) -> int:
        """The port; only inside the ``with`` block."""
        return int(self._listener.server_address[1])

    def __enter__(self) -> Self:
        """Bind and serve."""
        self._listener = _Listener(self._application, self._receive_buffer)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(_POLL,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection, join every thread, raise what the application raised."""
        self._listener.shutdown()
        self._thread.join()
        self._listener.hang_up()
        self._listener.server_close()
        if error is None and self._listener.failures:
            raise self._listener.failures[0]
