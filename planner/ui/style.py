"""Colour, where it is wanted. It only ever repeats what symbols and words say.

Source: no-color.org; bixense.com/clicolors (``CLICOLOR_FORCE``); ``FORCE_COLOR`` as in many tools.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple, TextIO

_CODES = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "dim": "2",
    "bold": "1",
}


class Style(NamedTuple):
    """Paints text, or leaves it as it is. ``width`` is the terminal's, None where nothing is cut."""

    is_coloured: bool = False
    width: int | None = None

    def paint(self, text: str, *styles: str) -> str:
        """``text`` in the named styles."""
        if not self.is_coloured or not text:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def style_for(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Style:
    """What suits a stream: colour and width for a terminal, neither for a pipe, unless the environment says so."""
    is_terminal = stream.isatty() and environment.get("TERM") != "dumb"
    forced = any(environment.get(name, "0") != "0" for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
    coloured = forced or (is_terminal and not environment.get("NO_COLOR"))
    if environment.get("COLUMNS", "").isdecimal():
        return Style(coloured, int(environment["COLUMNS"]))
    return Style(coloured, _columns(stream) if is_terminal else None)


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
