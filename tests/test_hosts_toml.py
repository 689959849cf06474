"""containerd's reading of ``certs.d``, by its own test cases and by what its documentation says."""

from __future__ import annotations

import pytest

from planner.core.containerd import attempts, folder_of
from planner.core.refs import ImageRef, parse_image
from planner.core.resolution import default_endpoint, default_scheme
from tests.support.conformance import Case, cases

_IMAGE = parse_image("registry.example.com/team/app:1")
_MIRROR = '[host."https://mirror.corp"]\n'
_SERVER = 'server = "https://registry.example.com"\n'


def _asked(text: str, image: ImageRef = _IMAGE, folder: str = "registry.example.com") -> list[str]:
    return [each.url for each in attempts({f"certs.d/{folder}/hosts.toml": text}, image)]


def _is_file(case: Case) -> bool:
    return bool(case["hosts_toml"])


def _is_scheme(case: Case) -> bool:
    return case.get("kind") == "default_scheme"


@pytest.mark.parametrize("case", cases("k3s_hosts_toml", _is_file))
def test_hosts_are_read_in_order(case: Case) -> None:
    found = attempts({"certs.d/registry.example.com/hosts.toml": case["hosts_toml"]}, _IMAGE)
    expected = [f"{each['scheme']}://{each['host']}{each['path']}" for each in case["expected"]]
    assert [each.endpoint for each in found] == expected
    insecure = [each.get("skip_verify", False) for each in case["expected"]]
    assert [each.skip_verify for each in found] == insecure


@pytest.mark.parametrize("case", cases("k3s_hosts_toml", _is_scheme))
def test_only_this_machine_is_asked_over_http(case: Case) -> None:
    assert (default_scheme(case["namespace"]) == "http") is case["http_fallback"]


@pytest.mark.parametrize(
    ("registry", "endpoint"),
    [
        pytest.param("docker.io", "https://registry-1.docker.io/v2", id="docker-hub"),
        pytest.param("quay.io", "https://quay.io/v2", id="host"),
        pytest.param("localhost:5000", "http://localhost:5000/v2", id="loopback-name"),
        pytest.param("127.0.0.254:5000", "http://127.0.0.254:5000/v2", id="loopback-address"),
        pytest.param("localhost", "https://localhost/v2", id="loopback-without-port"),
        pytest.param("localhost:443", "https://localhost:443/v2", id="loopback-443"),
        pytest.param("[fd00::1]:5000", "https://[fd00::1]:5000/v2", id="ipv6"),
        pytest.param("[fd00::1]", "https://[fd00::1]/v2", id="ipv6-without-port"),
    ],
)
def test_a_registry_has_a_default_endpoint(registry: str, endpoint: str) -> None:
    assert default_endpoint(registry) == endpoint


_OWN = "https://registry.example.com/v2/team/app/manifests/1"
_AT_MIRROR = "https://mirror.corp/v2/team/app/manifests/1?ns=registry.example.com"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        pytest.param("", [_OWN], id="empty-file"),
        pytest.param(_SERVER, [_OWN], id="server-only"),
        pytest.param('server = ""', [_OWN], id="empty-server"),
        pytest.param(_SERVER + _MIRROR, [_AT_MIRROR, _OWN], id="mirror-and-server"),
        pytest.param(_MIRROR, [_AT_MIRROR, _OWN], id="mirror-without-server"),
        pytest.param('server = "https://mirror.corp"', [_AT_MIRROR], id="other-server"),
        pytest.param('[host."https://mirror.corp/v2"]', [_AT_MIRROR, _OWN], id="v2-once"),
        pytest.param('[host."mirror.corp"]', [_AT_MIRROR, _OWN], id="without-scheme"),
        pytest.param('[host."a\\.b"]', [_OWN], id="unreadable"),
    ],
)
def test_urls_are_asked_in_this_order(text: str, urls: list[str]) -> None:
    assert _asked(text) == urls


@pytest.mark.parametrize(
    ("path", "settings", "asked"),
    [
        pytest.param("", "", "/v2", id="none"),
        pytest.param("/", "", "/v2", id="slash"),
        pytest.param("/proxy", "", "/proxy/v2", id="v2-is-added"),
        pytest.param("/proxy/v2/", "", "/proxy/v2", id="v2-is-there"),
        pytest.param("/proxy", "override_path = true", "/proxy", id="override"),
        pytest.param("/v2/hub", "override_path = true", "/v2/hub", id="override-below-v2"),
    ],
)
def test_the_path_of_a_mirror_becomes_the_root(path: str, settings: str, asked: str) -> None:
    urls = _asked(f'[host."https://mirror.corp{path}"]\n{settings}')
    assert urls[0].startswith(f"https://mirror.corp{asked}/team/app/manifests/1")


def test_the_folder_of_the_registry_wins_over_the_default() -> None:
    files = {"certs.d/_default/hosts.toml": _MIRROR, "certs.d/registry.example.com/hosts.toml": ""}
    assert [each.url for each in attempts(files, _IMAGE)] == [_OWN]


def test_the_default_folder_serves_every_other_registry() -> None:
    assert _asked(_MIRROR, folder="_default") == [_AT_MIRROR, _OWN]


def test_docker_hub_needs_no_namespace_parameter() -> None:
    urls = _asked("", parse_image("nginx"), "docker.io")
    assert urls == ["https://registry-1.docker.io/v2/library/nginx/manifests/latest"]


def test_a_digest_is_asked_instead_of_the_tag() -> None:
    digest = "sha256:" + "0" * 64
    (url,) = _asked("", parse_image(f"registry.example.com/team/app:1@{digest}"))
    assert url.endswith(f"/manifests/{digest}")


def test_in_the_fork_of_k3s_a_file_without_server_has_no_fallback() -> None:
    files = {"certs.d/registry.example.com/hosts.toml": _MIRROR}
    found = attempts(files, _IMAGE, rewriter=lambda _, name: name)
    assert [each.url for each in found] == [_AT_MIRROR]


def test_upstream_containerd_ignores_rewrites() -> None:
    text = f'{_MIRROR}[host."https://mirror.corp".rewrite]\n"^team/" = "other/"\n'
    assert _asked(text)[0] == _AT_MIRROR


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        pytest.param("certs.d/quay.io/hosts.toml", "quay.io", id="host"),
        pytest.param("certs.d/localhost:5000/hosts.toml", "localhost:5000", id="port"),
    ],
)
def test_a_file_belongs_to_a_folder(file: str, folder: str) -> None:
    assert folder_of(file) == folder
