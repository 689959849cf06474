"""What a KubeOne cluster deploys, and what ``kubeone mirror-images`` copies, against tables made without planner."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.config import Config
from planner.core.document import Spec
from planner.core.errors import UsageError
from planner.core.family import Need, Selection
from planner.core.reader import read
from planner.needs import Wanted, collect
from planner.specs.kubeone import FAMILY
from planner.specs.kubeone.manifest import PROVIDERS
from planner.specs.kubeone.tables import CONTROL_PLANE, KUBE_PROXY
from planner.ui.cli import main
from tests.support.conformance import Case, cases

_REGISTRY = "r.corp:5000/mirror"
_CNIS = {
    "canal": "canal: {}",
    "cilium": "cilium: {}",
    "cilium+hubble": "cilium: {enableHubble: true}",
    "weaveNet": "weaveNet: {}",
    "external": "external: {}",
}
_CONTROL_PLANE = {
    f"registry.k8s.io/{each}"
    for each in (*CONTROL_PLANE, KUBE_PROXY, "etcd", "pause", "coredns/coredns")
}


def _spec(version: str, provider: str = "hetzner", cni: str = "canal", registry: str = "") -> Spec:
    lines = [
        "apiVersion: kubeone.k8c.io/v1beta2",
        "kind: KubeOneCluster",
        f"versions: {{kubernetes: {version}}}",
        f"cloudProvider: {{{provider}: {{}}}}",
        f"clusterNetwork: {{cni: {{{_CNIS[cni]}}}}}",
        f"registryConfiguration: {{overwriteRegistry: '{registry}'}}",
    ]
    return read("kubeone.yaml", "\n".join(lines))


def _needs(spec: Spec, selection: Selection) -> list[Need]:
    return list(FAMILY.images().needs(spec, selection))


def _sources(spec: Spec, selection: Selection) -> set[str]:
    return {str(each.source) for each in _needs(spec, selection)}


def _mirrored(image: str) -> set[str]:
    """The names under which mirror-images writes an image."""
    path = image.partition("/")[2]
    names = {path, path.removeprefix("coredns/")}
    return {f"{_REGISTRY}/{each}" for each in names}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("case", cases("kubeone_images"))
def test_a_cluster_deploys_the_images_of_its_provider_and_cni(case: Case, provider: str) -> None:
    parts = case["images"]
    for cni in _CNIS:
        found = _sources(_spec(case["kubernetes"], provider, cni), Selection(case["release"]))
        named = (
            "always",
            f"cni:{cni}",
            f"provider:{provider}",
            *["workers"] * (provider != "none"),
        )
        assert found == {image for part in named for image in parts.get(part, [])}, cni


@pytest.mark.parametrize("case", cases("kubeone_images"))
def test_everything_is_what_mirror_images_copies_under_the_names_it_writes(case: Case) -> None:
    expected = {image for part in case["images"].values() for image in part}
    selection = Selection(case["release"], everything=True)
    found = _needs(_spec(case["kubernetes"], registry=_REGISTRY), selection)
    assert {str(each.source) for each in found} == expected
    assert {str(each.target) for each in found} == set().union(*map(_mirrored, expected))


@pytest.mark.parametrize("case", cases("kubeone_images"))
def test_a_filter_leaves_the_named_groups(case: Case) -> None:
    spec, release = _spec(case["kubernetes"]), case["release"]
    whole = _sources(spec, Selection(release, everything=True))
    by_group = {
        group: _sources(spec, Selection(release, everything=True, groups=(group,)))
        for group in ("base", "optional", "control-plane")
    }
    assert {each.rpartition(":")[0] for each in by_group["control-plane"]} == _CONTROL_PLANE
    assert len(by_group["base"]) == 8
    both = Selection(release, everything=True, groups=("base", "optional"))
    assert _sources(spec, both) == by_group["base"] | by_group["optional"]
    assert set().union(*by_group.values()) == whole


def test_a_filter_works_on_what_the_manifest_needs() -> None:
    found = _sources(_spec("1.35.2", "none"), Selection(groups=("base",)))
    assert len(found) == 6
    assert "quay.io/kubermatic/machine-controller:v1.66.1" not in found


def test_an_unknown_group_names_the_known() -> None:
    with pytest.raises(UsageError, match="no group 'none'") as error:
        _needs(_spec("1.35.2"), Selection(groups=("none",)))
    assert error.value.hint == "its groups are base, optional, control-plane"


def test_several_kubernetes_versions_stand_in_place_of_the_manifests() -> None:
    versions = ("v1.34.3", "1.35")
    found = _sources(_spec("1.36.1"), Selection(kubernetes_versions=versions))
    tags = {each.rpartition(":")[2] for each in found if "kube-apiserver" in each}
    assert tags == {"v1.34.3", "v1.35.0"}
    one_by_one = [_sources(_spec(each), Selection("1.14")) for each in ("1.34.3", "1.35.0")]
    assert found == set().union(*one_by_one)


def test_the_release_is_one_that_deploys_all_the_versions() -> None:
    found = _sources(_spec("1.36.1"), Selection(kubernetes_versions=("1.33.5", "1.35.2")))
    assert found == set().union(
        *(_sources(_spec(each), Selection("1.13")) for each in ("1.33.5", "1.35.2"))
    )


def test_no_release_deploys_versions_that_are_far_apart() -> None:
    with pytest.raises(
        UsageError, match=r"no packaged KubeOne release deploys all of 1.32.1, 1.36.0"
    ):
        _needs(_spec("1.36.1"), Selection(kubernetes_versions=("1.32.1", "1.36.0")))


def test_everything_asks_for_no_provider() -> None:
    spec = read("kubeone.yaml", "kind: KubeOneCluster\nversions: {kubernetes: 1.35.2}")
    assert len(_sources(spec, Selection(everything=True))) > 100


def test_a_replaced_version_is_no_place_in_the_manifest() -> None:
    spec = _spec("1.36.1")
    (need,) = [
        each
        for each in _needs(spec, Selection(kubernetes_versions=("1.35.2",)))
        if each.source.repository == "kube-scheduler"
    ]
    assert need.because[0].line == 0
    assert need.because[0].text == "kubeadm of Kubernetes 1.35.2"


def test_a_family_refuses_what_it_would_not_heed(tmp_path: Path) -> None:
    spec = tmp_path / "registries.yaml"
    spec.write_text("mirrors: {}\n")
    wanted = Wanted((str(spec),), release="v1.35.0+k3s1", kubernetes_versions=("1.35.0",))
    with pytest.raises(UsageError, match="--kubernetes-versions has no meaning for K3s and RKE2"):
        collect(Config(), wanted)


def test_the_command_takes_groups_and_versions_as_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "kubeone.yaml"
    spec.write_text(_spec("1.36.1", "none").text)
    words = ["--filter", "control-plane", "--kubernetes-versions", "1.34.3, 1.35.2"]
    assert main(["images", str(spec), *words, "--format", "list"]) == 0
    found = capsys.readouterr().out.split()
    assert [each for each in found if "scheduler" in each] == [
        "registry.k8s.io/kube-scheduler:v1.34.3",
        "registry.k8s.io/kube-scheduler:v1.35.2",
    ]
    assert not any("calico" in each for each in found)
