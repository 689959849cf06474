"""``planner schema --modeline``: the comment that tells editors about schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.ui.cli import main
from planner.ui.modeline import with_modeline

LINE = "# yaml-language-server: $schema="
MANIFEST = "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", f"{LINE}x.json\n", id="empty"),
        pytest.param("a: 1", f"{LINE}x.json\na: 1", id="new"),
        pytest.param("a: 1\r\nb: 2\r\n", f"{LINE}x.json\r\na: 1\r\nb: 2\r\n", id="other-line-ends"),
        pytest.param("\ufeffa: 1\n", f"\ufeff{LINE}x.json\na: 1\n", id="byte-order-mark"),
        pytest.param(
            "# Copyright\n#yaml-language-server:  $schema = old.json  # why\na: 1\n",
            "# Copyright\n#yaml-language-server:  $schema = x.json  # why\na: 1\n",
            id="replaced",
        ),
    ],
)
def test_nothing_else_changes_and_nothing_the_second_time(text: str, expected: str) -> None:
    done = with_modeline(text, "x.json")
    assert done == expected
    assert with_modeline(done, "x.json") == expected


def test_a_spec_names_the_packaged_schema(capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs/a.yaml").write_text(MANIFEST)
    assert main(["schema", "--modeline", "specs/a.yaml"]) == 0
    line, rest = Path("specs/a.yaml").read_text().split("\n", 1)
    assert (capsys.readouterr().out, rest) == (f"{line}\n", MANIFEST)
    schema = Path(line.removeprefix(f"{LINE}file://"))
    assert json.loads(schema.read_bytes())["title"] == "KubeOneCluster"


def test_a_copy_beside_the_spec_is_named_relative_to_it() -> None:
    Path("specs/a.yaml").write_text(MANIFEST)
    assert main(["schema", "--modeline", "specs/a.yaml", "-o", "my schema.json"]) == 0
    assert Path("specs/a.yaml").read_text() == f"{LINE}../my%20schema.json\n{MANIFEST}"
    assert json.loads(Path("my schema.json").read_bytes())["title"] == "KubeOneCluster"


def test_a_spec_of_several_schemas_needs_a_file_for_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: Cluster\n"
    Path("a.yaml").write_text(text)
    assert main(["schema", "--modeline", "a.yaml"]) == 64
    assert "-o SCHEMA" in capsys.readouterr().err
    assert main(["schema", "--modeline", "a.yaml", "-o", "eksa.json"]) == 0
    assert Path("a.yaml").read_text() == f"{LINE}eksa.json\n{text}"
    assert "allOf" in json.loads(Path("eksa.json").read_bytes())


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        pytest.param("a.yaml", [], 65, id="no-spec"),
        pytest.param("a.yaml", ["k3s"], 0, id="said"),
        pytest.param("a.json", ["k3s"], 64, id="no-comments"),
        pytest.param("gone.yaml", ["k3s"], 65, id="gone"),
        pytest.param("planner.yaml", [], 0, id="configuration"),
    ],
)
def test_only_specs_get_one(name: str, words: list[str], code: int) -> None:
    if name != "gone.yaml":
        Path(name).write_text("version: 1\n")
    assert main(["schema", *words, "--modeline", name]) == code


def test_a_schema_can_be_written_to_a_file() -> None:
    assert main(["schema", "planner", "-o", "p.json"]) == 0
    assert json.loads(Path("p.json").read_bytes())["title"] == "planner.yaml"
