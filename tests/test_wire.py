"""Our own HTTP/1.1: what servers may send, what they should not, and connections that live longer than one request."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from socketserver import StreamRequestHandler
from typing import Any

import pytest

from planner.config import Tls
from planner.core.errors import RegistryError
from planner.stores.http import Connection
from planner.stores.pieces import PIECE, Buffers
from planner.stores.wire import Wires
from tests.making import IMPATIENT
from tests.test_http import served

BODY = bytes(range(256)) * 40
OK = b"HTTP/1.1 200 OK\r\n"


class Script:
    """A server that answers each request with the next of some texts, and then closes; ``heads`` is what it was asked.

    An empty text closes the connection without a word.
    """

    def __init__(self, *answers: bytes, per_connection: int = 1000) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._answers = list(answers)
        self._per_connection = per_connection

    def handle(self, handler: StreamRequestHandler) -> None:
        self.connections += 1
        for _ in range(self._per_connection):
            head = read_lines(handler) if self._answers else b""
            if not head:
                return
            self.heads.append(head)
            self.bodies.append(read_body(handler, head))
            answer = self._answers.pop(0)
            if not answer:
                return
            handler.wfile.write(answer)


def read_lines(handler: StreamRequestHandler) -> bytes:
    """Up to the empty line, or the end."""
    lines = []
    while (line := handler.rfile.readline()).strip():
        lines.append(line)
    return b"".join(lines)


def read_body(handler: StreamRequestHandler, head: bytes) -> bytes:
    headers = dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:])
    if headers.get(b"transfer-encoding") == b"chunked":
        parts = []
        while size := int(handler.rfile.readline(), 16):
            parts.append(handler.rfile.read(size))
            handler.rfile.readline()
        handler.rfile.readline()
        return b"".join(parts)
    return handler.rfile.read(int(headers.get(b"content-length", 0)))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def start(stack: ExitStack, script: Script) -> str:
    """The address of a scripted server."""

    def handle(handler: StreamRequestHandler) -> None:
        script.handle(handler)

    return stack.enter_context(served(handle))


def ask(stack: ExitStack, *answers: bytes, method: str = "GET", **options: Any) -> Any:
    """The answer that a connection makes of some texts in turn."""
    url = start(stack, Script(*answers, per_connection=1))
    return Connection(url, Tls(), 2, IMPATIENT).send(method, "v2/", **options)


CHUNKS = b"5\r\nabcde\r\n1;x=y\r\nf\r\n000\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        pytest.param(OK + b"Content-Length: 3\r\n\r\nabc", b"abc", id="sized"),
        pytest.param(OK + b"content-length:3 \r\n\r\nabc", b"abc", id="spelled-otherwise"),
        pytest.param(OK + b"Content-Length: 0\r\n\r\n", b"", id="empty"),
        pytest.param(OK + b"\r\nuntil the end", b"until the end", id="endless"),
        pytest.param(OK + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNKS, b"abcdef", id="chunked"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nold", b"old", id="http-1.0"),
        pytest.param(b"HTTP/1.1 200\nContent-Length: 1\n\nx", b"x", id="no-reason-bare-lines"),
        pytest.param(b"HTTP/1.1 204 No\r\n\r\n", b"", id="no-content"),
        pytest.param(
            b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n"
            + OK
            + b"Content-Length: 1\r\n\r\nx",
            b"x",
            id="interim",
        ),
        pytest.param(
            OK
            + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
            % (len(gzip.compress(b"packed")), gzip.compress(b"packed")),
            b"packed",
            id="packed-unasked",
        ),
    ],
)
def test_an_answer_is_read_to_its_end(stack: ExitStack, answer: bytes, content: bytes) -> None:
    assert ask(stack, answer).content == content


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n", id="ssh"),
        pytest.param(b"HTTP/2 200\r\n\r\n", id="http-2"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", id="long-status"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", id="switching"),
        pytest.param(b"HTTP/1.1 100 Go on\r\n\r\n" * 20, id="only-interim"),
        pytest.param(OK + b"Content-Length: 3\r\n\r\nab", id="too-short"),
        pytest.param(OK + b"Content-Length: 3, 3\r\n\r\nabc", id="two-lengths"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="negative-length"),
        pytest.param(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", id="absurd-length"),
        pytest.param(
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + CHUNKS, id="both"
        ),
        pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", id="unknown-coding"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="no-chunk-size"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", id="negative-chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", id="long-chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", id="no-last-chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\na", id="cut-chunk"),
        pytest.param(OK + b"X: 1\r\n folded\r\n\r\n", id="folded"),
        pytest.param(OK + b"X : 1\r\n\r\n", id="space-before-colon"),
        pytest.param(OK + b"no colon\r\n\r\n", id="no-colon"),
        pytest.param(OK + b"X: " + b"x" * 70_000, id="endless-line"),
        pytest.param(OK + b"X: " + b"x" * 1000 + b"\r\n" * 1, id="cut-head"),
        pytest.param(OK + (b"X: " + b"x" * 1000 + b"\r\n") * 300 + b"\r\n", id="endless-head"),
        pytest.param(OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", id="cut-gzip"),
        pytest.param(
            OK + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"x" * 20, id="no-gzip"
        ),
    ],
)
def test_what_is_no_answer_is_an_error(stack: ExitStack, answer: bytes) -> None:
    with pytest.raises(RegistryError, match="does not answer") as caught:
        ask(stack, *[answer] * IMPATIENT.tries)
    assert caught.value.retryable


def test_a_refusal_that_breaks_off_is_a_refusal(stack: ExitStack) -> None:
    answer = b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\nhalf"
    assert ask(stack, answer).status_code == 403


def test_headers_that_come_twice_are_joined_and_found_in_any_case(stack: ExitStack) -> None:
    answer = ask(stack, OK + b"X-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n")
    assert answer.headers["X-a"] == "1, 2"
    assert answer.headers.get("X-B") is None


def test_a_long_packed_answer_is_cut_off(stack: ExitStack) -> None:
    packed = gzip.compress(b"0" * 3_000_000)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert len(ask(stack, head + packed, longest=1000).content) <= 1000


SIZED = OK + b"Content-Length: 1\r\n\r\nx"


@pytest.mark.parametrize(
    ("first", "connections"),
    [
        pytest.param(SIZED, 1, id="kept"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, 1, id="chunked"),
        pytest.param(OK + b"Connection: close\r\nContent-Length: 1\r\n\r\nx", 2, id="said-close"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 2, id="http-1.0"),
        pytest.param(SIZED + SIZED, 2, id="more-than-asked"),
    ],
)
def test_a_connection_is_used_again_when_it_is_in_step(
    stack: ExitStack, first: bytes, connections: int
) -> None:
    script = Script(first, SIZED)
    connection = Connection(start(stack, script), Tls(), 2, IMPATIENT)
    for _ in range(2):
        assert connection.send("GET", "v2/").status_code == 200
    assert script.connections == connections


def test_the_answer_to_head_has_no_body_whatever_it_says(stack: ExitStack) -> None:
    head = OK + b"Content-Length: 5000\r\n\r\n"
    script = Script(head, head)
    connection = Connection(start(stack, script), Tls(), 2, IMPATIENT)
    for _ in range(2):
        assert connection.send("HEAD", "v2/").headers["Content-Length"] == "5000"
    assert script.connections == 1


def test_a_connection_that_was_closed_meanwhile_costs_no_try(stack: ExitStack) -> None:
    """The server closes after each answer, and says so to nobody."""
    script = Script(*[SIZED] * 6, per_connection=1)
    connection = Connection(start(stack, script), Tls(), 1, IMPATIENT)
    pauses: list[float] = []
    connection = Connection(connection.base, Tls(), 1, IMPATIENT)
    connection._patience = type(IMPATIENT)(1, pauses.append)
    for _ in range(6):
        assert connection.send("GET", "v2/").content == b"x"
    assert pauses == []


def test_what_comes_unasked_is_not_taken_for_an_answer(stack: ExitStack) -> None:
    """A server that gives up an idle connection may say 408 first."""
    said = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"

    def handle(handler: StreamRequestHandler) -> None:
        while line := handler.rfile.readline():
            if line == b"\r\n":
                handler.wfile.write(SIZED)
                time.sleep(0.05)
                handler.wfile.write(said)

    url = stack.enter_context(served(handle))
    connection = Connection(url, Tls(), 1, IMPATIENT)
    assert connection.send("GET", "v2/").status_code == 200
    time.sleep(0.6)
    assert connection.send("GET", "v2/", retries=False).status_code == 200


def test_a_body_of_unknown_length_goes_in_chunks(stack: ExitStack) -> None:
    script = Script(SIZED)
    connection = Connection(start(stack, script), Tls(), 1, IMPATIENT)
    connection.send("PUT", "v2/", body=iter((b"ab", b"", b"c" * 3000)), retries=False)
    assert script.bodies == [b"ab" + b"c" * 3000]
    assert b"Content-Length" not in script.heads[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_write_without_body_says_so(stack: ExitStack, method: str) -> None:
    script = Script(SIZED)
    Connection(start(stack, script), Tls(), 1, IMPATIENT).send(method, "v2/")
    assert b"Content-Length: 0\r\n" in script.heads[0]


def test_a_refusal_before_the_body_is_through_is_heard(stack: ExitStack) -> None:
    """A proxy that limits uploads answers 413, and closes while we are still sending."""

    def handle(handler: StreamRequestHandler) -> None:
        read_lines(handler)
        handler.wfile.write(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n")
        handler.connection.shutdown(1)
        handler.rfile.read(10_000_000)

    url = stack.enter_context(served(handle))
    parts = (BODY for _ in range(3000))
    answer = Connection(url, Tls(), 1, IMPATIENT).send("PUT", "v2/", body=parts, retries=False)
    assert answer.status_code == 413


def test_a_stream_is_handed_on_piece_by_piece(stack: ExitStack) -> None:
    head = OK + b"Content-Length: %d\r\n\r\n" % len(BODY)
    script = Script(head + BODY, SIZED)
    connection = Connection(start(stack, script), Tls(), 1, IMPATIENT)
    with closing(connection.send("GET", "v2/", longest=None)) as answer:
        assert b"".join(map(bytes, answer.pieces(Buffers(PIECE)))) == BODY
    connection.send("GET", "v2/")
    assert script.connections == 1


def test_a_stream_that_is_left_closes_its_connection(stack: ExitStack) -> None:
    body = bytes(PIECE + 1)
    script = Script(OK + b"Content-Length: %d\r\n\r\n%b" % (len(body), body), SIZED)
    connection = Connection(start(stack, script), Tls(), 1, IMPATIENT)
    with closing(connection.send("GET", "v2/", longest=None)) as answer:
        next(answer.pieces(Buffers(PIECE)))
    assert connection.send("GET", "v2/").content == b"x"
    assert script.connections == 2


@pytest.mark.parametrize(
    ("url", "line"),
    [
        pytest.param("v2/a/b/manifests/v1", b"GET /v2/a/b/manifests/v1 HTTP/1.1", id="path"),
        pytest.param("v2/x?n=1&last=a%2Fb", b"GET /v2/x?n=1&last=a%2Fb HTTP/1.1", id="query"),
        pytest.param("v2/x y\x7fz", b"GET /v2/x%20y%7Fz HTTP/1.1", id="blank"),
        pytest.param("v2/\u00e9", b"GET /v2/%C3%A9 HTTP/1.1", id="not-ascii"),
        pytest.param("v2/x#fragment", b"GET /v2/x HTTP/1.1", id="fragment"),
        pytest.param("", b"GET / HTTP/1.1", id="root"),
    ],
)
def test_the_request_line_is_one_line(stack: ExitStack, url: str, line: bytes) -> None:
    script = Script(SIZED)
    Connection(start(stack, script), Tls(), 1, IMPATIENT).send("GET", url)
    assert script.heads[0].startswith(line + b"\r\n")


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nX: 1", "a\rX: 1", "a\0", "\u20ac"])
def test_no_header_is_smuggled_in(stack: ExitStack, value: str) -> None:
    script = Script(SIZED)
    with pytest.raises(RegistryError, match="no registry sends"):
        Connection(start(stack, script), Tls(), 1, IMPATIENT).send(
            "GET", "v2/", headers={"Authorization": f"Bearer {value}"}
        )
    assert script.heads == []


def test_connections_end_with_their_owner(stack: ExitStack) -> None:
    """An unclosed socket would be a warning, which is an error here."""
    url = start(stack, Script(SIZED))
    wires = Wires(url, None, 60.0)
    answer = wires.ask("GET", f"{url}/v2/", {})
    answer.load(10)
    (wire,) = wires._idle
    del wires, answer
    assert wire.channel.fileno() == -1


def test_an_answer_without_a_body_may_say_how_the_body_is_packed(stack: ExitStack) -> None:
    packed = OK + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
    answer = ask(stack, packed, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
