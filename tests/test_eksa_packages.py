"""Curated packages of EKS Anywhere, by small PackageBundles: charts, images by digest, and where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from planner.config import Config, load_config
from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Need, Selection
from planner.core.reader import read
from planner.needs import Wanted, collect
from planner.specs.eksa import FAMILY
from tests.making import MIRROR as HOME
from tests.making import make_need, make_world
from tests.support.eksa import CORE, MIRROR, PREFIX, Folder, cluster, cluster_text

CURATED = "783794618700.dkr.ecr.us-west-2.amazonaws.com"
NAMESPACES = [{"registry": CORE, "namespace": "mirror"}]
REGIONAL = "364992945014.dkr.ecr.eu-central-1.amazonaws.com"
CHART, IMAGE = (f"sha256:{each * 64}" for each in "ab")


def package(name: str, *, registry: str = "", image: str = IMAGE) -> dict[str, Any]:
    images = [{"repository": f"{name}/server", "digest": image}]
    versions = [{"name": "1.2.3-x", "digest": CHART, "images": images}]
    source = {"repository": f"{name}/chart", "versions": versions}
    return {"name": name, "source": source | ({"registry": registry} if registry else {})}


def bundle(*packages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "packages.eks.amazonaws.com/v1alpha1",
        "kind": "PackageBundle",
        "metadata": {"name": "v1-34-7"},
        "spec": {"packages": packages or [package("harbor")]},
    } | more


def needs(spec: Spec, *bundles: dict[str, Any], everything: bool = False) -> dict[str, Need]:
    texts = [read("packages.yaml", json.dumps(each, indent=1)) for each in bundles or [bundle()]]
    selection = Selection(packages=tuple(texts), everything=everything)
    found = list(FAMILY.images().needs(spec, selection))
    assert len({str(each.source) for each in found}) == len(found)
    return {str(each.source): each for each in found}


def mirrored(*registries: str, core: bool = True) -> Spec:
    own = [{"registry": each, "namespace": f"n{number}"} for number, each in enumerate(registries)]
    namespaces = [*(NAMESPACES if core else ()), *own]
    return cluster(registryMirrorConfiguration=MIRROR | {"ociNamespaces": namespaces})


def moves(found: Iterable[Need]) -> dict[str, str]:
    return {str(each.source): str(each.target or "") for each in found}


def test_the_curated_account_moves_images_and_the_core_mirror_charts() -> None:
    found = needs(mirrored(CURATED))
    base, home = f"{CORE}/eks-anywhere", f"{PREFIX}/eks-anywhere"
    assert moves(found.values()) == {
        f"{base}/eks-anywhere-packages-bundles:v1-34-latest": f"{home}/eks-anywhere-packages-bundles:v1-34-latest",
        f"{base}/harbor/chart:1.2.3-x@{CHART}": f"{home}/harbor/chart:1.2.3-x",
        f"{CURATED}/harbor/server@{IMAGE}": f"h.corp:443/n0/harbor/server@{IMAGE}",
    }
    assert [each.kind for each in found.values()] == ["artifact", "chart", "image"]
    assert {len(each.resolution.attempts) for each in found.values()} == {1}


@pytest.mark.parametrize("registries", [(REGIONAL,), (CURATED, REGIONAL), (REGIONAL, CURATED)])
def test_a_regional_account_moves_all_and_comes_first(registries: tuple[str, ...]) -> None:
    home = f"h.corp:443/n{registries.index(REGIONAL)}"
    assert moves(needs(mirrored(*registries)).values()) == {
        f"{REGIONAL}/eks-anywhere-packages-bundles:v1-34-latest": f"{home}/eks-anywhere-packages-bundles:v1-34-latest",
        f"{REGIONAL}/harbor/chart:1.2.3-x@{CHART}": f"{home}/harbor/chart:1.2.3-x",
        f"{REGIONAL}/harbor/server@{IMAGE}": f"{home}/harbor/server@{IMAGE}",
    }


def test_the_curated_account_counts_in_any_region() -> None:
    elsewhere = "783794618700.dkr.ecr.eu-west-1.amazonaws.com"
    found = needs(mirrored(elsewhere))
    assert str(found[f"{elsewhere}/harbor/server@{IMAGE}"].target).startswith("h.corp:443/n0/")


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(mirrored(), id="public-alone"),
        pytest.param(mirrored("123456789012.dkr.ecr.eu-west-1.amazonaws.com"), id="own-account"),
        pytest.param(cluster(registryMirrorConfiguration=None), id="no-mirror"),
    ],
)
def test_without_a_mapping_all_is_asked_for_at_its_makers(spec: Spec) -> None:
    found = needs(spec)
    assert moves(found.values()) == {
        f"{CORE}/eks-anywhere/eks-anywhere-packages-bundles:v1-34-latest": "",
        f"{CORE}/eks-anywhere/harbor/chart:1.2.3-x@{CHART}": "",
        f"{CURATED}/harbor/server@{IMAGE}": "",
    }
    chart = found[f"{CORE}/eks-anywhere/harbor/chart:1.2.3-x@{CHART}"].resolution
    assert [(each.default, each.reference) for each in chart.attempts] == [(True, "1.2.3-x")]
    assert chart.rewrites == ()


def test_charts_have_no_place_when_the_core_registry_is_not_mirrored() -> None:
    found = moves(needs(mirrored(CURATED, core=False)).values())
    assert found[f"{CORE}/eks-anywhere/harbor/chart:1.2.3-x@{CHART}"] == ""
    assert found[f"{CURATED}/harbor/server@{IMAGE}"] != ""


def test_the_controllers_own_packages_come_from_the_controllers_registry() -> None:
    names = ("eks-anywhere-packages", "credential-provider-package")
    found = needs(mirrored(REGIONAL), bundle(*map(package, names)))
    for name in names:
        need = found[f"{CORE}/eks-anywhere/{name}/server@{IMAGE}"]
        assert str(need.target) == f"{PREFIX}/eks-anywhere/{name}/server@{IMAGE}"
        assert f"{REGIONAL}/{name}/chart:1.2.3-x" in found


def test_a_registry_in_the_bundle_is_asked_itself() -> None:
    found = needs(mirrored(CURATED), bundle(package("harbor", registry="public.ecr.aws/other")))
    assert found[f"{CORE}/other/harbor/chart:1.2.3-x@{CHART}"].target is None


def test_what_packages_share_is_one_need_with_all_reasons() -> None:
    twice = package("harbor") | {"name": "harbor-again"}
    reasons = needs(mirrored(CURATED), bundle(package("harbor"), twice))[
        f"{CURATED}/harbor/server@{IMAGE}"
    ].because
    assert [each.text for each in reasons] == [
        "package harbor 1.2.3-x",
        "package harbor-again 1.2.3-x",
        f"mirrored for {CURATED}",
    ]
    lines = json.dumps(bundle(package("harbor"), twice), indent=1).splitlines()
    assert "harbor/server" in lines[reasons[0].line - 1]


def test_a_chart_that_the_release_names_too_is_one_need_by_its_tag(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    own = {"name": "1.34", "digest": CHART}
    source = {"repository": "chart", "versions": [own]}
    text = json.dumps(bundle({"name": "eks-anywhere-packages", "source": source}))
    entry = json.loads((tmp_path / "bundle.yaml").read_text("utf-8"))
    chart = {"uri": f"{CORE}/eks-anywhere/chart:1.34"}
    entry["spec"]["versionsBundles"][1]["packageController"]["helmChart"] = chart
    folder.write("bundle.yaml", entry)
    folder.write("packages.yaml", text)
    # The mapping of the curated account sends both to one name.
    mirror = MIRROR | {"ociNamespaces": [*NAMESPACES, {"registry": CURATED, "namespace": "c"}]}
    text = cluster_text("1.34", "VSphere", registryMirrorConfiguration=mirror)
    spec = str(folder.write("eksa.yaml", text))
    wanted = Wanted(
        (spec,), bundle=str(tmp_path / "bundle.yaml"), packages=(str(tmp_path / "packages.yaml"),)
    )
    collected = collect(Config(), wanted)
    (need,) = (each for each in collected.needs if each.source.repository == "eks-anywhere/chart")
    assert (need.source.reference, str(need.target)) == (
        "1.34",
        f"{PREFIX}/eks-anywhere/chart:1.34",
    )
    assert [each.text for each in need.because][:2] == [
        "Kubernetes 1.34",
        "package eks-anywhere-packages 1.34",
    ]
    assert ("packages.yaml", "packages") in {
        (Path(each.path).name, each.role) for each in collected.inputs
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param({"kind": "Bundles"}, "no PackageBundle", id="kind"),
        pytest.param({"metadata": {"name": "mine"}}, "no PackageBundle", id="name"),
        pytest.param({"spec": {}}, "no PackageBundle", id="empty"),
        pytest.param(
            {"metadata": {"name": "v1-33-7"}},
            "packages for Kubernetes 1.33; the cluster runs 1.34",
            id="version",
        ),
        pytest.param(
            {"spec": {"packages": [package("harbor", image="latest")]}},
            "'latest' is not a digest",
            id="digest",
        ),
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        needs(mirrored(CURATED), bundle(**wrong))
    assert message in caught.value.message
    assert caught.value.message.startswith("packages.yaml:")


def test_everything_takes_packages_of_all_versions() -> None:
    both = (bundle(), bundle(metadata={"name": "v1-33-9"}))
    tags = {need.source.tag for need in needs(cluster(), *both, everything=True).values()}
    assert {"v1-33-latest", "v1-34-latest"} <= tags


def test_planner_yaml_and_the_command_line_add_up(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("eksa.yaml", cluster_text("1.34", "VSphere"))
    folder.write("one.yaml", bundle(package("one")))
    folder.write("two.yaml", bundle(package("two")))
    settings = "version: 1\nclusters: [{name: a, spec: eksa.yaml, packages: [one.yaml]}]\n"
    config = load_config(str(folder.write("planner.yaml", settings)))
    wanted = Wanted(packages=(str(tmp_path / "two.yaml"),))
    found = {need.source.repository for need in collect(config, wanted).needs}
    assert {"one/server", "two/server"} <= found


def test_other_families_refuse_packages(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    spec = folder.write("registries.yaml", "mirrors: {}\n")
    packages = folder.write("packages.yaml", bundle())
    with pytest.raises(UsageError, match="--packages has no meaning"):
        collect(Config(), Wanted((str(spec),), packages=(str(packages),)))


def test_a_chart_is_copied_by_its_digest_and_stored_by_its_tag(tmp_path: Path) -> None:
    with make_world(tmp_path) as world:
        meant = world.upstream.add_image("harbor/chart", "1.2.3-x", [b"meant"])
        world.upstream.add_image("harbor/chart", "1.2.3-x", [b"moved"])
        need = make_need(f"harbor/chart:1.2.3-x@{meant}", f"{HOME}/harbor/chart:1.2.3-x")
        world.apply(world.plan_of(need))
        assert world.mirror.manifest("harbor/chart", "1.2.3-x").digest == meant
        assert world.plan_of(need).count("same") == 1
