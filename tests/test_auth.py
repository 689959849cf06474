"""Proving who we are: as little scope as a request needs, and as few tokens as its time allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.config import Tls
from planner.core.content import digest_of
from planner.core.errors import RegistryError
from planner.stores.answer import Answer, Headers
from planner.stores.auth import Authorizer, pull
from planner.stores.credentials import Credentials, Keyring
from planner.stores.http import Connection
from planner.stores.registry import Registry
from tests.fakes import Access, Basic, Bearer, FakeRegistry, Fault, RedirectTo, Stall, Status
from tests.making import IMPATIENT, error_of, login, make_registry, stream_of
from tests.support.process import PATIENCE

ME = Credentials("the-test", "me", "secret")
USERS = {"me": "secret"}
NEW = b"new layer"


class Clock:
    """Seconds that pass when a test says so; for the registry and for us."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def served(auth: Any) -> Iterator[FakeRegistry]:
    with FakeRegistry(auth=auth) as fake:
        for name in ("a/b", "c/d"):
            fake.add_image(name, "v1", [b"layer"])
        yield fake


def enter(fake: FakeRegistry, credentials: Credentials | None = ME, **options: Any) -> Registry:
    return make_registry(fake, find=lambda: keys(credentials), **options)


def keys(credentials: Credentials | None) -> Keyring:
    """What is known when one login, or none, is known for all of a registry."""
    return Keyring((("", credentials),) if credentials else ())


def anyone_pulls(user: str, access: Access) -> bool:
    return bool(user) or access.action == "pull"


def scopes(fake: FakeRegistry) -> list[tuple[str, ...]]:
    return [each.scopes for each in fake.token_requests]


def write(registry: Registry, repository: str = "a/b", data: bytes = NEW, sibling: str = "") -> str:
    digest = digest_of(data)
    return registry.write_blob(repository, digest, lambda _=0: stream_of(data, digest), sibling)


def challenge(header: str, base: str = "https://r.corp") -> Answer:
    """A 401 that asks in a certain way."""
    headers = Headers({"www-authenticate": header})
    return Answer(401, headers, f"{base}/v2/", {})


def test_a_password_is_sent_when_it_is_asked_for() -> None:
    with served(Basic("me", "secret")) as fake:
        registry = enter(fake)
        registry.greet()
        assert registry.head("a/b", "v1")
        assert "authorization" not in fake.requests[0].headers
        assert fake.count("HEAD", "manifests") == 1


def test_a_first_request_without_greeting_is_repeated_with_the_password() -> None:
    with served(Basic("me", "secret")) as fake:
        assert enter(fake).head("a/b", "v1")
        assert [each.status for each in fake.requests] == [401, 200]


def test_a_public_repository_is_read_by_nobody() -> None:
    with served(Bearer({}, allows=anyone_pulls)) as fake:
        assert enter(fake, None).head("a/b", "v1")
        assert [each.user for each in fake.token_requests] == [""]


def test_a_token_is_asked_for_with_the_password() -> None:
    with served(Bearer(USERS)) as fake:
        assert enter(fake).head("a/b", "v1")
        assert [each.user for each in fake.token_requests] == ["me"]


def test_the_password_is_found_in_dockers_file(home: Path) -> None:
    with served(Bearer(USERS)) as fake:
        login(home / ".docker", fake)
        assert make_registry(fake).head("a/b", "v1")


def test_a_token_is_used_for_all_requests_of_its_scope() -> None:
    with served(Bearer(USERS)) as fake:
        registry = enter(fake)
        for _ in range(3):
            registry.head("a/b", "v1")
            registry.manifest("a/b", "v1")
        registry.head("c/d", "v1")
        assert scopes(fake) == [pull("a/b"), pull("c/d")]


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda registry: registry.head("a/b", "v1"), id="head"),
        pytest.param(lambda registry: registry.manifest("a/b", "v1"), id="manifest"),
        pytest.param(lambda registry: registry.has_blob("a/b", digest_of(b"layer")), id="blob"),
    ],
)
def test_a_read_asks_for_no_right_to_write_whatever_the_registry_says(
    read: Callable[[Registry], object],
) -> None:
    with served(Bearer(USERS)) as fake:
        realm = f'Bearer realm="{fake.url}/token",service="s",'
        greedy = f'{realm}scope="repository:a/b:pull,push repository:a/b:delete registry:x:*"'
        fake.faults.add(
            Fault("HEAD|GET", "^/v2/a", Status(401, headers={"WWW-Authenticate": greedy}))
        )
        read(enter(fake))
        assert set(scopes(fake)) == {pull("a/b")}


def test_a_write_asks_to_pull_and_push() -> None:
    with served(Bearer(USERS)) as fake:
        assert write(enter(fake)) == "copied"
        assert scopes(fake) == [("repository:a/b:pull,push",)]


def test_a_mount_asks_to_pull_from_the_sibling() -> None:
    with served(Bearer(USERS)) as fake:
        fake.add_blob("c/d", NEW)
        assert write(enter(fake), sibling="c/d") == "mounted"
        assert scopes(fake) == [("repository:a/b:pull,push", "repository:c/d:pull")]


def test_a_right_that_only_the_challenge_names_is_asked_for_once() -> None:
    with served(Bearer(USERS)) as fake:
        extra = "repository:a/b:metadata_read"
        asked = f'Bearer realm="{fake.url}/token",service="s",scope="{extra}"'
        fake.faults.add(Fault("HEAD", "a/b", Status(401, headers={"WWW-Authenticate": asked})))
        assert enter(fake).head("a/b", "v1")
        assert scopes(fake) == [pull("a/b"), (*pull("a/b"), extra)]


def test_a_token_is_renewed_before_it_expires() -> None:
    clock = Clock()
    with served(Bearer(USERS, ttl=100, clock=clock)) as fake:
        registry = enter(fake, clock=clock)
        for clock.now in (1000.0, 1079.0, 1081.0):
            assert registry.head("a/b", "v1")
        assert len(fake.token_requests) == 2
        assert fake.count("HEAD", "manifests") == 4


def test_a_token_that_expired_early_is_replaced_once() -> None:
    clock = Clock()
    with served(Bearer(USERS, ttl=100, clock=clock)) as fake:
        registry = enter(fake, clock=lambda: 0.0)
        assert registry.head("a/b", "v1")
        clock.now += 200
        assert registry.head("a/b", "v1")
        assert len(fake.token_requests) == 2


def test_a_token_that_expires_during_an_upload_makes_it_start_again() -> None:
    with served(Bearer(USERS)) as fake:
        realm = {"WWW-Authenticate": f'Bearer realm="{fake.url}/token",service="s"'}
        fake.faults.add(Fault("PUT", "uploads", Status(401, headers=realm)))
        registry = enter(fake)
        error = error_of(lambda: write(registry))
        assert (error.status, error.retryable) == (401, True)
        assert write(registry) == "copied"


@pytest.mark.parametrize(
    ("answer", "life"),
    [
        pytest.param(b'{"token": "t", "expires_in": 300}', 300, id="stated"),
        pytest.param(b'{"access_token": "t", "expires_in": "300"}', 300, id="as-text"),
        pytest.param(b'{"token": "t"}', 60, id="not-stated"),
        pytest.param(b'{"token": "t", "expires_in": 0}', 60, id="zero"),
        pytest.param(b'{"token": "t", "expires_in": -5}', 60, id="negative"),
        pytest.param(b'{"token": "t", "expires_in": NaN}', 60, id="no-number"),
        pytest.param(b'{"token": "t", "expires_in": 1e999}', 60, id="endless"),
    ],
)
def test_a_token_says_itself_how_long_it_lives(answer: bytes, life: float) -> None:
    clock = Clock()
    with served(Bearer(USERS)) as fake:
        fake.faults.add(Fault("GET", "/token", Status(200, answer), every=True))
        authorizer = Authorizer(Connection(fake.url, Tls(), 1, IMPATIENT), lambda: keys(ME), clock)
        asked = challenge(f'Bearer realm="{fake.url}/token",service="s"', fake.url)
        authorizer.learn(asked, pull("a/b"), was_authorized=False)
        for clock.now in (1000.0, 1000 + life * 0.79, 1000 + life * 0.81):
            assert authorizer.header(pull("a/b")) == {"Authorization": "Bearer t"}
        assert fake.count("GET", "/token") == 2


@pytest.mark.parametrize(
    "auth",
    [pytest.param(Basic("me", "x"), id="basic"), pytest.param(Bearer({"me": "x"}), id="bearer")],
)
def test_refused_credentials_are_named_by_where_they_were_found(auth: Any) -> None:
    with served(auth) as fake:
        error = error_of(lambda: enter(fake).head("a/b", "v1"))
        assert (error.status, error.exit_code) == (401, 69)
        assert "the credentials from the-test" in error.message
        assert "docker login" in error.hint
        assert "secret" not in repr(error)


@pytest.mark.parametrize(
    "auth", [pytest.param(Basic("me", "x"), id="basic"), pytest.param(Bearer(USERS), id="bearer")]
)
def test_who_has_no_credentials_is_told_so(auth: Any) -> None:
    with served(auth) as fake:
        error = error_of(lambda: enter(fake, None).head("a/b", "v1"))
        assert (error.status, "with no credentials" in error.message) == (401, True)


def test_refusals_cost_few_requests() -> None:
    with served(Bearer(USERS, allows=lambda *_: False)) as fake:
        error_of(lambda: enter(fake).head("a/b", "v1"))
        assert len(fake.token_requests) <= 2


def test_a_refusal_after_greeting_renews_the_token_once() -> None:
    with served(Bearer(USERS, allows=lambda *_: False)) as fake:
        registry = enter(fake)
        registry.greet()
        error_of(lambda: registry.head("a/b", "v1"))
        assert len(fake.token_requests) == 2
        assert fake.count("HEAD", "manifests") == 2


def test_a_token_is_renewed_with_the_scope_that_sufficed() -> None:
    clock = Clock()
    with served(Bearer(USERS, ttl=100, clock=clock)) as fake:
        extra = "repository:a/b:metadata_read"
        asked = f'Bearer realm="{fake.url}/token",service="s",scope="{extra}"'
        fake.faults.add(Fault("HEAD", "a/b", Status(401, headers={"WWW-Authenticate": asked})))
        registry = enter(fake, clock=clock)
        registry.head("a/b", "v1")
        clock.now += 90
        registry.head("a/b", "v1")
        assert scopes(fake) == [pull("a/b"), *[(*pull("a/b"), extra)] * 2]


def test_a_repository_may_have_a_token_server_of_its_own() -> None:
    with served(Bearer(USERS)) as fake, served(Bearer({"me": "secret"})) as other:
        asked = f'Bearer realm="{other.url}/token",service="other"'
        refusal = Status(401, headers={"WWW-Authenticate": asked})
        fake.faults.add(Fault("HEAD", "a/b", refusal, every=True))
        registry = enter(fake)
        error_of(lambda: registry.head("a/b", "v1"))
        assert registry.head("c/d", "v1")
        assert scopes(other) == [pull("a/b")]
        assert scopes(fake) == [pull("a/b"), pull("c/d")]


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param(Basic("team", "t"), id="basic"),
        pytest.param(Bearer({"team": "t", "all": "a"}), id="bearer"),
    ],
)
def test_each_repository_is_asked_for_with_its_own_login(auth: Any) -> None:
    team, everybody = (Credentials(f"the {name}", name, name[0]) for name in ("team", "all"))
    with served(auth) as fake:
        keyring = Keyring((("a", team), ("", everybody)))
        registry = make_registry(fake, find=lambda: keyring)
        assert registry.head("a/b", "v1")
        if isinstance(auth, Bearer):
            assert registry.head("c/d", "v1")
            assert [each.user for each in fake.token_requests] == ["team", "all"]
        else:
            assert "the all" in error_of(lambda: registry.head("c/d", "v1")).message


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param('Bearer realm="{}",service="s"', "Bearer", id="plain"),
        pytest.param('bearer REALM="{}", service="s"', "Bearer", id="other-case"),
        pytest.param("Bearer realm={},service=s", "Bearer", id="without-quotes"),
        pytest.param('Basic realm="x", Bearer realm="{}"', "Bearer", id="choice"),
        pytest.param('Bearer realm="{}",scope="*", Basic', "Bearer", id="choice-of-gitea"),
        pytest.param("Negotiate, Basic", "Basic", id="one-is-known"),
        pytest.param('Bearer error="x", Basic realm="y"', "Basic", id="one-is-usable"),
        pytest.param('BASIC realm="Sonatype Nexus Repository Manager"', "Basic", id="nexus"),
    ],
)
def test_a_challenge_may_be_written_in_several_ways(header: str, expected: str) -> None:
    with served(Bearer(USERS)) as fake:
        authorizer = Authorizer(Connection(fake.url, Tls(), 1, IMPATIENT), lambda: keys(ME))
        asked = challenge(header.format(f"{fake.url}/token"), fake.url)
        assert authorizer.learn(asked, pull("a/b"), was_authorized=False)
        sent = authorizer.header(pull("a/b"))["Authorization"]
        assert sent.partition(" ")[0] == expected


def test_an_identity_token_is_exchanged() -> None:
    with served(Bearer({}, refresh_tokens={"idt": "me"})) as fake:
        assert enter(fake, Credentials("the-test", identity_token="idt")).head("a/b", "v1")
        assert [(each.user, each.method) for each in fake.token_requests] == [("me", "POST")]


def test_an_identity_token_asks_for_all_scopes_at_once() -> None:
    with served(Bearer({}, refresh_tokens={"idt": "me"})) as fake:
        fake.add_blob("c/d", NEW)
        registry = enter(fake, Credentials("the-test", identity_token="idt"))
        assert write(registry, sibling="c/d") == "mounted"
        assert scopes(fake)[0] == ("repository:a/b:pull,push", "repository:c/d:pull")


def test_a_refused_identity_token_is_an_error_without_it() -> None:
    with served(Bearer({}, refresh_tokens={"other": "me"})) as fake:
        registry = enter(fake, Credentials("the-test", identity_token="topsecret"))
        error = error_of(lambda: registry.head("a/b", "v1"))
        assert (error.status, "the-test" in error.message) == (401, True)
        assert "topsecret" not in repr(error)


def test_a_registry_token_is_sent_as_it_is() -> None:
    with served(Bearer(USERS)) as fake:
        error_of(
            lambda: enter(fake, Credentials("the-test", registry_token="reg")).head("a/b", "v1")
        )
        assert fake.requests[-1].headers["authorization"] == "Bearer reg"
        assert fake.token_requests == []


def test_harbors_second_challenge_does_not_change_the_scheme() -> None:
    with served(Bearer(USERS)) as fake:
        registry = enter(fake)
        registry.greet()
        basic = {"WWW-Authenticate": 'Basic realm="harbor"'}
        fake.faults.add(Fault("HEAD", "manifests", Status(401, headers=basic)))
        assert registry.head("a/b", "v1")
        sent = [each.headers["authorization"] for each in fake.requests if each.method == "HEAD"]
        assert [each.partition(" ")[0] for each in sent] == ["Bearer", "Bearer"]


@pytest.mark.parametrize(
    ("realm", "base", "is_refused"),
    [
        pytest.param("http://tokens.corp/token", "https://r.corp", True, id="https-to-http"),
        pytest.param("ftp://tokens.corp/token", "https://r.corp", True, id="odd"),
        pytest.param("/token", "https://r.corp", True, id="relative"),
    ],
)
def test_credentials_do_not_leave_tls(realm: str, base: str, is_refused: bool) -> None:
    authorizer = Authorizer(Connection(base, Tls(), 1, IMPATIENT), lambda: keys(ME))
    asked = f'Bearer realm="{realm}",service="s"'
    assert authorizer.learn(challenge(asked), pull("a/b"), was_authorized=False)
    with pytest.raises(RegistryError, match="without TLS") as caught:
        authorizer.header(pull("a/b"))
    assert "not sent there" in caught.value.hint


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="none"),
        pytest.param("Negotiate", id="other-scheme"),
        pytest.param('Bearer service="s"', id="no-realm"),
        pytest.param("Bearer", id="bare"),
    ],
)
def test_a_challenge_that_asks_for_nothing_known_ends_the_request(header: str) -> None:
    with FakeRegistry() as fake:
        headers = {"WWW-Authenticate": header} if header else {}
        fake.faults.add(Fault("HEAD", "", Status(401, headers=headers), every=True))
        error = error_of(lambda: enter(fake).head("a/b", "v1"))
        assert (error.status, len(fake.requests)) == (401, 1)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="no-token"),
        pytest.param(b'{"token": 7}', id="number"),
        pytest.param(b'{"token": "t", "expires_in": "soon"}', id="expires"),
        pytest.param(b"[" * 90_000, id="deep"),
    ],
)
def test_an_answer_that_is_no_token_is_an_error(body: bytes) -> None:
    with served(Bearer(USERS)) as fake:
        fake.faults.add(Fault("GET", "/token", Status(200, body), every=True))
        error = error_of(lambda: enter(fake).head("a/b", "v1"))
        assert "token" in error.message


def test_a_token_that_is_no_header_is_an_error() -> None:
    with served(Bearer(USERS)) as fake:
        body = b'{"token": "t\\r\\nX-Injected: 1"}'
        fake.faults.add(Fault("GET", "/token", Status(200, body), every=True))
        error_of(lambda: enter(fake).head("a/b", "v1"))
        assert all("x-injected" not in each.headers for each in fake.requests)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        pytest.param(429, b"Too Many Requests", "429: Too Many Requests", id="plain-text"),
        pytest.param(503, b"<html><h1>down</h1></html>", "503", id="html"),
        pytest.param(403, b"", "403", id="empty"),
    ],
)
def test_a_token_server_that_refuses_is_quoted(status: int, body: bytes, words: str) -> None:
    with served(Bearer(USERS)) as fake:
        fake.faults.add(Fault("GET", "/token", Status(status, body), every=True))
        error = error_of(lambda: enter(fake).head("a/b", "v1"))
        assert (
            error.message
            == f"no token from {fake.host} with the credentials from the-test: {words}"
        )


def test_a_token_server_is_asked_through_its_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is near, its token server beyond the proxy, which here answers for it."""
    with served(Bearer(USERS)) as fake:
        monkeypatch.setenv("http_proxy", fake.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        far = 'Bearer realm="http://tokens.invalid/token",service="s"'
        fake.faults.add(Fault("HEAD", "a/b", Status(401, headers={"WWW-Authenticate": far})))
        registry = enter(fake)
        registry.head("a/b", "v1")
        hosts = [each.headers["host"] for each in fake.requests if each.path == "/token"]
        assert hosts[-1] == "tokens.invalid"
        assert {each.headers["host"] for each in fake.requests if each.path != "/token"} == {
            fake.host
        }


def test_a_busy_token_server_is_waited_for() -> None:
    with served(Bearer(USERS)) as fake:
        fake.faults.add(Fault("GET", "/token", Status(503), times=2))
        assert enter(fake).head("a/b", "v1")


def test_threads_share_tokens() -> None:
    with served(Bearer(USERS)) as fake, ThreadPoolExecutor(16) as pool:
        registry = enter(fake)
        registry.greet()
        names = ["a/b", "c/d"] * 16
        assert all(pool.map(lambda name: registry.head(name, "v1"), names))
        assert sorted(scopes(fake)) == [pull("a/b"), pull("c/d")]


def test_threads_share_the_replacement_of_an_expired_token() -> None:
    clock = Clock()
    with served(Bearer(USERS, ttl=100, clock=clock)) as fake, ThreadPoolExecutor(16) as pool:
        registry = enter(fake, clock=lambda: 0.0)
        registry.head("a/b", "v1")
        clock.now += 200
        assert all(pool.map(lambda _: registry.head("a/b", "v1"), range(32)))
        assert len(fake.token_requests) == 2


def test_a_slow_token_of_one_repository_does_not_hold_up_another() -> None:
    with served(Bearer(USERS)) as fake, ThreadPoolExecutor(2) as pool:
        stall = Stall(10)
        fake.faults.add(Fault("GET", "/token.*a%2Fb", stall))
        registry = enter(fake)
        registry.greet()
        slow = pool.submit(registry.head, "a/b", "v1")
        assert stall.stalled.wait(PATIENCE)
        assert registry.head("c/d", "v1")
        stall.release.set()
        assert slow.result()


def test_credentials_are_looked_for_once() -> None:
    asked: list[int] = []

    def find() -> Keyring:
        asked.append(1)
        return keys(replace(ME))

    with served(Bearer(USERS)) as fake, ThreadPoolExecutor(8) as pool:
        registry = make_registry(fake, find=find)
        assert all(pool.map(lambda name: registry.head(name, "v1"), ["a/b", "c/d"] * 8))
        assert len(asked) == 1


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param(None, id="open"),
        pytest.param(Basic("me", "secret"), id="basic"),
        pytest.param(Bearer(USERS), id="bearer"),
    ],
)
def test_who_we_are_redirected_to_cannot_ask_for_our_password(auth: Any) -> None:
    """A registry sends readers elsewhere for content; what answers there may be anybody's."""
    with served(auth) as fake, served(Bearer(USERS)) as elsewhere:
        there = RedirectTo(f"{elsewhere.url}/v2/a/b/blobs/x")
        fake.faults.add(Fault("GET", "blobs", there, every=True))
        registry = enter(fake)
        registry.greet()

        def read() -> None:
            with registry.open_blob("a/b", digest_of(b"layer")) as chunks:
                list(chunks)

        assert error_of(read).status == 401
        assert elsewhere.token_requests == []
        assert registry.head("a/b", "v1")
