"""The menu of what can be copied of the row under the cursor, and of what is selected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from planner.core.text import plural
from planner.ui.review.arrangement import Row
from planner.ui.review.clipboard import copy
from planner.ui.review.command_line import command_for
from planner.ui.review.copies import Copy, copies_of
from planner.ui.review.hints import Hints
from planner.ui.review.lines import Line, Lines
from planner.ui.review.model import PlanModel, one_line
from planner.ui.review.texts import cut_end

_TITLE_WIDTH = 18
_WIDEST = 100
_AROUND = 12  # frame, padding, the cursor's mark, the number, blanks
_COMMAND = "command"
_NO_FILE = "this plan has no file that a command could name: planner plan -o plan.json saves one"
_NO_COMMAND = "no command of a bearable length does exactly this: save the selection as a plan (ctrl+p), and apply that"


class CopyMenu(ModalScreen[None]):
    """Enter copies the line under the cursor, a digit the line with this number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,y", "back", "back", id="copy.back"),
        Binding("enter", "copy", "copy", id="copy.copy"),
        *(
            Binding(f"{number}", f"copy({number})", f"line {number}", show=False, id=f"copy.line{number}")
            for number in range(1, 10)
        ),
    ]  # fmt: skip

    class Worked(Message):
        """The command; empty when there is none."""

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command

    def __init__(self, model: PlanModel, row: Row, plan_file: str) -> None:
        super().__init__()
        self._model = model
        self._plan_file = plan_file
        self._copies = tuple(copies_of(model, row))

    def compose(self) -> ComposeResult:
        """A box."""
        with Vertical(classes="dialog", id="copy") as box:
            box.border_title = "Copy"
            yield Lines(id="copies")
            yield Hints("[{copy.copy}] copy   [{copy.back}] back")

    def on_mount(self) -> None:
        """As high as it has lines."""
        lines = self.query_one(Lines)
        lines.styles.height = len(self._copies) + 1
        lines.focus()

    def on_resize(self) -> None:
        """Each on one line."""
        self.query_one(Lines).show(tuple(self._lines()))

    def action_back(self) -> None:
        """Close."""
        self.dismiss()

    @on(Lines.Chosen)
    def action_copy(self, number: int = 0) -> None:
        """Copy a line: that under the cursor, or that with a number."""
        if not number:
            wanted = self.query_one(Lines).value
        elif number <= len(self._copies):
            wanted = self._copies[number - 1]
        else:
            wanted = _COMMAND if number == len(self._copies) + 1 else None
        if isinstance(wanted, Copy):
            copy(self.app, wanted.text)
            self.dismiss()
        elif wanted == _COMMAND:
            self._work_out()

    @work(thread=True, exclusive=True)
    def _work_out(self) -> None:
        """Runs on a thread of its own, since large plans take seconds."""
        model = self._model
        self.post_message(
            self.Worked(command_for(model.plan, model.selection.changes, self._plan_file))
        )

    def on_copy_menu_worked(self, message: Worked) -> None:
        """Copy the command, or say why there is none."""
        if message.command:
            copy(self.app, message.command)
        elif not self._model.selection:
            self.app.notify("nothing is selected", markup=False)
        else:
            self.app.notify(_NO_COMMAND if self._plan_file else _NO_FILE, markup=False)
        self.dismiss()

    def _lines(self) -> Iterator[Line]:
        for number, each in enumerate(self._copies, 1):
            more = each.text.count("\n")
            yield self._line(
                number, each.title, plural(more + 1, "line") if more else each.text, each
            )
        chosen = plural(len(self._model.selection), "selected change")
        told = f"planner apply … for {chosen}"
        yield self._line(len(self._copies) + 1, "as a command", told, _COMMAND)

    def _line(self, number: int, title: str, text: str, value: object) -> Line:
        room = min(_WIDEST, self.app.size.width) - _AROUND - _TITLE_WIDTH
        return Line(f"{number} {title:{_TITLE_WIDTH}} {cut_end(one_line(text), room)}", value=value)
