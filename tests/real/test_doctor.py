"""What doctor finds on the way to real registries: certificates of all sorts, passwords, tokens, nobody at all."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from planner.core.refs import parse_image
from tests.real.conftest import MakeRegistry
from tests.real.story import Workplace, fill
from tests.real.test_access import encoded, log_in
from tests.support.certificates import Certificates, KeyPair, make_expired, make_server
from tests.support.process import free_port
from tests.support.registry_server import RegistryServer
from tests.support.token_server import TokenServer

IMAGE = parse_image("docker.io/rancher/mirrored-pause:3.6")


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def examined(
    place: Workplace, *arguments: str, code: int = 0, **environment: str
) -> dict[str, Any]:
    """The steps by name, and what is to be done first."""
    done = place.planner("doctor", *arguments, "--format", "json", **environment)
    assert done.returncode == code, (done.stdout, done.stderr)
    (found,) = json.loads(done.stdout)["registries"]
    return {step["name"]: step for step in found["steps"]} | {"first": found["first"]}


def settings(place: Workplace, host: str, text: str) -> None:
    place.write("planner.yaml", f"version: 1\nregistries:\n  '{host}': {{{text}}}\n")


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {name: step["verdict"] for name, step in found.items() if name != "first"}


def test_an_open_registry(place: Workplace, registry: RegistryServer) -> None:
    found = examined(place, registry.host)
    assert found["name"]["facts"]["addresses"] == ["127.0.0.1"]
    assert found["tls"]["verdict"] == "warning"
    assert found["api"]["facts"] == {"status": 200}
    assert abs(found["clock"]["facts"]["skew_seconds"]) <= 60
    assert found["product"]["facts"]["product"] == "distribution"
    assert found["login"]["text"] == "not needed"


def test_an_authority_of_planner_yaml(
    place: Workplace, make_registry: MakeRegistry, certificates: Certificates
) -> None:
    registry = make_registry(tls=certificates.server)
    own = f"endpoint: 'https://{registry.host}', tls: {{ca_file: '{certificates.ca.certificate}'}}"
    settings(place, registry.host, own)
    tls = examined(place, registry.host)["tls"]
    assert tls["facts"]["trusted_by"] == "planner.yaml"
    assert tls["facts"]["protocol"] == "TLSv1.3"
    assert tls["facts"]["subject"] == "CN=planner test server"
    assert tls["facts"]["issuer"] == "CN=planner test ca"
    assert tls["facts"]["names"] == ["127.0.0.1", "localhost"]
    assert tls["facts"]["chain"] in (0, 1)
    assert (tls["verdict"], tls["hint"]) == (
        "warning",
        "renew the certificate",
    )  # it lives for two days


def test_an_authority_and_a_login_of_the_spec(
    place: Workplace, make_registry: MakeRegistry, certificates: Certificates
) -> None:
    registry = make_registry(tls=certificates.server, htpasswd=("user", "secret"))
    ca = certificates.ca.certificate.read_text("ascii")
    place.write(
        "prod.yaml", _CLUSTER.format(port=registry.host.partition(":")[2], ca=indent(ca, " " * 6))
    )
    found = examined(place, "-c", "prod.yaml", REGISTRY_USERNAME="user", REGISTRY_PASSWORD="secret")
    assert found["tls"]["facts"]["trusted_by"] == "spec"
    origin = "REGISTRY_USERNAME and REGISTRY_PASSWORD"
    assert found["credentials"]["facts"]["origins"] == [origin]
    assert found["login"]["text"] == f"accepted with the credentials from {origin}"


_CLUSTER = """\
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: Cluster
metadata: {{name: prod}}
spec:
  datacenterRef: {{kind: DockerDatacenterConfig, name: prod}}
  registryMirrorConfiguration:
    endpoint: 127.0.0.1
    port: "{port}"
    authenticate: true
    caCertContent: |
{ca}
"""


def test_the_authority_that_the_environment_names(
    place: Workplace, make_registry: MakeRegistry, certificates: Certificates
) -> None:
    registry = make_registry(tls=certificates.server)
    text = _CLUSTER.partition("    authenticate")[0].format(port=registry.host.partition(":")[2])
    place.write("prod.yaml", text)
    ca = str(certificates.ca.certificate)
    found = examined(place, "-c", "prod.yaml", EKSA_REGISTRY_MIRROR_CA=ca)
    assert found["tls"]["facts"]["trusted_by"] == "spec"
    refused = examined(place, "-c", "prod.yaml", code=69)
    assert refused["tls"]["verdict"] == "failure"
    broken = examined(place, "-c", "prod.yaml", code=69, EKSA_REGISTRY_MIRROR_CA="/nowhere")
    assert "EKSA_REGISTRY_MIRROR_CA" in broken["settings"]["text"]


Odd = dict[str, tuple[KeyPair, str]]


@pytest.fixture
def odd(tmp_path: Path, certificates: Certificates) -> Odd:
    """Certificates that are not as they should be, with what planner.yaml says of their authority."""
    folder = tmp_path / "odd"
    folder.mkdir()
    ca, server = certificates.ca, certificates.server
    trusted = f"tls: {{ca_file: '{ca.certificate}'}}"
    other = make_server(folder, "other", ca, "subjectAltName=DNS:other.corp")
    return {
        "unknown": (server, ""),
        "expired": (make_expired(folder, server, ca), trusted),
        "elsewhere": (other, trusted),
    }


@pytest.mark.parametrize(
    ("kind", "words", "hint"),
    [
        pytest.param("unknown", "nobody trusted vouches for it", "tls.ca_file", id="unknown"),
        pytest.param("expired", "a certificate has expired", "renew", id="expired"),
        pytest.param("elsewhere", "is for other.corp, not for 127.0.0.1", "by a name", id="name"),
    ],
)
def test_a_certificate_that_is_not_accepted(
    place: Workplace, make_registry: MakeRegistry, odd: Odd, kind: str, words: str, hint: str
) -> None:
    registry = make_registry(tls=odd[kind][0])
    settings(place, registry.host, f"endpoint: 'https://{registry.host}', {odd[kind][1]}")
    found = examined(place, registry.host, code=69)
    assert words in found["tls"]["text"]
    assert hint in found["first"]
    assert verdicts(found)["api"] == "skipped"
    assert registry.requests() == []


def test_a_certificate_that_nobody_verifies(
    place: Workplace, make_registry: MakeRegistry, odd: Odd
) -> None:
    registry = make_registry(tls=odd["expired"][0])
    skip = f"endpoint: 'https://{registry.host}', tls: {{insecure_skip_verify: true}}"
    settings(place, registry.host, skip)
    found = examined(place, registry.host)
    assert found["tls"]["verdict"] == "warning"
    assert found["tls"]["facts"]["trusted_by"] == "skipped"
    assert "not verified" in found["tls"]["text"]


@pytest.mark.parametrize("has_own", [True, False])
def test_mutual_tls(
    place: Workplace, make_registry: MakeRegistry, certificates: Certificates, has_own: bool
) -> None:
    registry = make_registry(tls=certificates.server, client_ca=certificates.ca.certificate)
    client = certificates.client
    own = f", cert_file: '{client.certificate}', key_file: '{client.key}'" if has_own else ""
    tls = f"tls: {{ca_file: '{certificates.ca.certificate}'{own}}}"
    settings(place, registry.host, f"endpoint: 'https://{registry.host}', {tls}")
    found = examined(place, registry.host, code=0 if has_own else 69)
    if has_own:
        assert verdicts(found)["api"] == "ok"
    else:
        assert "client certificate" in found["api"]["text"]
        assert "tls.cert_file" in found["first"]


def test_plain_http_where_tls_was_expected(place: Workplace, registry: RegistryServer) -> None:
    found = examined(place, f"https://{registry.host}", code=69)
    assert found["tls"]["text"] == "it does not speak TLS"
    assert "plain_http: true" in found["first"]


def test_nobody_listens(place: Workplace) -> None:
    host = f"127.0.0.1:{free_port()}"
    found = examined(place, host, code=69)
    assert found["connection"]["verdict"] == "failure"
    later = list(verdicts(found).values())[3:]
    assert set(later) == {"skipped"}


@pytest.mark.parametrize(
    ("entry", "code", "words"),
    [
        pytest.param({"auth": encoded("user", "secret")}, 0, "accepted", id="right"),
        pytest.param({"auth": encoded("user", "wrong")}, 69, "401", id="wrong"),
        pytest.param({}, 69, "it lets no stranger in", id="none"),
    ],
)
def test_a_password(
    place: Workplace, make_registry: MakeRegistry, entry: dict[str, str], code: int, words: str
) -> None:
    registry = make_registry(htpasswd=("user", "secret"))
    log_in(place, registry.host, **entry)
    found = examined(place, registry.host, code=code)
    assert words in found["login"]["text"]
    assert found["api"]["facts"] == {
        "status": 401,
        "scheme": "basic",
        "server": "",
        "service": "",
    }
    if code:
        assert f"docker login {registry.host}" in found["first"]


def test_tokens_say_what_they_are_good_for(
    place: Workplace, make_registry: MakeRegistry, token_server: TokenServer
) -> None:
    registry = make_registry(token=token_server.auth)
    place.write("registries.yaml", f"mirrors: {{docker.io: {{endpoint: ['{registry.url}']}}}}\n")
    place.write("images.txt", f"{IMAGE}\n")
    place.write(
        "planner.yaml",
        "version: 1\nclusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
    )
    log_in(place, registry.host, auth=encoded("user", "secret"))
    found = examined(place, registry.host)
    assert found["login"]["facts"]["granted"] == ["pull on rancher/mirrored-pause"]
    assert found["pull"]["facts"] == {"image": "rancher/mirrored-pause:3.6", "found": False}
    scopes = {scope for query in token_server.queries for scope in query.scopes}
    assert {scope.rpartition(":")[2] for scope in scopes} == {"pull"}


def test_an_image_that_is_there(place: Workplace, upstream: RegistryServer) -> None:
    fill(upstream.url, [IMAGE])
    place.write(
        "registries.yaml",
        f"mirrors: {{docker.io: {{endpoint: ['{upstream.url}/v2/docker.io']}}}}\n",
    )
    place.write("images.txt", f"{IMAGE}\n")
    place.write(
        "planner.yaml",
        "version: 1\nclusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
    )
    assert examined(place, upstream.host)["pull"]["facts"]["found"] is True
