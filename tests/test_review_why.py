"""Why something is in a plan, and the way from there into the editor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from textual.pilot import Pilot

from planner.core.errors import UsageError
from planner.core.family import Because
from planner.core.plan import Plan
from planner.ui.review.editor import editor_command, first_place
from planner.ui.review.lines import Lines
from planner.ui.review.why import WhyScreen
from tests.plans import CORP, change, full_plan, hostile_plan
from tests.reviewing import NARROW, WIDE, play, review_of, shown, until, words


@pytest.mark.parametrize("screen", [NARROW, WIDE, (200, 60)])
def test_the_tree_goes_from_the_image_to_the_lines_that_ask_for_it(screen: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"etcd", "enter", "G", "w")
        await pilot.pause()
        text = words(pilot)
        for each in (
            f"{CORP}/k8s/etcd:3.6.8-0",
            "needed by lab",
            "clusters/lab/kubeone.yaml:7:3 listed in images.txt",
            "needed by prod",
            "clusters/prod/kubeone.yaml:12:3 component pause of kubeone v1.13",
            "project k8s is created first",
            "blobs to send",
            f"is at {CORP}/other/app",
        ):
            assert each in text
        await pilot.press("w")
        assert not isinstance(pilot.app.screen, WhyScreen)

    play(review_of(full_plan()), steps, screen)


def test_the_cursor_stops_at_places_alone() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"etcd", "enter", "G", "w")
        await pilot.pause()
        lines, seen = pilot.app.screen.query_one(Lines), []
        for key in ("g", "j", "G", "k"):
            await pilot.press(key)
            assert isinstance(lines.value, Because)
            seen.append(lines.value.line)
        assert seen == [7, 12, 12, 7]

    play(review_of(full_plan()), steps)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor called vim that notes its arguments, and the file that it notes them in."""
    program, notes = tmp_path / "vim", tmp_path / "notes"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {notes}\n')
    program.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(program))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text("a: 1\nb: 2\n")
    return notes


def one(because: tuple[Because, ...]) -> Plan:
    return Plan(
        (change("blocked", "docker.io/a/b:1", f"{CORP}/a/b:1", reason="no", because=because),)
    )


PLACED = (Because("list", 0, 0, "released"), Because("spec.yaml", 2, 1, "said there"))


@pytest.mark.parametrize("keys", [["o"], ["w", "enter"], ["w", "o"], ["p", "o"]])
def test_the_spec_is_opened_at_the_line(editor: Path, keys: list[str]) -> None:
    """Without a terminal nothing can be suspended: the message has the command that would have run."""

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", *keys)
        await until(pilot, "this terminal cannot be left to an editor")
        assert "+2 spec.yaml" in words(pilot)

    play(review_of(one(PLACED)), steps)


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("because", "environment", "said"),
    [
        pytest.param((), {}, "no line of a spec is behind this", id="no-reason"),
        pytest.param((Because("gone.yaml", 1, 1, "x"),), {}, "gone.yaml is not here", id="gone"),
        pytest.param(PLACED, {"EDITOR": ""}, "neither $VISUAL nor $EDITOR", id="no-editor"),
        pytest.param(PLACED, {"EDITOR": "no-such-editor"}, "is not installed", id="not-installed"),
        pytest.param(PLACED, {"VISUAL": "vi 'x"}, "cannot be read", id="no-command-line"),
    ],
)
def test_what_keeps_an_editor_from_opening_is_told(
    because: tuple[Because, ...],
    environment: Mapping[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "o")
        await until(pilot, said)

    play(review_of(one(because)), steps)


@pytest.mark.parametrize(
    ("said", "command"),
    [
        pytest.param("vim", ["vim", "+7", "a.yaml"], id="vim"),
        pytest.param(
            "/usr/bin/nvim -p", ["/usr/bin/nvim", "-p", "+7", "a.yaml"], id="path-and-option"
        ),
        pytest.param("nano", ["nano", "+7,3", "a.yaml"], id="nano"),
        pytest.param("emacs -nw", ["emacs", "-nw", "+7:3", "a.yaml"], id="emacs"),
        pytest.param("micro", ["micro", "+7:3", "a.yaml"], id="micro"),
        pytest.param("hx", ["hx", "a.yaml:7:3"], id="helix"),
        pytest.param("code --wait", ["code", "--wait", "--goto", "a.yaml:7:3"], id="code"),
        pytest.param("idea", ["idea", "--line", "7", "--column", "3", "a.yaml"], id="idea"),
        pytest.param("my-own", ["my-own", "a.yaml"], id="unknown"),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(said: str, command: list[str]) -> None:
    assert editor_command("a.yaml", 7, 3, {"EDITOR": said}) == command
    assert editor_command("a.yaml", 7, 3, {"EDITOR": "false", "VISUAL": said}) == command


def test_a_file_cannot_pose_as_an_option() -> None:
    assert editor_command("-c:!sh", 0, 0, {"EDITOR": "vim"}) == ["vim", "./-c:!sh"]
    assert editor_command("+!sh", 1, 1, {"EDITOR": "vim"}) == ["vim", "+1", "./+!sh"]
    with pytest.raises(UsageError, match="neither"):
        editor_command("a", 1, 1, {"EDITOR": " "})


def test_the_first_place_is_one_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("whole.txt").touch()
    whole = Because("whole.txt", 0, 0, "listed")
    assert first_place((whole, *PLACED)) == PLACED[1]
    assert first_place((PLACED[0], whole)) == whole
    assert first_place((PLACED[0],)) is None


@pytest.mark.parametrize("screen", [NARROW, WIDE])
@pytest.mark.parametrize("keys", [["d"], ["d", "3"], ["d", "4"], ["w"], ["p"], ["y"], ["enter"]])
def test_names_and_reasons_are_shown_as_they_are(keys: list[str], screen: tuple[int, int]) -> None:
    """Markup, escapes and text that runs the other way reach no screen as such."""
    odd = change(
        "blocked",
        "[fd00::5]:5000/[red]a[/red]/b:1",
        "[fd00::5]:5000/x/[link=file:///]🚢\x1b[2J\u202e:1",
        reason="[blink]no[/blink]\x1b]52;c;!\x07",
        because=(Because("[b]s.yaml", 1, 1, "[u]u[/u]\n\u202e", "[i]c[/i]"),),
    )
    plan = Plan((*hostile_plan().changes, odd), hostile_plan().manifests)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"fd00", "enter", "G", *keys)
        for _ in range(5):
            await pilot.pause(0.02)
        text = shown(pilot)
        assert not any(each in text for each in ("\x1b", "\u202e", "\x07"))
        if keys[0] != "d":
            assert "[link=file:/" in text
        if keys[0] in ("w", "p", "enter"):
            assert "[blink]no[/blink]" in text

    play(review_of(plan), steps, screen)
