"""Where ``planner lint`` writes its reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from planner.core.errors import InputError, UsageError
from planner.files import write_whole
from planner.ui.cli import main
from planner.ui.findings import FORMATS
from planner.ui.findings.output import Report, parse_reports

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec that has one mistake."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "registries.yaml").write_text("mirror: {}\nmirrors: {}\n", "utf-8")
    return tmp_path


def test_without_a_format_text_goes_to_standard_output() -> None:
    assert parse_reports([]) == (Report("text"),)
    assert parse_reports(["sarif=a=b", "json=-"]) == (Report("sarif", "a=b"), Report("json"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["sarf"], "'sarf' is not a format", id="unknown"),
        pytest.param(["sarif="], "names no file", id="no-file"),
        pytest.param(["text", "json"], "share standard output", id="two-on-stdout"),
        pytest.param(["json=a", "sarif=./a"], "share the file", id="two-in-a-file"),
    ],
)
def test_reports_that_cannot_be_written_are_usage_errors(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_reports(words)
    assert caught.value.hint


def test_several_formats_are_written_in_one_pass(folder: Path, capsys: Capture) -> None:
    files = [f"--format={form}=out.{form}" for form in FORMATS]
    assert main(["lint", "--format", "concise", *files]) == 1
    assert capsys.readouterr().out == (folder / "out.concise").read_text("utf-8")
    assert json.loads((folder / "out.sarif").read_bytes())["version"] == "2.1.0"
    assert {each.name for each in folder.iterdir()} == {
        "registries.yaml",
        *(f"out.{form}" for form in FORMATS),
    }


def test_a_report_in_a_file_leaves_standard_output_empty(capsys: Capture) -> None:
    assert main(["lint", "--format", "json=out.json"]) == 1
    assert capsys.readouterr().out == ""


def test_a_missing_folder_is_named_before_anything_is_printed(capsys: Capture) -> None:
    assert main(["lint", "--format", "text", "--format", "json=no/such/out.json"]) == 65
    output = capsys.readouterr()
    assert output.out == ""
    assert "there is no folder" in output.err


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left_behind(folder: Path) -> None:
    (folder / "taken").mkdir()
    with pytest.raises(InputError, match="taken: cannot be written: Is a directory"):
        write_whole("taken", b"x")
    assert {each.name for each in folder.iterdir()} == {"registries.yaml", "taken"}


def test_a_link_is_followed(folder: Path) -> None:
    Path("link").symlink_to("real")
    write_whole("link", b"x")
    assert Path("link").is_symlink()
    assert (folder / "real").read_bytes() == b"x"


def test_what_is_no_regular_file_is_written_to_and_not_replaced() -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole("pipe", b"x")
    assert os.read(reader, 9) == b"x"
    assert Path("pipe").is_fifo()
    os.close(reader)


def test_a_spec_is_never_overwritten(folder: Path, capsys: Capture) -> None:
    assert main(["lint", "--format", "json=./registries.yaml"]) == 64
    assert "is a spec that was checked" in capsys.readouterr().err
    assert (folder / "registries.yaml").read_text("utf-8").startswith("mirror:")


def test_statistics_take_the_place_of_the_findings(folder: Path, capsys: Capture) -> None:
    assert main(["lint", "--statistics", "--format", "json=out.json"]) == 1
    assert capsys.readouterr().out == "1  SCH001  unknown_key\n1 spec checked: 1 error\n"
    assert (folder / "out.json").is_file()


def test_statistics_do_not_stand_in_a_machine_format(capsys: Capture) -> None:
    assert main(["lint", "--statistics", "--format", "json"]) == 64
    assert "--format json=FILE" in capsys.readouterr().err


def test_github_shows_a_table_on_the_page_of_the_job(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    summary = folder / "summary.md"
    summary.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert main(["lint", "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error file=registries.yaml,line=1,")
    text = summary.read_text("utf-8")
    assert text.startswith("before\n**planner lint**: 1 spec checked: 1 error\n")
    assert "| 1:1 | error | `SCH001` unknown\\_key |" in text


def test_other_formats_leave_the_page_of_the_job_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    main(["lint", "--format", "sarif"])
    assert not (folder / "summary.md").exists()


def test_a_name_that_is_no_utf8_is_written_as_an_escape(folder: Path, capsys: Capture) -> None:
    (folder / "registries.yaml").rename(os.fsdecode(os.fsencode(folder) + b"/\xff.yaml"))
    for form in FORMATS:
        assert main(["lint", "--kind", "k3s", "--format", form]) == 1
        assert "xff" in capsys.readouterr().out.replace("udcff", "xff").replace("%FF", "xff")


def test_a_format_that_is_not_asked_for_is_not_loaded() -> None:
    code = (
        "import sys; from planner.ui.cli import main; main(['lint']);"
        "print([each for each in sys.modules if 'sarif' in each or 'xml' in each])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
