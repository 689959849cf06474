"""Requests: patience with busy registries, redirects without credentials, foreign errors in our words."""

from __future__ import annotations

import email.utils
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from planner.config import Tls
from planner.core.errors import RegistryError
from planner.stores.http import Connection
from planner.stores.pacing import Traffic
from planner.stores.patience import Patience
from planner.stores.pieces import PIECE, Buffers
from planner.stores.refusals import refused, unreachable
from planner.stores.tls import tls_context
from planner.stores.verified import InterruptedStepError
from tests.fakes import FakeRegistry, Fault, OtherHost, RedirectTo, Reset, Stall, Status
from tests.fakes.content import digest_of
from tests.making import IMPATIENT
from tests.support.process import PATIENCE, free_port

NOW = 1_800_000_000.0
LAYER = b"layer-one" * 1000
DIGEST = digest_of(LAYER)
EVERY: dict[str, Any] = {"every": True}


class Pauses(list[float]):
    """A clock that stands still, and notes how long somebody wanted to sleep."""

    def patience(self, tries: int = 5) -> Patience:
        return Patience(tries, self.append, lambda: NOW)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        registry.add_image("a/b", "v1", [LAYER])
        yield registry


def connect(fake: FakeRegistry, patience: Patience = IMPATIENT, parallelism: int = 8) -> Connection:
    return Connection(fake.url, Tls(), parallelism, patience)


def http_date(seconds: float) -> str:
    return email.utils.formatdate(NOW + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("0", 0.0, id="zero"),
        pytest.param(http_date(9), 9.0, id="date"),
        pytest.param(http_date(-9), 0.0, id="past-date"),
        pytest.param("600", 600.0, id="longest"),
        pytest.param("Wed, 21 Oct 99999 07:28:00 GMT", 1.0, id="absurd-date"),
        pytest.param("soon", 1.0, id="neither"),
        pytest.param("-5", 1.0, id="negative"),
        pytest.param("", 1.0, id="none"),
    ],
)
def test_a_busy_registry_says_how_long_to_wait(
    fake: FakeRegistry, value: str, pause: float
) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(429, headers={"Retry-After": value})))
    pauses = Pauses()
    assert connect(fake, pauses.patience()).send("GET", "v2/").status_code == 200
    assert list(pauses) == [pytest.approx(pause, rel=0.21)]


@pytest.mark.parametrize(
    ("value", "length", "until"),
    [
        pytest.param("601", "10m01s", "2027-01-15 08:10", id="seconds"),
        pytest.param(http_date(86400), "24h00m", "2027-01-16 08:00", id="date"),
        pytest.param("9" * 400, "8784h00m", "2028-01-16 08:00", id="absurd"),
    ],
)
def test_a_long_pause_is_an_error_that_names_the_time(
    fake: FakeRegistry, value: str, length: str, until: str
) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(429, headers={"Retry-After": value}), **EVERY))
    pauses = Pauses()
    error = refused(connect(fake, pauses.patience()).send("GET", "v2/"), "it")
    assert error.hint == f"{fake.host} asks to wait {length}: run it again after {until} UTC"
    assert (error.retryable, pauses, fake.count("GET", "/v2/")) == (False, [], 1)


HUB_WORDS = b"You have reached your unauthenticated pull rate limit. https://www.docker.com/x"
HUB_JSON = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"%b"}]}' % HUB_WORDS
ZOT = (
    b'{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests","detail":{"limit":"3"}}]}'
)
LEFT = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        pytest.param(Status(429, HUB_JSON, LEFT), "100 pulls in 6h00m: log in", id="pulls"),
        pytest.param(Status(429, HUB_WORDS), "log in, or run it again in some hours", id="words"),
        pytest.param(Status(429, ZOT), "limit on repositories is reached", id="zot"),
        pytest.param(Status(413, ZOT), "limit on repositories is reached", id="newer-zot"),
    ],
)
def test_a_limit_that_lasts_is_not_waited_out(
    fake: FakeRegistry, status: Status, hint: str
) -> None:
    fake.faults.add(Fault("GET", "/v2/", status, **EVERY))
    pauses = Pauses()
    error = refused(connect(fake, pauses.patience()).send("GET", "v2/"), "it")
    assert hint in error.hint
    assert (error.retryable, pauses, fake.count("GET", "/v2/")) == (False, [], 1)


@pytest.mark.parametrize("body", [b"429 Too Many Requests", b"Too Many Requests (HAP429)"])
def test_the_limit_on_all_requests_is_waited_out_and_told(fake: FakeRegistry, body: bytes) -> None:
    headers = {"Retry-After": "35"}
    fake.faults.add(Fault("GET", "/v2/", Status(429, body, headers)))
    pauses, told = Pauses(), list[tuple[str, float, str]]()
    traffic = Traffic(pauses.patience())
    traffic.tell = lambda *wait: told.append(wait)
    connection = Connection(fake.url, Tls(), 8, traffic.patience, traffic)
    assert connection.send("GET", "v2/").status_code == 200
    assert told == [(fake.host, 35.0, "429")]
    assert traffic.host(fake.host).counts.retries == {"429": 1}


def test_all_wait_for_a_registry_that_asks_one_to(fake: FakeRegistry) -> None:
    busy = Status(429, headers={"Retry-After": "35"})
    fake.faults.add(Fault("GET", "/v2/first", busy))
    asleep, wake = threading.Event(), threading.Event()
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        asleep.set()
        assert wake.wait(PATIENCE)

    connection = connect(fake, Patience(5, sleep))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(connection.send, "GET", "v2/first")
        assert asleep.wait(PATIENCE)
        second = pool.submit(connection.send, "GET", "v2/second")
        assert not second.done()
        assert fake.count("GET", "second") == 0
        wake.set()
        assert (first.result().status_code, second.result().status_code) == (404, 404)
    assert (slept, fake.count("GET", "first"), fake.count("GET", "second")) == ([35.0], 2, 1)


def test_what_passes_by_once_waits_before_others_send_it_again(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("PUT", "/v2/", Status(429, headers={"Retry-After": "9"})))
    pauses = Pauses()
    connection = connect(fake, pauses.patience())
    answer = connection.send("PUT", "v2/", body=iter((b"x",)), retries=False)
    error = refused(answer, "it")
    assert (answer.status_code, pauses, error.retryable, error.tries) == (429, [9.0], True, 1)


def test_an_error_tells_how_often_was_tried(fake: FakeRegistry) -> None:
    fake.faults.add(
        Fault("GET", "/v2/a", Status(503), **EVERY), Fault("GET", "/v2/b", Reset(), **EVERY)
    )
    connection = connect(fake)
    assert refused(connection.send("GET", "v2/a"), "it").tries == 3
    with pytest.raises(RegistryError) as caught:
        connection.send("GET", "v2/b")
    assert caught.value.tries == 3


def test_a_run_that_is_stopped_waits_no_longer(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(429, headers={"Retry-After": "500"}), **EVERY))
    traffic, told = Traffic(Patience()), threading.Event()
    traffic.tell = lambda *_: told.set()
    connection = Connection(fake.url, Tls(), 8, traffic.patience, traffic)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(connection.send, "GET", "v2/")
        assert told.wait(PATIENCE)
        second = pool.submit(connection.send, "GET", "v2/")
        traffic.stop()
        for each in (first, second):
            with pytest.raises(InterruptedStepError):
                each.result(5)


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_burst_of_failures_is_waited_out_ever_longer(fake: FakeRegistry, code: int) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(code), times=4))
    pauses = Pauses()
    assert connect(fake, pauses.patience()).send("GET", "v2/").status_code == 200
    assert pauses == sorted(pauses)
    assert len(pauses) == 4


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 413, 501])
def test_a_refusal_is_not_repeated(fake: FakeRegistry, code: int) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(code), **EVERY))
    assert connect(fake).send("GET", "v2/").status_code == code
    assert fake.count("GET", "/v2/") == 1


def test_patience_ends(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(503), **EVERY))
    pauses = Pauses()
    assert connect(fake, pauses.patience(3)).send("GET", "v2/").status_code == 503
    assert (fake.count("GET", "/v2/"), len(pauses)) == (3, 2)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_reset_connection_is_tried_again(fake: FakeRegistry, method: str) -> None:
    fake.faults.add(Fault(method, "/v2/", Reset(), times=2))
    connect(fake).send(method, "v2/", body=b"x" if method == "PUT" else None)
    assert fake.count(method, "/v2/") == 3


def test_a_registry_that_only_resets_is_an_error(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "/v2/", Reset(), **EVERY))
    with pytest.raises(RegistryError, match="does not answer") as caught:
        connect(fake).send("GET", "v2/")
    assert (caught.value.status, caught.value.retryable) == (0, True)
    assert fake.host in caught.value.message


def test_a_body_that_can_be_sent_once_is_sent_once(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("PUT", "/v2/", Status(503), **EVERY))
    response = connect(fake).send("PUT", "v2/", body=iter((b"x",)), retries=False)
    assert response.status_code == 503
    assert fake.count("PUT", "/v2/") == 1


def test_a_port_where_nobody_listens_is_an_error_at_once() -> None:
    host = f"127.0.0.1:{free_port()}"
    pauses = Pauses()
    with pytest.raises(RegistryError, match=f"{host}: nothing listens there") as caught:
        Connection(f"http://{host}", Tls(), 1, pauses.patience()).send("GET", "v2/")
    assert (caught.value.exit_code, caught.value.hint, pauses) == (
        69,
        "check the port, and that the registry runs",
        [],
    )


def test_a_host_without_address_is_an_error_at_once() -> None:
    pauses = Pauses()
    with pytest.raises(RegistryError, match=r"nowhere\.invalid: the host name is unknown"):
        Connection("http://nowhere.invalid", Tls(), 1, pauses.patience()).send("GET", "v2/")
    assert pauses == []


def test_https_to_a_registry_without_tls_says_what_to_do(fake: FakeRegistry) -> None:
    connection = Connection(f"https://{fake.host}", Tls(), 1, IMPATIENT)
    with pytest.raises(RegistryError, match="it does not speak TLS") as caught:
        connection.send("GET", "v2/")
    assert f"plain_http: true under registries.{fake.host}" in caught.value.hint


@pytest.mark.parametrize("text", ["", "no PEM"])
def test_unusable_tls_files_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / f"ca{len(text)}.pem"
    path.write_text(text)
    with pytest.raises(RegistryError, match=path.name) as caught:
        tls_context(Tls(ca_file=str(path)))
    assert "planner.yaml" in caught.value.hint


def test_a_missing_tls_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"No such file.*gone\.pem"):
        tls_context(Tls(ca_file=str(tmp_path / "gone.pem")))


def test_a_redirect_elsewhere_carries_no_credentials(fake: FakeRegistry) -> None:
    with OtherHost(LAYER) as other:
        fake.faults.add(Fault("GET", "blobs", RedirectTo(f"{other.url}/x?signed=1")))
        sent = {"Authorization": "Bearer topsecret"}
        response = connect(fake).send("GET", f"v2/a/b/blobs/{DIGEST}", headers=sent)
        assert response.content == LAYER
        assert "authorization" not in other.requests[0].headers


def test_a_redirect_to_two_hosts_at_a_time_is_not_followed(fake: FakeRegistry) -> None:
    """For urllib.parse this is ``other``, for urllib3 it is ``fake``: who may see what could not be told."""
    with OtherHost(LAYER) as other:
        fake.faults.add(Fault("GET", "blobs", RedirectTo(f"{fake.url}\\@{other.host}/x")))
        with pytest.raises(RegistryError, match="can be read in two ways"):
            connect(fake).send("GET", f"v2/a/b/blobs/{DIGEST}")
        assert other.requests == []


def test_credentials_stay_on_the_way_to_the_same_host(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "blobs", RedirectTo("/v2/")))
    connect(fake).send("GET", f"v2/a/b/blobs/{DIGEST}", headers={"Authorization": "Bearer t"})
    assert [each.headers["authorization"] for each in fake.requests] == ["Bearer t"] * 2


def test_an_address_elsewhere_gets_no_credentials(fake: FakeRegistry) -> None:
    with OtherHost() as other:
        connect(fake).send("GET", f"{other.url}/x", headers={"Authorization": "Bearer topsecret"})
        assert "authorization" not in other.requests[0].headers


def test_a_token_server_elsewhere_gets_credentials(fake: FakeRegistry) -> None:
    with OtherHost() as other:
        sent = {"Authorization": "Basic x"}
        connect(fake).send("GET", f"{other.url}/token", headers=sent, elsewhere=True)
        assert other.requests[0].headers["authorization"] == "Basic x"


def test_writes_do_not_follow_redirects(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("PUT", "/v2/", RedirectTo("/elsewhere")))
    assert connect(fake).send("PUT", "v2/", body=b"x").status_code == 307
    assert fake.count("PUT", "/elsewhere") == 0


def test_redirects_in_circles_end_in_an_error(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "/v2/", RedirectTo("/v2/"), **EVERY))
    with pytest.raises(RegistryError, match="redirects in circles"):
        connect(fake).send("GET", "v2/")
    assert fake.count("GET", "/v2/") < 12


def netrc(home: Path, host: str) -> None:
    (home / ".netrc").write_text(f"machine {host} login thief password topsecret\n")
    (home / ".netrc").chmod(0o600)


def test_a_netrc_does_not_replace_our_token(
    fake: FakeRegistry, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc(home, "127.0.0.1")
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    connect(fake).send("GET", "v2/", headers={"Authorization": "Bearer t"})
    connect(fake).send("GET", "v2/")
    assert [each.headers.get("authorization") for each in fake.requests] == ["Bearer t", None]


def test_the_environment_does_not_steer_our_trust(
    fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/nowhere")
    assert connect(fake).send("GET", "v2/").status_code == 200


def test_a_proxy_of_the_environment_is_used(
    fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", fake.url)
    connection = Connection("http://registry.invalid", Tls(), 1, IMPATIENT)
    assert connection.send("GET", "v2/").status_code == 200
    assert fake.requests[0].headers["host"] == "registry.invalid"


def test_no_proxy_is_respected(fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert connect(fake).send("GET", "v2/").status_code == 200


def test_cookies_are_not_kept(fake: FakeRegistry) -> None:
    cookie = {"Set-Cookie": "session=1"}
    fake.faults.add(Fault("GET", "/v2/", Status(200, headers=cookie)))
    connection = connect(fake)
    connection.send("GET", "v2/")
    connection.send("GET", "v2/")
    assert "cookie" not in fake.requests[1].headers


HTML = b"<!DOCTYPE html><html><h1>Bad Gateway</h1></html>"
LIMIT = b"You have reached your pull rate limit.\nSee https://example.org"
DENIED = b'{"errors":[{"code":"DENIED","message":"quota exceeded"}]}'


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        pytest.param(403, DENIED, "it: 403 DENIED: quota exceeded", id="json"),
        pytest.param(403, b"", "it: 403", id="empty"),
        pytest.param(502, HTML, "it: 502", id="html"),
        pytest.param(429, LIMIT, "it: 429: You have reached your pull rate limit.", id="text"),
        pytest.param(403, b"\xff\x1b[31m", "it: 403: �\\x1b[31m", id="escapes"),
        pytest.param(403, b'{"errors":[]}', 'it: 403: {"errors":[]}', id="no-errors"),
        pytest.param(403, b'{"errors":[7]}', 'it: 403: {"errors":[7]}', id="odd-errors"),
        pytest.param(403, b"[" * 90_000, f"it: 403: {'[' * 200}", id="deep"),
        pytest.param(
            403,
            b'{"errors":[{"code":"A\\u001b","message":"' + b"m" * 900 + b'"}]}',
            "it: 403 A\\x1b: " + "m" * 300,
            id="long",
        ),
    ],
)
def test_an_error_is_told_in_the_registrys_words(
    fake: FakeRegistry, status: int, body: bytes, words: str
) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(status, body), **EVERY))
    error = refused(connect(fake).send("GET", "v2/"), "it")
    assert (error.message, error.status) == (words, status)


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        pytest.param(401, "docker login", id="401"),
        pytest.param(403, "administrator", id="403"),
        pytest.param(405, "read-only or a pull-through cache", id="405"),
        pytest.param(413, "limits the size of uploads", id="413"),
        pytest.param(429, "lower parallelism", id="429"),
        pytest.param(500, "its own log", id="500"),
    ],
)
def test_an_error_has_a_hint(fake: FakeRegistry, status: int, hint: str) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(status), **EVERY))
    assert hint in refused(connect(fake).send("GET", "v2/"), "it").hint


@pytest.mark.parametrize("status", [200, 500])
def test_a_long_answer_is_cut_off(fake: FakeRegistry, status: int) -> None:
    fake.faults.add(Fault("GET", "/v2/", Status(status, b"x" * 3_000_000), **EVERY))
    response = connect(fake).send("GET", "v2/")
    assert len(response.content) == 256 * 1024


Handle = Callable[[socketserver.StreamRequestHandler], None]


@contextmanager
def served(handle: Handle) -> Iterator[str]:
    """The address of a server that does with each connection what a function says."""
    kind = type("_Handler", (socketserver.StreamRequestHandler,), {"handle": handle, "timeout": 5})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def read_head(handler: socketserver.StreamRequestHandler) -> bytes:
    first = line = handler.rfile.readline()
    while line.strip():
        line = handler.rfile.readline()
    return first


def send_without_end(handler: socketserver.StreamRequestHandler) -> None:
    read_head(handler)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):
        while True:
            handler.wfile.write(b"x" * 65536)


def test_an_answer_without_end_is_cut_off() -> None:
    with served(send_without_end) as url:
        response = Connection(url, Tls(), 1, IMPATIENT).send("GET", "v2/")
        assert len(response.content) == 256 * 1024


def send_a_part(handler: socketserver.StreamRequestHandler) -> None:
    read_head(handler)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    handler.rfile.read(1)


def test_a_download_in_which_nothing_moves_is_cut() -> None:
    traffic, told = Traffic(Patience(2, lambda _: None, stall=0.05)), list[tuple[str, float, str]]()
    traffic.tell = lambda *wait: told.append(wait)
    with served(send_a_part) as url:
        connection = Connection(url, Tls(), 1, traffic.patience, traffic)
        response = connection.send("GET", "v2/", longest=None)
        with closing(response), pytest.raises(OSError, match=r"no byte for 0\.05 s") as caught:
            list(response.pieces(Buffers(PIECE)))
    assert unreachable(caught.value, url).retryable
    assert [wait[1:] for wait in told] == [(0.0, "no byte for 0.05 s")]


def test_a_download_that_is_slow_is_left_alone() -> None:
    patience = Patience(1, stall=0.4)

    def dribble(handler: socketserver.StreamRequestHandler) -> None:
        read_head(handler)
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        for each in b"123456789":
            waiting.wait(0.05)  # all together longer than the patience
            handler.wfile.write(bytes([each]))

    waiting = threading.Event()
    with served(dribble) as url:
        response = Connection(url, Tls(), 1, patience).send("GET", "v2/", longest=None)
        with closing(response):
            assert b"".join(map(bytes, response.pieces(Buffers(PIECE)))) == b"123456789"


def take_nothing(handler: socketserver.StreamRequestHandler) -> None:
    read_head(handler)
    done.wait(PATIENCE)


done = threading.Event()


def test_an_upload_that_nobody_takes_is_cut() -> None:
    done.clear()
    body = (bytes(1 << 20) for _ in range(64))
    with served(take_nothing) as url:
        connection = Connection(url, Tls(), 1, Patience(1, stall=0.1))
        with pytest.raises(RegistryError, match=r"no byte for 0\.1 s") as caught:
            connection.send("PUT", "v2/", body=body, retries=False)
        done.set()
    assert (caught.value.retryable, caught.value.tries) == (True, 1)


def test_connections_are_used_again() -> None:
    connections = []

    def keep_alive(handler: socketserver.StreamRequestHandler) -> None:
        connections.append(handler)
        for _ in range(8):
            first = read_head(handler)
            body = b"" if first.startswith(b"HEAD") else b"{}"
            status = b"404 No" if b"none" in first else b"200 OK"
            handler.wfile.write(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\n%b" % (status, body))

    with served(keep_alive) as url:
        connection = Connection(url, Tls(), 1, IMPATIENT)
        for path in ("v2/", "none"):
            for method in ("HEAD", "GET", "PUT"):
                assert connection.send(method, path).status_code in (200, 404)
        with closing(connection.send("GET", "v2/", longest=None)) as response:
            assert b"".join(map(bytes, response.pieces(Buffers(PIECE)))) == b"{}"
        connection.send("GET", "v2/")
    assert len(connections) == 1


def test_at_most_so_many_requests_are_under_way(fake: FakeRegistry) -> None:
    first, second = Stall(10), Stall(10)
    fake.faults.add(Fault("GET", "/v2/", first), Fault("GET", "/v2/", second, nth=2))
    connection = connect(fake, parallelism=1)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(connection.send, "GET", "v2/") for _ in range(2)]
        assert first.stalled.wait(PATIENCE)
        assert not second.stalled.wait(0.05)
        first.release.set()
        assert second.stalled.wait(PATIENCE)
        second.release.set()
    assert [each.result().status_code for each in answers] == [200, 200]


def test_copying_within_one_registry_does_not_wait_for_itself(fake: FakeRegistry) -> None:
    connection = connect(fake, parallelism=1)
    response = connection.send("GET", f"v2/a/b/blobs/{DIGEST}", longest=None)
    assert connection.send("GET", "v2/").status_code == 200
    response.close()
