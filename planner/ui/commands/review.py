"""``planner review``.

Shows a plan full-screen: what would be created, moved or repaired, from where, why, and
what it costs. Choose a part of it, and apply it after one more look at the registry and a
typed word. A saved plan is reviewed as it is; specs are planned first.

Examples:
  planner review plan.json
  planner review plan.json --read-only
  planner review registries.yaml --release v1.35.0+k3s1
"""

from __future__ import annotations

import argparse
import os
import sys

from planner.core.errors import BUG, UsageError
from planner.core.plan import Plan
from planner.own_folder import folder_of
from planner.recording import Recording
from planner.stores.opening import Stores
from planner.stores.pacing import nobody
from planner.ui.commands.plan import plan_for
from planner.ui.options import open_session
from planner.ui.remembering import tell
from planner.ui.saved import add_run_arguments, conclude, is_plan, limit_bandwidth, load_saved


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_run_arguments(parser)
    parser.add_argument("--read-only", action="store_true", help="look only, apply nothing")


def run(options: argparse.Namespace) -> int:
    """Review; 0 when nothing was applied or all of it was."""
    _require_terminal()
    plan, stores = load_saved(options) if is_plan(options.specs) else _plan(options)
    # Only here: it takes as long to load as all the rest.
    from planner.ui.review.app import Job, ReviewApp  # noqa: PLC0415

    recording = Recording(folder_of(stores.places.config), plan)
    limit_bandwidth(options, stores)
    stores.traffic.tell = nobody  # the screen belongs to the review
    app = ReviewApp(Job(plan, stores, options.read_only, options.parallelism, recording))
    code = app.run()
    if app.progress:
        tell(recording.note)
        return conclude(plan, app.progress)
    return BUG if code is None else code


def _require_terminal() -> None:
    """A screen that nobody sees would wait for ever for a key."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream.isatty() for stream in streams) or os.environ.get("TERM") == "dumb":
        raise UsageError(
            "the review needs a terminal to draw on and to read keys from",
            "planner show PLAN prints a saved plan anywhere",
        )


def _plan(options: argparse.Namespace) -> tuple[Plan, Stores]:
    session = open_session(options, tuple(options.specs))
    return plan_for(session, options).plan, session.stores
