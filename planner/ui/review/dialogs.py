"""Small screens above the review: a message, and the look at the target before an apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from planner.apply import still_to_do
from planner.core.errors import PlannerError
from planner.core.plan import Change, Plan
from planner.core.text import plural, printable
from planner.stores.opening import Stores
from planner.ui.review.hints import Hints
from planner.ui.review.question import Checked


class Notice(ModalScreen[None]):
    """Says something; any of the usual keys goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "back", "back", id="notice.back"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """A box."""
        with VerticalScroll(classes="dialog") as box:
            box.border_title = Text(self._title).plain
            yield Static(Text(printable(self._text)))
            yield Hints("\n[{notice.back}] back")

    def action_back(self) -> None:
        """Close."""
        self.dismiss()


def problem(error: PlannerError) -> Notice:
    """An error as a message."""
    hint = f"\n\n{error.hint}" if error.hint else ""
    return Notice("Nothing was written", f"{error.message}{hint}")


class CheckTarget(ModalScreen[Checked | PlannerError | None]):
    """Asks the registry whether it still is as the plan saw it; None when somebody did not want to wait."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "cancel", id="check.cancel"),
    ]

    class Answered(Message):
        """The registry's answer."""

        def __init__(self, answer: Checked | PlannerError) -> None:
            super().__init__()
            self.answer = answer

    def __init__(self, plan: Plan, changes: Sequence[Change], stores: Stores, target: str) -> None:
        super().__init__()
        self._plan = plan
        self._changes = changes
        self._stores = stores
        self._target = target

    def compose(self) -> ComposeResult:
        """A box."""
        names = plural(len(self._changes), "name")
        with VerticalScroll(classes="dialog") as box:
            box.border_title = "Apply"
            yield Static(Text(printable(f"Looking at {names} on {self._target} …")))
            yield Hints("\n[{check.cancel}] cancel")

    def on_mount(self) -> None:
        """Ask."""
        self._ask()

    @work(thread=True)
    def _ask(self) -> None:
        """Runs on a thread of its own, where nothing may be done but to post a message."""
        answer: Checked | PlannerError
        try:
            todo = still_to_do(self._plan, self._changes, self._stores)
            answer = Checked(tuple(todo), len(self._changes))
        except PlannerError as error:
            answer = error
        self.post_message(self.Answered(answer))

    def on_check_target_answered(self, message: Answered) -> None:
        """Hand it to whoever asked."""
        if self.is_current:
            self.dismiss(message.answer)

    def action_back(self) -> None:
        """Do not wait."""
        self.dismiss(None)
