"""Every way of being let in, against a real registry: htpasswd, tokens that expire, own CA, client certificates."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from textwrap import indent

import pytest

from planner.core.refs import parse_image
from tests.real.conftest import MakeRegistry, MakeTokenServer
from tests.real.story import Workplace, endpoints, fill
from tests.support.certificates import Certificates
from tests.support.registry_server import RegistryServer
from tests.support.token_server import TokenServer

IMAGES = tuple(
    map(
        parse_image,
        ("docker.io/rancher/mirrored-pause:3.6", "docker.io/rancher/klipper-lb:v0.4.13"),
    )
)


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer) -> Workplace:
    fill(upstream.url, IMAGES)
    place = Workplace(tmp_path)
    place.write("images.txt", "".join(f"{image}\n" for image in IMAGES))
    return place


def point_at(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, extra: str = ""
) -> None:
    """Nodes go to ``registry``; ``extra`` is how this machine gets there."""
    place.write("registries.yaml", f"mirrors: {{docker.io: {{endpoint: ['{registry.url}']}}}}\n")
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}{extra}"
        "clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
    )


def log_in(place: Workplace, host: str, **entry: str) -> None:
    place.write("home/.docker/config.json", json.dumps({"auths": {host: entry}}))


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def assert_filled(place: Workplace) -> None:
    done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert place.planner("verify", "--blobs").returncode == 0


def test_htpasswd(place: Workplace, upstream: RegistryServer, make_registry: MakeRegistry) -> None:
    registry = make_registry(htpasswd=("user", "secret"))
    point_at(place, upstream, registry)
    log_in(place, registry.host, auth=encoded("user", "secret"))
    assert_filled(place)


@pytest.mark.parametrize(
    "entry", [pytest.param({}, id="none"), pytest.param({"password": "wrong"}, id="wrong")]
)
def test_htpasswd_without_the_right_password(
    place: Workplace, upstream: RegistryServer, make_registry: MakeRegistry, entry: dict[str, str]
) -> None:
    registry = make_registry(htpasswd=("user", "secret"))
    point_at(place, upstream, registry)
    log_in(place, registry.host, username="user", **entry)
    refused = place.planner("apply", "--auto-approve")
    assert refused.returncode == 69, refused.stderr
    assert "401" in refused.stderr
    assert "docker login" in refused.stderr
    assert "wrong" not in refused.stderr
    assert not registry.blob_digests_on_disk()


def test_a_credential_helper(
    place: Workplace, upstream: RegistryServer, make_registry: MakeRegistry
) -> None:
    registry = make_registry(htpasswd=("user", "secret"))
    helper = place.write("bin/docker-credential-vault", _HELPER)
    helper.chmod(0o755)
    point_at(place, upstream, registry, f"  {registry.host}: {{credentials: {{helper: vault}}}}\n")
    done = place.planner("apply", "--auto-approve", PATH=f"{helper.parent}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr


_HELPER = """\
#!/bin/sh
read server
[ "$1" = get ] && echo '{"ServerURL": "'"$server"'", "Username": "user", "Secret": "secret"}'
"""


def test_tokens(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    token_server: TokenServer,
) -> None:
    registry = make_registry(token=token_server.auth)
    point_at(place, upstream, registry)
    log_in(place, registry.host, auth=encoded("user", "secret"))
    assert_filled(place)


def test_planning_asks_for_no_right_to_push(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    token_server: TokenServer,
) -> None:
    registry = make_registry(token=token_server.auth)
    point_at(place, upstream, registry)
    log_in(place, registry.host, auth=encoded("user", "secret"))
    assert place.planner("plan").returncode == 0
    scopes = {scope for query in token_server.queries for scope in query.scopes}
    assert {scope.rpartition(":")[2] for scope in scopes} == {"pull"}


def test_tokens_that_expire_at_once(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    make_token_server: MakeTokenServer,
) -> None:
    """Each token lives for a second at most, so that some expire in the middle of the run."""
    server = make_token_server(ttl=1, user="secret")
    registry = make_registry(token=server.auth)
    point_at(place, upstream, registry)
    log_in(place, registry.host, auth=encoded("user", "secret"))
    assert_filled(place)


def test_an_identity_token(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    token_server: TokenServer,
) -> None:
    registry = make_registry(token=token_server.auth)
    point_at(place, upstream, registry)
    log_in(place, registry.host, identitytoken=token_server.identity_token("user"))
    assert_filled(place)
    assert {query.method for query in token_server.queries} == {"POST"}


def test_own_certificate_authority(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    certificates: Certificates,
) -> None:
    registry = make_registry(tls=certificates.server)
    point_at(
        place,
        upstream,
        registry,
        f"  {registry.host}: {{tls: {{ca_file: {certificates.ca.certificate}}}}}\n",
    )
    assert_filled(place)


def test_an_unknown_certificate_authority(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    certificates: Certificates,
) -> None:
    registry = make_registry(tls=certificates.server)
    point_at(place, upstream, registry)
    refused = place.planner("plan")
    assert refused.returncode == 69
    assert "not trusted" in refused.stderr
    assert "tls.ca_file" in refused.stderr


def test_an_unverified_certificate_where_that_is_asked_for(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    certificates: Certificates,
) -> None:
    registry = make_registry(tls=certificates.server)
    point_at(
        place, upstream, registry, f"  {registry.host}: {{tls: {{insecure_skip_verify: true}}}}\n"
    )
    assert_filled(place)


def test_a_client_certificate(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    certificates: Certificates,
) -> None:
    registry = make_registry(tls=certificates.server, client_ca=certificates.ca.certificate)
    own = f"cert_file: {certificates.client.certificate}, key_file: {certificates.client.key}"
    point_at(
        place,
        upstream,
        registry,
        f"  {registry.host}: {{tls: {{ca_file: {certificates.ca.certificate}, {own}}}}}\n",
    )
    assert_filled(place)


def test_a_missing_client_certificate(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    certificates: Certificates,
) -> None:
    registry = make_registry(tls=certificates.server, client_ca=certificates.ca.certificate)
    point_at(
        place,
        upstream,
        registry,
        f"  {registry.host}: {{tls: {{ca_file: {certificates.ca.certificate}}}}}\n",
    )
    refused = place.planner("plan")
    assert refused.returncode == 69, refused.stderr
    assert "client certificate" in refused.stderr
    assert "tls.cert_file" in refused.stderr


def test_plain_http_where_tls_was_expected(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    point_at(
        place, upstream, registry, f"  {registry.host}: {{endpoint: 'https://{registry.host}'}}\n"
    )
    refused = place.planner("plan")
    assert refused.returncode == 69
    assert "does not speak TLS" in refused.stderr
    assert "plain_http: true" in refused.stderr


def test_a_registry_that_is_down(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    point_at(place, upstream, registry)
    registry.stop()
    refused = place.planner("plan")
    assert refused.returncode == 69
    assert f"{registry.host}: nothing listens there" in refused.stderr


def test_a_read_only_registry(
    place: Workplace, upstream: RegistryServer, make_registry: MakeRegistry
) -> None:
    registry = make_registry(read_only=True)
    point_at(place, upstream, registry)
    refused = place.planner("apply", "--auto-approve")
    assert refused.returncode == 1
    assert "405" in refused.stderr
    assert "read-only" in refused.stderr


def test_tls_where_plain_http_was_expected(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    certificates: Certificates,
) -> None:
    registry = make_registry(tls=certificates.server)
    point_at(
        place, upstream, registry, f"  {registry.host}: {{endpoint: 'http://{registry.host}'}}\n"
    )
    refused = place.planner("plan")
    assert refused.returncode == 69
    assert "https://" in refused.stderr


EKSA = """\
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: Cluster
metadata: {{name: prod}}
spec:
  datacenterRef: {{kind: DockerDatacenterConfig, name: prod}}
  registryMirrorConfiguration:
    endpoint: 127.0.0.1
    port: "{port}"
    authenticate: true
    ociNamespaces: [{{registry: docker.io, namespace: hub}}]
"""


@pytest.mark.parametrize("in_spec", [True, False], ids=["authority-in-spec", "in-environment"])
def test_what_eks_anywhere_knows_is_enough(
    place: Workplace,
    upstream: RegistryServer,
    make_registry: MakeRegistry,
    certificates: Certificates,
    in_spec: bool,
) -> None:
    """Login and authority come from where its own tools take them, for a plan that was saved, too."""
    registry = make_registry(tls=certificates.server, htpasswd=("user", "secret"))
    spec = EKSA.format(port=registry.host.partition(":")[2])
    known = {"REGISTRY_USERNAME": "user", "REGISTRY_PASSWORD": "secret"}
    ca = certificates.ca.certificate
    if in_spec:
        spec += f"    caCertContent: |\n{indent(ca.read_text('ascii'), ' ' * 6)}"
    else:
        known["EKSA_REGISTRY_MIRROR_CA"] = str(ca)
    place.write("prod.yaml", spec)
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
        "clusters: [{name: prod, spec: prod.yaml, images: [images.txt]}]\n",
    )
    planned = place.planner("plan", "-o", "plan.json", **known)
    assert planned.returncode == 0, planned.stderr
    assert "secret" not in (place.folder / "plan.json").read_text("utf-8")
    assert place.planner("apply", "plan.json").returncode == 69
    done = place.planner("apply", "plan.json", **known)
    assert done.returncode == 0, done.stderr
    assert place.planner("verify", "--blobs", **known).returncode == 0
