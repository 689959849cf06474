"""What doctor says of each step, and what it leaves alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from planner.config import Config, RegistrySettings, Tls
from planner.core import schema
from planner.core.certificate import Certificate
from planner.core.examined import STEPS, Examined, Seen, Step, Trusted, judged
from planner.core.refs import ImageRef, parse_image
from planner.doctor import examine
from planner.stores.opening import Places, Stores
from planner.stores.probing import route_to
from planner.ui.cli import main
from tests.fakes import Basic, Bearer, FakeRegistry, Fault, OtherHost, RedirectTo, Reset, Status
from tests.fakes.front import Front, Plane
from tests.fakes.harbor import FakeHarbor
from tests.fakes.quay import FakeQuay
from tests.making import IMPATIENT, login, writes

USERS = {"me": "secret"}
NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
PROBE = parse_image("r.corp/a/b:v1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def look(fake: FakeRegistry | Front, probe: ImageRef | None = None, **options: Any) -> Examined:
    settings = RegistrySettings(endpoint=fake.url, **options)
    stores = Stores(Places(Config(registries={"r.corp": settings})), IMPATIENT)
    found = examine("r.corp", stores, probe)
    assert [step.name for step in found.steps] == list(STEPS)
    assert writes(fake) == 0
    return found


def step(found: Examined, name: str) -> Step:
    return next(each for each in found.steps if each.name == name)


def test_an_open_registry_is_usable(fake: FakeRegistry) -> None:
    found = look(fake)
    assert found.is_usable
    assert step(found, "api").text == "/v2/ answers 200: it is open"
    assert step(found, "credentials").text == "none, and none are asked for"
    assert step(found, "product").text == "distribution, by its answers"
    assert found.first
    assert found.first.name == "tls"  # in the clear


def test_the_product_may_be_said(fake: FakeRegistry) -> None:
    assert step(look(fake, product="harbor"), "product").text == "harbor, as planner.yaml says"


@pytest.mark.parametrize(
    "auth",
    [pytest.param(Basic("me", "secret"), id="basic"), pytest.param(Bearer(USERS), id="bearer")],
)
def test_credentials_are_named_by_where_they_are(home: Path, auth: Any) -> None:
    with FakeRegistry(auth=auth) as fake:
        login(home / ".docker", fake)
        found = look(fake, PROBE)
        assert found.is_usable, found.steps
        file = str(home / ".docker/config.json")
        assert step(found, "credentials").facts["origins"] == (file,)
        assert file in step(found, "login").text
        assert "secret" not in repr(found)


def test_a_token_is_asked_for_reading_alone(home: Path) -> None:
    with FakeRegistry(auth=Bearer(USERS)) as fake:
        login(home / ".docker", fake)
        fake.add_image("a/b", "v1", [b"layer"])
        found = look(fake, PROBE)
        assert [each.scopes for each in fake.token_requests] == [("repository:a/b:pull",)]
        assert step(found, "pull").text == "a/b:v1 is there"
        assert step(found, "login").facts["granted"] == ()  # an opaque token does not say


def test_a_login_is_tried_without_an_image_too(home: Path) -> None:
    with FakeRegistry(auth=Bearer(USERS)) as fake:
        login(home / ".docker", fake)
        assert look(fake).is_usable
        assert [(each.user, each.scopes) for each in fake.token_requests] == [("me", ())]


@pytest.mark.parametrize(
    "auth",
    [pytest.param(Basic("me", "x"), id="basic"), pytest.param(Bearer({"me": "x"}), id="bearer")],
)
def test_a_refused_password_is_a_failure(home: Path, auth: Any) -> None:
    with FakeRegistry(auth=auth) as fake:
        login(home / ".docker", fake)
        found = look(fake, PROBE)
        assert (found.is_usable, step(found, "login").verdict) == (False, "failure")
        assert step(found, "pull").verdict == "skipped"
        assert found.first
        assert "docker login" in found.first.hint


def test_a_stranger_may_pull_what_is_public() -> None:
    with FakeRegistry(auth=Bearer({}, allows=lambda _, access: access.action == "pull")) as fake:
        found = look(fake, PROBE)
        assert found.is_usable
        assert step(found, "credentials").verdict == "warning"
        assert step(found, "pull").text == "a/b:v1 may be looked for, and is not there"


def test_a_token_without_the_right_is_a_failure(home: Path) -> None:
    with FakeRegistry(auth=Bearer(USERS, allows=lambda *_: False)) as fake:
        login(home / ".docker", fake)
        found = look(fake, PROBE)
        assert step(found, "login").verdict == "ok"
        assert (step(found, "pull").verdict, "401" in step(found, "pull").text) == ("failure", True)


@pytest.mark.parametrize(
    ("plane", "words"),
    [
        pytest.param(FakeHarbor(USERS), "Harbor has no project 'a'", id="harbor"),
        pytest.param(FakeQuay(USERS), "Quay has no organization 'a'", id="quay"),
    ],
)
def test_a_namespace_that_is_not_there_yet_is_no_refused_login(
    plane: Plane, words: str, fake: FakeRegistry, home: Path
) -> None:
    with Front(plane, fake.url) as front:
        login(home / ".docker", front)
        found = look(front, PROBE)
    assert found.is_usable
    assert step(found, "pull").text == f"{words}: nothing can be looked for yet"


def token(claims: Any) -> bytes:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return json.dumps({"token": f"e30.{body}.topsecret"}).encode()


@pytest.mark.parametrize(
    ("claims", "granted"),
    [
        pytest.param(
            {"access": [{"type": "repository", "name": "a/b", "actions": ["pull"]}]},
            ("pull on a/b",),
            id="granted",
        ),
        pytest.param({"access": [{"name": "a/b", "actions": []}]}, (), id="nothing"),
        pytest.param({"access": None}, (), id="null"),
        pytest.param({"access": [7]}, (), id="odd"),
        pytest.param([], (), id="no-claims"),
    ],
)
def test_what_a_token_says_is_read(home: Path, claims: Any, granted: tuple[str, ...]) -> None:
    with FakeRegistry(auth=Bearer(USERS)) as fake:
        login(home / ".docker", fake)
        fake.faults.add(Fault("GET", "/token", Status(200, token(claims)), every=True))
        found = look(fake, PROBE)
        assert step(found, "login").facts["granted"] == granted
        assert "topsecret" not in repr(found)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(Status(404, b"404 page not found\n"), "/v2/ answers 404", id="no-registry"),
        pytest.param(Status(429, b"Too Many Requests"), "/v2/ answers 429", id="busy"),
        pytest.param(Status(502, b"<html>bad gateway</html>"), "/v2/ answers 502", id="html"),
        pytest.param(Status(401), "not how it wants to be asked", id="no-challenge"),
        pytest.param(
            Status(401, headers={"WWW-Authenticate": "Negotiate"}), "not how it", id="other-scheme"
        ),
        pytest.param(Status(400, b"Client sent an HTTP request"), "400", id="tls-expected"),
        pytest.param(RedirectTo("/v2/"), "redirects in circles", id="circle"),
        pytest.param(Reset(), "does not answer", id="reset"),
    ],
)
def test_what_is_no_registry_is_a_failure(fake: FakeRegistry, answer: Any, words: str) -> None:
    fake.faults.add(Fault("GET", "^/v2/$", answer, every=True))
    found = look(fake)
    assert step(found, "api").verdict == "failure"
    assert words in step(found, "api").text
    assert {each.verdict for each in found.steps[5:]} == {"skipped"}


def test_a_redirect_gets_no_credentials(home: Path) -> None:
    with FakeRegistry(auth=Basic("me", "secret")) as fake, OtherHost(b"{}") as other:
        login(home / ".docker", fake)
        fake.faults.add(Fault("GET", "^/v2/$", RedirectTo(f"{other.url}/v2/"), every=True))
        look(fake)
        assert all("authorization" not in each.headers for each in other.requests)


def test_a_limit_is_told(fake: FakeRegistry) -> None:
    headers = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "20;w=21600"}
    fake.faults.add(Fault("HEAD", "manifests", Status(404, headers=headers), every=True))
    found = step(look(fake, PROBE), "quota")
    assert (found.text, found.verdict) == ("20 of 100 pulls left in 6 h", "ok")
    assert found.facts == {"limit": 100, "remaining": 20, "window": 21600}


def test_a_limit_that_is_reached_is_a_failure(fake: FakeRegistry) -> None:
    headers = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}
    fake.faults.add(Fault("HEAD", "manifests", Status(404, headers=headers), every=True))
    assert step(look(fake, PROBE), "quota").verdict == "failure"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "within a minute"), (-300, "300 seconds ahead of"), (300, "300 seconds behind")],
)
def test_clocks_that_differ_are_told(fake: FakeRegistry, seconds: int, words: str) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    fake.faults.add(Fault("GET", "^/v2/$", Status(200, headers={"Date": date})))
    stores = Stores(Places(read_from=fake.url), IMPATIENT)
    found = step(examine("r.corp", stores, clock=lambda: NOW), "clock")
    assert words in found.text
    assert (found.verdict == "ok") == (seconds == 0)
    assert found.facts == {"skew_seconds": seconds}


def test_a_proxy_is_named_without_its_password(
    fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:topsecret@{fake.host}")
    stores = Stores(Places(read_from="http://registry.invalid"), IMPATIENT)
    found = examine("registry.invalid", stores)
    assert found.is_usable, found.steps
    assert step(found, "proxy").text == f"http://{fake.host}, from the environment"
    assert step(found, "name").text == "127.0.0.1"
    assert "topsecret" not in repr(found)
    assert fake.requests[0].headers["host"] == "registry.invalid"


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        pytest.param({}, "https://r.corp", "", id="none"),
        pytest.param({"HTTPS_PROXY": "http://p:3128"}, "https://r.corp", "http://p:3128", id="one"),
        pytest.param({"https_proxy": "p:3128"}, "https://r.corp", "http://p:3128", id="bare"),
        pytest.param({"HTTP_PROXY": "http://p:3128"}, "https://r.corp", "", id="other-scheme"),
        pytest.param(
            {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": ".corp"}, "https://r.corp", "", id="suffix"
        ),
        pytest.param(
            {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "10.0.0.0/8"},
            "https://10.1.2.3:5000",
            "",
            id="network",
        ),
        pytest.param(
            {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "x.corp"},
            "https://r.corp",
            "http://p:3128",
            id="another",
        ),
    ],
)
def test_which_proxy_stands_before_a_registry(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert route_to(url).proxy == proxy


def test_files_that_cannot_be_used_say_nothing_about_the_registry(folder: Path) -> None:
    tls = Tls(ca_file=str(folder / "gone.pem"))
    config = Config(registries={"r.corp": RegistrySettings(tls=tls)})
    found = examine("r.corp", Stores(Places(config), IMPATIENT))
    assert [each.name for each in found.steps] == ["settings"]
    assert "gone.pem" in found.steps[0].text


def seen(days: int, trusted: Trusted = "system") -> Seen:
    certificate = Certificate(
        "CN=r.corp", "CN=Own CA", NOW - timedelta(days=300), NOW + timedelta(days=days), ("r.corp",)
    )
    return Seen("TLSv1.3", certificate, 2, trusted)


@pytest.mark.parametrize(
    ("days", "verdict", "words"),
    [
        (31, "ok", "until 2027-02-15, trusted by the system's authorities"),
        (30, "ok", "trusted by"),
        (29, "warning", "ends in 29 days"),
        (0, "warning", "ends in 0 days"),
    ],
)
def test_a_certificate_that_ends_soon_is_a_warning(days: int, verdict: str, words: str) -> None:
    found = judged(seen(days), "r.corp", NOW, skips=False)
    assert (found.verdict, words in found.text) == (verdict, True), found.text


@pytest.mark.parametrize(
    ("trusted", "words"),
    [("system", "the system's"), ("planner.yaml", "ca_file of planner.yaml"), ("spec", "the spec")],
)
def test_who_vouches_for_a_certificate_is_told(trusted: Trusted, words: str) -> None:
    found = judged(seen(99, trusted), "r.corp", NOW, skips=False)
    assert words in found.text
    assert found.facts["trusted_by"] == trusted


# The command.


def write_config(fake: FakeRegistry, more: str = "") -> None:
    Path("planner.yaml").write_text(
        f"version: 1\nregistries:\n  r.corp: {{endpoint: '{fake.url}'}}\n{more}", "utf-8"
    )


def test_all_registries_are_looked_at(
    fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("registries.yaml").write_text(
        f"mirrors: {{docker.io: {{endpoint: ['{fake.url}', 'https://r.corp:443']}}}}\n", "utf-8"
    )
    Path("images.txt").write_text("docker.io/team/app:v1\n", "utf-8")
    write_config(
        fake,
        f"  docker.io: {{endpoint: '{fake.url}/hub'}}\n  layout.corp: {{endpoint: 'oci:gone'}}\n"
        "clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
    )
    assert main(["doctor", "--format", "json"]) == 69
    document = json.loads(capsys.readouterr().out)
    assert schema.violations("formats/doctor", document) == []
    names = {each["registry"]: each["ok"] for each in document["registries"]}
    assert names == {"docker.io": True, fake.host: True, "r.corp": True, "layout.corp": False}
    pulled = [
        each["facts"]["image"]
        for one in document["registries"]
        for each in one["steps"]
        if "image" in each["facts"]
    ]
    assert pulled == ["hub/team/app:v1", "team/app:v1"]


def test_a_cluster_whose_images_are_not_known_says_where_its_registry_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("prod.yaml").write_text(
        "apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: Cluster\nmetadata: {name: p}\n"
        "spec:\n  datacenterRef: {kind: DockerDatacenterConfig, name: p}\n"
        "  registryMirrorConfiguration: {endpoint: 127.0.0.1, port: '1'}\n",
        "utf-8",
    )
    assert main(["doctor", "-c", "prod.yaml"]) == 69
    shown = capsys.readouterr()
    assert shown.out.startswith("127.0.0.1:1 at https://127.0.0.1:1\n")
    assert "note: no image to look for is known" in shown.err


def test_the_report_fits_a_terminal_and_ends_with_what_to_do(
    fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.faults.add(Fault("GET", "^/v2/$", Status(404), every=True))
    write_config(fake)
    assert main(["doctor", "r.corp"]) == 69
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert f"  first: look at {fake.url}/v2/\n" in out
    assert "  -        not tried    clock, product, credentials, login, pull, quota\n" in out
    assert out.endswith("1 registry: 0 usable, 1 not\n")


def test_what_a_registry_sends_cannot_steer_the_terminal(
    fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"WWW-Authenticate": 'Bearer realm="http://x\x9b31m/t",service="s\x9b2J"'}
    fake.faults.add(Fault("GET", "^/v2/$", Status(401, headers=answer), every=True))
    write_config(fake)
    main(["doctor", "r.corp"])
    assert "\x9b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    ["me:topsecret@r.corp", "https://me:topsecret@r.corp", "https://[x", "ftp://r.corp", "a b", ""],
)
def test_what_is_no_registry_is_a_mistake(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", name]) == 64
    shown = capsys.readouterr()
    assert "topsecret" not in shown.out + shown.err
    assert "HOST[:PORT]" in shown.err


@pytest.mark.parametrize("realm", ["http://[x", "nonsense", "http://me:topsecret@[::1]:1/t"])
def test_a_token_server_that_is_none_is_a_failure(fake: FakeRegistry, realm: str) -> None:
    answer = {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}
    fake.faults.add(Fault("GET", "^/v2/$", Status(401, headers=answer), every=True))
    found = look(fake, PROBE)
    assert step(found, "login").verdict == "failure"
    assert "topsecret" not in repr(found)


def test_nothing_to_look_at_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 64
    assert "planner doctor registry.corp" in capsys.readouterr().err
