"""The mirror of an EKS Anywhere cluster: what becomes of an address, and what nodes are told."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from planner.core.document import Spec
from planner.core.family import ListedImage, NodeFlags, Selection, because
from planner.core.reader import read
from planner.core.refs import parse_image
from planner.specs.eksa import FAMILY
from planner.specs.eksa.mirror import CORE_REGISTRY, Mirror, mirror_of, node_endpoint
from tests.support.conformance import Case, cases

CURATED = "783794618700.dkr.ecr.us-west-2.amazonaws.com"
# What has no counterpart in planner, and why.
LEFT_OUT = {
    "chart-file": "charts are copied as they are, not through files",
    "chart-push-url": "charts are copied as they are, not through helm push",
    "chart-url-version": "charts are copied as they are, not through helm pull",
    "curated-registries": "packages are listed by hand, and go where ociNamespaces sends them",
    "import-endpoint": "import images knows no ociNamespaces; what the nodes ask for decides",
    "import-normalise": "digests stay digests",
    "package-bundle-tag": "package bundles are not read",
    "registry-client-destination": "copy packages takes its destination from the command line",
    "replace-host": "made of a host alone, and used for archives",
}
CHECKED = {"mapping", "replace-registry", "node-api-endpoint", "import-image", "import-chart"}


def cluster(block: Any, provider: str = "VSphere", **systems: str) -> Spec:
    """A cluster with one group of machines for each of ``systems``, the first for the control plane."""
    name, *others = systems or {"cp": ""}
    spec: dict[str, Any] = {
        "datacenterRef": {"kind": f"{provider}DatacenterConfig", "name": "dc"},
        "registryMirrorConfiguration": block,
        "controlPlaneConfiguration": {"machineGroupRef": _ref(provider, name)},
        "workerNodeGroupConfigurations": [
            {"machineGroupRef": _ref(provider, each)} for each in others
        ],
    }
    documents = [_document("Cluster", "prod", spec)]
    documents += [
        _document(f"{provider}MachineConfig", each, {"osFamily": system} if system else {})
        for each, system in systems.items()
    ]
    return read("eksa.yaml", "\n---\n".join(map(json.dumps, documents)))


def _ref(provider: str, name: str) -> dict[str, str]:
    return {"kind": f"{provider}MachineConfig", "name": name}


def _document(kind: str, name: str, spec: Any) -> dict[str, Any]:
    group = "anywhere.eks.amazonaws.com/v1alpha1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}


def mirror(block: Any) -> Mirror:
    found = mirror_of(cluster(block))
    assert found
    return found


def namespaces(**entries: str) -> list[dict[str, str]]:
    known = {"core": CORE_REGISTRY, "curated": CURATED}
    return [{"registry": known[key], "namespace": each} for key, each in entries.items()]


def render(spec: Spec) -> dict[str, str]:
    return dict(FAMILY.images().render(spec, NodeFlags()))


def urls(spec: Spec, image: str) -> list[str]:
    return [each.url for each in FAMILY.images().resolve(spec, image, NodeFlags()).attempts]


def target(spec: Spec, image: str) -> str:
    listed = ListedImage(parse_image(image), because(spec, spec.root, "listed"))
    (need,) = FAMILY.images().needs(spec, Selection(images=(listed,)))
    return str(need.target or need.source)


def of(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases("eksa_mirror", lambda case: case["kind"] == kind))


def test_every_kind_of_case_is_checked_or_left_out_with_a_reason() -> None:
    kinds = {param.values[0]["kind"] for param in cases("eksa_mirror")}  # type: ignore[index]
    assert kinds == CHECKED | {"image-parts"} | set(LEFT_OUT)


@of("mapping")
def test_each_registry_has_its_place(case: Case) -> None:
    found, expected = mirror(case["mirror config"]), case["expected"]
    assert (found.base, found.places) == (expected["base"], expected["map"])
    core = found.places.get(CORE_REGISTRY, "")
    assert core == expected.get("core", core)
    roots = {key: node_endpoint(place) for key, place in found.places.items()}
    wanted = expected.get("node_endpoints", {})
    assert {key: roots[key] for key in wanted} == {
        key: f"https://{root}" for key, root in wanted.items()
    }


@of("replace-registry")
def test_the_registry_of_an_address_is_replaced(case: Case) -> None:
    config = case["mirror config"] or {}
    is_raw = "_raw_map" in config  # a map that no cluster file leads to
    found = Mirror("", config["_raw_map"]) if is_raw else mirror_of(cluster(config or None))
    assert (found.replaced(case["source"]) if found else case["source"]) == case["expected"]


@of("node-api-endpoint")
def test_the_version_of_the_api_stands_behind_the_host(case: Case) -> None:
    place, root = (case[key].removeprefix("oci://") for key in ("source", "expected"))
    assert node_endpoint(place) == f"https://{root}"


def is_whole(case: Case) -> bool:
    """An empty tag, which Go takes, is refused."""
    return case["kind"] == "image-parts" and not case["source"].endswith(":")


@pytest.mark.parametrize("case", cases("eksa_mirror", is_whole))
def test_addresses_are_taken_apart(case: Case) -> None:
    image, parts = parse_image(case["source"]), case["expected"]
    tag = parts.get("tag", parts["version"])
    found = (image.registry, image.repository, image.tag, image.digest)
    assert found == (parts["registry"], parts["repository"], tag, parts["digest"])


def is_for_spec(case: Case) -> bool:
    """Whether ``import images`` and the cluster file agree on what to do: tags, and no registry that import knows by name."""
    return "@" not in case["source"] and not case["source"].startswith(CURATED)


def imported(case: Case) -> tuple[Spec, str, str]:
    """The cluster file for ``--registry host[:port][/namespace]``, and that place with and without its port."""
    place, _, namespace = case["registry"].partition("/")
    host, _, port = place.partition(":")
    # Sources elsewhere are no business of import images, unless they are charts.
    source = case["source"].partition("/")[0] if case["kind"] == "import-chart" else CORE_REGISTRY
    block = {"endpoint": host, "ociNamespaces": [{"registry": source, "namespace": namespace}]}
    return cluster(block | ({"port": port} if port else {})), place, f"{host}:{port or 443}"


@pytest.mark.parametrize(
    "case",
    cases("eksa_mirror", lambda case: case["kind"] == "import-image" and is_for_spec(case)),
)
def test_nodes_ask_where_import_images_puts_it(case: Case) -> None:
    spec, place, base = imported(case)
    assert target(spec, case["source"]) == case["expected"].replace(place, base, 1)


@of("import-chart")
def test_charts_are_asked_for_where_import_images_puts_them(case: Case) -> None:
    spec, place, base = imported(case)
    name = case["source"].rpartition("/")[2]
    folder = case["expected"]["push"].removeprefix("oci://").replace(place, base, 1)
    found = mirror_of(spec)
    assert found
    assert found.replaced(f"oci://{case['source']}") == f"oci://{folder}/{name}"


HARBOR = {"endpoint": "h.corp", "port": "8443"}
PAUSE = "public.ecr.aws/eks-distro/kubernetes/pause:3.10"
CORE_FILE = """server = "https://public.ecr.aws"

[host."https://h.corp:8443/v2/eks"]
  capabilities = ["pull", "resolve"]
  override_path = true
  ca = "/etc/containerd/certs.d/h.corp:8443/ca.crt"
"""


def test_a_node_has_a_file_for_each_registry_and_the_mirror() -> None:
    block = HARBOR | {"caCertContent": "PEM\n", "ociNamespaces": namespaces(core="eks", curated="")}
    files = render(cluster(block))
    on_nodes = {name: text for name, text in files.items() if name.startswith("certs.d/")}
    assert set(on_nodes) == {
        f"certs.d/{CURATED}/hosts.toml",
        "certs.d/h.corp:8443/ca.crt",
        "certs.d/h.corp:8443/hosts.toml",
        "certs.d/public.ecr.aws/hosts.toml",
    }
    assert on_nodes["certs.d/public.ecr.aws/hosts.toml"] == CORE_FILE
    assert on_nodes["certs.d/h.corp:8443/ca.crt"] == "PEM\n"


@pytest.mark.parametrize("provider", ["CloudStack", "Docker", "Nutanix", "Snow", "Tinkerbell"])
def test_all_providers_write_the_same_hosts(provider: str) -> None:
    files = render(cluster(HARBOR | {"insecureSkipVerify": True}, provider, cp="ubuntu"))
    for registry in ("h.corp:8443", "public.ecr.aws"):
        table = tomllib.loads(files[f"certs.d/{registry}/hosts.toml"])
        settings = {"capabilities": ["pull", "resolve"], "override_path": True, "skip_verify": True}
        hosts = {"https://h.corp:8443/v2": settings}
        assert table == {"server": f"https://{registry}", "host": hosts}


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("CloudStack", False),
        ("Docker", True),
        ("Nutanix", True),
        ("Snow", False),
        ("Tinkerbell", True),
        ("VSphere", True),
    ],
)
def test_credentials_do_not_reach_the_nodes_of_every_provider(
    provider: str, expected: bool
) -> None:
    spec = cluster(HARBOR | {"authenticate": True}, provider, cp="ubuntu")
    files = render(spec)
    assert ("authorization" in files["certs.d/public.ecr.aws/hosts.toml"]) is expected
    assert "authorization" in files["prod/generated/certs.d/public.ecr.aws/hosts.toml"]
    assert all(tomllib.loads(text) for name, text in files.items() if name.endswith(".toml"))
    first = FAMILY.images().resolve(spec, PAUSE, NodeFlags()).first
    assert first
    assert first.auth is expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param({}, True, id="no-ca"),
        pytest.param({"caCertContent": "PEM"}, False, id="ca"),
        pytest.param({"caCertContent": "PEM", "insecureSkipVerify": True}, False, id="both"),
    ],
)
def test_the_bootstrap_cluster_verifies_when_there_is_a_ca(
    block: dict[str, Any], expected: bool
) -> None:
    files = render(cluster(HARBOR | block))
    table = tomllib.loads(files["prod/generated/certs.d/public.ecr.aws/hosts.toml"])
    assert ("skip_verify" in table["host"]["https://h.corp:8443/v2"]) is expected


ONE_MIRROR = "registryMirror:\n  endpoint: h.corp:8443/v2/eks\n  caCert: |\n    PEM\n"
TWO_MIRRORS = f"""registryMirror:
  caCert: |
    PEM
  mirrors:
    - registry: "{CURATED}"
      endpoints:
        - h.corp:8443/v2/packages
    - registry: "public.ecr.aws"
      endpoints:
        - h.corp:8443/v2/eks
"""
BOTH = namespaces(core="eks", curated="packages")


@pytest.mark.parametrize(
    ("provider", "entries", "expected"),
    [
        pytest.param("VSphere", namespaces(core="eks"), ONE_MIRROR, id="vsphere-one"),
        pytest.param("VSphere", BOTH, TWO_MIRRORS, id="vsphere-two"),
        pytest.param("Tinkerbell", BOTH, ONE_MIRROR, id="tinkerbell-takes-core-alone"),
        pytest.param("Snow", BOTH, ONE_MIRROR, id="snow-takes-core-alone"),
        pytest.param(
            "Tinkerbell",
            namespaces(curated="packages"),
            ONE_MIRROR.replace("h.corp:8443/v2/eks", "v2"),
            id="no-core",
        ),
    ],
)
def test_bottlerocket_has_settings(
    provider: str, entries: list[dict[str, str]], expected: str
) -> None:
    block = HARBOR | {"caCertContent": "PEM\n", "ociNamespaces": entries}
    files = render(cluster(block, provider, cp="bottlerocket"))
    assert files["bottlerocket/registry-mirror.yaml"] == expected
    assert not any(name.startswith("certs.d/") for name in files)


def test_mixed_machines_get_both() -> None:
    files = render(cluster(HARBOR, "Tinkerbell", cp="bottlerocket", md="ubuntu"))
    assert {"bottlerocket/registry-mirror.yaml", "certs.d/public.ecr.aws/hosts.toml"} <= set(files)


def test_machines_of_vsphere_run_bottlerocket_by_default() -> None:
    assert "bottlerocket/registry-mirror.yaml" in render(cluster(HARBOR, cp=""))


def test_a_node_asks_the_mirror_and_then_the_registry_itself() -> None:
    spec = cluster(HARBOR | {"ociNamespaces": namespaces(core="eks")}, cp="ubuntu")
    path = "eks-distro/kubernetes/pause/manifests/3.10"
    assert urls(spec, PAUSE) == [
        f"https://h.corp:8443/v2/eks/{path}?ns=public.ecr.aws",
        f"https://public.ecr.aws/v2/{path}",
    ]
    assert urls(spec, "docker.io/a/b:1") == ["https://registry-1.docker.io/v2/a/b/manifests/1"]


@pytest.mark.parametrize(
    ("provider", "system", "expected"),
    [
        pytest.param("Tinkerbell", "ubuntu", "h.corp:8443", id="containerd"),
        pytest.param("Tinkerbell", "bottlerocket", CURATED, id="bottlerocket"),
        pytest.param("VSphere", "bottlerocket", "h.corp:8443", id="bottlerocket-on-vsphere"),
    ],
)
def test_bottlerocket_looks_for_what_it_was_told(provider: str, system: str, expected: str) -> None:
    spec = cluster(HARBOR | {"ociNamespaces": BOTH}, provider, cp=system)
    assert urls(spec, f"{CURATED}/harbor:1")[0].startswith(f"https://{expected}/v2/")


def test_without_a_mirror_there_are_no_files() -> None:
    spec = cluster(None)
    assert render(spec) == {}
    assert urls(spec, PAUSE) == [
        "https://public.ecr.aws/v2/eks-distro/kubernetes/pause/manifests/3.10"
    ]
