"""The full-screen review of a plan: look, choose, apply."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.screen import Screen

from planner.core.events import Progress
from planner.ui.feed import Feed
from planner.ui.review.arrangement import GROUPINGS, SORTINGS
from planner.ui.review.export import copy_command, save_selection
from planner.ui.review.frame import Frame
from planner.ui.review.job import Job as Job  # noqa: PLC0414 - whoever starts the app finds here what it takes
from planner.ui.review.model import PlanModel
from planner.ui.review.palette import Entry
from planner.ui.review.run_live import LiveRun, LiveScreen
from planner.ui.review.screen import ReviewScreen
from planner.ui.review.state import State, load_state, save_state

_WIDEST_KEPT = 2  # details beside the list: a review that starts without its list puzzles


class ReviewApp(Frame):
    """One review; its result is the exit code."""

    def __init__(self, job: Job, model: PlanModel | None = None) -> None:
        super().__init__(job.settings)
        self.live: LiveRun | None = None
        self._run: LiveScreen | None = None
        self._job = job
        self._model = model or PlanModel(job.plan)
        self._review = ReviewScreen(
            self._model, job.stores, read_only=job.read_only, plan_file=job.plan_file
        )
        self._kept = load_state()
        self._look_as_before(self._kept)

    @property
    def progress(self) -> Progress | None:
        """The state of the run; None when nothing was applied."""
        return self.live.feed.progress if self.live else None

    @property
    def is_detached(self) -> bool:
        """Whether the run was left to go on without a screen."""
        return bool(self._run and self._run.is_detached)

    def get_default_screen(self) -> Screen[None]:
        """The review."""
        return self._review

    def on_unmount(self) -> None:
        """The next review looks like this one."""
        now = State(
            self.theme,
            self._model.grouping,
            self._model.sorting,
            min(self._review.details_width, _WIDEST_KEPT),
        )
        if now != self._kept:
            save_state(now)

    def entries(self, screen: Screen[object]) -> Iterator[Entry]:
        """What the palette offers besides what has a key."""
        if isinstance(screen, ReviewScreen):
            yield from self._arrangements(screen)
            yield from self._exports()
        yield from super().entries(screen)

    def on_review_screen_approved(self, message: ReviewScreen.Approved) -> None:
        """Carry changes out; there is no way back to the review, whose plan is history then."""
        copying, recording = self._job.copying(message.changes), self._job.recording
        feed = Feed(copying.events(), self._job.views)
        record = str(recording.file) if recording else ""
        self.begin(LiveRun(self._job.plan, message.changes, copying, feed, record))

    def begin(self, run: LiveRun) -> None:
        """Show a run, whose reading begins it."""
        self.live = run
        self._run = LiveScreen(run, self.leave_at_once)
        self.push_screen(self._run)

    def _arrangements(self, screen: ReviewScreen) -> Iterator[Entry]:
        for grouping in GROUPINGS:
            name = "do not group" if grouping == "flat" else f"group by {grouping}"
            yield Entry(name, "the list", partial(screen.arrange_by, grouping=grouping))
        for sorting in SORTINGS:
            do = partial(screen.arrange_by, sorting=sorting)
            yield Entry(f"sort by {sorting}", "the list", do)

    def _exports(self) -> Iterator[Entry]:
        save = partial(save_selection, self, self._model)
        yield Entry("save this selection as a plan", "a file for planner apply", save)
        copy = partial(copy_command, self, self._model, self._job.plan_file)
        yield Entry("copy as command", "planner apply … for this selection", copy)

    def _look_as_before(self, kept: State) -> None:
        self.look(kept.theme)
        self._model.arrange(
            next((each for each in GROUPINGS if each == kept.grouping), None),
            next((each for each in SORTINGS if each == kept.sorting), None),
        )
        if kept.details is not None:
            self._review.details_width = min(kept.details, _WIDEST_KEPT)

    def terminated(self) -> None:
        """Stop what runs before leaving."""
        if self._run:
            self._run.stop_and_leave()
        else:
            super().terminated()
