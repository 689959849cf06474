"""Bundles manifests that do not fit, and the commands that take one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planner.core.errors import InputError, PlannerError, UsageError
from planner.core.family import Selection
from planner.core.reader import read
from planner.specs.eksa import FAMILY
from planner.ui.cli import main
from tests.support.eksa import CORE, PREFIX, TWO, Folder, bundle, cluster, cluster_text, entry


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def refused(run: Callable[[], Any], kind: type[PlannerError] = InputError) -> tuple[str, str]:
    with pytest.raises(kind) as caught:
        run()
    return caught.value.message, caught.value.hint


def test_without_bundle_and_list_nothing_is_known() -> None:
    message, hint = refused(lambda: list(FAMILY.images().needs(cluster(), Selection())), UsageError)
    assert message == "eksa.yaml: a cluster file does not say which images its release brings"
    assert "--bundle" in hint


def test_a_file_without_a_cluster_is_told(folder: Folder) -> None:
    spec = read("bundle.yaml", json.dumps(TWO))
    message, hint = refused(lambda: folder.needs(spec))
    assert (message, "--bundle" in hint) == ("bundle.yaml: no document of kind Cluster", True)


def test_a_bundle_without_versions_has_none(folder: Folder) -> None:
    folder.write("bundle.yaml", bundle({}))
    assert refused(lambda: folder.needs(cluster()))[0].endswith("which has none")


def test_a_version_that_the_bundle_lacks_is_told_with_its_place(folder: Folder) -> None:
    message, _ = refused(lambda: folder.needs(cluster("1.99")))
    assert message.startswith("eksa.yaml:8:24: Kubernetes 1.99 is not in ")
    assert message.endswith("which has 1.33, 1.34")


RELEASES = [{"version": "v0.24.1", "bundleManifestUrl": "https://e.com/bundle-98.yaml"}]


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        pytest.param({}, "no Bundles manifest", "tells where it is", id="other"),
        pytest.param("- a", "no Bundles manifest", "tells where it is", id="list"),
        pytest.param("", "no Bundles manifest", "tells where it is", id="empty"),
        pytest.param("a: [", "bundle.yaml:1:", "get the file anew", id="not-yaml"),
        pytest.param(
            {"spec": {"releases": RELEASES}},
            "the list of releases",
            "--bundle https://e.com/bundle-98.yaml",
            id="releases",
        ),
        pytest.param(
            bundle(entry("1.34", eksD={})), "names no EKS-D release", "anew", id="no-eks-d"
        ),
        pytest.param(
            bundle(entry("1.34", docker={"manager": {"uri": "A/B:c"}})),
            "is not an image reference",
            "write it as",
            id="address",
        ),
    ],
)
def test_a_bundle_that_is_none_is_told(
    folder: Folder, content: Any, message: str, hint: str
) -> None:
    path = folder.write("bundle.yaml", content)
    spec = cluster(provider="Docker", eksaVersion="v0.24.1")
    said, advice = refused(lambda: folder.needs(spec))
    assert said.startswith(f"{path}:")
    assert (message in said, hint in advice) == (True, True)


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v0.24.0", True),
        ("0.24.1", True),
        ("v0.24.2-dev", True),
        ("v0.23.9", False),
        ("v0.24.10", False),
        ("", True),
        ("latest", True),
    ],
)
def test_the_release_of_the_cluster_file_must_use_the_bundle(
    folder: Folder, version: str, fits: bool
) -> None:
    limits = {"cliMinVersion": "v0.24.0", "cliMaxVersion": "v0.24.2"}
    folder.write("bundle.yaml", bundle(entry("1.34"), **limits))
    spec = cluster(eksaVersion=version)
    if fits:
        assert folder.needs(spec)
    else:
        message, _ = refused(lambda: folder.needs(spec))
        assert f"eksaVersion {version} does not use" in message
        assert message.endswith("which is for v0.24.0 to v0.24.2")


def test_what_is_no_release_of_eks_d_is_told(folder: Folder) -> None:
    folder.write("kubernetes-1.34.yaml", TWO)
    message, hint = refused(lambda: folder.needs(cluster()))
    assert message.startswith(f"{folder.path / 'kubernetes-1.34.yaml'}: no EKS-D release")
    assert "https://distro.example.com/kubernetes-1.34.yaml" in hint


@pytest.fixture
def files(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.chdir(folder.path)
    folder.write("eksa.yaml", cluster_text("1.34", "VSphere", eksaVersion="v0.24.1"))
    return folder


@pytest.mark.usefixtures("files")
def test_images_are_listed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "eksa.yaml", "--bundle", "bundle.yaml", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["images"]
    kinds = {(row["source"], row["target"], row["kind"]) for row in rows}
    cilium = f"{CORE}/eks/cilium/cilium"
    assert (f"{cilium}:v1.34", f"{PREFIX}/eks/cilium/cilium:v1.34", "image") in kinds
    assert (f"{cilium}:1.34", f"{PREFIX}/eks/cilium/cilium:1.34", "chart") in kinds


def test_planner_yaml_names_the_bundle(files: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    files.write(
        "planner.yaml",
        "version: 1\nclusters: [{name: prod, spec: eksa.yaml, bundle: bundle.yaml}]\n",
    )
    assert main(["images", "--format", "list"]) == 0
    assert f"{CORE}/eks-distro/pause:1.34" in capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("files")
def test_a_cluster_without_bundle_is_a_question_of_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["images", "eksa.yaml"]) == 64
    assert "--bundle" in capsys.readouterr().err


@pytest.mark.usefixtures("files")
def test_resolve_and_render_speak_of_the_mirror(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resolve", f"{CORE}/eks-distro/pause:1.34", "-c", "eksa.yaml"]) == 0
    assert "https://h.corp:443/v2/mirror/eks-distro/pause" in capsys.readouterr().out
    assert main(["render", "eksa.yaml", "-o", "out"]) == 0
    capsys.readouterr()
    assert Path("out/certs.d/public.ecr.aws/hosts.toml").is_file()
