"""The packaged image lists: their form, and the script that rebuilds them from public sources, without a network."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from planner.core.refs import parse_image
from planner.core.schema import folder, load

_ROOT = folder().parent
_SPECS = _ROOT / "planner" / "specs"
_SCRIPT = _ROOT / "scripts" / "refresh-data"
_SCHEMAS = {
    "k3s/k3s.json": "data/image-lists",
    "k3s/rke2.json": "data/image-lists",
    "kubeone/releases.json": "data/kubeone-tables",
}
_GO = """package images

func baseResources() map[Resource]map[string]string {
\treturn map[Resource]map[string]string{
\t\tCalicoCNI: {"*": "quay.io/calico/cni:v9.0.0"},
\t\tFlannel:   {"*": "docker.io/flannel/flannel:v9@sha256:%s"},
\t}
}

func optionalResources() map[Resource]map[string]string {
\treturn map[Resource]map[string]string{
\t\t// a comment
\t\tAwsCCM: {
\t\t\t"1.35.x":    "registry.k8s.io/provider-aws/ccm:v1.35.0",
\t\t\t">= 1.36.0": "registry.k8s.io/provider-aws/ccm:v1.36.0",
\t\t},
\t\tDigitalOceanCSIAlpine: {"*": "docker.io/alpine:3"},
\t}
}
""" % ("0" * 64)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with copies of the packaged files."""
    for name in _SCHEMAS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(_SPECS / name, tmp_path / name)
    return tmp_path


def _refresh(copies: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_SCRIPT), "--folder", str(copies), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _data(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return data


def _file(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines), "utf-8")
    return str(path)


@pytest.mark.parametrize(("name", "schema"), _SCHEMAS.items())
def test_a_packaged_file_follows_its_schema(name: str, schema: str) -> None:
    validator = Draft202012Validator(load(schema))
    assert [error.message for error in validator.iter_errors(_data(_SPECS / name))] == []


def test_every_packaged_file_has_a_schema() -> None:
    assert {path.relative_to(_SPECS).as_posix() for path in _SPECS.rglob("*.json")} == set(_SCHEMAS)


@pytest.mark.parametrize("name", ["k3s/k3s.json", "k3s/rke2.json"])
def test_a_list_holds_full_references_in_order(name: str) -> None:
    for release in _data(_SPECS / name)["releases"].values():
        for images in release["groups"].values():
            assert images == sorted(str(parse_image(each)) for each in images)


def test_every_component_of_an_addon_is_in_some_table() -> None:
    data = _data(_SPECS / "kubeone/releases.json")
    tables = [
        release[group] for release in data["releases"].values() for group in ("base", "optional")
    ]
    known = {component for table in tables for component in table}
    assert {each for names in data["addons"].values() for each in names} <= known


def test_the_files_are_in_the_form_that_the_script_writes(copies: Path) -> None:
    assert _refresh(copies).returncode == 0
    for name in _SCHEMAS:
        assert (copies / name).read_bytes() == (_SPECS / name).read_bytes()


def test_a_list_of_k3s_becomes_a_release(copies: Path, tmp_path: Path) -> None:
    source = _file(
        tmp_path / "k3s-images.txt", "# a comment", "docker.io/rancher/b:2", "rancher/a:1"
    )
    _refresh(copies, "k3s", "v1.99.0+k3s1", source, "--provenance", "release asset")
    releases = _data(copies / "k3s/k3s.json")["releases"]
    assert releases["v1.99.0+k3s1"] == {
        "provenance": "release asset",
        "groups": {"images": ["docker.io/rancher/a:1", "docker.io/rancher/b:2"]},
    }
    versions = [name for name in releases if name.startswith("v")]
    assert versions[0] == "v1.99.0+k3s1"
    Draft202012Validator(load("data/image-lists")).validate(_data(copies / "k3s/k3s.json"))


def test_lists_of_rke2_become_its_groups(copies: Path, tmp_path: Path) -> None:
    core = _file(tmp_path / "rke2-images-core.linux-amd64.txt", "docker.io/rancher/a:1")
    arm = _file(tmp_path / "rke2-images-core.linux-arm64.txt", "docker.io/rancher/a:1-arm64")
    cilium = _file(tmp_path / "rke2-images-cilium.linux-amd64.txt", "docker.io/rancher/c:1")
    _refresh(copies, "rke2", "v1.36.3+rke2r1", cilium, core, arm)
    assert _data(copies / "k3s/rke2.json")["releases"]["v1.36.3+rke2r1"]["groups"] == {
        "cilium": ["docker.io/rancher/c:1"],
        "core": ["docker.io/rancher/a:1", "docker.io/rancher/a:1-arm64"],
    }


def test_the_table_of_kubeone_is_read_from_its_source(copies: Path, tmp_path: Path) -> None:
    _refresh(
        copies,
        "kubeone",
        "v9.0.0",
        _file(tmp_path / "images.go", _GO),
        "--kubernetes",
        "1.35",
        "1.36",
    )
    data = _data(copies / "kubeone/releases.json")
    release = data["releases"]["v9.0.0"]
    assert next(iter(data["releases"])) == "v9.0.0"
    assert release["kubernetes"] == ["1.35", "1.36"]
    assert release["base"] == {
        "CalicoCNI": "quay.io/calico/cni:v9.0.0",
        "Flannel": "docker.io/flannel/flannel:v9",
    }
    assert release["optional"] == {
        "AwsCCM": {
            "1.35.x": "registry.k8s.io/provider-aws/ccm:v1.35.0",
            ">= 1.36.0": "registry.k8s.io/provider-aws/ccm:v1.36.0",
        },
        "DigitalOceanCSIAlpine": "docker.io/library/alpine:3",
    }
    Draft202012Validator(load("data/kubeone-tables")).validate(data)


def test_what_the_table_does_not_say_is_carried_over_with_a_note(
    copies: Path, tmp_path: Path
) -> None:
    done = _refresh(copies, "kubeone", "v9.0.0", _file(tmp_path / "images.go", _GO))
    assert done.stderr.startswith(
        "note: literal and absent, and the pause rule, are those of v1.14.2"
    )
    again = _refresh(copies, "kubeone", "v9.0.0", _file(tmp_path / "images.go", _GO))
    assert again.stderr == ""


def test_the_tags_of_kubeadm_are_read_from_its_own_list(copies: Path, tmp_path: Path) -> None:
    names = ("kube-proxy:v1.36.9", "coredns/coredns:v2", "pause:4", "etcd:5-0")
    source = _file(tmp_path / "list.txt", *(f"registry.k8s.io/{each}" for each in names))
    _refresh(copies, "kubeadm", "v1.36.9", source)
    tags = _data(copies / "kubeone/releases.json")["kubeadm"]["1.36.9"]
    assert tags == {"etcd": "5-0", "coredns": "v2", "pause": "4"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("k3s", "v1.99.0+k3s1", "{list}", "{list}"), "exactly one source"),
        (("k3s", "v1.99.0+k3s1", "{empty}"), "no image in it"),
        (("k3s", "v1.99.0+k3s1", "{folder}/missing.txt"), "missing.txt"),
        (("rke2", "v1.99.0+rke2r1", "{list}"), "not named rke2-images-GROUP.linux-ARCH.txt"),
        (("kubeone", "v9.0.0", "{list}"), "no baseResources()"),
        (("kubeadm", "1.99.0", "{list}"), "no etcd, coredns/coredns, pause in it"),
    ],
)  # fmt: skip
def test_a_source_that_is_something_else_changes_nothing(
    copies: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    places = {
        "list": _file(tmp_path / "list.txt", "docker.io/rancher/a:1"),
        "empty": _file(tmp_path / "empty.txt", "# nothing"),
        "folder": str(tmp_path),
    }
    done = _refresh(copies, *(each.format(**places) for each in arguments))
    assert done.returncode == 1
    assert message in done.stderr
    for name in _SCHEMAS:
        assert (copies / name).read_bytes() == (_SPECS / name).read_bytes()
