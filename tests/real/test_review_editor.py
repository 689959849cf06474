"""From the review into a real editor and back, in a real terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from tests.real.story import Workplace
from tests.support.terminal import Terminal

IMAGE = parse_image("docker.io/team/api:1")
SPEC = "mirrors:\n  docker.io:\n    endpoint: ['https://registry.corp:5000']\n"


@pytest.mark.parametrize("keys", [["o"], ["w", "Enter"]])
def test_the_editor_has_the_terminal_until_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: Terminal, keys: list[str]
) -> None:
    place = Workplace(tmp_path)
    upstream = LayoutFolder(tmp_path / "up")
    write_samples([IMAGE], lambda registry: Layout(upstream, registry), kib=4)
    place.write("registries.yaml", SPEC)
    place.write("list.txt", f"{IMAGE}\n")
    specs = ("registries.yaml", "--images", "list.txt", "--from", "oci:up", "--to", "oci:down")
    planned = place.planner("plan", *specs, "-o", "plan.json")
    assert planned.returncode == 0, planned.stderr
    editor = place.write(
        "vim", '#!/bin/sh\necho "editing $*"\nread -r answer\necho "$answer" > answer\n'
    )
    editor.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    command = (sys.executable, "-m", "planner", "review", "plan.json")
    environment = {**place.environment, "EDITOR": str(editor), "VISUAL": ""}
    terminal.start(command, width=100, height=30, env=environment)
    terminal.wait_for("1 of 1 selected")
    terminal.send("G", *keys)
    assert "selected" not in terminal.wait_for("editing +")
    terminal.send("typed", "Enter")
    terminal.wait_for("api:1")
    assert (tmp_path / "answer").read_text() == "typed\n"
    terminal.send("q", "q") if keys[0] == "w" else terminal.send("q")
    assert terminal.wait_for_exit() == 0
