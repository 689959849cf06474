"""Baselines: what is accepted, what is stale, and fingerprints that survive moved lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.check import check_text
from planner.config import LintSettings
from planner.core import schema
from planner.core.fingerprint import fingerprint
from planner.ui.cli import main

FILE = "registries.yaml"


def prints(text: str, name: str = FILE, kind: str = "k3s") -> list[str]:
    found = check_text(name, text, kind, LintSettings()).findings
    return [fingerprint(each) for each in found]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        pytest.param("mirror: {}", "\n\n# more\nmirror: {}", id="moved"),
        pytest.param("mirror: {}", "configs: {}\nmirror: {}", id="below-another"),
        pytest.param("mirror: {}", "mirror: {}\r\n", id="line-ends"),
        pytest.param(
            "mirrors: {a: {endpoint: 'x  y'}}", "mirrors:\n  a:\n    endpoint: 'x y'", id="spaces"
        ),
    ],
)
def test_a_fingerprint_survives(text: str, other: str) -> None:
    assert prints(text)
    assert prints(text) == prints(other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        pytest.param("mirror: {}", "mirrorz: {}", id="path"),
        pytest.param("mirrors: 5", "mirrors: 6", id="source"),
    ],
)
def test_a_fingerprint_tells_apart(text: str, other: str) -> None:
    assert not set(prints(text)) & set(prints(other))


def test_a_fingerprint_knows_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert prints("mirror: {}", "a.yaml") == prints("mirror: {}", f"{tmp_path}/a.yaml")
    assert prints("mirror: {}", "a.yaml") != prints("mirror: {}", "b.yaml")


def test_items_go_by_their_names() -> None:
    one = "version: 1\nclusters: [{name: a, spec: b, x: 1}]"
    other = "version: 1\nclusters: [{name: z, spec: b}, {name: a, spec: b, x: 1}]"
    assert prints(one, "planner.yaml", "") == prints(other, "planner.yaml", "")


def test_equal_findings_are_numbered() -> None:
    found = prints("configs: {a: 5, a: 6, a: 7}")
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        pytest.param("configs: {a: {auth: one}}", "configs: {a: {auth: two}}", id="password"),
        pytest.param(
            "mirrors: {a: {endpoint: https://me:one@b}}",
            "mirrors: {a: {endpoint: https://me:two@b}}",
            id="user-info",
        ),
    ],
)
def test_no_secret_is_in_a_fingerprint(text: str, other: str) -> None:
    assert prints(text) == prints(other)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / FILE).write_text("mirror: {}\nconfig: {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return main(["lint", FILE, "--kind", "k3s", "--baseline", "b.json", *words])


def update(*words: str) -> int:
    return run("--update-baseline", *words)


def entries(path: str = "b.json") -> dict[str, Any]:
    document = json.loads(Path(path).read_text("utf-8"))
    assert schema.violations("formats/baseline", document) == []
    found = document["findings"]
    assert list(found) == sorted(found)
    return dict(found)


def test_what_is_accepted_does_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update() == 0
    assert "b.json: 2 findings accepted, 2 new, 0 gone" in capsys.readouterr().err
    assert {tuple(each.values()) for each in entries().values()} == {("SCH001", FILE, 1)}
    assert run() == 0
    assert run("--no-ignores") == 1


def test_a_new_finding_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    update()
    (folder / FILE).write_text("# moved\nmirror: {}\nconfig: {}\nauth: {}\n")
    capsys.readouterr()
    assert run("--format", "json") == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [each["suppressed"] and each["suppressed"]["by"] for each in found] == [
        "baseline",
        "baseline",
        None,
    ]


def test_a_mended_finding_is_stale(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    update()
    (folder / FILE).write_text("mirror: {}\n")
    capsys.readouterr()
    assert run("--format", "concise", "--fail-on", "warning") == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("b.json:")
    assert "warning SUP005 SCH001 in registries.yaml is accepted more often" in line
    assert update("--fail-on", "warning") == 0
    assert len(entries()) == 1


def test_a_file_that_is_gone_is_stale(folder: Path) -> None:
    update()
    (folder / FILE).rename(folder / "other.yaml")
    main(["lint", "other.yaml", "--kind=k3s", "--baseline=b.json", "--update-baseline"])
    assert {each["file"] for each in entries().values()} == {"other.yaml"}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("other.yaml", "--kind=k3s"), id="other-files"),
        pytest.param((FILE, "--kind=k3s", "--select=K3S"), id="other-rules"),
    ],
)
def test_what_was_not_looked_at_stays(folder: Path, words: tuple[str, ...]) -> None:
    update()
    before = entries()
    (folder / "other.yaml").write_text("mirrors: {}\n")
    main(["lint", *words, "--baseline=b.json", "--update-baseline"])
    assert entries() == before
    assert main(["lint", *words, "--baseline=b.json", "--fail-on=warning"]) == 0


def test_what_a_comment_hides_needs_no_entry(folder: Path) -> None:
    (folder / FILE).write_text("mirror: {} # planner: ignore[SCH001] why\n")
    update()
    assert entries() == {}


def test_the_baseline_of_planner_yaml_is_used(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "planner.yaml").write_text("version: 1\nlint: {baseline: sub/b.json}\n")
    assert main(["lint", FILE, "--kind=k3s", "--update-baseline"]) == 0
    assert len(entries("sub/b.json")) == 2
    assert main(["lint", FILE, "--kind=k3s"]) == 0


def test_two_updates_write_the_same(folder: Path) -> None:
    update()
    before = (folder / "b.json").read_bytes()
    update()
    assert (folder / "b.json").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "b.json: there is no such baseline", id="missing"),
        pytest.param("[", "it is not JSON", id="no-json"),
        pytest.param("{}", "the document is not as planner.baseline/1 has it", id="empty"),
        pytest.param(
            '{"format": "planner.baseline/1", "findings": {"a": {"code": "b"}}}',
            "findings/a is not as",
            id="incomplete",
        ),
    ],
)
def test_an_unusable_baseline_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    if text is not None:
        (folder / "b.json").write_text(text)
    assert run() == 65
    assert message in capsys.readouterr().err


def test_a_baseline_that_cannot_be_written_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint", FILE, "--kind=k3s", "--baseline=no/b.json", "--update-baseline"]) == 65
    assert "no/b.json: cannot be written" in capsys.readouterr().err
