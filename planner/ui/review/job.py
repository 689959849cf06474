"""What is reviewed, and how it would be carried out: the same for a screen, a browser and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.apply import DEFAULT_PARALLELISM
from planner.config import ReviewSettings
from planner.core.plan import Change, Plan
from planner.recording import Recording
from planner.stores.opening import Stores
from planner.ui.copying import Copying
from planner.ui.executors import Crew, threads
from planner.ui.progress import View

_SETTINGS = ReviewSettings()


@dataclass(frozen=True, slots=True)
class Job:
    """``plan_file`` is where the plan lies, empty for one that was made for this review.

    ``views`` are told of everything that a run does, ``crew`` does its steps.
    """

    plan: Plan
    stores: Stores
    read_only: bool = False
    parallelism: int = DEFAULT_PARALLELISM
    recording: Recording | None = None
    plan_file: str = ""
    settings: ReviewSettings = _SETTINGS
    fail_fast: bool = False
    views: tuple[View, ...] = ()
    crew: Crew = threads

    def copying(self, changes: Sequence[Change]) -> Copying:
        """A run of these changes, which begins when its events are asked for."""
        return Copying(
            self.plan,
            changes,
            self.stores,
            parallelism=self.parallelism,
            fail_fast=self.fail_fast,
            recording=self.recording,
            crew=self.crew,
        )
