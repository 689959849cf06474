"""No secret reaches a plan, a log, a cache, a message or another host, whatever goes wrong."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from planner.stores import patience
from planner.ui.cli import main
from tests.fakes import Basic, Bearer, FakeRegistry, Fault, OtherHost, RedirectTo, Reset, Status
from tests.making import no_sleep

SECRETS = {
    each: f"topsecret-{each}"
    for each in (
        "file",
        "helper",
        "environment",
        "spec",
        "url",
        "proxy",
        "identity",
        "signature",
        "token",
    )
}
EVERY = ("GET|HEAD|POST|PUT", "^/v2/.+")


@dataclass
class Place:
    """A spec of EKS Anywhere and one of K3s, both sent to one private registry."""

    folder: Path
    home: Path
    upstream: FakeRegistry
    mirror: FakeRegistry
    elsewhere: OtherHost
    planted: set[Path]

    def plant(self, name: str, text: str) -> Path:
        """A file that holds secrets, as users have them."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        self.planted.add(path)
        return path

    def log_in(self, **entry: str) -> None:
        self.planted.add(self.home / ".docker/config.json")
        path = self.home / ".docker/config.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"auths": {self.mirror.host: entry}}))

    def refuse(self, status: int, body: bytes = b"", **headers: str) -> None:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.mirror.faults.add(Fault(*EVERY, Status(status, body, sent), every=True))


def basic(secret: str) -> str:
    return base64.b64encode(f"me:{SECRETS[secret]}".encode()).decode()


def by_file(place: Place) -> None:
    place.log_in(auth=basic("file"))


def by_identity(place: Place) -> None:
    place.log_in(identitytoken=SECRETS["identity"])


def by_helper(place: Place) -> None:
    answer = json.dumps({"Username": "me", "Secret": SECRETS["helper"]})
    helper = place.plant("bin/docker-credential-planted", f"#!/bin/sh\necho '{answer}'\n")
    helper.chmod(0o755)
    config = place.folder / "planner.yaml"
    entry = f"'{place.mirror.host}': {{"
    config.write_text(
        config.read_text().replace(entry, f"{entry}credentials: {{helper: planted}}, ")
    )


def by_environment(_: Place) -> None:
    """REGISTRY_PASSWORD is set in all cases, and counts where nothing else is said."""


LOGINS = {
    "file": by_file,
    "identity": by_identity,
    "helper": by_helper,
    "environment": by_environment,
}


def works(_: Place) -> None:
    """Nothing goes wrong."""


def refuses_the_password(place: Place) -> None:
    place.refuse(401, b"who are you?", WWW_Authenticate='Basic realm="x"')


def forbids(place: Place) -> None:
    place.refuse(403, b'{"errors":[{"code":"DENIED","message":"quota"}]}')


def is_busy(place: Place) -> None:
    place.refuse(429, b"You have reached your pull rate limit.")


def talks_html(place: Place) -> None:
    place.refuse(502, b"<html>bad gateway</html>")


def hangs_up(place: Place) -> None:
    place.mirror.faults.add(Fault(*EVERY, Reset(), every=True))


def has_a_token_server_in_the_clear(place: Place) -> None:
    realm = f"http://{SECRETS['url']}:{SECRETS['url']}@127.0.0.1:1/token"
    place.refuse(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')


def has_a_token_server_that_talks_nonsense(place: Place) -> None:
    place.mirror.faults.add(Fault("GET|POST", "/token", Status(200, b"<html>"), every=True))


def has_a_token_that_breaks_lines(place: Place) -> None:
    body = json.dumps({"token": f"{SECRETS['token']}\r\nX-Injected: 1"}).encode()
    place.mirror.faults.add(Fault("GET|POST", "/token", Status(200, body), every=True))


def redirects_elsewhere(place: Place) -> None:
    url = f"{place.elsewhere.url}/x?X-Amz-Signature={SECRETS['signature']}"
    place.mirror.faults.add(Fault("GET|HEAD", "^/v2/.+", RedirectTo(url), every=True))


def redirects_to_nobody(place: Place) -> None:
    url = f"http://127.0.0.1:1/x?X-Amz-Signature={SECRETS['signature']}"
    place.mirror.faults.add(Fault("GET|HEAD", "^/v2/.+", RedirectTo(url), every=True))


def uploads_elsewhere(place: Place) -> None:
    url = f"{place.elsewhere.url}/up?X-Amz-Signature={SECRETS['signature']}"
    place.mirror.faults.add(
        Fault("POST", "uploads", Status(202, headers={"Location": url}), every=True)
    )


TROUBLES: tuple[Callable[[Place], None], ...] = (
    works,
    refuses_the_password,
    forbids,
    is_busy,
    talks_html,
    hangs_up,
    has_a_token_server_in_the_clear,
    has_a_token_server_that_talks_nonsense,
    has_a_token_that_breaks_lines,
    redirects_elsewhere,
    redirects_to_nobody,
    uploads_elsewhere,
)


@pytest.fixture(params=LOGINS)
def login(request: pytest.FixtureRequest) -> str:
    """Where the credentials of the private registry come from."""
    return str(request.param)


@pytest.fixture(params=["basic", "bearer"])
def place(
    request: pytest.FixtureRequest,
    login: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("REGISTRY_USERNAME", "me")
    monkeypatch.setenv("REGISTRY_PASSWORD", SECRETS["environment"])
    monkeypatch.setenv("https_proxy", f"http://me:{SECRETS['proxy']}@127.0.0.1:1")
    defaults = patience.Patience.__init__.__defaults__
    assert defaults
    monkeypatch.setattr(patience.Patience.__init__, "__defaults__", (2, no_sleep, *defaults[2:]))
    password = SECRETS[login]
    auth = (
        Basic("me", password)
        if request.param == "basic"
        else Bearer({"me": password}, refresh_tokens={SECRETS["identity"]: "me"})
    )
    with ExitStack() as stack:
        upstream = stack.enter_context(FakeRegistry())
        mirror = stack.enter_context(FakeRegistry(auth=auth))
        elsewhere = stack.enter_context(OtherHost(b"{}"))
        for name in ("team/app", "team/tool"):
            upstream.add_image(name, "v1", [b"layer"])
        place = Place(tmp_path, home, upstream, mirror, elsewhere, set())
        write_specs(place)
        LOGINS[login](place)
        yield place


def write_specs(place: Place) -> None:
    port = place.mirror.host.rpartition(":")[2]
    place.plant(
        "prod.yaml",
        "apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: Cluster\nmetadata: {name: prod}\n"
        "spec:\n  datacenterRef: {kind: DockerDatacenterConfig, name: prod}\n"
        f"  registryMirrorConfiguration: {{endpoint: 127.0.0.1, port: '{port}', authenticate: true}}\n",
    )
    place.plant(
        "registries.yaml",
        "mirrors:\n  quay.io:\n"
        f"    endpoint: ['http://me:{SECRETS['url']}@{place.mirror.host}']\n"
        f"configs:\n  '{place.mirror.host}':\n"
        f"    auth: {{username: me, password: {SECRETS['spec']}, auth: {basic('spec')}}}\n",
    )
    place.plant("images.txt", "public.ecr.aws/team/app:v1\n")
    place.plant("more.txt", "quay.io/team/tool:v1\n")
    (place.folder / "planner.yaml").write_text(
        "version: 1\nregistries:\n"
        f"  public.ecr.aws: {{endpoint: '{place.upstream.url}'}}\n"
        f"  quay.io: {{endpoint: '{place.upstream.url}'}}\n"
        f"  '{place.mirror.host}': {{endpoint: '{place.mirror.url}'}}\n"
        "clusters:\n"
        "  - {name: prod, spec: prod.yaml, images: [images.txt]}\n"
        "  - {name: edge, spec: registries.yaml, images: [more.txt]}\n",
        "utf-8",
    )


COMMANDS = (
    ("images",),
    ("images", "--format", "json"),
    ("resolve", "quay.io/team/tool:v1", "-c", "registries.yaml"),
    ("resolve", "quay.io/team/tool:v1", "-c", "registries.yaml", "--format", "json"),
    ("plan", "-o", "plan.json"),
    ("plan", "--format", "json"),
    ("show", "plan.json"),
    ("apply", "plan.json", "--events", "saved.jsonl", "--progress", "plain"),
    ("apply", "--auto-approve", "--events", "events.jsonl", "--progress", "plain"),
    ("verify", "--blobs"),
    ("verify", "--format", "json"),
    ("doctor",),
    ("doctor", "--format", "json"),
    ("plan", "--to", f"https://me:{SECRETS['url']}@127.0.0.1:1"),
    ("plan", "prod.yaml", "--bundle", f"https://me:{SECRETS['url']}@127.0.0.1:1/bundle.yaml"),
    ("plan", "prod.yaml", "--bundle", f"http://127.0.0.1:1/b.yaml?sig={SECRETS['signature']}"),
)


def leaks(text: str) -> set[str]:
    """The names of the secrets that stand in a text, in any of the forms in which they are sent."""
    return {
        name
        for name, secret in SECRETS.items()
        if any(form in text for form in (secret, quote(secret), basic(name)))
    }


def files_of(place: Place) -> Iterator[Path]:
    for folder in (place.folder, place.home):
        for path in folder.rglob("*"):
            if path.is_file() and path not in place.planted:
                yield path


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda each: each.__name__)
def test_nothing_shows_a_secret(
    place: Place,
    trouble: Callable[[Place], None],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble(place)
    caplog.set_level(logging.DEBUG, "planner")
    codes = set()
    for command in COMMANDS:
        with suppress(SystemExit):
            codes.add(main(command))
        shown = capfd.readouterr()
        assert not leaks(shown.out + shown.err), (command, shown)
        assert "this is a bug" not in shown.err, (command, shown.err)
    assert 0 in codes
    assert not leaks(
        "".join(each.getMessage() for each in caplog.records if each.name.startswith("planner"))
    )
    found = {path: leaks(path.read_text("utf-8", "replace")) for path in files_of(place)}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "trouble", [redirects_elsewhere, uploads_elsewhere], ids=lambda each: each.__name__
)
def test_no_other_host_gets_credentials(place: Place, trouble: Callable[[Place], None]) -> None:
    trouble(place)
    for command in (("plan",), ("apply", "--auto-approve"), ("verify", "--blobs")):
        main(command)
    sent = [each.headers for each in place.elsewhere.requests]
    assert all("authorization" not in headers and "cookie" not in headers for headers in sent)
    assert all("authorization" not in each.headers for each in place.upstream.requests)


@pytest.mark.parametrize("login", ["environment"])
def test_the_secrets_are_really_used(place: Place) -> None:
    """What is looked for was there to be found."""
    assert main(["apply", "--auto-approve"]) == 0
    assert any("authorization" in each.headers for each in place.mirror.requests)
    assert place.mirror.tags("team/app") == place.mirror.tags("team/tool") == ["v1"]
