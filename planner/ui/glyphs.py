"""Characters for terminals that show ASCII alone: boxes, marks and bars keep their width and their meaning."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_SAME = {
    "▌▐❯›→»": ">",  # noqa: RUF001
    "←«‹": "<",  # noqa: RUF001
    "↑": "^",
    "↓▼": "v",
    "▾": "-",
    "▸▶": "+",
    "…": "~",
    "█▓▊▉▋▇▆▅▄": "#",
    "░▒▁▂▃▔▀": ".",
    "•●·∙■◆": "*",
    "✓✔": "x",
    "✗✘×": "x",  # noqa: RUF001
    "–—": "-",  # noqa: RUF001
    "‘’": "'",  # noqa: RUF001
    "“”": '"',
    "⏎": "<",
    "⌫": "<",
    "▎▏▕▍": "|",
    "\u00a0": " ",
}
_TABLE = {ord(glyph): shown for glyphs, shown in _SAME.items() for glyph in glyphs}


def wants_ascii(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal shows ASCII alone: ``PLANNER_ASCII`` says so, or a locale that is not UTF-8.

    Source: POSIX.1-2024, XBD 8.2: the first of ``LC_ALL``, ``LC_CTYPE`` and ``LANG`` that is set counts.
    """
    said = environment.get("PLANNER_ASCII", "")
    if said:
        return said != "0"
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "utf-8")
    return "utf" not in locale.lower()


@lru_cache(4096)
def as_ascii(text: str) -> str:
    """``text`` in ASCII, in as many cells as before; ``?`` for what has no likeness."""
    return text if text.isascii() else "".join(map(_likeness, text))


def _likeness(glyph: str) -> str:
    if glyph.isascii():
        return glyph
    if shown := _TABLE.get(ord(glyph)):
        return shown
    if "\u2500" <= glyph <= "\u257f":
        return _line(unicodedata.name(glyph))
    if unicodedata.combining(glyph):
        return ""
    plain = unicodedata.normalize("NFKD", glyph)[:1]
    wide = unicodedata.east_asian_width(glyph) in ("W", "F")
    return "??" if wide else plain if plain.isascii() else "?"


def _line(name: str) -> str:
    """A part of a box: lines are lines, and where they meet is a corner."""
    kind = name.removeprefix("BOX DRAWINGS ")
    if "AND" in kind or "ARC" in kind:
        return "+"
    return "-" if "HORIZONTAL" in kind or "LEFT" in kind or "RIGHT" in kind else "|"
