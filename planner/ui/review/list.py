"""The list of a review: one line for each row of the model, drawn only where it is seen.

Textual's own tables and trees format and measure every row up front, seconds for 50,000; this one draws a screenful.
No text is ever read as markup: names and reasons come from files and registries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from planner.core.plan import Change, Op
from planner.core.text import short_digest, size
from planner.ui.cost_text import drift_mark
from planner.ui.plan.words import SYMBOLS
from planner.ui.review.arrangement import WORDS, Row
from planner.ui.review.model import Box, PlanModel, one_line
from planner.ui.review.rows import Rows, cursor_keys
from planner.ui.review.texts import cut_end, cut_start

BOXES: dict[Box, str] = {"": "   ", "all": "[x]", "some": "[-]", "none": "[ ]"}
_COUNTED: tuple[Op, ...] = ("delete", "create", "move", "repair", "same", "blocked")
_BOX_WIDTH = 5  # with the cursor before it
_INDENT = 2
_SIZE_WIDTH = 9
_FEWEST_NAME = 24
_WORD_WIDTH = 11  # with the symbol before it
_AROUND_NAME = _BOX_WIDTH + _WORD_WIDTH + 1 + _SIZE_WIDTH
_BOX_COLUMNS = range(1, 5)
_FOLD_COLUMNS = range(5, 7)
_STRIPS = 1024


class PlanList(Rows):
    """Rows of a ``PlanModel`` with a cursor. It shows the model and never changes it but for what is collapsed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"list--{each}" for each in ("plain", "cursor", "group", "about", *WORDS)
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        *cursor_keys("list", "row"),
        Binding("left,h", "fold", "collapse the group", show=False, id="list.fold"),
        Binding("right,l", "unfold", "expand the group", show=False, id="list.unfold"),
    ]

    class Moved(Message):
        """The cursor is on another row, or its row became another one."""

    class BoxClicked(Message):
        """Somebody clicked the box of the row under the cursor."""

    def __init__(self, model: PlanModel, *, id: str) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id)
        self._model = model
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(_STRIPS)

    @property
    def count(self) -> int:
        """How many rows the model has."""
        return len(self._model.rows)

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None when there is none."""
        rows = self._model.rows
        return rows[self._cursor] if rows else None

    def follow(self, row: Row | None) -> None:
        """Show the model's rows as they are now, with the cursor where ``row`` went."""
        self._cursor = 0 if row is None else self._model.position(row)
        self._measure()
        self._show_cursor()

    def on_mount(self) -> None:
        """Take the size of the model."""
        self._measure()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._measure()
        self._show_cursor()

    def notify_style_update(self) -> None:
        """Other colours: draw anew."""
        super().notify_style_update()
        self._strips.clear()

    def action_fold(self) -> None:
        """Collapse the group of this row."""
        self.fold(collapsed=True)

    def action_unfold(self) -> None:
        """Expand the group of this row."""
        self.fold(collapsed=False)

    def fold(self, *, collapsed: bool) -> None:
        """Collapse or expand the group of this row; the cursor stays with it."""
        row = self.row
        if row is None or self._model.grouping == "flat":
            return
        name = self._model.group(row).name
        if self._model.is_collapsed(name) != collapsed:
            self._model.collapse(name, collapsed=collapsed)
            self.follow(name if collapsed else row)

    def on_click(self, event: events.Click) -> None:
        """Select the row; on the box choose it, on the mark before a group's name fold it."""
        at = event.get_content_offset(self)
        line = self.scroll_offset.y + at.y if at else -1
        if at is None or not 0 <= line < self.count:
            return
        self._go(line)
        row = self._model.rows[line]
        if at.x in _BOX_COLUMNS:
            self.post_message(self.BoxClicked())
        elif at.x in _FOLD_COLUMNS and isinstance(row, str):
            self.fold(collapsed=not self._model.is_collapsed(row))

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        line = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if line >= self.count:
            return Strip.blank(width, self.rich_style)
        row = self._model.rows[line]
        is_current = line == self._cursor
        # An image looks the same wherever it stands; what a group says of itself depends on what is shown.
        shown = self._model.revision if isinstance(row, str) else self._model.grouping
        column = self._name_width(width)
        key = (row, shown, self._model.box(row), is_current, self.has_focus, width, column)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._draw(row, is_current=is_current, width=width)
            self._strips[key] = strip
        return strip

    def _measure(self) -> None:
        self.virtual_size = Size(self.size.width, self.count)

    def _show_cursor(self) -> None:
        super()._show_cursor()
        self.post_message(self.Moved())

    def _draw(self, row: Row, *, is_current: bool, width: int) -> Strip:
        pieces = self._heading(row, width) if isinstance(row, str) else self._line(row, width)
        box = BOXES[self._model.box(row)]
        mark = "▌" if is_current else " "
        segments = [(f"{mark}{box} ", "plain"), *pieces]
        marked = self._style("cursor") if is_current and self.has_focus else Style.null()
        drawn = [Segment(text, self._style(name) + marked) for text, name in segments]
        base = self.rich_style + marked
        return Strip(drawn).adjust_cell_length(width, base).simplify()

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"list--{name}")

    def _name_width(self, width: int) -> int:
        """Columns for names: as many as they need, as far as there is room."""
        indent = 0 if self._model.grouping == "flat" else _INDENT
        return max(
            1, min(max(self._model.longest_name, _FEWEST_NAME), width - indent - _AROUND_NAME)
        )

    def _heading(self, name: str, width: int) -> Iterator[tuple[str, str]]:
        """Name, figures, cost where there is room, and the size, in line with those of the images if it can be."""
        counts, cost = self._model.group(name).counts, self._model.cost(name)
        figures = "   " + "  ".join(f"{SYMBOLS[op]}{counts[op]}" for op in _COUNTED if counts[op])
        said = f"   {size(cost)} to send" if cost else ""
        total = f" {size(self._model.size(name)):>{_SIZE_WIDTH}}" if cost else ""
        mark, title = "▸" if self._model.is_collapsed(name) else "▾", self._model.name(name)
        column = self._name_width(width) + _INDENT + _WORD_WIDTH
        room = max(column, width - _BOX_WIDTH - len(total)) - 2 - len(figures)
        left = f"{mark} {cut_start(title, room)}{figures}"
        if cell_len(left) + len(said) <= column:
            left = f"{left}{said}"
        yield f"{set_cell_size(left, max(column, cell_len(left)))}{total}", "group"

    def _line(self, index: int, width: int) -> Iterator[tuple[str, str]]:
        change = self._model.plan.changes[index]
        indent = 0 if self._model.grouping == "flat" else _INDENT
        yield (
            f"{' ' * indent}{SYMBOLS[change.op]}{drift_mark(change)}{WORDS[change.op]:7}  ",
            change.op,
        )
        name_width = self._name_width(width)
        name = cut_start(self._model.name(index), name_width)
        yield set_cell_size(name, name_width), "plain"
        rest = width - indent - _AROUND_NAME - name_width + _SIZE_WIDTH
        if change.is_pending:
            yield f" {size(self._model.size(index)):>{_SIZE_WIDTH}}", "plain"
            rest -= _SIZE_WIDTH
        yield f"  {_about(change, rest - 2)}", "about"


def _about(change: Change, width: int) -> str:
    """What is most worth knowing, as far as it fits."""
    said: tuple[str, ...]
    match change.op:
        case "blocked" | "repair":
            return cut_end(one_line(change.reason), width)
        case "delete":
            said = (one_line(short_digest(change.current)),)
        case "move":
            now, new = (short_digest(each)[7:] for each in (change.current, change.digest))
            said = (f"{one_line(now)} → {one_line(new)}",)
        case "create" | "same":
            origin = one_line(change.source.registry)
            said = (f"← {one_line(str(change.source))}", f"← {origin}/…", f"← {origin}")
    return next((each for each in said if cell_len(each) <= width), "")
