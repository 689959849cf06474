"""The questions that a run's screen asks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from planner.core.errors import InputError
from planner.core.text import printable
from planner.files import write_whole
from planner.ui.review.hints import Hints

Choice = Literal["stop", "detach"]


class Leave(ModalScreen[Choice | None]):
    """What is to become of a run that is left while it is running; None: stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('stop')", "stop cleanly", id="leaving.stop"),
        Binding("d", "choose('detach')", "go on in the terminal", id="leaving.detach"),
        Binding("escape,q", "back", "back", id="leaving.back"),
    ]

    def compose(self) -> ComposeResult:
        """A box."""
        with Vertical(classes="dialog") as box:
            box.border_title = "It is still running"
            yield Hints("[{leaving.stop}] stop cleanly, and leave", classes="")
            goes_on = "[{leaving.detach}] leave the screen; the run goes on in the terminal"
            yield Hints(goes_on, classes="")
            yield Hints("\n[{leaving.back}] back")

    def action_choose(self, choice: Choice) -> None:
        """Do it."""
        self.dismiss(choice)

    def action_back(self) -> None:
        """Stay."""
        self.dismiss(None)


class AskCancel(ModalScreen[bool]):
    """Whether an image is to be left out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "leave it out", id="cancelling.yes"),
        Binding("escape,n,q", "answer(False)", "back", id="cancelling.no"),
    ]

    def __init__(self, image: str) -> None:
        super().__init__()
        self._image = image

    def compose(self) -> ComposeResult:
        """A box."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Cancel"
            yield Static(Text(printable(self._image)))
            yield Static(
                "\nLeave this image out of the run? What other images need is still copied, and a later apply brings it.",
                markup=False,
            )
            yield Hints("\n[{cancelling.yes}] leave it out    [{cancelling.no}] back")

    def action_answer(self, answer: bool) -> None:  # noqa: FBT001 - textual hands it over
        """Close."""
        self.dismiss(answer)


class SaveLog(ModalScreen[None]):
    """Asks for the file, and writes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "cancel", id="saving.cancel"),
    ]

    def __init__(self, log: str) -> None:
        super().__init__()
        self._text = log

    def compose(self) -> ComposeResult:
        """A box."""
        name = f"planner-run-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
        with Vertical(classes="dialog") as box:
            box.border_title = "Save the log"
            yield Input(name, id="word", classes="file")
            yield Hints("[enter] save    [{saving.cancel}] cancel")

    def on_mount(self) -> None:
        """The name is what is asked for."""
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Write it, unless something is there or in the way."""
        file = message.value.strip()
        if not file:
            return
        if problem := self._write(file):
            self.query_one(Hints).say(printable(f"    {problem}"))
        else:
            self.app.notify(printable(f"saved as {file}"), markup=False)
            self.dismiss()

    def _write(self, file: str) -> str:
        """What is in the way, empty for nothing."""
        try:
            if Path(file).exists():
                return f"{file} is there already"
            write_whole(file, self._text.encode("utf-8", "backslashreplace"))
        except InputError as error:
            return error.message
        except (OSError, ValueError) as error:  # the name is too long, or has a zero in it
            return str(error)
        return ""

    def action_back(self) -> None:
        """Write nothing."""
        self.dismiss()
