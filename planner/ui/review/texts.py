"""Fitting texts into cells: a wide character takes two."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text


def cut_start(text: str, width: int) -> str:
    """The end of ``text`` in at most ``width`` cells: names differ at their ends."""
    if cell_len(text) <= width:
        return text
    kept = text[-max(0, width - 1) :] if width > 1 else ""
    while cell_len(kept) > width - 1:
        kept = kept[1:]
    return f"…{kept}"


def cut_end(text: str, width: int) -> str:
    """The start of ``text`` in at most ``width`` cells."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, max(0, width - 1))}…"


def title_line(left: str, right: str, width: int) -> Text:
    """A line that fills the screen."""
    room = max(0, width - cell_len(right) - 2)
    return Text(f" {set_cell_size(cut_end(left, room), room)}{right} ")
