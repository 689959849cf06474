"""The question before specs are applied, on a real terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from tests.real.story import Workplace
from tests.support.terminal import Terminal

IMAGE = parse_image("docker.io/rancher/mirrored-pause:3.6")
COMMAND = "apply registries.yaml --images images.txt --from oci:upstream --to oci:registry"


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    place = Workplace(tmp_path)
    place.write(
        "registries.yaml", "mirrors: {docker.io: {endpoint: ['https://registry.corp:5000']}}\n"
    )
    place.write("images.txt", f"{IMAGE}\n")
    upstream = LayoutFolder(tmp_path / "upstream")
    write_samples([IMAGE], lambda registry: Layout(upstream, registry), kib=4)
    return place


Answer = Callable[..., int]


@pytest.fixture
def answer(terminal: Terminal, place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Press keys when the question stands there; the result is the exit code."""
    monkeypatch.chdir(place.folder)

    def press(*keys: str) -> int:
        command = (sys.executable, "-m", "planner", *COMMAND.split())
        terminal.start(command, env=place.environment)
        terminal.wait_for('Only "yes" is accepted:')
        terminal.send(*keys)
        return terminal.wait_for_exit()

    return press


def test_a_typed_yes_carries_it_out(answer: Answer, place: Workplace) -> None:
    assert answer("yes", "Enter") == 0
    assert (place.folder / "registry/index.json").is_file()


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        pytest.param(("Enter",), 77, id="just-enter"),
        pytest.param(("y", "Enter"), 77, id="one-letter"),
        pytest.param(("no", "Enter"), 77, id="no"),
        pytest.param(("C-c",), 130, id="ctrl-c"),
    ],
)
def test_anything_else_writes_nothing(
    answer: Answer, place: Workplace, keys: tuple[str, ...], code: int
) -> None:
    assert answer(*keys) == code
    assert not (place.folder / "registry").exists()
