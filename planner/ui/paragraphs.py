"""Pages of text, for the width of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

MOST = 100  # longer lines are hard to read, however wide the terminal is


def wrapped(text: str, width: int) -> str:
    """The text with its paragraphs filled; what is indented, examples above all, stays as it is."""
    return "\n".join(_lines(text, min(width, MOST)))


def _lines(text: str, width: int) -> Iterator[str]:
    for is_prose, lines in groupby(text.split("\n"), _is_prose):
        if is_prose:
            yield from textwrap.wrap(
                " ".join(lines), width, break_long_words=False, break_on_hyphens=False
            )
        else:
            yield from lines


def _is_prose(line: str) -> bool:
    return bool(line) and not line[0].isspace()
