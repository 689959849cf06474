"""``planner images``: the names in groups, and the namespaces that they need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.ui.cli import main

SPEC = """\
mirrors:
  docker.io:
    endpoint: [https://one.corp]
    rewrite: {"^library/(.*)$": "$1"}
  quay.io:
    endpoint: [https://two.corp:5000]
    rewrite: {"^(.*)$": "quay/$1"}
"""
OTHER = "mirrors: {docker.io: {endpoint: [https://one.corp]}}\n"
IMAGES = "nginx:1\nrancher/pause:3\nquay.io/a/b:1\nquay.io/c/d:1\nghcr.io/x/y:1\n"
NEEDS = ("edge/registries.yaml", "--images", "images.txt")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("edge", SPEC), ("lab", OTHER)):
        Path(name).mkdir()
        Path(name, "registries.yaml").write_text(text, "utf-8")
    Path("images.txt").write_text(IMAGES, "utf-8")


def document(capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    assert main(["images", *NEEDS, *more, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def text(capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["images", *NEEDS, *more]) == 0
    return capsys.readouterr().out


def headings(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.endswith((" name)", " names)"))]


def test_a_namespace_is_the_first_component_on_each_registry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespaces = [
        (each["registry"], each["namespace"], each["repositories"])
        for each in document(capsys)["namespaces"]
    ]
    assert namespaces == [
        ("one.corp", None, ["nginx"]),
        ("one.corp", "rancher", ["rancher/pause"]),
        ("two.corp:5000", "quay", ["quay/a/b", "quay/c/d"]),
    ]


def test_the_reason_for_a_namespace_is_the_place_in_the_spec(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for each in document(capsys)["namespaces"]:
        (reason,) = each["because"]
        assert reason["file"] == "edge/registries.yaml"
        assert reason["line"] == (2 if each["registry"] == "one.corp" else 5)


def test_a_reason_is_given_even_when_the_spec_has_no_place_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("edge/registries.yaml").write_text(OTHER.replace("docker.io", "quay.io"), "utf-8")
    moved = document(capsys, "--system-default-registry", "three.corp/sys")["namespaces"]
    (reason,) = next(each["because"] for each in moved if each["namespace"] == "sys")
    assert (reason["file"], reason["line"]) == ("images.txt", 2)


def test_the_text_names_what_must_exist_before_a_push(capsys: pytest.CaptureFixture[str]) -> None:
    assert text(capsys).endswith(
        "Must exist before a push where a registry asks for it (Harbor: a project):\n"
        "  one.corp: none for nginx at the root, rancher\n"
        "  two.corp:5000: quay\n"
        "\n"
        "5 names, 1 without a mirror\n"
    )


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        pytest.param(
            "namespace",
            [
                "no mirror  (1 name)",
                "one.corp, at the root  (1 name)",
                "one.corp/rancher  (1 name)",
                "two.corp:5000/quay  (2 names)",
            ],
            id="namespace",
        ),
        pytest.param(
            "registry",
            ["no mirror  (1 name)", "one.corp  (2 names)", "two.corp:5000  (2 names)"],
            id="registry",
        ),
        pytest.param(
            "source",
            ["docker.io  (2 names)", "ghcr.io  (1 name)", "quay.io  (2 names)"],
            id="source",
        ),
        pytest.param("cluster", ["edge  (5 names)"], id="cluster"),
    ],
)
def test_names_are_grouped(
    capsys: pytest.CaptureFixture[str], by: str, expected: list[str]
) -> None:
    assert headings(text(capsys, "--group", by)) == expected


def test_a_name_of_two_clusters_is_in_both_groups(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "lab/registries.yaml", *NEEDS, "--group", "cluster"]) == 0
    output = capsys.readouterr().out
    assert headings(output) == ["edge  (5 names)", "lab  (5 names)"]
    assert output.count("→ one.corp/rancher/pause:3") == 2


def test_groups_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", *NEEDS, "--group", "source", "--format", "tsv"]) == 64
    assert "--group has no meaning for --format tsv" in capsys.readouterr().err
