"""What ``apply`` and ``review`` share: a saved plan, opened as it was made, and what a run of it ends with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from planner.config import load_config
from planner.core.errors import DONE, FAILED, INTERRUPTED, StaleError, UsageError
from planner.core.events import Progress
from planner.core.plan import Plan
from planner.core.text import plural, printable
from planner.needs import unchanged
from planner.stores.opening import Places, Stores
from planner.ui.commands.show import load_plan
from planner.ui.progress import outcome
from planner.ui.selecting import only_selected


def is_plan(paths: Sequence[str]) -> bool:
    """Whether the arguments are one saved plan rather than specs."""
    if len(paths) != 1 or not Path(paths[0]).is_file():
        return bool(paths) and paths[0].endswith(".json")
    with Path(paths[0]).open("rb") as file:
        return file.read(1) == b"{" and b'"planner.plan/' in Path(paths[0]).read_bytes()


def load_saved(options: argparse.Namespace) -> tuple[Plan, Stores]:
    """A saved plan, and the stores as it saw them.

    Raises:
        StaleError: one of its inputs changed since.
    """
    if options.read_from or options.write_to:
        raise UsageError(
            "a saved plan says itself where it reads and writes",
            "leave out --from and --to, or plan again",
        )
    plan = load_plan(options.specs[0])
    changed = list(unchanged(plan.inputs))
    if changed:
        listed = ", ".join(changed)
        raise StaleError(f"the plan is stale: {listed} changed since it was made", "plan again")
    access = plan.access
    places = Places(load_config(options.config), access.read_from, access.write_to, access.schemes)
    return only_selected(plan, options), Stores(places)


def conclude(plan: Plan, progress: Progress) -> int:
    """Say how a run ended, and what did not work; the result is the exit code."""
    sys.stdout.write(f"{outcome(progress)}\n")
    for failure in progress.failed:
        sys.stderr.write(f"failed: {printable(failure.image)}\n  {printable(failure.reason)}\n")
        if failure.hint:
            sys.stderr.write(f"  hint: {printable(failure.hint)}\n")
    blocked = plan.count("blocked")
    if blocked:
        sys.stderr.write(f"{plural(blocked, 'image')} blocked: see the plan\n")
    code = exit_code(plan, progress)
    if code == INTERRUPTED:
        sys.stderr.write("stopped: run it again to go on; what was sent is not sent again\n")
    return code


def exit_code(plan: Plan, progress: Progress) -> int:
    """What a run of ``plan`` means for scripts."""
    end = progress.end
    if end and end.cancelled and not end.failed:
        return INTERRUPTED
    return FAILED if plan.count("blocked") or (end and end.failed) else DONE


def at_least_one(text: str) -> int:
    """An option that counts things."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
