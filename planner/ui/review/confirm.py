"""The question before anything is written: what will happen, and a word to type."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from planner.core.plan import Plan
from planner.core.text import printable
from planner.ui.review.hints import Hints
from planner.ui.review.question import Checked, description, word_for


class Confirm(ModalScreen[Checked | None]):
    """Its result is what was asked about, when the word was typed.

    There is no button, and Enter alone does nothing, however long it is held.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="confirm.cancel"),
        Binding("pageup", "scroll(-1)", "up", show=False, id="confirm.up"),
        Binding("pagedown", "scroll(1)", "down", show=False, id="confirm.down"),
    ]

    def __init__(self, plan: Plan, checked: Checked, target: str) -> None:
        super().__init__()
        self._plan = plan
        self._checked = checked
        self._target = target
        self._word = word_for(checked.changes)

    def compose(self) -> ComposeResult:
        """What will happen, and where the word goes."""
        lines = description(self._plan, self._checked, self._target)
        with Vertical(classes="dialog", id="confirm") as box:
            box.border_title = "Apply"
            with VerticalScroll(id="what", can_focus=False):
                yield Static(Text(printable("\n".join(lines))))
            yield Static(Text(f"\nType  {printable(self._word)}  to apply:"))
            yield Input(id="word")
            yield Hints("[{confirm.cancel}] cancel")

    def on_mount(self) -> None:
        """The word is what is asked for."""
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Go on with the right word alone."""
        typed = message.value.strip()
        if typed == self._word:
            if self.is_current:  # Enter, pressed faster than this is heard, says it twice
                self.dismiss(self._checked)
        elif typed:
            self.query_one(Hints).say(f"      not {self._word!r}")

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)

    def action_scroll(self, step: int) -> None:
        """Read on in a long list."""
        what = self.query_one("#what")
        what.scroll_relative(y=step * what.size.height, animate=False)
