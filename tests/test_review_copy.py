"""What can be copied of a row and of the selection, and how it gets into a clipboard."""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from planner.core.plan import Plan
from planner.ui.review.clipboard import TextBox, hand_to_program, osc52, programs, takes_osc52
from planner.ui.review.command_line import command_for
from planner.ui.review.copies import copies_of
from planner.ui.review.copy_menu import CopyMenu
from planner.ui.review.model import PlanModel
from planner.ui.selecting import only_selected
from tests.plans import CORP, SIX, change, full_plan, hostile_plan
from tests.reviewing import NARROW, WIDE, play, review_of, until, words
from tests.test_review_model import random_plan


def row_of(plan: Plan, name: str) -> int:
    return next(at for at, each in enumerate(plan.changes) if str(each.target) == name)


def texts(plan: Plan, name: str) -> dict[str, str]:
    return dict(copies_of(PlanModel(plan), row_of(plan, name)))


def test_an_image_has_its_names_and_what_pulls_it() -> None:
    plan = full_plan()
    name = f"{CORP}/k8s/pause:3.10"
    digest = plan.changes[row_of(plan, name)].digest
    found = texts(plan, name)
    assert json.loads(found.pop("JSON"))["target"] == name
    assert found == {
        "target reference": name,
        "source reference": "registry.k8s.io/pause:3.10",
        "digest": digest,
        "target by digest": f"{CORP}/k8s/pause@{digest}",
        "docker pull": f"docker pull {name}",
        "crictl pull": f"crictl pull {name}",
    }


def test_a_chart_is_pulled_by_helm_and_a_deleted_tag_by_nobody() -> None:
    chart = replace(change("create", "ghcr.io/x/y:1", f"{CORP}/x/y:1"), kind="chart")
    gone = change("delete", f"{CORP}/x/z:1", f"{CORP}/x/z:1", current="sha256:00")
    plan = Plan((chart, gone))
    assert texts(plan, f"{CORP}/x/y:1")["helm pull"] == f"helm pull oci://{CORP}/x/y --version 1"
    assert set(texts(plan, f"{CORP}/x/z:1")) == {
        "target reference",
        "digest",
        "target by digest",
        "JSON",
    }


def test_a_group_has_all_its_names() -> None:
    found = dict(copies_of(PlanModel(full_plan()), f"{CORP}/k8s"))
    assert f"{CORP}/k8s/etcd:3.6.8-0" in found["target references"].splitlines()
    assert len(found["target references"].splitlines()) == 9


def test_what_is_copied_steers_no_terminal() -> None:
    model = PlanModel(hostile_plan())
    for row in model.rows:
        for each in copies_of(model, row):
            lines = 1 if isinstance(row, int) and each.title != "JSON" else 1_000
            assert each.text.replace("\n", "").isprintable()
            assert each.text.count("\n") < lines


# The command


def chosen(plan: Plan, command: str) -> set[str]:
    """What a command would carry out."""
    words = shlex.split(command)
    assert words[:3] == ["planner", "apply", "plan.json"]
    parser = argparse.ArgumentParser()
    for name in ("--target", "--exclude"):
        parser.add_argument(name, action="append", default=[])
    part = only_selected(plan, parser.parse_args(words[3:]))
    return {str(each.target) for each in part.pending}


@pytest.mark.parametrize("seed", range(30))
def test_a_command_carries_out_exactly_what_is_selected(seed: int) -> None:
    choose = random.Random(seed)
    model = PlanModel(random_plan(seed))
    for _ in range(choose.randint(0, 6)):
        model.toggle(choose.choice(model.rows))
    wanted = {str(each.target) for each in model.selection.changes}
    command = command_for(model.plan, model.selection.changes, "plan.json")
    assert wanted == (chosen(model.plan, command) if command else set()) or not command
    if wanted and len(" ".join(wanted)) < 1_500:
        assert command, "a short selection can always be said"


@pytest.mark.parametrize(
    ("dropped", "command"),
    [
        pytest.param((), "planner apply plan.json", id="all"),
        pytest.param((f"{SIX}/hub/library/alpine:3",), f"planner apply plan.json --target '{CORP}/*'", id="all-of-a-registry"),
        pytest.param(
            (f"{CORP}/k8s/pause:3.8",),
            f"planner apply plan.json --exclude {CORP}/k8s/pause:3.8",
            id="all-but-one",
        ),
    ],
)  # fmt: skip
def test_a_command_is_short(dropped: tuple[str, ...], command: str) -> None:
    plan = full_plan()
    model = PlanModel(plan)
    model.selection.drop(row_of(plan, each) for each in dropped)
    assert command_for(plan, model.selection.changes, "plan.json") == command


def test_brackets_of_an_address_are_no_pattern() -> None:
    plan = full_plan()
    only = [each for each in plan.changes if each.target.registry == SIX]
    command = command_for(plan, only, "plan.json")
    assert chosen(plan, command) == {f"{SIX}/hub/library/alpine:3"}
    others = [each for each in plan.pending if each.target.registry != SIX][:-1]
    command = command_for(plan, [*only, *others], "plan.json")
    assert chosen(plan, command) == {str(each.target) for each in (*only, *others)}
    first, second = (replace(only[0], target=only[0].target._replace(tag=tag)) for tag in "ab")
    rest = change("create", "docker.io/a/b:1", f"{SIX}/other:1")
    command = command_for(Plan((first, second, rest)), [first], "plan.json")
    assert "[[]2001" in command


def test_what_cannot_be_said_is_not_said() -> None:
    names = [f"{CORP}/{'x' * 60}{number}/y:1" for number in range(200)]
    plan = Plan(tuple(change("create", "docker.io/a/b:1", each) for each in names))
    assert command_for(plan, plan.changes[::2], "plan.json") == ""
    assert command_for(plan, plan.changes, "") == ""
    assert command_for(plan, (), "plan.json") == ""


# The clipboard


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH to put programs into, and an environment that says nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "TMUX", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TERM_PROGRAM", raising=False)
    return folder


def install(folder: Path, name: str, code: int = 0) -> Path:
    """A program that keeps what it reads, and its arguments; the file that it keeps them in."""
    kept = folder.parent / f"{name}.kept"
    program = folder / name
    reading = 'while IFS= read -r line || [ -n "$line" ]; do printf "%s" "$line"; done'
    program.write_text(f'#!/bin/sh\nprintf "%s " "$@" > {kept}\n{reading} >> {kept}\nexit {code}\n')
    program.chmod(0o755)
    return kept


@pytest.mark.parametrize(
    ("name", "environment", "kept"),
    [
        pytest.param("pbcopy", {}, " text", id="macos"),
        pytest.param("wl-copy", {"WAYLAND_DISPLAY": "wayland-0"}, " text", id="wayland"),
        pytest.param("xclip", {"DISPLAY": ":0"}, "-selection clipboard text", id="x11"),
        pytest.param("xsel", {"DISPLAY": ":0"}, "--clipboard --input text", id="xsel"),
        pytest.param("clip.exe", {}, " text", id="wsl"),
        pytest.param("tmux", {"TMUX": "/tmp/x,1,0"}, "load-buffer -w - text", id="tmux"),
        pytest.param("tmux", {"TMUX": "/tmp/x,1,0", "SSH_TTY": "/dev/pts/0"}, "load-buffer -w - text", id="tmux-over-ssh"),
    ],
)  # fmt: skip
def test_a_program_of_this_machine_takes_it(
    tools: Path, name: str, environment: Mapping[str, str], kept: str
) -> None:
    file = install(tools, name)
    assert hand_to_program("text", {**os.environ, **environment}) == name
    assert file.read_text() == kept


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        pytest.param("xclip", {}, id="no-display"),
        pytest.param("wl-copy", {"DISPLAY": ":0"}, id="no-wayland"),
        pytest.param("pbcopy", {"SSH_CONNECTION": "1 2 3 4"}, id="over-ssh"),
        pytest.param("tmux", {}, id="outside-of-tmux"),
    ],
)
def test_a_clipboard_that_nobody_sees_is_not_used(
    tools: Path, name: str, environment: Mapping[str, str]
) -> None:
    file = install(tools, name)
    assert hand_to_program("text", {**os.environ, **environment}) == ""
    assert not file.exists()


def test_a_program_that_fails_leaves_it_to_the_next(tools: Path) -> None:
    install(tools, "wl-copy", code=1)
    install(tools, "xclip")
    environment = {**os.environ, "WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}
    assert [each[0] for each in programs(environment)] == ["wl-copy", "xclip"]
    assert hand_to_program("text", environment) == "xclip"


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        pytest.param({}, "\x1b]52;c;dGV4dA==\x07", id="plain"),
        pytest.param({"TMUX": "x"}, "\x1bPtmux;\x1b\x1b]52;c;dGV4dA==\x07\x1b\\", id="tmux"),
        pytest.param({"TERM": "screen"}, "\x1bP\x1b]52;c;dGV4dA==\x07\x1b\\", id="screen"),
    ],
)
def test_the_terminal_is_asked_through_what_lies_between(
    environment: Mapping[str, str], sequence: str
) -> None:
    assert osc52("text", environment) == sequence


def test_terminals_that_know_no_clipboard_are_known() -> None:
    assert takes_osc52({"TERM": "xterm-256color"})
    assert not takes_osc52({"TERM": "linux"})
    assert not takes_osc52({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"})


async def _copied(pilot: Pilot[int]) -> str:
    for _ in range(300):
        await pilot.pause(0.01)
        if pilot.app.clipboard:
            break
    return pilot.app.clipboard


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("screen", [NARROW, WIDE])
@pytest.mark.parametrize(
    ("keys", "text"),
    [
        pytest.param(["enter"], f"{CORP}/k8s/pause:3.10", id="first"),
        pytest.param(["j", "enter"], "registry.k8s.io/pause:3.10", id="second"),
        pytest.param(["5"], f"docker pull {CORP}/k8s/pause:3.10", id="by-number"),
        pytest.param(["G", "enter"], "planner apply plan.json", id="command"),
    ],
)
def test_the_menu_copies(keys: list[str], text: str, screen: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"pause:3.10", "enter", "G", "y", *keys)
        assert await _copied(pilot) == text
        await until(pilot, "Sent to the terminal's clipboard")
        assert not isinstance(pilot.app.screen, CopyMenu)

    play(review_of(full_plan(), plan_file="plan.json"), steps, screen)


@pytest.mark.usefixtures("tools")
def test_a_plan_without_a_file_has_no_command() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "y", "G", "enter")
        await until(pilot, "this plan has no file")

    play(review_of(full_plan()), steps)


def test_a_program_is_told_of(tools: Path) -> None:
    file = install(tools, "pbcopy")

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "y", "enter")
        await until(pilot, "Copied with pbcopy")

    play(review_of(full_plan()), steps)
    assert "component-of-it" in file.read_text()


@pytest.mark.usefixtures("tools")
def test_where_no_clipboard_can_be_reached_the_text_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "linux")

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"pause:3.10", "enter", "G", "y", "enter")
        await until(pilot, "No clipboard can be reached")
        assert isinstance(pilot.app.screen, TextBox)
        assert f"{CORP}/k8s/pause:3.10" in words(pilot)
        await pilot.press("escape")

    play(review_of(full_plan()), steps)
