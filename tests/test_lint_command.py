"""``planner lint`` in a repository: what it reads, what it says about itself, and how it serves as a hook."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from planner.ui.cli import main

GOOD = 'mirrors: {docker.io: {endpoint: ["https://registry.corp"]}}\n'
BAD = f"mirror: {{}}\n{GOOD}"
MANIFEST = """\
apiVersion: kubeone.k8c.io/v1beta2
kind: KubeOneCluster
versions: {kubernetes: 1.35.2}
cloudProvider: {hetzner: {controlPlane: {}}}
"""


class Output(NamedTuple):
    """What a run gave."""

    code: int
    out: str
    err: str


class Lint(Protocol):
    """Runs ``planner lint``; ``given`` is standard input."""

    def __call__(self, *words: str, given: str = "") -> Output: ...


@pytest.fixture
def lint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Lint:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)

    def run(*words: str, given: str = "") -> Output:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        code = main(["lint", *words])
        return Output(code, *capsys.readouterr())

    return run


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, "utf-8")


def found(output: Output) -> list[str]:
    """Places and codes of ``--format concise``."""
    return [" ".join((line.split()[0], line.split()[2])) for line in output.out.splitlines()]


# Files.


def test_files_are_shown_with_their_kinds(lint: Lint) -> None:
    write("a/registries.yaml", BAD)
    write("planner.yaml", "version: 1\nlint: {kinds: {'b/*': kubeone}}\n")
    write("b/c.yaml", "a: 1\n")
    write("other.yaml", "a: 1\n")
    expected = "a/registries.yaml\tk3s\nb/c.yaml\tkubeone\nplanner.yaml\tplanner\n"
    assert lint("--show-files") == Output(0, expected, "")
    assert lint("--show-files", "other.yaml").out == "other.yaml\t-\n"
    assert lint("--show-files", "other.yaml", "--kind", "k3s").out == "other.yaml\tk3s\n"


def test_a_hook_lets_pass_what_is_no_spec(lint: Lint) -> None:
    write("registries.yaml", GOOD)
    write("other.yaml", "{{ template }\n")
    write("binary.yaml", "")
    Path("binary.yaml").write_bytes(b"\xff\xfe")
    output = lint("--hook", "other.yaml", "binary.yaml", "registries.yaml")
    assert output == Output(0, "1 spec checked: no findings\n", "")
    assert lint("binary.yaml").code == 65


def test_a_hook_reports_on_the_given_files_alone(lint: Lint) -> None:
    write("a/registries.yaml", BAD)
    write("b/registries.yaml", BAD)
    output = lint("--hook", "--format=concise", "b/registries.yaml")
    assert found(output) == ["b/registries.yaml:1:1: SCH001"]
    assert lint("--hook").out == "0 specs checked: no findings\n"


# Configuration.


def test_a_rule_that_does_not_exist_is_shown_in_its_place(lint: Lint) -> None:
    write("planner.yaml", "version: 1\nlint: {ignore: [unknown_kye]}\n")
    output = lint("--format=concise")
    assert (output.code, found(output)) == (64, ["planner.yaml:2:17: CFG001"])
    assert "error: planner.yaml cannot be used" in output.err
    assert lint("--no-config").code == 1


def test_so_is_every_other_mistake_of_the_configuration(lint: Lint) -> None:
    write("pyproject.toml", "[tool.planner]\nversion = 1\nlnt = 1\n")
    output = lint("--format=concise")
    assert (output.code, found(output)) == (64, ["pyproject.toml:3:1: SCH001"])


def test_the_configuration_is_a_spec_like_others(lint: Lint) -> None:
    write("a/planner.yaml", "version: 1\nlint: {select: [KYS]}\n")
    write("b/pyproject.toml", "[tool.planner]\nversion = 2\n")
    output = lint("--format=concise", "a/planner.yaml", "b/pyproject.toml")
    assert found(output) == ["a/planner.yaml:2:17: CFG001", "b/pyproject.toml:2:1: SCH004"]
    assert output.code == 1


def test_patterns_that_match_nothing_are_told_of_when_all_is_linted(lint: Lint) -> None:
    write(
        "planner.yaml",
        "version: 1\nlint:\n  per_file: {'a/*': [SCH001], 'gone/*': [K3S001]}\n"
        "  kinds: {'a/*': k3s, '*.tmpl': kubeone}\n",
    )
    write("a/b.yaml", BAD)
    output = lint("--format=concise")
    assert found(output) == ["planner.yaml:3:31: CFG002", "planner.yaml:4:23: CFG002"]
    assert output.code == 0
    assert found(lint("--format=concise", "a")) == []
    assert found(lint("--format=concise", "--ignore=CFG002")) == []
    assert found(lint("--format=concise", "--select=K3S")) == []


def test_files_of_clusters_that_are_not_there_are_told_of_in_their_places(lint: Lint) -> None:
    text = (
        "version: 1\nclusters:\n- {name: a, spec: a/b.yaml, images: [there.txt, gone.txt]}\n"
        "- {name: b, spec: a/c.yaml, bundle: 'https://get.corp/bundle.yaml', packages: [gone.yaml]}\n"
    )
    write("planner.yaml", text)
    write("a/b.yaml", "mirrors: {docker.io: {endpoint: ['https://r.corp']}}\n")
    write("there.txt", "k/a:1\n")
    output = lint("--format=concise")
    assert found(output) == [
        "planner.yaml:3:49: CFG006",
        "planner.yaml:4:19: CFG006",
        "planner.yaml:4:80: CFG006",
    ]
    assert output.code == 1
    assert "gone.txt, which cluster 'a' names, is not there" in output.out
    assert found(lint("--format=concise", "--ignore=CFG006")) == []


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        pytest.param("x" * 300, "CFG006", 1, id="too-long"),
        pytest.param("a\\0b", "SCH004", 64, id="zero"),
    ],
)
@pytest.mark.parametrize("field", ["spec: {}", "spec: a.yaml, companions: [{}]"])
def test_names_that_no_file_can_have_are_told_of(
    lint: Lint, name: str, code: str, status: int, field: str
) -> None:
    write("a.yaml", "mirrors: {docker.io: {endpoint: ['https://r.corp']}}\n")
    cluster = field.format(f'"{name}"')
    write("planner.yaml", f"version: 1\nclusters: [{{name: e, {cluster}}}]\n")
    output = lint("--format=concise")
    assert (output.code, [each.rpartition(" ")[2] for each in found(output)]) == (status, [code])


def test_without_configuration_none_is_read(lint: Lint) -> None:
    write("planner.yaml", "version: 1\nlint: {ignore: [SCH001]}\n")
    write("registries.yaml", BAD)
    assert (lint("registries.yaml").code, lint("registries.yaml", "--no-config").code) == (0, 1)
    assert lint("--no-config", "--config", "planner.yaml").code == 64


def test_settings_are_shown_with_their_origin(lint: Lint) -> None:
    write(
        "planner.yaml",
        "version: 1\nlint:\n  ignore: [SCH001]\n  per_file: {a/*: [K3S001, K3S002]}\n"
        "  kinds: {b/*: k3s}\nclusters:\n  - {name: a, spec: c.yaml, terraform: true}\n",
    )
    output = lint("--show-config", "--ignore=K3S004", "--fail-on=info")
    assert [line.split() for line in output.out.splitlines()] == [
        ["config", "planner.yaml", "the", "nearest"],
        ["select", "all", "rules", "default"],
        ["ignore", "SCH001", "planner.yaml:3"],
        ["ignore", "K3S004", "--ignore"],
        ["per_file", "a/*:", "K3S001,", "K3S002", "planner.yaml:4"],
        ["kinds", "b/*:", "k3s", "planner.yaml:5"],
        ["fail_on", "info", "--fail-on"],
        ["baseline", "none", "default"],
        ["terraform", "c.yaml", "clusters", "of", "planner.yaml"],
    ]


def test_settings_without_a_configuration_are_shown(lint: Lint) -> None:
    output = lint("--show-config", "--no-config", "--select=K3S001,SCH", "--terraform")
    assert [line.split() for line in output.out.splitlines()] == [
        ["config", "none", "--no-config"],
        ["select", "K3S001", "--select"],
        ["select", "SCH", "--select"],
        ["ignore", "none", "default"],
        ["fail_on", "error", "default"],
        ["baseline", "none", "default"],
        ["terraform", "all", "specs", "--terraform"],
    ]


# Standard input.


def test_standard_input_is_judged_by_its_name(lint: Lint) -> None:
    write("a/planner.yaml", "version: 1\nlint: {ignore: [SCH001]}\n")
    assert lint("-", "--stdin-filename=a/registries.yaml", given=BAD).code == 0
    assert lint("-", "--stdin-filename=b/registries.yaml", given=BAD).code == 1
    assert lint("-", "--stdin-filename=pyproject.toml", given="[tool.planner]\nx = 1\n").code == 1


def test_standard_input_is_compared_with_its_neighbours(lint: Lint) -> None:
    text = GOOD.replace("https", "http")
    write("a/secure.yaml", GOOD)
    near = found(lint("-", "--stdin-filename=a/new.yaml", "--format=concise", given=text))
    assert any("ACR001" in each for each in near), near
    far = found(lint("-", "--stdin-filename=b/new.yaml", "--format=concise", given=text))
    assert not any("ACR001" in each for each in far)


# Terraform.


def test_terraform_supplies_what_the_manifest_does_not_say(lint: Lint) -> None:
    write("a.yaml", MANIFEST)
    missing = ["a.yaml:1:1: KUB006", "a.yaml:1:1: KUB006", "a.yaml:4:17: KUB017"]
    assert found(lint("--format=concise", "a.yaml")) == missing
    assert found(lint("--format=concise", "a.yaml", "--terraform")) == []


def test_a_cluster_may_say_that_terraform_does(lint: Lint) -> None:
    write("a.yaml", MANIFEST)
    write("b.yaml", MANIFEST)
    write("planner.yaml", "version: 1\nclusters: [{name: a, spec: a.yaml, terraform: true}]\n")
    output = lint("--format=concise", "--select=KUB006,KUB017", "a.yaml", "b.yaml")
    assert {each.partition(":")[0] for each in found(output)} == {"b.yaml"}


def test_terraform_is_not_supposed_to_mend_what_stands_there(lint: Lint) -> None:
    write("a.yaml", f"{MANIFEST}name: My_Cluster\ndynamicWorkers: [{{name: a}}]\n")
    output = lint("--format=concise", "a.yaml", "--terraform")
    assert found(output) == ["a.yaml:5:7: KUB005", "a.yaml:6:18: KUB060"]
