"""Which images a release of K3s or RKE2 brings, group by group."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.config import load_config
from planner.core.errors import UsageError
from planner.core.family import Because, ListedImage, Need, Selection
from planner.core.reader import read
from planner.core.refs import parse_image
from planner.needs import Wanted, collect
from planner.specs.k3s import FAMILY

RKE2 = "v1.36.3+rke2r1"
K3S = "v1.35.0+k3s1"
SPEC = read("registries.yaml", "mirrors: {docker.io: {endpoint: ['https://r.corp']}}")
LISTED = ListedImage(parse_image("docker.io/rancher/a:1"), Because("list", 1, 1, "listed"))


def needs(selection: Selection) -> list[Need]:
    return list(FAMILY.images().needs(SPEC, selection))


def names(selection: Selection) -> set[str]:
    return {each.source.repository.removeprefix("rancher/") for each in needs(selection)}


def reasons(selection: Selection) -> set[str]:
    return {each.because[0].text for each in needs(selection)}


def test_by_default_the_core_and_canal_are_taken_and_it_is_said() -> None:
    found = names(Selection(RKE2))
    assert {"rke2-runtime", "hardened-flannel", "hardened-calico"} <= found
    assert "mirrored-cilium-cilium" not in found
    assert len(found) == 16
    assert reasons(Selection(RKE2)) == {
        f"image list of {RKE2}, group {group} (by default; --filter chooses)"
        for group in ("core", "canal")
    }


def test_the_wanted_groups_are_taken_and_no_other() -> None:
    selection = Selection(RKE2, groups=("core", "cilium"))
    assert {"rke2-runtime", "mirrored-cilium-cilium"} <= names(selection)
    assert "hardened-calico" not in names(selection)
    assert reasons(selection) == {
        f"image list of {RKE2}, group {group}" for group in ("core", "cilium")
    }


def test_the_ingress_is_in_a_group_of_its_own_since_traefik_took_its_place() -> None:
    assert "nginx-ingress-controller" in names(Selection("v1.35.7+rke2r1"))
    assert "nginx-ingress-controller" not in names(Selection(RKE2))
    assert "nginx-ingress-controller" in names(Selection(RKE2, groups=("ingress-nginx",)))


def test_everything_is_all_groups() -> None:
    found = names(Selection(RKE2, everything=True))
    assert {"rke2-runtime", "mirrored-cilium-cilium", "harvester-csi-driver"} <= found


@pytest.mark.parametrize("release", FAMILY.images().releases())
def test_every_packaged_release_has_images_by_default(release: str) -> None:
    assert len(needs(Selection(release))) >= 8


@pytest.mark.parametrize(
    ("release", "group", "hint"),
    [
        (RKE2, "calcio", "its groups are core, ingress-nginx, canal, cilium, calico"),
        (K3S, "core", "its list is not divided"),
    ],
)
def test_an_unknown_group_is_a_usage_error(release: str, group: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"has no group '{group}'") as error:
        needs(Selection(release, groups=(group,)))
    assert error.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("release", "near"),
    [
        ("v1.36.9+rke2r1", "packaged near it: v1.36.3+rke2r1, v1.36.2+rke2r1"),
        ("v1.35.4+k3s1", "packaged near it: v1.35.0+k3s1;"),
        ("v1.29.9", "packaged near it: v1.29.15+rke2r1, v1.29.0+rke2r1;"),
        ("v9.0.0+k3s1", "packaged: master-2026-07"),
    ],
)
def test_an_unknown_release_names_the_near_ones_and_the_way_out(release: str, near: str) -> None:
    with pytest.raises(UsageError, match="no image list is packaged") as error:
        needs(Selection(release))
    assert error.value.hint.startswith(near)
    assert "--images FILE" in error.value.hint


def test_a_list_stands_in_for_a_release_that_is_not_packaged() -> None:
    (need,) = needs(Selection("v1.35.4+k3s1", (LISTED,)))
    assert need.source == LISTED.image


def test_the_release_decides_under_which_name_its_nodes_ask() -> None:
    spec = read("registries.yaml", "mirrors: {'docker.io': {endpoint: [r.corp]}}")
    targets = {
        build: next(iter(FAMILY.images().needs(spec, Selection(build, (LISTED,))))).target
        for build in ("v1.29.1+k3s1", "v1.29.1+k3s2")
    }
    assert targets["v1.29.1+k3s1"] is None
    assert str(targets["v1.29.1+k3s2"]) == "r.corp/rancher/a:1"


def test_planner_yaml_names_the_groups_of_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "registries.yaml").write_text(SPEC.text)
    settings = f"version: 1\nclusters: [{{name: a, spec: registries.yaml, release: {RKE2}, groups: [canal]}}]\n"
    (tmp_path / "planner.yaml").write_text(settings)
    config = load_config(str(tmp_path / "planner.yaml"))
    assert len(tuple(collect(config, Wanted()).needs)) == 2
    assert len(tuple(collect(config, Wanted(groups=("flannel", "canal"))).needs)) == 4
