"""The screens of the review look as they did. ``make pictures`` writes anew what is kept."""

from __future__ import annotations

import difflib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.review_pictures import (
    DUMPS,
    IN_README,
    PICTURES,
    SCREENS,
    SMALL,
    Screen,
    dump,
    pictures,
)

README = Path(__file__).parents[1] / "README.md"
_ANEW = "make pictures draws it anew: look at the difference"


def compare(file: Path, now: str) -> None:
    kept = file.read_text("utf-8")
    difference = "\n".join(difflib.unified_diff(kept.splitlines(), now.splitlines(), lineterm=""))
    assert kept == now, f"{file.name} changed ({_ANEW}):\n{difference[:4000]}"


@pytest.mark.parametrize(
    ("screen", "size"),
    [
        pytest.param(each, size, id=f"{each.name}-{size[0]}x{size[1]}")
        for each in SCREENS
        for size in each.sizes
    ],
)
def test_a_screen_looks_as_it_did(screen: Screen, size: tuple[int, int]) -> None:
    now = dump(screen, size)
    compare(DUMPS / f"{screen.name}-{size[0]}x{size[1]}.txt", now)
    lines = now.splitlines()
    assert (len(lines), max(map(len, lines))) <= (size[1], size[0])


def test_ascii_is_ascii_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_ASCII", "1")
    now = dump(SCREENS[0], SMALL)
    compare(DUMPS / "review-ascii.txt", now)
    assert now.isascii()


def test_without_colours_the_words_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    now = dump(SCREENS[0], SMALL)
    compare(DUMPS / "review-no-color.txt", now)
    assert now == (DUMPS / "review-80x24.txt").read_text("utf-8")


def test_the_pictures_are_those_of_the_screens() -> None:
    for name, now in pictures():
        compare(PICTURES / name, now)


def test_nothing_is_kept_that_nobody_compares() -> None:
    sizes = {
        f"{each.name}-{width}x{height}.txt" for each in SCREENS for width, height in each.sizes
    }
    more = {"review-ascii.txt", "review-no-color.txt"}
    assert {each.name for each in DUMPS.iterdir()} == sizes | more
    assert {each.name for each in PICTURES.iterdir()} == {f"{name}.svg" for name in IN_README}


@pytest.mark.parametrize("name", IN_README)
def test_a_picture_needs_nothing_from_elsewhere_and_is_shown(name: str) -> None:
    text = (PICTURES / f"{name}.svg").read_text("utf-8")
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "url(http" not in text
    assert "url(" + '"http' not in text
    assert f"docs/pictures/{name}.svg" in README.read_text("utf-8")
