"""A list that grows while it is looked at: thousands of lines, of which a screenful is drawn.

Only the lines in sight are turned into text, ten times a second at most; so what a run costs does not depend on its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from planner.ui.review.rows import Rows, cursor_keys
from planner.ui.review.run_texts import Piece

STYLES = ("plain", "dim", "bar", "good", "bad", "cursor")


class RunList(Rows):
    """Lines with a cursor. Whoever fills it says how a line is drawn; at its last line it follows what is added."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"rows--{each}" for each in STYLES}
    BINDINGS: ClassVar[list[BindingType]] = cursor_keys("rows", "line")

    class Opened(Message):
        """Somebody clicked the line that has the cursor."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id, classes="pane")
        self._count = 0
        self._draw: Callable[[int, int], Sequence[Piece]] = lambda _line, _width: ()
        self._drawn: dict[int, Sequence[Piece]] = {}

    @property
    def count(self) -> int:
        """How many lines there are by now."""
        return self._count

    @property
    def cursor(self) -> int | None:
        """The number of the line under the cursor; None where there is none."""
        return self._cursor if self._count else None

    def show(
        self, count: int, draw: Callable[[int, int], Sequence[Piece]], *, cursor: int | None = None
    ) -> None:
        """Show so many lines; ``draw`` makes pieces of a number and a width.

        The cursor goes to ``cursor``, or stays, or follows the end where it is there.
        """
        follows = self._cursor >= self._count - 1 and self._count > 1
        self._draw = draw
        if count != self._count:
            self._measure(count)
        wanted = cursor if cursor is not None else count - 1 if follows else self._cursor
        before, self._cursor = self._cursor, max(0, min(wanted, count - 1))
        if before != self._cursor:
            self._show_cursor()
        else:
            self._refresh_changed()

    def _measure(self, count: int) -> None:
        """Take another length: the whole screen is arranged anew only when the scroll bar comes or goes."""
        height, before, self._count = self.size.height, self._count, count
        size = Size(self.size.width, count)
        if (before > height) != (count > height):
            self.virtual_size = size
            return
        self.set_reactive(ScrollView.virtual_size, size)
        if count > height:
            self.vertical_scrollbar.window_virtual_size = count
            if self.scroll_offset.y > count - height:
                self.scroll_to(y=count - height, animate=False, immediate=True)

    def _refresh_changed(self) -> None:
        """Let those lines in sight be drawn again that are other ones by now."""
        top, height = self.scroll_offset.y, self.size.height
        self._drawn = {
            line: pieces for line, pieces in self._drawn.items() if top <= line < top + height
        }
        for line in range(top, top + height):
            if self._drawn.get(line) != self._pieces(line):
                self.refresh_line(line)

    def _pieces(self, line: int) -> Sequence[Piece]:
        width = self.scrollable_content_region.width
        return self._draw(line, width - 1) if line < self._count else ()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.virtual_size = Size(self.size.width, self._count)
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """Select the line; once more opens it."""
        at = event.get_content_offset(self)
        line = self.scroll_offset.y + at.y if at else -1
        if 0 <= line < self._count:
            if line == self._cursor:
                self.post_message(self.Opened())
            self._go(line)

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        line, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        self._drawn[line] = found = self._pieces(line)
        if line >= self._count:
            return Strip.blank(width, self.rich_style)
        is_current = line == self._cursor and self.has_focus
        marked = self.get_component_rich_style("rows--cursor") if is_current else Style.null()
        mark = "▌" if line == self._cursor else " "
        pieces = [(mark, "plain"), *found]
        drawn = [
            Segment(text, self.get_component_rich_style(f"rows--{style}") + marked)
            for text, style in pieces
        ]
        return Strip(drawn).adjust_cell_length(width, self.rich_style + marked).simplify()
