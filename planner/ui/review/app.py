"""The full-screen review of a plan: look, choose, apply."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from planner.apply import DEFAULT_PARALLELISM
from planner.core.errors import DONE, INTERRUPTED
from planner.core.events import Progress
from planner.core.plan import Plan
from planner.recording import Recording
from planner.stores.opening import Stores
from planner.ui.copying import Copying
from planner.ui.review.model import PlanModel
from planner.ui.review.run import RunScreen
from planner.ui.review.screen import ReviewScreen

_THEME = "ansi-dark"  # the terminal's own sixteen colours, on its own background


@dataclass(frozen=True, slots=True)
class Job:
    """What is reviewed, and how it would be carried out."""

    plan: Plan
    stores: Stores
    read_only: bool = False
    parallelism: int = DEFAULT_PARALLELISM
    recording: Recording | None = None


class ReviewApp(App[int], inherit_bindings=False):
    """One review; its result is the exit code."""

    CSS_PATH = "review.tcss"
    TITLE = "planner review"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,ctrl+c", "quit", "quit", show=False, id="app.quit"),
        Binding("ctrl+p", "command_palette", "commands", show=False, id="app.palette"),
    ]

    def __init__(self, job: Job, model: PlanModel | None = None) -> None:
        # Without colours the theme must be drawn as it is, since textual decides before it knows the theme.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.animation_level = "none"
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
        self.theme = os.environ.get("TEXTUAL_THEME", _THEME)
        self._run: RunScreen | None = None
        self._job = job
        self._review = ReviewScreen(
            model or PlanModel(job.plan), job.stores, read_only=job.read_only
        )

    @property
    def progress(self) -> Progress | None:
        """The state of the run; None when nothing was applied."""
        return self._run.progress if self._run else None

    def get_default_screen(self) -> Screen[None]:
        """The review."""
        return self._review

    def on_mount(self) -> None:
        """Give the terminal back also when the process is told to end."""
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self._terminated)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: the keys of the review, and the theme."""
        if isinstance(screen, ReviewScreen):
            yield from screen.commands()
        yield SystemCommand("theme", "other colours", self.action_change_theme)

    def on_review_screen_approved(self, message: ReviewScreen.Approved) -> None:
        """Carry changes out; there is no way back to the review, whose plan is history then."""
        changes = message.changes
        copying = Copying(
            self._job.plan,
            changes,
            self._job.stores,
            parallelism=self._job.parallelism,
            recording=self._job.recording,
        )
        self._run = RunScreen(self._job.plan, copying, changes)
        self.push_screen(self._run)

    async def action_quit(self) -> None:
        """Leave without having written."""
        self.exit(DONE)

    def _terminated(self) -> None:
        if self._run:
            self._run.stop_and_leave()
        else:
            self.exit(INTERRUPTED)
