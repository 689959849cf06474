"""The command as a whole: what it prints, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from planner import __version__
from planner.config import Config
from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.opening import Places, Stores
from planner.ui.cli import COMMANDS, main

SPEC = 'mirrors: {docker.io: {endpoint: ["https://registry.corp"]}}\n'
IMAGES = ("rancher/pause:3.6", "rancher/k3s:v1", "library/busybox:1")
FROM, TO = "--from=oci:in", "--to=oci:out"
WANTED = ("registries.yaml", "--images=images.txt", FROM, TO)


@dataclass
class Output:
    """What a command gave."""

    code: int
    out: str
    err: str


Planner = Callable[..., Output]


@pytest.fixture
def planner(capsys: pytest.CaptureFixture[str]) -> Planner:
    def run(*words: str) -> Output:
        capsys.readouterr()
        code = main(list(words))
        return Output(code, *capsys.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a spec, and a layout ``in`` that holds the images it needs."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "registries.yaml").write_text(SPEC)
    (tmp_path / "images.txt").write_text("".join(f"{each}\n" for each in IMAGES))
    stores = Stores(Places(Config(), write_to=f"oci:{tmp_path}/in"))
    write_samples([parse_image(each) for each in IMAGES], stores.target, kib=1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def elsewhere(*words: str, folder: Path, given: str = "") -> Output:
    """A command in a process of its own, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "planner", *words],
        cwd=folder,
        env=dict(
            os.environ
        ),  # and not what libraries put into the environment behind Python's back
        input=given,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    return Output(done.returncode, done.stdout, done.stderr)


def entries(layout: Path) -> int:
    return len(json.loads((layout / "index.json").read_bytes())["manifests"])


# Words.


def test_without_a_command_all_are_listed(planner: Planner) -> None:
    output = planner()
    assert output.code == 64
    assert all(f"  {name} " in output.out for name in COMMANDS)


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_asking_for_help_is_no_mistake(planner: Planner, word: str) -> None:
    output = planner(word)
    assert (output.code, "exit codes:" in output.out) == (0, True)


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_told(planner: Planner, word: str) -> None:
    assert planner(word) == Output(0, f"planner {__version__}\n", "")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("plna", "did you mean planner plan?"), ("xyzzy", "planner --help lists the commands")],
)
def test_an_unknown_command_is_refused_with_a_guess(planner: Planner, word: str, hint: str) -> None:
    expected = f"error: there is no command {word!r}\n hint: {hint}\n"
    assert planner(word) == Output(64, "", expected)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["plan", "--nonsense"], id="behind"),
        pytest.param(["plan", "--format", "nonsense"], id="value"),
        pytest.param(["apply", "--parallelism", "0"], id="too-small"),
        pytest.param(["apply", "--parallelism", "many"], id="no-number"),
        pytest.param(["show"], id="missing"),
    ],
)
def test_a_wrong_option_is_a_usage_error(planner: Planner, words: list[str]) -> None:
    output = planner(*words)
    assert (output.code, output.out) == (64, "")
    assert output.err.startswith("error: ")
    assert "--help" in output.err


def test_an_option_that_knows_few_values_names_them(planner: Planner) -> None:
    assert planner("plan", "--lock=all").err.endswith("hint: write --lock or --lock=update\n")
    assert planner("apply", "--fail-fast=no").err.endswith("hint: write --fail-fast\n")


@pytest.mark.parametrize("command", ["inventory", "doctor"])
def test_a_file_is_no_registry(planner: Planner, folder: Path, command: str) -> None:
    output = planner(command, "registries.yaml")
    assert output == Output(
        64,
        "",
        "error: registries.yaml is a file, not a registry\n"
        f" hint: planner {command} -c registries.yaml\n",
    )


def test_an_option_before_the_command_is_refused(planner: Planner) -> None:
    output = planner("--config", "planner.yaml", "plan")
    assert output.code == 64
    assert "options come after it" in output.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: planner {name}" in capsys.readouterr().out


def test_a_control_character_does_not_reach_the_terminal(planner: Planner) -> None:
    assert "\x1b" not in planner("plan", "\x1b[31m").err


# Files.


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param("gone.yaml", None, "gone.yaml: cannot be read: No such file", id="missing"),
        pytest.param("a.yaml", "a: ]", "a.yaml:1:4: not valid YAML", id="broken"),
        pytest.param("a.yaml", "hello: world", "not a spec that planner knows", id="unknown"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "apply", "verify"])
def test_a_spec_that_cannot_be_used_ends_with_65(
    planner: Planner, folder: Path, command: str, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (folder / name).write_text(text)
    output = planner(command, name)
    assert (output.code, output.out) == (65, "")
    assert message in output.err


@pytest.mark.parametrize("command", ["show", "apply"])
@pytest.mark.parametrize("text", ["", "{}", "[", '{"format": "planner.plan/9"}'])
def test_a_plan_that_cannot_be_used_ends_with_65(
    planner: Planner, folder: Path, command: str, text: str
) -> None:
    (folder / "p.json").write_text(text)
    assert planner(command, "p.json").code == 65


def test_two_sources_for_one_name_end_with_65(planner: Planner, folder: Path) -> None:
    spec = 'mirrors: {"*": {endpoint: ["https://registry.corp"]}}'
    (folder / "registries.yaml").write_text(spec)
    (folder / "images.txt").write_text("quay.io/a/b:1\nghcr.io/a/b:1\n")
    output = planner("plan", *WANTED)
    assert output.code == 65
    assert "images.txt:1" in output.err
    assert "images.txt:2" in output.err


def test_a_mistake_in_planner_yaml_ends_with_64(planner: Planner, folder: Path) -> None:
    (folder / "planner.yaml").write_text("version: 1\nclutsers: []\n")
    output = planner("plan", *WANTED)
    assert output.code == 64
    assert "planner.yaml:2:1" in output.err


def test_credentials_in_an_address_end_with_64(planner: Planner, folder: Path) -> None:
    output = planner("plan", *WANTED[:2], "--to=https://me:topsecret@r.corp")
    assert (output.code, "topsecret" in output.err) == (64, False)


def test_a_layout_that_is_not_there_ends_with_69(planner: Planner, folder: Path) -> None:
    output = planner("plan", *WANTED[:2], "--from=oci:typo", TO)
    assert (output.code, "oci:typo: there is no such folder" in output.err) == (69, True)


def test_a_registry_that_is_down_ends_with_69(planner: Planner, folder: Path) -> None:
    output = planner("verify", *WANTED[:2], "--to=http://127.0.0.1:1")
    assert (output.code, "nothing listens there" in output.err) == (69, True)


# The story, over layouts.


def test_a_plan_changes_nothing(planner: Planner, folder: Path) -> None:
    output = planner("plan", *WANTED)
    assert (output.code, output.err) == (0, "")
    assert "Plan: 3 to create" in output.out
    assert not (folder / "out").exists()


def test_pending_changes_end_with_2_when_that_was_asked_for(planner: Planner, folder: Path) -> None:
    assert planner("plan", *WANTED, "--detailed-exitcode").code == 2
    assert planner("apply", *WANTED, "--auto-approve").code == 0
    assert planner("plan", *WANTED, "--detailed-exitcode").code == 0


def test_a_saved_plan_is_shown_applied_and_verified(planner: Planner, folder: Path) -> None:
    assert planner("plan", *WANTED, "-o", "p.json").code == 0
    shown = planner("show", "p.json")
    assert (shown.code, shown.err) == (0, "")
    assert all(each.removeprefix("library/") in shown.out for each in IMAGES)
    assert planner("verify", *WANTED).code == 1
    assert planner("apply", "p.json").code == 0
    assert entries(folder / "out") == 3
    assert planner("verify", *WANTED).code == 0
    assert planner("verify", *WANTED, "--blobs").code == 0


def test_the_same_plan_is_saved_as_the_same_bytes(planner: Planner, folder: Path) -> None:
    for name in ("a.json", "b.json"):
        planner("plan", *WANTED, "-o", name)
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()
    assert not list(folder.glob(".*.new"))


def test_a_plan_that_was_carried_out_has_nothing_left_to_do(planner: Planner, folder: Path) -> None:
    planner("plan", *WANTED, "-o", "p.json")
    planner("apply", "p.json")
    again = planner("apply", "p.json")
    assert again.code == 0
    assert again.out == "Nothing to do: all 3 images of the plan are there already.\n"


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        pytest.param("images", [f"registry.corp/{each}" for each in sorted(IMAGES)], id="images"),
        pytest.param("tsv", None, id="tsv"),
        pytest.param("json", None, id="json"),
        pytest.param("dot", None, id="dot"),
    ],
)
def test_a_plan_has_other_forms(
    planner: Planner, folder: Path, form: str, lines: list[str] | None
) -> None:
    planner("plan", *WANTED, "-o", "p.json")
    output = planner("show", "p.json", "--format", form)
    assert (output.code, output.err) == (0, "")
    assert lines is None or output.out.splitlines() == lines
    assert form != "json" or output.out == (folder / "p.json").read_text()
    assert form != "dot" or output.out.startswith("digraph plan {")


def test_a_plan_may_come_through_a_pipe(folder: Path, planner: Planner) -> None:
    planner("plan", *WANTED, "-o", "p.json")
    saved = (folder / "p.json").read_text()
    assert elsewhere("show", "-", "--format=json", folder=folder, given=saved) == Output(
        0, saved, ""
    )


def test_a_part_of_a_plan_is_applied(planner: Planner, folder: Path) -> None:
    output = planner("apply", *WANTED, "--auto-approve", "--target", "*/rancher/pause:*")
    assert output.code == 0
    assert entries(folder / "out") == 1


def test_a_pattern_that_matches_nothing_ends_with_64(planner: Planner, folder: Path) -> None:
    assert planner("plan", *WANTED, "--target", "nonsense").code == 64


def test_what_is_blocked_fails_the_apply_and_not_the_rest(planner: Planner, folder: Path) -> None:
    with (folder / "images.txt").open("a") as file:
        file.write("none/such:1\n")
    output = planner("apply", *WANTED, "--auto-approve")
    assert output.code == 1
    assert "1 image blocked" in output.err
    assert entries(folder / "out") == 3


def test_events_are_written_as_json_lines(planner: Planner, folder: Path) -> None:
    planner("apply", *WANTED, "--auto-approve", "--events", "e.jsonl", "--progress", "none")
    lines = [json.loads(each) for each in (folder / "e.jsonl").read_text().splitlines()]
    assert lines[0]["format"] == "planner.events/1"
    assert [lines[1]["type"], lines[-1]["type"]] == ["started", "finished"]
    assert sum(each["type"] == "image_done" for each in lines) == 3


def test_a_changed_spec_makes_a_plan_stale(planner: Planner, folder: Path) -> None:
    planner("plan", *WANTED, "-o", "p.json")
    (folder / "images.txt").write_text("busybox:1\n")
    output = planner("apply", "p.json")
    assert (output.code, "images.txt changed" in output.err) == (75, True)
    assert planner("show", "p.json").code == 0
    assert not (folder / "out").exists()


def test_a_changed_target_makes_a_plan_stale(planner: Planner, folder: Path) -> None:
    planner("plan", *WANTED, "-o", "p.json")
    stores = Stores(Places(Config(), write_to="oci:out"))
    write_samples(
        [parse_image("other:1"), parse_image("registry.corp/rancher/k3s:v1")], stores.target
    )
    output = planner("apply", "p.json")
    assert output.code == 75
    assert "registry.corp/rancher/k3s:v1: the plan saw nothing, now it holds sha256:" in output.err


def test_a_saved_plan_is_not_sent_elsewhere(planner: Planner, folder: Path) -> None:
    planner("plan", *WANTED, "-o", "p.json")
    assert planner("apply", "p.json", "--to=oci:other").code == 64


def test_specs_are_not_applied_when_nobody_can_be_asked(folder: Path) -> None:
    output = elsewhere("apply", *WANTED, folder=folder, given="yes\n")
    assert output.code == 77
    assert "there is no terminal" in output.err
    assert "--auto-approve" in output.err
    assert not (folder / "out").exists()


def test_verify_tells_what_is_missing_and_where(planner: Planner, folder: Path) -> None:
    planner("apply", *WANTED, "--auto-approve", "--exclude", "*/k3s:*")
    output = planner("verify", *WANTED, "--format", "json")
    document = json.loads(output.out)
    assert (output.code, document["ok"]) == (1, False)
    verdicts = {each["source"]: each["verdict"] for each in document["images"]}
    assert verdicts["docker.io/rancher/k3s:v1"] == "upstream"
    assert list(verdicts.values()).count("found") == 2


def test_a_lost_blob_is_seen_and_repaired(planner: Planner, folder: Path) -> None:
    planner("apply", *WANTED, "--auto-approve")
    largest = max((folder / "out/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    largest.unlink()
    assert planner("verify", *WANTED, "--blobs").code == 1
    assert "repair" in planner("plan", *WANTED, "--deep").out
    assert planner("apply", *WANTED, "--deep", "--auto-approve").code == 0
    assert planner("verify", *WANTED, "--blobs").code == 0


def test_a_plan_that_cannot_be_saved_ends_with_65(planner: Planner, folder: Path) -> None:
    output = planner("plan", *WANTED, "-o", "no/such/folder/p.json")
    assert (output.code, "cannot be written" in output.err) == (65, True)


def test_a_reader_that_goes_away_is_no_bug(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "planner", "rules"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["rules"], ["--help"]], ids=["much", "little"])
def test_output_that_has_no_room_is_no_bug(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "planner", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 65
    assert done.stderr.startswith("error: the output cannot be written: No space left on device\n")


def test_a_bug_is_told_as_one(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "nonsense", "is listed, and has no module")
    output = planner("nonsense")
    assert output.code == 70
    assert "ModuleNotFoundError" in output.err
    assert "this is a bug in planner" in output.err


def test_text_that_ascii_cannot_show_is_escaped(folder: Path) -> None:
    (folder / "registries.yaml").write_text("mirrörs: {}\n", "utf-8")
    command = [sys.executable, "-m", "planner", "lint", "registries.yaml"]
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    assert (done.returncode, b"mirr\\xf6rs" in done.stdout) == (1, True)


def test_a_plan_with_relative_layouts_stays_in_its_folder(
    planner: Planner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planner("plan", *WANTED, "-o", "p.json")
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    output = planner("apply", "../p.json")
    assert (output.code, list((folder / "other").iterdir())) == (75, [])
    assert "made in another folder" in output.err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("apply {}", "cannot be read: File name too long", id="apply"),
        pytest.param("lint --baseline {}", "there is no such baseline", id="baseline"),
        pytest.param(
            "lint --baseline {} --update-baseline", "cannot be written", id="new-baseline"
        ),
        pytest.param("diff {}.json {}.json", "cannot be read: File name too long", id="diff"),
        pytest.param("demo --keep {}", "cannot be made a folder: File name too long", id="demo"),
    ],
)
def test_a_name_that_no_file_can_have_is_a_mistake_and_no_bug(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("registries.yaml").write_text("mirrors: {docker.io: {endpoint: ['https://r.corp']}}\n")
    assert main(command.format("x" * 300, "x" * 300).split()) == 65
    assert said in capsys.readouterr().err


def test_a_demo_is_kept_in_a_new_folder_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["demo", "--keep", str(tmp_path)]) == 65
    assert "is not empty" in capsys.readouterr().err
    assert main(["demo", "--keep", str(tmp_path / "file")]) == 65
    assert "cannot be made a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"
