"""What goes over the wire: calls, replies, and the log of both."""

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qs

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``status`` 0 means that the connection ends without one.

    Attributes:
        cut: Send this many bytes of the body, then close the connection.
        reset: Close with a TCP reset instead of an orderly end.
        pieces: Makes of the body what is sent, each piece when it comes.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None
    reset: bool = False
    pieces: Callable[[bytes], Iterable[bytes]] = lambda body: (body,)


def make_reply(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, media_type: str = JSON
) -> Reply:
    """Return a reply with the Content-Type and Content-Length that belong to its body."""
    basic = {} if status in BODILESS else {"Content-Length": str(len(body))}
    if body:
        basic["Content-Type"] = media_type
    return Reply(status, basic | dict(headers or {}), body)


def no_reply(*, reset: bool = False) -> Reply:
    """Return the order to end the connection without an answer."""
    return Reply(0, reset=reset)


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its body; ``path`` is unquoted, ``query`` is as sent."""

    method: str
    path: str
    query: str
    headers: "Message[str, str]"
    body: bytes = b""

    @property
    def target(self) -> str:
        """The path, and the query if there is one: what patterns are searched in."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def params(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return parse_qs(self.query, keep_blank_values=True).get(name, [])

    def param(self, name: str) -> str | None:
        """Return the first value of a query parameter, or None."""
        return next(iter(self.params(name)), None)


@dataclass(frozen=True, slots=True)
class Request:
    """A line of a request log.

    Attributes:
        status: What was sent, or 0 when the connection ended without an answer.
        headers: The request's, with their names in lower case.
        bytes_in: Body bytes that the server read.
    """

    method: str
    path: str
    query: str
    status: int
    headers: Mapping[str, str]
    bytes_in: int

    @property
    def target(self) -> str:
        """The path, and the query if there is one: what patterns are searched in."""
        return f"{self.path}?{self.query}" if self.query else self.path


class RequestLog:
    """The requests of a server in the order of their answers; safe for threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    def add(self, call: Call, status: int) -> None:
        """Append a call; to be done before its answer leaves, so that clients find it."""
        headers = {name.lower(): value for name, value in call.headers.items()}
        size = len(call.body)
        request = Request(call.method, call.path, call.query, status, headers, size)
        with self._lock:
            self._requests.append(request)

    def all(self) -> list[Request]:
        """Return a copy."""
        with self._lock:
            return list(self._requests)

    def count(self, method: str, pattern: str) -> int:
        """Count requests; both regular expressions, ``method`` matches in full."""
        return sum(matches(each, method, pattern) for each in self.all())


def matches(request: Call | Request, method: str, pattern: str) -> bool:
    """Tell whether ``method`` fits in full and ``pattern`` is found in the path and query."""
    return bool(re.fullmatch(method, request.method) and re.search(pattern, request.target))
