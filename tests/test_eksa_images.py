"""Which images and charts an EKS Anywhere cluster needs, by small manifests of releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.bundles import load_manifests
from planner.core.family import Need, Selection
from planner.core.reader import read
from planner.needs import read_image_list
from planner.specs.eksa import FAMILY
from tests.support.eksa import CORE, MIRROR, PREFIX, TWO, Folder, cluster, cluster_text, document

EXAMPLES = Path(__file__).parent.parent / "examples" / "eksa"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def names(needs: list[Need], kind: str = "image") -> set[str]:
    """The sources without registry, alias and the tags that all have."""
    found = (str(each.source) for each in needs if each.kind == kind)
    return {each.removeprefix(f"{CORE}/").removeprefix("eks-anywhere/") for each in found}


ALWAYS = {
    "cli-tools:1.34",
    "controller:1.34",
    "eks-anywhere-packages:1.34",
    "eks-distro/etcd:1.34",
    "eks-distro/pause:1.34",
    "eks/cilium/cilium:v1.34",
    "kind/node:1.34",
    "webhook:1.34",
    # management components, from the first entry
    "cli-tools:1.33",
    "controller:1.33",
    "webhook:1.33",
}
OF_PROVIDER = {
    "CloudStack": set(),
    "Docker": {"capd:1.34", "capd:1.33"},
    "Nutanix": {"ntnx:1.34", "ntnx:1.33", "ntnx-kube-vip:1.34", "ntnx-kube-vip:1.33"},
    "Snow": set(),
    "Tinkerbell": {
        f"{name}:{version}"
        for name in ("tink-kube-vip", "hook-docker", "rufio")
        for version in ("1.33", "1.34")
    },
    "VSphere": {"cpi:1.34", "cpi:1.33", "csi-driver:1.34", "csi-driver:1.33"},
}


@pytest.mark.parametrize("provider", OF_PROVIDER)
def test_a_cluster_needs_what_its_version_and_provider_bring(folder: Folder, provider: str) -> None:
    found = folder.needs(cluster(provider=provider))
    assert names(found) == ALWAYS | OF_PROVIDER[provider]


def test_an_unknown_provider_means_all_of_them(folder: Folder) -> None:
    found = folder.needs(cluster(provider="Bogus"))
    assert names(found) == ALWAYS.union(*OF_PROVIDER.values())


def test_worker_groups_bring_their_own_version(folder: Folder) -> None:
    groups = [{"kubernetesVersion": "1.33"}, {"name": "b"}]
    found = folder.needs(cluster(workerNodeGroupConfigurations=groups))
    assert {"eks-distro/pause:1.33", "eks-distro/pause:1.34", "kind/node:1.33"} <= names(found)


def test_everything_is_all_entries_for_all_providers(folder: Folder) -> None:
    found = names(folder.needs(cluster("1.34"), everything=True))
    new = {each for each in ALWAYS.union(*OF_PROVIDER.values()) if each.endswith("1.34")}
    assert found == new | {each.replace("1.34", "1.33") for each in new}


def test_everything_asks_for_no_version(folder: Folder) -> None:
    assert folder.needs(cluster("1.99"), everything=True)


def test_charts_are_asked_for_by_helm_at_the_mirror_alone(folder: Folder) -> None:
    found = folder.needs(cluster(provider="Tinkerbell"))
    charts = {"eks/cilium/cilium:1.34", "stack-chart:1.34", "stack-chart:1.33"}
    assert names(found, "chart") == charts
    (need,) = (each for each in found if str(each.source) == f"{CORE}/eks/cilium/cilium:1.34")
    assert str(need.target) == f"{PREFIX}/eks/cilium/cilium:1.34"
    assert [each.image for each in need.resolution.rewrites] == [str(need.target)]
    assert len(need.resolution.attempts) == 1


@pytest.mark.parametrize(
    ("name", "attempts"),
    [pytest.param("kind/node", 1, id="docker"), pytest.param("cpi", 2, id="node")],
)
def test_the_command_line_asks_the_mirror_alone(folder: Folder, name: str, attempts: int) -> None:
    source = f"{CORE}/eks-anywhere/{name}:1.34"
    (need,) = (each for each in folder.needs(cluster()) if str(each.source) == source)
    assert str(need.target) == f"{PREFIX}/eks-anywhere/{name}:1.34"
    assert len(need.resolution.attempts) == attempts


def test_without_a_mirror_nothing_is_moved(folder: Folder) -> None:
    found = folder.needs(cluster(registryMirrorConfiguration=None))
    assert names(found) == ALWAYS | OF_PROVIDER["VSphere"]
    assert {each.target for each in found} == {None}


def test_only_listed_registries_are_mirrored(folder: Folder) -> None:
    elsewhere = MIRROR | {"ociNamespaces": [{"registry": "quay.io", "namespace": "q"}]}
    found = folder.needs(cluster(registryMirrorConfiguration=elsewhere))
    assert {each.target for each in found} == {None}


def test_each_need_says_why(folder: Folder) -> None:
    text = cluster_text("1.34", "VSphere")
    spec = read("eksa.yaml", text)
    found = {str(each.source): each.because for each in folder.needs(spec)}
    lines = (folder.path / "bundle.yaml").read_text("utf-8").splitlines()
    reasons = found[f"{CORE}/eks-anywhere/cpi:1.33"]
    assert [each.text for each in reasons] == [
        "management components",
        "mirrored for public.ecr.aws",
    ]
    own, mirrored = reasons
    assert f"{CORE}/eks-anywhere/cpi:1.33" in lines[own.line - 1]
    assert (own.file, mirrored.file) == (str(folder.path / "bundle.yaml"), "eksa.yaml")
    assert text.splitlines()[mirrored.line - 1].strip() == "{"
    assert "registry" in text.splitlines()[mirrored.line]
    first, _ = found[f"{CORE}/eks-distro/pause:1.34"]
    assert first.file == str(folder.path / "kubernetes-1.34.yaml")
    assert (
        "pause"
        in (folder.path / "kubernetes-1.34.yaml").read_text("utf-8").splitlines()[first.line - 1]
    )


def test_files_are_noted(folder: Folder) -> None:
    folder.needs(cluster())
    assert [Path(each).name for each in folder.noted] == ["bundle.yaml", "kubernetes-1.34.yaml"]


def test_the_kind_of_the_manifest_does_not_count(folder: Folder) -> None:
    folder.write("bundle.yaml", TWO | {"kind": "VersionsBundle"})
    assert names(folder.needs(cluster())) == ALWAYS | OF_PROVIDER["VSphere"]


TEMPLATES = [
    document(
        "TinkerbellMachineConfig",
        {"templateRef": {"kind": "TinkerbellTemplateConfig", "name": "t"}},
        "m",
    ),
    document(
        "TinkerbellTemplateConfig",
        {
            "template": {
                "tasks": [
                    {
                        "actions": [
                            {"image": "127.0.0.1/embedded/writefile"},
                            {"image": f"{CORE}/eks-anywhere/cexec:1"},
                            {"image": "quay.io/tinkerbell/kexec:2"},
                        ]
                    }
                ]
            }
        },
        "t",
    ),
    document(
        "TinkerbellTemplateConfig",
        {"template": {"tasks": [{"actions": [{"image": "a/unused"}]}]}},
        "u",
    ),
]
MACHINES = {"machineGroupRef": {"kind": "TinkerbellMachineConfig", "name": "m"}}


def test_actions_of_templates_in_use_are_pulled_by_the_installer(folder: Folder) -> None:
    both = [*MIRROR["ociNamespaces"], {"registry": "quay.io", "namespace": "q"}]
    spec = cluster(
        "1.34",
        "Tinkerbell",
        *TEMPLATES,
        controlPlaneConfiguration=MACHINES,
        registryMirrorConfiguration=MIRROR | {"ociNamespaces": both},
    )
    found = {str(each.source): each for each in folder.needs(spec)}
    cexec, kexec = found[f"{CORE}/eks-anywhere/cexec:1"], found["quay.io/tinkerbell/kexec:2"]
    assert str(cexec.target) == f"{PREFIX}/eks-anywhere/cexec:1"
    # In templates, EKS Anywhere replaces public.ecr.aws alone.
    assert (kexec.target, [each.text for each in kexec.because]) == (None, ["action"])
    assert not {each for each in found if "embedded" in each or "unused" in each}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param({"repository": "own/packages", "tag": "v1"}, "own/packages:v1", id="both"),
        pytest.param({"tag": "v1"}, "eks-anywhere-packages:v1", id="tag"),
        pytest.param({"repository": "own"}, "own:1.34", id="repository"),
        pytest.param(
            {"tag": f"sha256:{'a' * 64}"}, f"eks-anywhere-packages@sha256:{'a' * 64}", id="digest"
        ),
    ],
)
def test_packages_controller_may_be_another_image(
    folder: Folder, block: dict[str, str], expected: str
) -> None:
    found = folder.needs(cluster(packages={"controller": block}))
    assert names(found) - ALWAYS - OF_PROVIDER["VSphere"] == {expected}


def test_a_list_alone_will_do(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{CORE}/a/b:1\nquay.io/c:2\n", "utf-8")
    listed = read_image_list(str(tmp_path / "list"))
    found = list(FAMILY.images().needs(cluster(), Selection(images=listed)))
    assert [str(each.target) for each in found] == [f"{PREFIX}/a/b:1", "None"]


def test_the_example_is_covered_by_its_mirror() -> None:
    spec = read("vsphere.yaml", (EXAMPLES / "vsphere.yaml").read_text("utf-8"))
    manifests = load_manifests(str(EXAMPLES / "bundle.yaml"), lambda _: None)
    found = list(FAMILY.images().needs(spec, Selection(bundle=manifests)))
    assert {each.kind for each in found} == {"image", "chart"}
    prefix = "registry.example.com:443/eks-anywhere"
    assert all(str(each.target).startswith(f"{prefix}/") for each in found)
    projects = {str(each.source).split("/")[1] for each in found}
    assert projects == {"bottlerocket", "eks", "eks-anywhere", "eks-distro"}
