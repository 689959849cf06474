"""The screen of a run that is going on here, with everything that may be asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from planner.core.demand import images_for
from planner.core.plan import Change, Plan
from planner.core.plan_file import plan_id
from planner.core.text import plural, printable
from planner.ui.copying import Copying
from planner.ui.feed import Feed
from planner.ui.plan.figures import places_text
from planner.ui.review.dialogs import Notice
from planner.ui.review.run import RunScreen
from planner.ui.review.run_dialogs import AskCancel, Choice, Leave
from planner.ui.saved import exit_code

_ANSWERED = 1.5  # seconds; the engine looks for what is asked of it four times in one
_RUNNING = frozenset({"pause", "cancel", "retry", "stop", "detach"})


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run and those who know it. ``record`` is where it is written down; empty for nowhere."""

    plan: Plan
    changes: tuple[Change, ...]
    copying: Copying
    feed: Feed
    record: str = ""


class LiveScreen(RunScreen):
    """One run, from its start to the look at what came of it. ``is_detached`` says that it goes on without this screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "pause", id="live.pause"),
        Binding("c", "cancel", "cancel", id="live.cancel"),
        Binding("r", "retry", "retry failed", id="live.retry"),
        Binding("x,ctrl+c", "stop", "stop", key_display="x", id="live.stop"),
        Binding("d", "detach", "detach", id="live.detach"),
    ]

    def __init__(self, run: LiveRun, at_once: Callable[[], None]) -> None:
        where = f"plan {plan_id(run.plan)[7:19]}   to {printable(places_text(run.plan))}"
        super().__init__(run.feed, where)
        self._run_here = run
        self._at_once = at_once
        self._is_stopping = False
        self._leaves_at_end = False
        self.is_detached = False
        run.copying.stay(stays=True)

    def on_unmount(self) -> None:
        """However this ends, nothing new is started behind it; unless that was asked for."""
        if not self.is_detached:
            self._run_here.copying.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is over cannot be steered, and what has not failed cannot be retried."""
        del parameters
        if action in _RUNNING and self.model.progress.end:
            return False
        return None if action == "retry" and not self.model.failed else True

    def state(self) -> str:
        """What the run is doing."""
        if self._is_stopping and not self.model.progress.end:
            return "Stopping …"
        return super().state()

    def notes(self) -> list[str]:
        """At the end, what a script would see, and where it is written down."""
        if not self.model.progress.end:
            return []
        record = f"   record: {printable(self._run_here.record)}" if self._run_here.record else ""
        hint = "   enter shows why an image failed" if self.model.failed else ""
        return [f"exit code {self._exit_code}{record}{hint}"]

    def ended(self) -> None:
        """Leave, when that was asked for."""
        if self._leaves_at_end:
            self.action_leave()

    def action_pause(self) -> None:
        """Start nothing new, or go on."""
        copying = self._run_here.copying
        (copying.resume if self.model.progress.is_paused else copying.pause)()

    def action_retry(self) -> None:
        """Try again what failed."""
        self._run_here.copying.retry()

    def action_cancel(self) -> None:
        """Leave out what has the cursor, after a question."""
        kind, name = self.selected
        run = self._run_here
        images = images_for(run.plan, run.changes, name) if kind == "step" else [name]
        images = [each for each in images if each in self.model.queued]
        if len(images) == 1:
            asked = AskCancel(images[0])
            self.app.push_screen(asked, lambda yes: self._cancel(images[0]) if yes else None)
        elif images:
            said = "\n".join(("Choose one of them in the list Queued (3):", "", *images))
            self.app.push_screen(Notice(f"{plural(len(images), 'image')} need this", said))
        else:
            self.notify(
                "Choose an image that is queued (3), or a step that is active.", markup=False
            )

    def _cancel(self, image: str) -> None:
        self._run_here.copying.cancel(image)
        self.set_timer(_ANSWERED, lambda: self._tell_refusal(image))

    def _tell_refusal(self, image: str) -> None:
        if image in self.model.queued:
            said = f"{image} goes on: another image needs it, or its name is being written"
            self.notify(printable(said), markup=False)

    def action_stop(self) -> None:
        """Start nothing new and cut off what moves; the second time, do not wait for that."""
        if self._is_stopping:
            self._at_once()
        elif not self.model.progress.end:
            self._is_stopping = True
            self._run_here.copying.stop()
            self.draw()

    def action_detach(self) -> None:
        """Leave the screen to the run's plain lines."""
        self.is_detached = True
        self._run_here.copying.stay(stays=False)
        self._run_here.feed.leave()
        self.app.exit(0)

    def action_leave(self) -> None:
        """Leave what is over; what still runs wants to be asked about."""
        if self.model.progress.end:
            self.app.exit(self._exit_code)
        elif self.model.is_settled:
            self._leaves_at_end = True
            self._run_here.copying.stay(stays=False)
        else:
            self.app.push_screen(Leave(), self._left)

    def stop_and_leave(self) -> None:
        """Stop, and leave as soon as that is done."""
        self._leaves_at_end = True
        if self.model.progress.end:
            self.action_leave()
        elif not self._is_stopping:
            self.action_stop()

    def _left(self, choice: Choice | None) -> None:
        if choice == "detach":
            self.action_detach()
        elif choice == "stop":
            self.stop_and_leave()

    @property
    def _exit_code(self) -> int:
        return exit_code(self._run_here.plan, self.model.progress)
