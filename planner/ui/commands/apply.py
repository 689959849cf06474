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
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from types import FrameType

from planner.apply import still_to_do
from planner.core.errors import DONE, FAILED, INTERRUPTED
from planner.core.events import Progress
from planner.core.plan import Plan
from planner.core.text import plural
from planner.stores.opening import Stores
from planner.ui.asking import ask
from planner.ui.commands.plan import plan_for
from planner.ui.copying import Copying
from planner.ui.options import open_session
from planner.ui.plan_text import Detail, plan_text
from planner.ui.progress import Lines, View, event_log
from planner.ui.remembering import pace_for, recording_of, tell
from planner.ui.saved import add_run_arguments, conclude, is_plan, load_saved
from planner.ui.style import style_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_run_arguments(parser)
    parser.add_argument("--auto-approve", action="store_true", help="do not ask")
    parser.add_argument(
        "--fail-fast", action="store_true", help="start nothing new after a failure"
    )
    parser.add_argument(
        "--events", default="", metavar="FILE", help="write what happens as JSON lines"
    )
    parser.add_argument(
        "--progress",
        default="auto",
        choices=["auto", "bar", "plain", "none"],
        help="default: bars on a terminal, plain lines elsewhere",
    )


def run(options: argparse.Namespace) -> int:
    """Carry out; 1 when something that must exist does not."""
    plan, stores = _load_and_ask(options) if is_plan(options.specs) else _plan_and_ask(options)
    changes = still_to_do(plan, plan.pending, stores)
    if not changes:
        if options.events:
            with event_log(options.events):
                pass  # an empty run's log is an empty log, not the one of the run before
        sys.stdout.write(f"Nothing to do: {_all_there(plan)}.\n")
        return FAILED if plan.count("blocked") else DONE
    recording = recording_of(plan, stores.places.config)
    copying = Copying(
        plan,
        changes,
        stores,
        parallelism=options.parallelism,
        fail_fast=options.fail_fast,
        recording=recording,
    )
    progress = _watch(copying, options)
    tell(recording.note)
    return conclude(plan, progress)


def _load_and_ask(options: argparse.Namespace) -> tuple[Plan, Stores]:
    """Naming a plan approves it, but not what it deletes."""
    plan, stores = load_saved(options)
    if plan.count("delete") and not options.auto_approve:
        ask(plan)
    return plan, stores


def _plan_and_ask(options: argparse.Namespace) -> tuple[Plan, Stores]:
    session = open_session(options, tuple(options.specs))
    plan, pulls = plan_for(session, options)
    pace = pace_for(plan, session.config)
    sys.stdout.write(plan_text(plan, style_for(sys.stdout), Detail(), pulls, pace))
    sys.stdout.flush()
    if plan.pending and not options.auto_approve:
        ask(plan)
    return plan, session.stores


def _watch(copying: Copying, options: argparse.Namespace) -> Progress:
    progress = Progress()
    with ExitStack() as stack:
        views: list[View] = []
        if options.events:
            views.append(stack.enter_context(event_log(options.events)))
        if options.progress == "bar" or (options.progress == "auto" and sys.stderr.isatty()):
            from planner.ui.bars import bars  # noqa: PLC0415 - only a terminal pays for rich

            views.append(stack.enter_context(bars()))
        elif options.progress != "none":
            views.append(Lines(sys.stderr))
        stack.enter_context(_stopping_on_signals(copying))
        events = stack.enter_context(closing(copying.events()))
        stack.callback(copying.stop)  # where a view fails, what still moves is cut off
        for event in events:
            progress = progress.after(event)
            for view in views:
                view(event)
    return progress


@contextmanager
def _stopping_on_signals(copying: Copying) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) stops cleanly, the second at once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, _leave_at_once)
        copying.stop()
        sys.stderr.write("stopping; press Ctrl-C again to leave at once\n")

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_at_once(_number: int, _frame: FrameType | None) -> None:
    """Without waiting for workers that wait for the network; the bars had hidden the cursor."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")
    os._exit(INTERRUPTED)


def _all_there(plan: Plan) -> str:
    if plan.pending:
        return f"all {plural(len(plan.pending), 'image')} of the plan are there already"
    return "the plan is empty"
