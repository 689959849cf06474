"""``planner lint --fix`` and ``--diff``: what they write, what they print, and their exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from planner.core import schema
from planner.ui.cli import main

SARIF = json.loads((Path(__file__).parent / "data/sarif-2.1.0-rtm.5.json").read_bytes())
SPEC = "mirrors:\n  _default: # why\n    endpoint: [r.corp:5000]\n"
SAFE = SPEC.replace("r.corp", "https://r.corp")
UNSAFE = SAFE.replace("_default", '"*"')
ERROR = "mirrors: {https://quay.io: {endpoint: [https://r.corp]}}\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def planner(*words: str) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = main(["lint", *words])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return planner


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec in a repository, which is the working directory."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo")
    file = tmp_path / "repo" / "registries.yaml"
    file.write_text(SPEC)
    return file


def send(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


# --fix


def test_safe_fixes_are_written_and_the_rest_is_reported(spec: Path, run: Run) -> None:
    code, out, err = run("--fix", "registries.yaml", "--format", "concise")
    assert spec.read_text() == SAFE
    assert [line.split()[2] for line in out.splitlines()] == ["K3S024"]
    assert err == "fixed 1 finding in 1 file; --fix=unsafe can fix 1 more\n"
    assert code == 0


def test_unsafe_fixes_are_written_when_asked_for(spec: Path, run: Run) -> None:
    _, out, err = run("--fix=unsafe", ".")
    assert spec.read_text() == UNSAFE
    assert "no findings" in out
    assert err == "fixed 2 findings in 1 file\n"


def test_a_second_run_has_nothing_to_do(spec: Path, run: Run) -> None:
    run("--fix=unsafe")
    before = spec.stat()
    _, _, err = run("--fix=unsafe")
    assert err == "fixed nothing\n"
    assert (spec.stat().st_mtime_ns, spec.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_the_exit_code_is_that_of_what_remains(spec: Path, run: Run) -> None:
    spec.write_text(ERROR)
    assert run("--fix")[0] == 1
    assert spec.read_text() == ERROR
    assert run("--fix=unsafe")[0] == 0


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_a_file_keeps_its_mode(spec: Path, run: Run, mode: int) -> None:
    spec.chmod(mode)
    run("--fix")
    assert spec.stat().st_mode & 0o777 == mode
    assert [each.name for each in spec.parent.iterdir() if each.is_file()] == ["registries.yaml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_keeps_its_owner(spec: Path, run: Run) -> None:
    os.chown(spec, 12345, 12346)
    run("--fix")
    assert spec.read_text() == SAFE
    assert (spec.stat().st_uid, spec.stat().st_gid) == (12345, 12346)


def test_line_ends_and_the_bom_are_kept(spec: Path, run: Run) -> None:
    spec.write_bytes(f"\ufeff{SPEC}".replace("\n", "\r\n").encode())
    run("--fix=unsafe")
    assert spec.read_bytes() == f"\ufeff{UNSAFE}".replace("\n", "\r\n").encode()


def test_a_read_only_file_is_an_error_and_no_file_is_written(spec: Path, run: Run) -> None:
    other = spec.parent / "lab" / "registries.yaml"
    other.parent.mkdir()
    other.write_text(SPEC)
    other.chmod(0o444)
    code, _, err = run("--fix")
    assert code == 65
    assert "lab/registries.yaml: cannot be fixed: it is read-only" in err
    assert (spec.read_text(), other.read_text()) == (SPEC, SPEC)


def test_a_link_inside_of_the_project_is_followed(spec: Path, run: Run) -> None:
    link = spec.parent / "lab" / "registries.yaml"
    link.parent.mkdir()
    link.symlink_to(spec)
    run("--fix", "lab/registries.yaml")
    assert spec.read_text() == SAFE
    assert link.is_symlink()


def test_a_link_out_of_the_project_is_not(spec: Path, run: Run) -> None:
    outside = spec.parent.parent / "registries.yaml"
    spec.rename(outside)
    spec.symlink_to(outside)
    _, _, err = run("--fix")
    assert outside.read_text() == SPEC
    assert "note: registries.yaml: not fixed: a link leads from there out of the project" in err


def test_a_file_outside_that_is_named_is_fixed(spec: Path, run: Run) -> None:
    outside = spec.parent.parent / "registries.yaml"
    spec.rename(outside)
    run("--fix", "../registries.yaml")
    assert outside.read_text() == SAFE


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param(["--ignore", "K3S016"], id="option"),
        pytest.param(["--baseline", "accepted.json"], id="baseline"),
    ],
)
def test_what_is_accepted_is_not_fixed(spec: Path, run: Run, hide: list[str]) -> None:
    run("--select", "K3S016", "--baseline", "accepted.json", "--update-baseline")
    _, _, err = run("--fix", *hide)
    assert spec.read_text() == SPEC
    assert err == "fixed nothing; --fix=unsafe can fix 1\n"
    run("--fix", *hide, "--no-ignores")
    assert spec.read_text() == SAFE


def test_only_selected_rules_are_fixed(spec: Path, run: Run) -> None:
    run("--fix=unsafe", "--select", "K3S024")
    assert spec.read_text() == SPEC.replace("_default", '"*"')


# --diff


def test_a_diff_is_all_that_is_written(spec: Path, run: Run) -> None:
    code, out, err = run("--diff")
    assert spec.read_text() == SPEC
    assert out == (
        "--- a/registries.yaml\n+++ b/registries.yaml\n@@ -1,3 +1,3 @@\n"
        " mirrors:\n   _default: # why\n"
        "-    endpoint: [r.corp:5000]\n+    endpoint: [https://r.corp:5000]\n"
    )
    assert err == "would fix 1 finding in 1 file; --fix=unsafe can fix 1 more\n"
    assert code == 1


def test_an_empty_diff_is_no_failure(spec: Path, run: Run) -> None:
    spec.write_text(ERROR)
    assert run("--diff")[:2] == (0, "")
    assert run("--diff", "--fix=unsafe")[0] == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(SPEC.encode(), id="lf"),
        pytest.param(SPEC.rstrip().encode(), id="no-final-end"),
        pytest.param(SPEC.replace("\n", "\r\n").encode(), id="crlf"),
        pytest.param(("\ufeff" + SPEC.replace("why", "wäre\x85    # 漢")).encode(), id="unicode"),
    ],
)
def test_git_applies_a_diff_to_the_same_file_as_fix_writes(
    spec: Path, run: Run, data: bytes
) -> None:
    spec.write_bytes(data)
    patch = run("--diff", "--fix=unsafe")[1].encode()
    (spec.parent / ".git").rmdir()
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(command, input=patch, cwd=spec.parent, check=True)
    applied = spec.read_bytes()
    spec.write_bytes(data)
    run("--fix=unsafe")
    assert spec.read_bytes() == applied != data


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--diff", "--format", "json"], id="diff-and-report"),
        pytest.param(["--diff", "--statistics"], id="diff-and-statistics"),
        pytest.param(["--fix", "--baseline", "b", "--update-baseline"], id="fix-and-baseline"),
        pytest.param(["--fix=everything"], id="no-such-fix"),
    ],
)
def test_what_makes_no_sense_is_refused(spec: Path, run: Run, words: list[str]) -> None:
    assert run(*words)[0] == 64
    assert spec.read_text() == SPEC


# Standard input


def test_the_fixed_text_of_standard_input_is_written_and_findings_go_beside(
    spec: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(monkeypatch, f"\ufeff{SPEC}".replace("\n", "\r\n").encode())
    code, out, err = run("--fix", "-", "--kind", "k3s", "--format", "concise")
    assert out == f"\ufeff{SAFE}".replace("\n", "\r\n")
    assert "K3S024" in err
    assert "fixed 1 finding" in err
    assert code == 0
    assert spec.read_text() == SPEC


def test_standard_input_without_anything_to_fix_is_written_as_it_is(
    spec: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(monkeypatch, b"mirrors: [\n")
    code, out, _ = run("--fix=unsafe", "-", "--kind", "k3s")
    assert (code, out) == (1, "mirrors: [\n")


def test_a_diff_of_standard_input_has_its_name(
    spec: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(monkeypatch, SPEC.encode())
    code, out, _ = run("--diff", "-", "--stdin-filename", "lab/registries.yaml")
    assert code == 1
    assert out.startswith("--- a/lab/registries.yaml\n+++ b/lab/registries.yaml\n@@")


def test_standard_input_must_be_utf_8(
    spec: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(monkeypatch, b"a: \xff")
    code, _, err = run("-")
    assert code == 65
    assert "byte 3 is not UTF-8" in err


# Reports


def test_the_text_says_what_can_be_fixed(spec: Path, run: Run) -> None:
    _, out, _ = run()
    assert "  = fix: write https://r.corp:5000\n" in out
    assert "  = fix (unsafe): rename it to *\n" in out
    assert out.endswith("1 fixable with --fix, 1 more with --fix=unsafe\n")


def test_json_and_sarif_hold_the_edits(spec: Path, run: Run) -> None:
    run("--format", "json=out.json", "--format", "sarif=out.sarif")
    document: Any = json.loads((spec.parent / "out.json").read_bytes())
    assert schema.violations("formats/lint", document) == []
    assert [each["fixes"] for each in document["findings"]][1] == [
        {
            "title": "write https://r.corp:5000",
            "safe": True,
            "edits": [
                {
                    "line": 3,
                    "column": 16,
                    "end_line": 3,
                    "end_column": 27,
                    "text": "https://r.corp:5000",
                }
            ],
        }
    ]
    log: Any = json.loads((spec.parent / "out.sarif").read_bytes())
    assert [error.message for error in Draft4Validator(SARIF).iter_errors(log)] == []
    (fix,) = log["runs"][0]["results"][0]["fixes"]
    assert fix["description"]["text"] == "rename it to * (unsafe)"
    (replacement,) = fix["artifactChanges"][0]["replacements"]
    assert replacement["insertedContent"]["text"] == '"*"'
    assert replacement["deletedRegion"]["startColumn"] == 3
