"""What lists with a cursor share: its keys, and how it moves and stays in sight."""

from __future__ import annotations

from textual.binding import Binding, BindingType
from textual.scroll_view import ScrollView


def cursor_keys(prefix: str, one: str) -> list[BindingType]:
    """The bindings of a cursor over lines that are called ``one`` each; their ids begin with ``prefix``."""
    return [
        Binding("up,k", "move(-1)", "up", show=False, id=f"{prefix}.up"),
        Binding("down,j", "move(1)", "down", show=False, id=f"{prefix}.down"),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False, id=f"{prefix}.page_up"),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False, id=f"{prefix}.page_down"),
        Binding("home,g", "first", f"first {one}", show=False, id=f"{prefix}.first"),
        Binding("end,G", "last", f"last {one}", show=False, id=f"{prefix}.last"),
    ]


class Rows(ScrollView, can_focus=True):
    """One line for each row, and a cursor that is always on one of them; where there is none, at 0."""

    def __init__(self, *, id: str, classes: str = "") -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id, classes=classes)
        self._cursor = 0

    @property
    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def action_move(self, step: int) -> None:
        """Move by rows."""
        self._go(self._cursor + step)

    def action_page(self, step: int) -> None:
        """Move by screenfuls."""
        self._go(self._cursor + step * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Go to the top."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the bottom."""
        self._go(self.count - 1)

    def _go(self, line: int) -> None:
        self._cursor = max(0, min(line, self.count - 1))
        self._show_cursor()

    def _show_cursor(self) -> None:
        """Scroll as little as needed to see it."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._cursor < top + height:
            line = self._cursor if self._cursor < top else self._cursor - height + 1
            self.scroll_to(y=line, animate=False, immediate=True)
        self.refresh()
