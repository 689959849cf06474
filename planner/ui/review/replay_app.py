"""The full-screen look at the log of a run."""

from __future__ import annotations

from textual.screen import Screen

from planner.config import ReviewSettings
from planner.ui.replaying import Replay, Watch
from planner.ui.review.frame import Frame
from planner.ui.review.run import RunScreen
from planner.ui.review.run_replay import ReplayScreen, WatchScreen


class ReplayApp(Frame):
    """One log; nothing can be done to its run."""

    def __init__(self, source: Replay | Watch, settings: ReviewSettings, file: str) -> None:
        super().__init__(settings)
        self.look()
        self._shown: RunScreen = (
            WatchScreen(source) if isinstance(source, Watch) else ReplayScreen(source, file)
        )

    def get_default_screen(self) -> Screen[None]:
        """The run."""
        return self._shown
