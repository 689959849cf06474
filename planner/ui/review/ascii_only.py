"""Draws the review in ASCII: whatever a screen has, what leaves it are boxes and marks that any terminal shows."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from planner.ui.glyphs import as_ascii


class AsciiOnly(LineFilter):
    """Replaces, in every line that is drawn, what is not ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line in ASCII."""
        del background
        return [Segment(as_ascii(text), style, control) for text, style, control in segments]
