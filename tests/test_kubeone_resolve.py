import pytest

from planner.core.document import Spec
from planner.core.family import NodeFlags
from planner.core.reader import read
from planner.core.resolution import Resolution
from planner.specs.kubeone import FAMILY

HUB = """server = "https://registry-1.docker.io"

[host."https://registry-1.docker.io"]
capabilities = ["pull", "resolve"]
"""


def cluster(*lines: str) -> Spec:
    head = ["apiVersion: kubeone.k8c.io/v1beta2", "kind: KubeOneCluster"]
    return read("kubeone.yaml", "\n".join([*head, *lines]))


def with_registries(*lines: str) -> Spec:
    head = ["containerRuntime:", "  containerd:", "    registries:"]
    return cluster(*head, *(f"      {line}" for line in lines))


def render(spec: Spec) -> dict[str, str]:
    return dict(FAMILY.images().render(spec, NodeFlags()))


def resolve(spec: Spec, image: str) -> Resolution:
    return FAMILY.images().resolve(spec, image, NodeFlags())


def urls(spec: Spec, image: str) -> list[str]:
    return [each.url for each in resolve(spec, image).attempts]


def asked(spec: Spec, image: str) -> str:
    resolution = resolve(spec, image)
    return resolution.rewrites[-1].image if resolution.rewrites else image


def test_docker_hub_always_has_a_file() -> None:
    assert render(cluster()) == {"certs.d/docker.io/hosts.toml": HUB}


@pytest.mark.parametrize(
    ("lines", "folder", "expected"),
    [
        pytest.param(
            ["docker.io: {mirrors: [https://m.corp]}"],
            "docker.io",
            'server = "https://registry-1.docker.io"\n\n[host."https://m.corp"]\n'
            'capabilities = ["pull", "resolve"]\n',
            id="hub-mirror-replaces-the-default",
        ),
        pytest.param(
            ['"*": {mirrors: [https://m.corp], tlsConfig: {insecureSkipVerify: true}}'],
            "_default",
            '[host."https://m.corp"]\ncapabilities = ["pull", "resolve"]\nskip_verify = true\n',
            id="wildcard-has-no-server",
        ),
        pytest.param(
            ["registry.k8s.io: {mirrors: [https://some, https://other]}"],
            "registry.k8s.io",
            'server = "registry.k8s.io"\n\n[host."https://other"]\ncapabilities = ["pull", "resolve"]\n'
            '[host."https://some"]\ncapabilities = ["pull", "resolve"]\n',
            id="mirrors-are-sorted",
        ),
        pytest.param(
            ["gitlab.com/project1/repo2: {overridePath: true}"],
            "gitlab.com",
            'server = "gitlab.com/project1/repo2"\n\n[host."gitlab.com/project1/repo2"]\n'
            'capabilities = ["pull", "resolve"]\noverride_path = true\n',
            id="sub-path-stays-in-the-server",
        ),
        pytest.param(
            ["r.corp: {tlsConfig: {insecureSkipVerify: true}}"],
            "r.corp",
            'server = "r.corp"\n\n[host."r.corp"]\ncapabilities = ["pull", "resolve"]\nskip_verify = true\n',
            id="insecure-without-mirrors-names-itself",
        ),
        pytest.param(
            ["r.corp: {mirrors: [mirror]}"],
            "r.corp",
            'server = "r.corp"\n\n[host.mirror]\ncapabilities = ["pull", "resolve"]\n',
            id="a-bare-key-has-no-quotes",
        ),
    ],
)
def test_a_hosts_file_is_written_as_kubeone_writes_it(
    lines: list[str], folder: str, expected: str
) -> None:
    assert render(with_registries(*lines))[f"certs.d/{folder}/hosts.toml"] == expected


@pytest.mark.parametrize(
    "entry",
    ["quay.io: {}", "quay.io: {auth: {username: a, password: b}}", "quay.io: {mirrors: []}"],
)
def test_an_entry_that_changes_nothing_writes_no_file(entry: str) -> None:
    assert list(render(with_registries(entry))) == ["certs.d/docker.io/hosts.toml"]


def test_an_insecure_registry_gets_a_file_of_its_own() -> None:
    spec = cluster(
        "registryConfiguration: {overwriteRegistry: r.corp:5000, insecureRegistry: true}"
    )
    assert "skip_verify = true" in render(spec)["certs.d/r.corp:5000/hosts.toml"]


def test_a_tls_config_wins_over_insecure_registry() -> None:
    spec = cluster(
        "registryConfiguration: {overwriteRegistry: r.corp, insecureRegistry: true}",
        "containerRuntime: {containerd: {registries: {r.corp: {tlsConfig: {}}}}}",
    )
    assert "certs.d/r.corp/hosts.toml" not in render(spec)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("registry.k8s.io/kube-proxy:v1.35.2", "r.corp:5000/k/kube-proxy:v1.35.2"),
        ("registry.k8s.io/coredns/coredns:v1.13.1", "r.corp:5000/k/coredns:v1.13.1"),
        ("quay.io/calico/node:v9.9.9", "r.corp:5000/k/calico/node:v9.9.9"),
        ("docker.io/library/alpine:3.23", "r.corp:5000/k/library/alpine:3.23"),
        ("docker.io/library/alpine:3.20", "docker.io/library/alpine:3.20"),
        ("quay.io/team/app:1", "quay.io/team/app:1"),
        (f"quay.io/cilium/cilium:v1@sha256:{'0' * 64}", "r.corp:5000/k/cilium/cilium:v1"),
    ],
)
def test_only_kubeones_own_images_are_renamed(image: str, name: str) -> None:
    spec = cluster("registryConfiguration: {overwriteRegistry: r.corp:5000/k}")
    assert asked(spec, image) == name


def test_the_repository_of_coredns_wins_over_the_registry() -> None:
    spec = cluster(
        "registryConfiguration: {overwriteRegistry: r.corp}",
        "features: {coreDNS: {imageRepository: dns.corp/proxy}}",
    )
    assert asked(spec, "registry.k8s.io/coredns/coredns:v1") == "dns.corp/proxy/coredns:v1"


def test_mirrors_are_asked_in_alphabetical_order_and_the_registry_last() -> None:
    spec = with_registries("quay.io: {mirrors: [https://near.corp, https://far.corp]}")
    assert urls(spec, "quay.io/team/app:1") == [
        "https://far.corp/v2/team/app/manifests/1?ns=quay.io",
        "https://near.corp/v2/team/app/manifests/1?ns=quay.io",
        "https://quay.io/v2/team/app/manifests/1",
    ]


def test_the_wildcard_serves_every_registry_without_an_entry() -> None:
    spec = with_registries('"*": {mirrors: [https://m.corp/v2/all], overridePath: true}')
    assert urls(spec, "ghcr.io/a/b:1")[0] == "https://m.corp/v2/all/a/b/manifests/1?ns=ghcr.io"
    assert "m.corp" not in urls(spec, "docker.io/a/b:1")[0]


def test_a_renamed_image_goes_through_the_registries_too() -> None:
    spec = cluster(
        "registryConfiguration: {overwriteRegistry: r.corp}",
        "containerRuntime: {containerd: {registries: {r.corp: {mirrors: [http://cache.corp]}}}}",
    )
    assert urls(spec, "registry.k8s.io/pause:3.10.1") == [
        "http://cache.corp/v2/pause/manifests/3.10.1?ns=r.corp",
        "https://r.corp/v2/pause/manifests/3.10.1",
    ]


def test_credentials_hold_for_the_key_and_its_mirrors() -> None:
    spec = with_registries(
        "quay.io: {mirrors: [https://m.corp/x], auth: {username: a, password: b}}"
    )
    assert [each.auth for each in resolve(spec, "quay.io/a/b:1").attempts] == [True, True]
    assert not resolve(spec, "ghcr.io/a/b:1").attempts[0].auth


def test_credentials_of_the_wildcard_are_left_out() -> None:
    spec = with_registries('"*": {mirrors: [https://m.corp], auth: {username: a, password: b}}')
    assert not resolve(spec, "quay.io/a/b:1").attempts[0].auth


def test_a_path_behind_an_insecure_registry_leads_nowhere() -> None:
    spec = cluster("registryConfiguration: {overwriteRegistry: r.corp/k, insecureRegistry: true}")
    first = resolve(spec, "registry.k8s.io/pause:3.10.1").first
    assert first
    assert first.url == "https://r.corp/k/v2/k/pause/manifests/3.10.1"
    assert first.target is None
