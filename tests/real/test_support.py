"""The supports themselves: a test may trust what it runs on."""

import base64
import hashlib
import json
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.real.conftest import MakeRegistry, MakeTokenServer
from tests.support.certificates import Certificates
from tests.support.containerd_server import ContainerdServer
from tests.support.process import PATIENCE
from tests.support.registry_server import LoggedRequest, RegistryServer
from tests.support.skopeo import Access, Skopeo
from tests.support.terminal import Terminal
from tests.support.token_server import TokenQuery, TokenServer

_PULL_PUSH = "repository:library/busybox:pull,push"


def status_of(
    url: str, *, authorization: str = "", method: str = "GET", tls: ssl.SSLContext | None = None
) -> int:
    request = urllib.request.Request(url, method=method)
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=tls) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def token_from(server: TokenServer, *, authorization: str = "", form: str = "") -> str:
    query = urlencode({"service": server.auth.service, "scope": _PULL_PUSH})
    request = urllib.request.Request(server.realm if form else f"{server.realm}?{query}")
    request.data = form.encode() if form else None
    if authorization:
        request.add_header("Authorization", authorization)
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return str(json.load(reply)["token"])


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def image_layout(directory: Path) -> str:
    """Write an OCI layout with one image; return skopeo's reference to it."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def descriptor(kind: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", json.dumps(config).encode()),
        "layers": [descriptor("layer.v1.tar", b"not really a layer" * 1000)],
    }
    root = descriptor("manifest.v1+json", json.dumps(manifest).encode())
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{directory}"


def test_a_registry_logs_what_it_is_asked(registry: RegistryServer) -> None:
    assert status_of(f"{registry.url}/v2/") == 200
    mark = registry.mark()
    assert status_of(f"{registry.url}/v2/a/manifests/v1?x=%22", method="HEAD") == 404
    assert registry.requests() == [
        LoggedRequest("GET", "/v2/", 200),
        LoggedRequest("HEAD", "/v2/a/manifests/v1?x=%22", 404),
    ]
    assert registry.requests_since(mark) == registry.requests()[1:]


def test_a_registry_keeps_its_port_and_data(
    registry: RegistryServer, skopeo: Skopeo, tmp_path: Path
) -> None:
    image = f"docker://{registry.host}/library/busybox:1"
    skopeo.copy(image_layout(tmp_path), image)
    before = skopeo.digest(image)
    registry.stop()
    registry.start()
    assert skopeo.digest(image) == before


def test_skopeo_copies_every_byte(
    registry: RegistryServer, upstream: RegistryServer, skopeo: Skopeo, tmp_path: Path
) -> None:
    source = image_layout(tmp_path)
    first, second = (f"docker://{each.host}/library/busybox:1" for each in (upstream, registry))
    skopeo.copy(source, first)
    skopeo.copy(first, second)
    assert skopeo.inspect_raw(source) == skopeo.inspect_raw(second)
    assert len(registry.blob_digests_on_disk()) == 3
    assert registry.blob_digests_on_disk() == upstream.blob_digests_on_disk()


def test_a_blob_can_be_lost(registry: RegistryServer, skopeo: Skopeo, tmp_path: Path) -> None:
    skopeo.copy(image_layout(tmp_path), f"docker://{registry.host}/busybox:1")
    lost = min(registry.blob_digests_on_disk())
    registry.delete_blob_file(lost)
    assert lost not in registry.blob_digests_on_disk()
    assert status_of(f"{registry.url}/v2/busybox/blobs/{lost}") == 404


def test_htpasswd_refuses_a_wrong_password(make_registry: MakeRegistry) -> None:
    registry = make_registry(htpasswd=("user", "secret"))
    assert status_of(f"{registry.url}/v2/") == 401
    assert status_of(f"{registry.url}/v2/", authorization=basic("user", "wrong")) == 401
    assert status_of(f"{registry.url}/v2/", authorization=basic("user", "secret")) == 200


def test_a_read_only_registry_refuses_uploads(make_registry: MakeRegistry) -> None:
    registry = make_registry(read_only=True)
    assert status_of(f"{registry.url}/v2/a/blobs/uploads/", method="POST") == 405


def test_a_proxy_pulls_through(
    upstream: RegistryServer, make_registry: MakeRegistry, skopeo: Skopeo, tmp_path: Path
) -> None:
    skopeo.copy(image_layout(tmp_path), f"docker://{upstream.host}/busybox:1")
    proxy = make_registry(proxy=upstream.url)
    assert skopeo.digest(f"docker://{proxy.host}/busybox:1") in upstream.blob_digests_on_disk()


def test_tls_and_mutual_tls_want_their_certificates(
    make_registry: MakeRegistry, certificates: Certificates
) -> None:
    trusting = ssl.create_default_context(cafile=certificates.ca.certificate)
    trusting.verify_flags &= ~ssl.VERIFY_X509_STRICT  # our authority is as plain as most are
    plain = make_registry(tls=certificates.server)
    assert status_of(f"{plain.url}/v2/", tls=trusting) == 200
    mutual = make_registry(tls=certificates.server, client_ca=certificates.ca.certificate)
    with pytest.raises(OSError, match=r"(?i)certificate required|bad certificate|reset"):
        status_of(f"{mutual.url}/v2/", tls=trusting)
    trusting.load_cert_chain(certificates.client.certificate, certificates.client.key)
    assert status_of(f"{mutual.url}/v2/", tls=trusting) == 200


def test_a_token_opens_a_registry(token_server: TokenServer, make_registry: MakeRegistry) -> None:
    registry = make_registry(token=token_server.auth)
    upload = f"{registry.url}/v2/library/busybox/blobs/uploads/"
    assert status_of(upload, method="POST") == 401
    token = token_from(token_server, authorization=basic("user", "secret"))
    assert status_of(upload, method="POST", authorization=f"Bearer {token}") == 202
    assert token_server.queries == [TokenQuery("GET", (_PULL_PUSH,), "user", 200)]


def test_tokens_of_nobody_only_pull(
    make_token_server: MakeTokenServer, make_registry: MakeRegistry
) -> None:
    tokens = make_token_server(anonymous_pull=True)
    registry = make_registry(token=tokens.auth)
    bearer = f"Bearer {token_from(tokens)}"
    repository = f"{registry.url}/v2/library/busybox"
    assert status_of(f"{repository}/manifests/1", authorization=bearer) == 404
    assert status_of(f"{repository}/blobs/uploads/", method="POST", authorization=bearer) == 401


def test_an_identity_token_buys_a_token(
    token_server: TokenServer, make_registry: MakeRegistry
) -> None:
    registry = make_registry(token=token_server.auth)
    identity = token_server.identity_token("user")
    form = {"grant_type": "refresh_token", "refresh_token": identity, "scope": _PULL_PUSH}
    token = token_from(token_server, form=urlencode(form))
    assert status_of(f"{registry.url}/v2/", authorization=f"Bearer {token}") == 200
    assert token_server.queries == [TokenQuery("POST", (_PULL_PUSH,), "user", 200)]


def test_a_registry_refuses_a_token_that_ended(
    token_server: TokenServer, make_registry: MakeRegistry
) -> None:
    registry = make_registry(token=token_server.auth)
    token_server.ttl = -1
    token = token_from(token_server, authorization=basic("user", "secret"))
    assert status_of(f"{registry.url}/v2/", authorization=f"Bearer {token}") == 401


def test_a_token_server_refuses_a_wrong_password(token_server: TokenServer) -> None:
    assert status_of(token_server.realm) == 401
    assert status_of(token_server.realm, authorization=basic("user", "wrong")) == 401


def test_skopeo_gives_credentials_and_verifies(
    make_registry: MakeRegistry, certificates: Certificates, skopeo: Skopeo, tmp_path: Path
) -> None:
    registry = make_registry(htpasswd=("user", "secret"), tls=certificates.server)
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "ca.crt").write_bytes(certificates.ca.certificate.read_bytes())
    image = f"docker://{registry.host}/busybox:1"
    access = Access(credentials="user:secret", certificates=trusted)
    skopeo.copy(image_layout(tmp_path / "image"), image, to=access)
    assert skopeo.digest(image, access) in registry.blob_digests_on_disk()
    with pytest.raises(RuntimeError, match="unauthorized"):
        skopeo.inspect_raw(image)


def test_containerd_pulls_through_a_mirror(
    containerd: ContainerdServer, registry: RegistryServer, skopeo: Skopeo, tmp_path: Path
) -> None:
    skopeo.copy(image_layout(tmp_path / "image"), f"docker://{registry.host}/library/busybox:1")
    hosts = tmp_path / "hosts" / "docker.io" / "hosts.toml"
    hosts.parent.mkdir(parents=True)
    hosts.write_text(f'[host."{registry.url}"]\ncapabilities = ["pull", "resolve"]\n')
    done = containerd.fetch("docker.io/library/busybox:1", tmp_path / "hosts")
    assert done.returncode == 0, done.stderr
    assert frozenset(containerd.content()) == registry.blob_digests_on_disk()


def test_a_terminal_shows_what_is_typed(terminal: Terminal) -> None:
    terminal.start(["cat"], width=40, height=5, env={"LC_ALL": "C.UTF-8"})
    terminal.send("grüße", "Enter")
    assert terminal.wait_for("grüße\ngrüße").splitlines()[0] == "grüße"


def test_a_terminal_tells_the_exit_code(terminal: Terminal) -> None:
    program = "import os; print(*os.get_terminal_size(), os.environ['HUE']); raise SystemExit(3)"
    terminal.start([sys.executable, "-c", program], width=61, height=7, env={"HUE": "red"})
    assert terminal.wait_for_exit() == 3
    assert terminal.wait_for("61 7 red")
