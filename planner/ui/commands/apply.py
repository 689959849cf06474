"""``planner apply``.

A saved plan is carried out as it was reviewed, without a question: naming it is the
approval, of everything but deletions. It is refused when its specs or the tags on the registry have changed since.
Specs are planned first, shown, and carried out after you typed "yes".

Every blob is sent once per registry and shared by the repositories that need it. Tags
come last. What is already there is not sent again, so a run that was stopped, or failed
in part, is simply run again.

Examples:
  planner apply plan.json
  planner apply registries.yaml --release v1.35.0+k3s1
  planner apply --auto-approve --events events.jsonl
  planner apply --resume
  planner apply --review plan.json     # full-screen: choose, pause, retry
  planner apply --executor dask --scheduler tls://10.0.0.5:8786 plan.json
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from planner.apply import still_to_do
from planner.config import load_config
from planner.core.errors import DONE, FAILED, NotApprovedError, UsageError
from planner.core.plan import Change, Plan
from planner.core.text import plural
from planner.own_folder import folder_of
from planner.recording import Recording
from planner.stores.opening import Stores
from planner.ui.asking import ask
from planner.ui.commands.plan import plan_for
from planner.ui.copying import Copying
from planner.ui.executors import Crew, add_executor_arguments, crew_for
from planner.ui.feed import Feed
from planner.ui.following import file_views, follow
from planner.ui.metrics import add_metrics_argument
from planner.ui.on_screen import require_terminal, review
from planner.ui.options import open_session
from planner.ui.plan_text import Detail, plan_text
from planner.ui.remembering import pace_for, tell
from planner.ui.saved import add_run_arguments, conclude, is_plan, limit_bandwidth, load_saved
from planner.ui.style import style_for
from planner.unfinished import unfinished


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_run_arguments(parser)
    add_executor_arguments(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the last plan that was not finished here, and try again what failed",
    )
    parser.add_argument(
        "--review",
        action="store_true",
        help="look at the plan full-screen first, choose what to apply, and steer the run",
    )
    parser.add_argument(
        "--auto-approve", action="store_true", help="do not ask, not even before deletions"
    )
    parser.add_argument(
        "--fail-fast", action="store_true", help="start nothing new after a failure"
    )
    parser.add_argument(
        "--events", default="", metavar="FILE", help="write what happens as JSON lines"
    )
    add_metrics_argument(parser)
    parser.add_argument(
        "--progress",
        default="auto",
        choices=["auto", "bar", "plain", "none"],
        help="default: bars on a terminal, plain lines elsewhere",
    )


def run(options: argparse.Namespace) -> int:
    """Carry out; 1 when something that must exist does not."""
    if options.review:
        _check_review(options)
    if options.resume:
        _resume(options)
    crew = crew_for(options)
    job = _load_and_ask(options) if is_plan(options.specs) else _plan_and_ask(options)
    if not job.changes:
        with file_views(options, job.stores.traffic):
            pass  # an empty run's log is an empty log, not the one of the run before
        sys.stdout.write(f"Nothing to do: {_all_there(job.plan)}.\n")
        return FAILED if job.plan.count("blocked") else DONE
    limit_bandwidth(options, job.stores)
    recording = Recording(folder_of(job.stores.places.config), job.plan)
    if options.review:
        return _review(job, options, recording, crew)
    copying = Copying(
        job.plan,
        job.changes,
        job.stores,
        parallelism=options.parallelism,
        fail_fast=options.fail_fast,
        recording=recording,
        looked_at=job.looked_at,
        crew=crew,
    )
    with file_views(options, job.stores.traffic) as views:
        progress = follow(Feed(copying.events(), views), copying, options.progress)
    tell(recording.note)
    tell(job.stores.journal.note)
    return conclude(job.plan, progress)


class _Job(NamedTuple):
    """What is to be carried out; ``looked_at`` is when the target was compared with it."""

    plan: Plan
    changes: Sequence[Change]
    stores: Stores
    looked_at: float


def _resume(options: argparse.Namespace) -> None:
    """Put the plan that was not finished in the place of what the command line names."""
    if options.specs:
        message = "--resume goes on with the last plan, and another one is named"
        raise UsageError(message, "leave one of them out")
    options.specs = [unfinished(folder_of(load_config(options.config)))]


def _load_and_ask(options: argparse.Namespace) -> _Job:
    """Naming a plan approves it, but not what it deletes."""
    plan, stores = load_saved(options)
    if plan.count("delete") and not (options.auto_approve or options.review):
        ask(plan)
    looked_at = time.monotonic()
    return _Job(plan, still_to_do(plan, plan.pending, stores), stores, looked_at)


def _plan_and_ask(options: argparse.Namespace) -> _Job:
    session = open_session(options, tuple(options.specs))
    looked_at = time.monotonic()
    plan, pulls = plan_for(session, options)
    if options.review:
        return _Job(plan, plan.pending, session.stores, looked_at)
    pace = pace_for(plan, session.config)
    sys.stdout.write(plan_text(plan, style_for(sys.stdout), Detail(), pulls, pace))
    sys.stdout.flush()
    if plan.pending and not options.auto_approve:
        ask(plan)
    return _Job(plan, plan.pending, session.stores, looked_at)


def _check_review(options: argparse.Namespace) -> None:
    if options.auto_approve:
        message = "--review asks before anything is written, and --auto-approve wants no question"
        raise UsageError(message, "leave one of them out")
    require_terminal("leave out --review; planner show PLAN prints a saved plan anywhere")


def _review(job: _Job, options: argparse.Namespace, recording: Recording, crew: Crew) -> int:
    """Carry out what is chosen on the screen."""
    from planner.ui.review.job import Job  # noqa: PLC0415 - for the screen alone

    with file_views(options, job.stores.traffic) as views:
        reviewed = Job(
            job.plan,
            job.stores,
            parallelism=options.parallelism,
            recording=recording,
            settings=job.stores.places.config.review,
            fail_fast=options.fail_fast,
            views=views,
            crew=crew,
        )
        code = review(reviewed, options.progress)
    if code is None:
        raise NotApprovedError("not approved: nothing was written")
    return code


def _all_there(plan: Plan) -> str:
    if plan.pending:
        return f"all {plural(len(plan.pending), 'image')} of the plan are there already"
    if blocked := plan.count("blocked"):
        return f"{plural(blocked, 'image')} {'is' if blocked == 1 else 'are'} blocked"
    return "the plan is empty"
