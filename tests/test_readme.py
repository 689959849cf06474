"""What the README shows is what planner prints."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.core.schema import load
from planner.ui.cli import COMMANDS, main
from planner.ui.commands.demo import write_inputs
from planner.ui.findings import FORMATS
from planner.ui.lint_options import add_arguments
from tests.configuration import PAGE, page

README = Path(__file__).parents[1] / "README.md"
ARCHITECTURE = README.parent / "docs" / "architecture.md"
LINTING = README.parent / "docs" / "linting.md"


def shown() -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output below it."""
    for block in re.findall(
        r"^```console\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.strip()


def pattern(output: str) -> str:
    """``…`` stands for anything: alone for whole lines."""
    escaped = re.escape(output).replace(r"\…", "…")
    return re.sub(r"\\\n…\\\n", r"\\n(?s:.*)\\n", escaped).replace("…", ".*")


def test_the_tour_prints_what_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (
        ("HOME", tmp_path),
        ("XDG_CACHE_HOME", tmp_path / "cache"),
        ("COLUMNS", 80),
    ):
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    write_inputs()
    for command, output in shown():
        main(shlex.split(command)[1:])
        assert re.fullmatch(pattern(output), capsys.readouterr().out.strip()), command


@pytest.mark.parametrize("file", [README, LINTING], ids=lambda file: file.name)
def test_every_command_that_is_named_exists(file: Path) -> None:
    named = set(re.findall(r"[`$] ?planner ([a-z]+)\b", file.read_text("utf-8")))
    assert named
    assert named <= set(COMMANDS)


def test_the_reference_of_lint_has_all_settings_formats_and_options() -> None:
    text = LINTING.read_text("utf-8")
    settings = load("planner")["properties"]["lint"]["properties"]
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    assert set(settings) == rows & set(settings)
    assert set(FORMATS) - {"text", "concise"} == rows - set(settings)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = set(re.findall(r"--[a-z][a-z-]*", parser.format_help())) - {"--help"}
    named = set(re.findall(r"`(?:[^`]* )?(--[a-z][a-z-]*)", text))
    assert options <= named, options - named


def test_every_product_is_told_of() -> None:
    products = load("planner")["properties"]["registries"]["additionalProperties"]["properties"]
    text = README.read_text("utf-8")
    assert not [each for each in products["product"]["enum"] if f"`{each}`" not in text]


def test_the_keys_of_planner_yaml_stand_in_their_page() -> None:
    assert PAGE.read_text("utf-8") == page(), "run make examples"


def test_the_picture_of_the_floors_names_every_module() -> None:
    picture = ARCHITECTURE.read_text("utf-8").split("```")[1]
    named = {each.strip("_") for each in re.findall(r"\w+", picture)}
    package = README.parent / "planner"
    modules = {
        path.stem.strip("_") or path.parent.name
        for folder in (package, package / "core")
        for path in folder.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert modules - {"init"} <= named, modules - {"init"} - named


def test_the_demo_tells_its_story_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["demo", "--keep", str(tmp_path / "kept")]) == 0
    assert "8 images: 8 ok" in capsys.readouterr().out
    assert (tmp_path / "kept/plan.json").is_file()
