"""The screen of a run: how far it is, what moves, what failed, what is done.

A thread runs the engine, folds its events and posts one message per batch, at most ten a second; this screen only draws.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import set_cell_size
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Log, Static

from planner.core.events import (
    Event,
    ImageDone,
    ImageFailed,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
    Waiting,
    describe,
)
from planner.core.plan import Change, Plan
from planner.core.plan_file import plan_id
from planner.core.text import printable, size
from planner.ui.copying import Copying
from planner.ui.plan.figures import places_text
from planner.ui.progress import headline, outcome
from planner.ui.review.texts import cut_start, title_line
from planner.ui.saved import exit_code

_PAUSE = 0.1
_MOST_ACTIVE = 8
_MOST_DONE = 5_000
_MOST_FAILED = 200
_BAR_WIDTH = 12
_FIGURES_WIDTH = 22


@dataclass(frozen=True, slots=True)
class _Transfer:
    """A step that is running."""

    step: str
    moved: int
    total: int


class RunScreen(Screen[None]):
    """One run, from its start to the look at what came of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c,ctrl+c", "stop", "stop cleanly", key_display="c", id="run.stop"),
        Binding("q,ctrl+q", "leave", "leave", key_display="q", id="run.leave"),
    ]

    class Advanced(Message):
        """The state of the run, and the images that were done since the last message."""

        def __init__(
            self, progress: Progress, active: tuple[_Transfer, ...], done: list[str]
        ) -> None:
            super().__init__()
            self.progress = progress
            self.active = active
            self.done = done

    def __init__(self, plan: Plan, copying: Copying, changes: Sequence[Change]) -> None:
        super().__init__()
        self._plan = plan
        self._copying = copying
        self._where = f"plan {plan_id(plan)[7:19]}   to {printable(places_text(plan))}"
        self._is_stopping = False
        self._leaves_at_end = False
        self._active: tuple[_Transfer, ...] = ()
        self.progress = Progress(images=len(changes))

    def compose(self) -> ComposeResult:
        """Figures above, lists below."""
        yield Static(id="title", classes="title", markup=False)
        yield Static(id="figures", markup=False)
        yield Static(id="active", classes="pane", markup=False)
        with VerticalScroll(id="failed", classes="pane"):
            yield Static(id="failures", markup=False)
        yield Log(id="done", classes="pane", max_lines=_MOST_DONE)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Start."""
        self.query_one("#failed").display = False
        self._draw()
        self._run()

    def on_unmount(self) -> None:
        """However this ends, nothing new is started behind it."""
        self._copying.stop()

    @work(thread=True)
    def _run(self) -> None:
        """Runs on a thread of its own, where nothing may be done but to post messages."""
        for message in _batches(self._copying.events(), self.progress):
            self.post_message(message)

    def on_run_screen_advanced(self, message: Advanced) -> None:
        """Draw one batch."""
        before, self.progress = self.progress, message.progress
        self._active = message.active
        self.query_one("#done", Log).write_lines(map(printable, message.done))
        if self.progress.failed != before.failed:
            self.query_one("#failed").display = True
            self.query_one("#failures", Static).update(_failures(self.progress.failed))
        self._draw()
        if self.progress.end:
            self.refresh_bindings()
            if self._leaves_at_end:
                self.action_leave()

    def on_resize(self) -> None:
        """The bars have other widths."""
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is over cannot be stopped."""
        del parameters
        return action != "stop" or self.progress.end is None

    def action_stop(self) -> None:
        """Start nothing new and cut off what moves."""
        if not self.progress.end:
            self._is_stopping = True
            self._copying.stop()
            self._draw()

    def action_leave(self) -> None:
        """Leave what is over; what still runs has to be stopped first."""
        if self.progress.end:
            self.app.exit(exit_code(self._plan, self.progress))
        else:
            self.notify("It is still running: c stops it cleanly.", markup=False)

    def stop_and_leave(self) -> None:
        """Stop, and leave as soon as that is done."""
        self._leaves_at_end = True
        self.action_stop()

    def _draw(self) -> None:
        now = self.progress
        self.query_one("#title", Static).update(
            title_line(f"{self._state()}   {self._where}", "", self.app.size.width)
        )
        width = max(10, self.size.width - 2)
        bar = _bar(now.moved, now.bytes, width) if not now.end else ""
        words = outcome(now) if now.end else "\n".join((headline(now), *map(_wait, now.waiting)))
        self.query_one("#figures", Static).update(f"{bar}\n{words}" if bar else words)
        pane = self.query_one("#active", Static)
        pane.display = not now.end
        pane.border_title = f"Active ({len(now.active)})"
        pane.update("\n".join(_line(each, width - 4) for each in self._active[:_MOST_ACTIVE]))
        self.query_one("#failed").border_title = f"Failed ({len(now.failed)})"
        self.query_one("#done").border_title = f"Done ({now.images_done} of {now.images})"

    def _state(self) -> str:
        if self.progress.end is None:
            return "Stopping …" if self._is_stopping else "Applying"
        return "Stopped" if self.progress.end.cancelled else "Finished"


def _batches(events: Iterator[Event], progress: Progress) -> Iterator[RunScreen.Advanced]:
    """The state of the run after each pause, and at its end."""
    sizes: dict[str, int] = {}
    done: list[str] = []
    posted_at = 0.0
    for event in events:
        progress = progress.after(event)
        _note(event, done, sizes)
        now = time.monotonic()
        if progress.end or now - posted_at >= _PAUSE:
            posted_at = now
            yield RunScreen.Advanced(progress, _transfers(progress, sizes), done)
            done = []


def _note(event: Event, done: list[str], sizes: dict[str, int]) -> None:
    match event:
        case StepStarted():
            sizes[event.step] = event.bytes
        case StepDone() | StepFailed():
            sizes.pop(event.step, None)
        case ImageDone():
            done.append(event.image)
        case _:
            pass


def _transfers(progress: Progress, sizes: dict[str, int]) -> tuple[_Transfer, ...]:
    return tuple(
        _Transfer(step, moved, sizes.get(step, 0)) for step, moved in progress.active.items()
    )


def _wait(waiting: Waiting) -> str:
    return printable(describe(waiting))


def _failures(failures: Sequence[ImageFailed]) -> str:
    """The first ones; all of them are printed after the run."""
    lines = [_failure(each) for each in failures[:_MOST_FAILED]]
    more = len(failures) - _MOST_FAILED
    return "\n".join([*lines, *([f"… {more:,} more"] if more > 0 else [])])


def _failure(failure: ImageFailed) -> str:
    hint = f"\n  {failure.hint}" if failure.hint else ""
    return printable(f"{failure.image}\n  {failure.reason}{hint}")


def _line(transfer: _Transfer, width: int) -> str:
    """``blob …pause@sha256:0123  ████░░  1.0 MiB of 4.0 MiB``."""
    room = max(12, width - _BAR_WIDTH - _FIGURES_WIDTH - 4)
    name = set_cell_size(cut_start(_label(transfer.step), room), room)
    if not transfer.total:
        return f"{name}  manifest"
    bar = _bar(transfer.moved, transfer.total, _BAR_WIDTH)
    return f"{name}  {bar}  {size(transfer.moved)} of {size(transfer.total)}"


def _label(step: str) -> str:
    """``blob registry/a/b@sha256:0123…`` → ``a/b@sha256:0123456789ab``."""
    name, at, digest = step.partition(" ")[2].partition("/")[2].partition("@")
    return printable(f"{name}{at}{digest[:19]}")


def _bar(moved: int, total: int, width: int) -> str:
    full = width if not total else min(width, width * moved // total)
    return f"{'█' * full}{'░' * (width - full)}"
