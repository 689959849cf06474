"""A list of texts with a cursor: for screens that show some hundred lines, wrapped, some of which stand for something.

No text is ever read as markup; only what is seen is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from planner.core.text import printable
from planner.ui.review.rows import cursor_keys

Look = Literal["plain", "bold", "dim", "good", "changed", "bad"]
_LOOKS: tuple[Look, ...] = ("plain", "bold", "dim", "good", "changed", "bad")
_NARROWEST = 16
_MARGIN = 2  # the cursor's mark and a blank


class Line(NamedTuple):
    """One text; what does not fit goes on below it, indented by ``hanging`` cells.

    ``value`` is what it stands for: the cursor stops at lines that have one.
    """

    text: str
    look: Look = "plain"
    value: object = None
    hanging: int = 0


class _Drawn(NamedTuple):
    text: str
    number: int


class Lines(ScrollView, can_focus=True):
    """Lines, with a cursor where some have a value; without one they scroll."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{each}" for each in (*_LOOKS, "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = cursor_keys("lines", "line")

    class Moved(Message):
        """The cursor is on another line."""

    class Chosen(Message):
        """Somebody clicked the line under the cursor."""

    def __init__(self, lines: Sequence[Line] = (), *, id: str = "") -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id or None, classes="pane")
        self._lines = tuple(lines)
        self._drawn: Sequence[_Drawn] = ()
        self._stops: Sequence[int] = ()
        self._stop = 0
        self._take(self._lines)

    @property
    def value(self) -> object:
        """What the line under the cursor stands for; None when there is no such line."""
        return self._lines[self._stops[self._stop]].value if self._stops else None

    @property
    def text(self) -> str:
        """All of it, a line each."""
        return "\n".join(each.text for each in self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines; the cursor stays at the same value, or else goes to the first."""
        before = self.value
        self._take(lines)
        values = [self._lines[each].value for each in self._stops]
        self._stop = values.index(before) if before is not None and before in values else 0
        self._wrap()
        if not self._stop:
            self.scroll_to(y=0, animate=False, immediate=True)
        self._show_cursor()

    def on_mount(self) -> None:
        """Wrap to the first width."""
        self._wrap()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._wrap()
        self._show_cursor()

    def action_move(self, step: int) -> None:
        """To the next line that stands for something; where there is none further, scroll."""
        if 0 <= self._stop + step < len(self._stops):
            self._go(self._stop + step)
        else:
            self.scroll_relative(y=step, animate=False, immediate=True)

    def action_page(self, step: int) -> None:
        """By a screenful."""
        height = max(1, self.size.height - 1)
        self.scroll_relative(y=step * height, animate=False, immediate=True)
        if self._stops:
            top = self.scroll_offset.y
            seen = {each.number for each in self._drawn[top : top + self.size.height]}
            near = [number for number, each in enumerate(self._stops) if each in seen]
            end = len(self._stops) - 1 if step > 0 else 0
            self._go((near[-1] if step > 0 else near[0]) if near else end, scrolls=False)

    def action_first(self) -> None:
        """To the top."""
        self._go(0)
        self.scroll_to(y=0, animate=False, immediate=True)

    def action_last(self) -> None:
        """To the bottom."""
        self._go(len(self._stops) - 1)
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def on_click(self, event: events.Click) -> None:
        """Take the line."""
        at = event.get_content_offset(self)
        line = self.scroll_offset.y + at.y if at else -1
        if 0 <= line < len(self._drawn) and self._drawn[line].number in self._stops:
            self._go(self._stops.index(self._drawn[line].number))
            self.post_message(self.Chosen())

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        at, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        if at >= len(self._drawn):
            return Strip.blank(width, self.rich_style)
        text, number = self._drawn[at]
        is_current = bool(self._stops) and number == self._stops[self._stop]
        style = self.get_component_rich_style(f"lines--{self._lines[number].look}")
        marked = is_current and self.has_focus
        style += self.get_component_rich_style("lines--cursor") if marked else Style.null()
        mark = "▌ " if is_current else "  " if self._stops else " "
        return Strip([Segment(f"{mark}{text}", style)]).adjust_cell_length(
            width, style if marked else self.rich_style
        )

    def _take(self, lines: Sequence[Line]) -> None:
        self._lines = tuple(each._replace(text=printable(each.text)) for each in lines)
        self._stops = [at for at, each in enumerate(self._lines) if each.value is not None]
        self._stop = 0

    def _wrap(self) -> None:
        width = max(_NARROWEST, self.scrollable_content_region.width - _MARGIN)
        self._drawn = [
            _Drawn(text, number)
            for number, line in enumerate(self._lines)
            for text in _wrapped(line, width)
        ]
        self.virtual_size = Size(self.size.width, len(self._drawn))
        self.refresh()

    def _go(self, stop: int, *, scrolls: bool = True) -> None:
        self._stop = max(0, min(stop, len(self._stops) - 1))
        if scrolls:
            self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        """Scroll as little as needed to see all of the line under the cursor."""
        if not self._stops:
            return
        number = self._stops[self._stop]
        own = [at for at, each in enumerate(self._drawn) if each.number == number]
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not own or (own[0] >= top and own[-1] < top + height):
            return
        line = own[0] if own[0] < top else max(0, min(own[0], own[-1] - height + 1))
        self.scroll_to(y=line, animate=False, immediate=True)


def _wrapped(line: Line, width: int) -> Iterator[str]:
    """A text in pieces of at most ``width`` cells, broken at blanks where there are any."""
    for text in line.text.split("\n"):
        rest, indent = text, ""
        while cell_len(rest) > width - len(indent):
            piece = chop_cells(rest, max(1, width - len(indent)))[0]
            at = piece.rfind(" ") if rest[len(piece)] != " " else len(piece)
            cut = at if at > 0 and piece[:at].strip() else len(piece)
            yield f"{indent}{rest[:cut]}"
            rest, indent = rest[cut:].lstrip(" "), " " * min(line.hanging, width // 2)
        yield f"{indent}{rest}"
