"""What commands do with the record of applies: marks in a plan, a guess of the time, and notes about the file itself."""

from __future__ import annotations

import sys
from collections.abc import Container

from planner.config import Config
from planner.core.cost import Pace, pace_of
from planner.core.drift import with_drift
from planner.core.plan import Plan
from planner.core.record import places_of
from planner.core.refs import ImageRef
from planner.core.text import printable
from planner.own_folder import folder_of
from planner.record import load_record, places_by


def marked(plan: Plan, config: Config, pinned: Container[ImageRef]) -> Plan:
    """The plan with what moved since the last apply marked; ``pinned`` are the sources that were not asked."""
    record, problem, _ = load_record(folder_of(config))
    if problem:
        tell(problem)
    return with_drift(plan, record, places_by(plan.access.endpoints), pinned)


def pace_for(plan: Plan, config: Config) -> Pace | None:
    """How fast the last runs were that are like the one to come."""
    read, written = places_of(plan, places_by(plan.access.endpoints))
    return pace_of(load_record(folder_of(config)).record, read, written)


def tell(problem: str) -> None:
    """Say what is wrong with the record; nothing when nothing is."""
    if problem:
        sys.stderr.write(f"note: {printable(problem)}\n")
