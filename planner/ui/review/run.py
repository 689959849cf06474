"""The screen of a run: how far it is, what moves, what failed, what is done, what is to come.

A thread reads the events and posts them in batches, at most ten a second; this screen folds and draws them, no more.
Who shows a run that can be steered, or one that is replayed, says so (``run_live``, ``run_replay``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import ClassVar, Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.worker import get_current_worker

from planner.core.errors import PlannerError
from planner.core.events import Event
from planner.core.text import printable
from planner.ui.review.dialogs import Notice
from planner.ui.review.run_dialogs import SaveLog
from planner.ui.review.run_list import RunList
from planner.ui.review.run_model import RunModel
from planner.ui.review.run_tabs import RunTabs
from planner.ui.review.run_texts import Piece, active_line, clock, figures, image_line, log_line
from planner.ui.review.texts import title_line

FAILED, DONE, QUEUED, LOG = TABS = ("Failed", "Done", "Queued", "Log")
_AROUND_ACTIVE = 9
_MOST_ACTIVE = 16

Draw = Callable[[int, int], Sequence[Piece]]


class Source(Protocol):
    """Where a run is read from."""

    def batches(self) -> Generator[list[Event], None, None]:
        """What happened since the last batch, and nothing now and then; read on a thread."""


class RunScreen(Screen[None]):
    """Any run: its figures, the steps that move, and four lists."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", f"tab('{FAILED}')", "what failed", show=False, id="run.failed"),
        Binding("2", f"tab('{DONE}')", "what is done", show=False, id="run.done"),
        Binding("3", f"tab('{QUEUED}')", "what is to come", show=False, id="run.queued"),
        Binding("4,l", f"tab('{LOG}')", "log", key_display="l", id="run.log"),
        Binding("enter", "open", "read all of a line", show=False, id="run.open"),
        Binding("s", "save", "save log", id="run.save"),
        Binding("q,ctrl+q", "leave", "leave", key_display="q", id="run.leave"),
    ]

    class Happened(Message):
        """Some events of the run."""

        def __init__(self, events: list[Event]) -> None:
            super().__init__()
            self.events = events

    class Broken(Message):
        """The run cannot be read any further."""

        def __init__(self, error: PlannerError) -> None:
            super().__init__()
            self.error = error

    def __init__(self, source: Source, where: str) -> None:
        super().__init__()
        self.model = RunModel()
        self._source = source
        self._where = where
        self._tab = QUEUED
        self._tab_chosen = False
        self._keys = (False, False)
        self._lines_said = 0

    def compose(self) -> ComposeResult:
        """Figures above, lists below."""
        yield Static(id="title", classes="title", markup=False)
        yield Static(id="figures", markup=False)
        yield RunList(id="active")
        yield RunTabs(TABS)
        yield RunList(id="rows")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Start reading."""
        self.query_one("#rows").focus()
        self.draw()
        self._read()

    @work(thread=True)
    def _read(self) -> None:
        """Runs on a thread of its own, where nothing may be done but to post messages."""
        worker = get_current_worker()
        try:
            with closing(self._source.batches()) as found:
                for batch in found:
                    if worker.is_cancelled or (
                        batch and not self.post_message(self.Happened(batch))
                    ):
                        return
        except PlannerError as error:
            self.post_message(self.Broken(error))

    def on_run_screen_happened(self, message: Happened) -> None:
        """Follow the run."""
        had_ended = self.model.progress.end is not None
        self.model.see(message.events)
        has_ended = self.model.progress.end is not None
        if not self._tab_chosen:
            has_failed = self.model.is_settled or (has_ended and self.model.failed)
            self._tab = FAILED if has_failed else DONE if self.model.done else QUEUED
        self.draw()
        if self._keys != (keys := (has_ended, bool(self.model.failed))):
            self._keys = keys
            self.refresh_bindings()  # makes the line of keys anew, which costs more than all else here
        if has_ended and not had_ended:
            self.ended()

    def on_run_screen_broken(self, message: Broken) -> None:
        """Say why there is no more to come."""
        hint = f"\n\n{message.error.hint}" if message.error.hint else ""
        self.app.push_screen(Notice("The run cannot be read", f"{message.error.message}{hint}"))

    def ended(self) -> None:
        """The run is over."""

    def state(self) -> str:
        """What the run is doing, in a word or two."""
        end = self.model.progress.end
        if end:
            return "Stopped" if end.cancelled else "Finished"
        return "Paused" if self.model.progress.is_paused else "Applying"

    def notes(self) -> list[str]:
        """What is to be said below the figures."""
        return []

    def on_resize(self) -> None:
        """Give the steps that move a third of the screen."""
        room = (self.app.size.height - _AROUND_ACTIVE) // 3
        self.query_one("#active").styles.height = 2 + max(1, min(room, _MOST_ACTIVE))
        self.draw()

    def action_tab(self, name: str) -> None:
        """Show another list, from its end where it grows."""
        self._tab = name
        self._tab_chosen = True
        rows = self.query_one("#rows", RunList)
        count, draw = self._lines()
        rows.show(count, draw, cursor=count - 1 if name in (DONE, LOG) else 0)
        rows.focus()
        self.draw()

    @on(RunTabs.Clicked)
    def _clicked(self, message: RunTabs.Clicked) -> None:
        self.action_tab(message.name)

    @on(RunList.Opened)
    def action_open(self) -> None:
        """Show all of what has the cursor."""
        text = self._full_text()
        if text:
            self.app.push_screen(Notice("All of it", text))

    def action_save(self) -> None:
        """Ask where the log goes."""
        self.app.push_screen(SaveLog(self._log()))

    def action_leave(self) -> None:
        """Leave."""
        self.app.exit(0)

    @property
    def selected(self) -> tuple[str, str]:
        """``("step", id)`` or ``("image", name)`` under the cursor of the list that has the focus; empty for nothing."""
        active = self.query_one("#active", RunList)
        if active.has_focus and active.display:
            steps = list(self.model.active)
            return ("step", steps[active.cursor]) if active.cursor is not None else ("", "")
        names = self._images()
        cursor = self.query_one("#rows", RunList).cursor
        return ("image", names[cursor]) if cursor is not None and cursor < len(names) else ("", "")

    def draw(self) -> None:
        """Everything that may have changed; the lists draw no more than what is in sight."""
        model, width = self.model, self.app.size.width
        left = f"{self.state()}   {self._where}"
        title = title_line(left, clock(model.progress.at), width)
        self.query_one("#title", Static).update(title, layout=False)
        said = "\n".join((figures(model, max(10, width - 2)), *self.notes()))
        grows = said.count("\n") != self._lines_said or bool(model.progress.end)
        self._lines_said = said.count("\n")
        self.query_one("#figures", Static).update(said, layout=grows)
        active = self.query_one("#active", RunList)
        active.display = model.progress.end is None
        if active.border_title != (label := f"Active ({len(model.active)})"):
            active.border_title = label
        steps = list(model.active.values())
        at = model.progress.at
        active.show(len(steps), lambda line, room: active_line(steps[line], at, room))
        left_out = f", {len(model.cancelled):,} cancelled" if model.cancelled else ""
        counts = {
            FAILED: f"{len(model.failed):,}{left_out}",
            DONE: f"{len(model.done):,}",
            QUEUED: f"{len(model.queued):,}",
        }
        self.query_one(RunTabs).show(self._tab, counts)
        self.query_one("#rows", RunList).show(*self._lines())

    def _images(self) -> list[str]:
        """The images of the list that is shown; none in the log."""
        model = self.model
        match self._tab:
            case "Failed":
                return [*model.failed, *model.cancelled]
            case "Done":
                return model.done
            case "Queued":
                return model.queue
            case _:
                return []

    def _lines(self) -> tuple[int, Draw]:
        if self._tab == LOG:
            lines = self.model.lines
            return len(lines), lambda line, width: log_line(*lines[line], width)
        names = self._images()
        return len(names), lambda line, width: self._image_line(names[line], width)

    def _image_line(self, image: str, width: int) -> list[Piece]:
        match self._tab:
            case "Failed" if failure := self.model.failed.get(image):
                return image_line("x", "bad", image, width, failure.reason)
            case "Failed":
                return image_line("-", "dim", image, width, "cancelled")
            case "Done":
                return image_line("+", "good", image, width)
            case _:
                return image_line(" ", "dim", image, width)

    def _full_text(self) -> str:
        cursor = self.query_one("#rows", RunList).cursor
        if self._tab == LOG and cursor is not None and cursor < len(self.model.lines):
            at, said = self.model.lines[cursor]
            return f"{clock(at)}  {said}"
        kind, name = self.selected
        failure = self.model.failed.get(name) if kind == "image" else None
        texts = (name, failure.reason, failure.hint) if failure else (name,)
        return "\n\n".join(filter(None, texts))

    def _log(self) -> str:
        """All lines as text."""
        lost = self.model.lines_lost
        first = [f"… {lost:,} earlier lines\n"] if lost else []
        return "".join(
            (*first, *(f"{clock(at):>7}  {printable(said)}\n" for at, said in self.model.lines))
        )
