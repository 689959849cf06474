"""What older releases of K3s and RKE2 do otherwise than the newest."""

from __future__ import annotations

import pytest

from planner.core.document import Spec
from planner.core.errors import UsageError
from planner.core.family import NodeFlags
from planner.core.reader import read
from planner.core.resolution import Resolution
from planner.specs.k3s import FAMILY
from planner.specs.k3s.releases import (
    BARE_ENDPOINTS,
    HOST_TREE,
    HOSTS_TOML,
    HUB_CREDENTIALS,
    REGISTRY_WITH_PATH,
    Since,
    parse_release,
)

MIRROR = "mirrors: {docker.io: {endpoint: ['https://r.corp']}}"
REWRITTEN = (
    "mirrors: {docker.io: {endpoint: ['https://r.corp'], rewrite: {'^rancher/': 'mirror/'}}}"
)
LAST_IS_DEFAULT = (
    "mirrors: {docker.io: {endpoint: ['https://r.corp', 'https://registry-1.docker.io']}}"
)
TWICE = "mirrors: {docker.io: {endpoint: ['https://r.corp', 'https://r.corp']}}"
WILDCARD = "mirrors: {'*': {endpoint: ['https://r.corp']}}"
BARE = "mirrors: {docker.io: {endpoint: [r.corp]}}"
IPV6 = "mirrors: {docker.io: {endpoint: ['https://[fd00::1]:5000']}}"
CONFIG_ONLY = "configs: {quay.io: {tls: {insecure_skip_verify: true}}}"
HUB_LOGIN = "configs: {docker.io: {auth: {username: u, password: p}}}"
HUB = "https://registry-1.docker.io/v2"
CORP = "https://r.corp/v2"
IMAGE = "docker.io/rancher/pause:1"


def spec(text: str) -> Spec:
    return read("registries.yaml", text)


def resolve(text: str, release: str, image: str = IMAGE) -> Resolution:
    return FAMILY.images().resolve(spec(text), image, NodeFlags(release=release))


def endpoints(text: str, release: str, image: str = IMAGE) -> list[str]:
    return [each.endpoint for each in resolve(text, release, image).attempts]


def render(text: str, release: str) -> str:
    return "".join(FAMILY.images().render(spec(text), NodeFlags(release=release)).values())


@pytest.mark.parametrize(
    ("gate", "release", "expected"),
    [
        pytest.param(HOSTS_TOML, "v1.29.1+k3s1", True, id="the-first"),
        pytest.param(HOSTS_TOML, "v1.29.0+k3s1", False, id="before-it"),
        pytest.param(HOSTS_TOML, "v1.30.0+rke2r1", True, id="later-minor"),
        pytest.param(HOSTS_TOML, "v1.25.16+k3s4", False, id="older-minor"),
        pytest.param(HOST_TREE, "v1.26.15+k3s1", False, id="minor-that-never-got-it"),
        pytest.param(HUB_CREDENTIALS, "v1.33.2+k3s1", False, id="newer-minor-older-patch"),
        pytest.param(BARE_ENDPOINTS, "v1.29.1+k3s1", False, id="build-before"),
        pytest.param(BARE_ENDPOINTS, "v1.29.1+k3s2", True, id="build"),
        pytest.param(REGISTRY_WITH_PATH, "v1.34.6+rke2r1", True, id="rke2"),
        pytest.param(REGISTRY_WITH_PATH, "v1.32.13+rke2r1", False, id="rke2-build-before"),
        pytest.param(HOSTS_TOML, "", True, id="no-release-is-the-newest"),
        pytest.param(HOSTS_TOML, "master-2024-09", True, id="state-of-master"),
        pytest.param(HOSTS_TOML, "v1.28.5", False, id="without-a-product"),
    ],
)
def test_a_gate_opens_at_its_patch_of_each_minor(gate: Since, release: str, expected: bool) -> None:
    assert gate.holds(parse_release(release)) is expected


@pytest.mark.parametrize("text", ["latest", "v1.29", "1.29.x"])
def test_what_is_no_release_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="is no release of K3s or RKE2"):
        resolve(MIRROR, text)


@pytest.mark.parametrize(
    ("text", "release", "expected"),
    [
        pytest.param(MIRROR, "v1.25.0+k3s1", [CORP, HUB], id="config-toml"),
        pytest.param(WILDCARD, "v1.25.0+k3s1", [CORP, HUB], id="config-toml-wildcard"),
        pytest.param(BARE, "v1.25.0+k3s1", [CORP, HUB], id="config-toml-bare"),
        pytest.param("{}", "v1.25.0+k3s1", [HUB], id="config-toml-no-mirror"),
        pytest.param(LAST_IS_DEFAULT, "v1.28.7+k3s1", [HUB], id="default-last-lost-the-entry"),
        pytest.param(LAST_IS_DEFAULT, "v1.28.8+k3s1", [CORP, HUB], id="default-last"),
        pytest.param(TWICE, "v1.27.11+k3s1", [HUB], id="duplicate-breaks-the-file"),
        pytest.param(TWICE, "v1.27.12+k3s1", [CORP, HUB], id="duplicate"),
        pytest.param(WILDCARD, "v1.29.2+k3s1", [CORP], id="wildcard-without-server"),
        pytest.param(WILDCARD, "v1.29.3+k3s1", [CORP, HUB], id="wildcard"),
        pytest.param(WILDCARD, "v1.32.2+rke2r1", [CORP], id="wildcard-lost-by-containerd-2"),
        pytest.param(WILDCARD, "v1.32.3+rke2r1", [CORP, HUB], id="wildcard-again"),
        pytest.param(MIRROR, "v1.32.2+k3s1", [CORP, HUB], id="named-mirror-of-that-release"),
        pytest.param(BARE, "v1.29.1+k3s1", [HUB], id="bare-endpoint"),
        pytest.param(BARE, "v1.29.1+k3s2", [CORP, HUB], id="bare-endpoint-fixed"),
        pytest.param(IPV6, "v1.32.1+k3s1", [HUB], id="address-breaks-the-file"),
        pytest.param(IPV6, "v1.32.2+k3s1", ["https://[fd00::1]:5000/v2", HUB], id="address"),
    ],
)
def test_the_release_decides_where_a_node_looks(
    text: str, release: str, expected: list[str]
) -> None:
    assert endpoints(text, release) == expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        pytest.param("v1.20.5+k3s1", ["rancher/pause", "rancher/pause"], id="before-rewrites"),
        pytest.param("v1.25.0+k3s1", ["mirror/pause", "mirror/pause"], id="registry-itself-too"),
        pytest.param("v1.26.13+k3s1", ["mirror/pause", "rancher/pause"], id="hosts-toml"),
    ],
)
def test_rewrites_reach_what_the_release_lets_them(release: str, expected: list[str]) -> None:
    assert [each.repository for each in resolve(REWRITTEN, release).attempts] == expected


@pytest.mark.parametrize(("release", "expected"), [("v1.29.3+k3s1", False), ("v1.29.4+k3s1", True)])
def test_settings_without_a_mirror_count_since_the_host_tree(release: str, expected: bool) -> None:
    (attempt,) = resolve(CONFIG_ONLY, release, "quay.io/a/b:1").attempts
    assert attempt.skip_verify is expected


@pytest.mark.parametrize(("release", "expected"), [("v1.33.2+k3s1", False), ("v1.33.3+k3s1", True)])
def test_credentials_of_docker_io_count_since_the_alias(release: str, expected: bool) -> None:
    (attempt,) = resolve(HUB_LOGIN, release).attempts
    assert attempt.auth is expected


def test_credentials_of_the_api_host_count_in_every_release() -> None:
    (attempt,) = resolve(
        HUB_LOGIN.replace("docker.io", "registry-1.docker.io"), "v1.30.0+k3s1"
    ).attempts
    assert attempt.auth


def test_an_endpoint_of_an_old_release_is_taken_as_written() -> None:
    text = """
        mirrors: {docker.io: {endpoint: ["http://r.corp:5000/v2/hub/"]}}
        configs:
          r.corp:5000: {tls: {insecure_skip_verify: true}, auth: {username: u, password: p}}
    """
    first, last = resolve(text, "v1.25.0+k3s1").attempts
    assert first.url == "http://r.corp:5000/v2/hub/rancher/pause/manifests/1?ns=docker.io"
    assert (first.skip_verify, first.auth) == (True, True)
    assert last.default


def test_a_registry_that_is_its_own_endpoint_is_asked_once_by_an_old_release() -> None:
    text = "mirrors: {quay.io: {endpoint: ['https://quay.io', 'https://r.corp']}}"
    assert endpoints(text, "v1.25.0+k3s1", "quay.io/a/b:1") == ["https://quay.io/v2", CORP]


def test_the_files_of_early_2024_are_written_as_then() -> None:
    assert render(MIRROR, "v1.27.11+k3s1").splitlines()[1:] == [
        'server = "https://registry-1.docker.io/v2"',
        "",
        '[host."https://r.corp/v2"]',
        '  capabilities = ["pull", "resolve"]',
    ]
    assert "[host]" not in render(MIRROR, "v1.27.12+k3s1")
    assert '"push"]' in render(MIRROR, "v1.27.12+k3s1")
    assert render(MIRROR, "v1.27.13+k3s1") == render(MIRROR, "")


def test_a_release_without_hosts_toml_renders_none() -> None:
    with pytest.raises(UsageError, match=r"v1.29.0\+k3s1 writes no hosts.toml"):
        render(MIRROR, "v1.29.0+k3s1")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (NodeFlags(disable_default_endpoint=True, release="v1.26.12+k3s1"), "has no --disable-default"),
        (NodeFlags(embedded_registry="h:1", release="v1.28.5+rke2r1"), "has no --embedded-registry"),
        (NodeFlags(system_default_registry="r/p", release="v1.36.0+k3s1"), "takes no path"),
        (NodeFlags(system_default_registry="r/p", release="v1.33.9+rke2r1"), "takes no path"),
    ],
)  # fmt: skip
def test_a_flag_that_the_release_does_not_have_is_a_usage_error(
    flags: NodeFlags, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        FAMILY.images().resolve(spec(MIRROR), IMAGE, flags)


def test_a_path_in_the_default_registry_is_kept_where_rke2_takes_it() -> None:
    flags = NodeFlags(system_default_registry="r.corp/p", release="v1.33.10+rke2r1")
    found = FAMILY.images().resolve(spec("{}"), IMAGE, flags)
    assert found.rewrites[0].image == "r.corp/p/rancher/pause:1"
