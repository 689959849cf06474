"""What ``apply`` and ``review`` share: a saved plan, opened as it was made, and what a run of it ends with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path

from planner.apply import DEFAULT_PARALLELISM
from planner.config import load_config
from planner.core.errors import DONE, FAILED, INTERRUPTED, StaleError, UsageError
from planner.core.events import Progress
from planner.core.plan import Plan
from planner.core.text import plural, printable
from planner.files import is_file
from planner.needs import unchanged
from planner.own_folder import folder_of
from planner.stores.bandwidth import parse_rate
from planner.stores.journal import Journal
from planner.stores.opening import Places, Stores
from planner.ui.commands.show import load_plan
from planner.ui.locking import add_locked_argument
from planner.ui.options import (
    add_deep_argument,
    add_place_arguments,
    add_referrers_argument,
    add_spec_arguments,
)
from planner.ui.progress import outcome, tell_wait
from planner.ui.pruning import add_prune_argument
from planner.ui.selecting import add_selection_arguments, only_selected


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What is to be carried out, and how many steps at a time."""
    add_spec_arguments(parser, or_plan=True)
    add_place_arguments(parser)
    add_selection_arguments(parser)
    add_deep_argument(parser)
    add_referrers_argument(parser)
    add_prune_argument(parser)
    add_locked_argument(parser)
    parser.add_argument(
        "--parallelism",
        type=_at_least_one,
        default=DEFAULT_PARALLELISM,
        metavar="N",
        help=f"steps at a time, half of them for large blobs (default: {DEFAULT_PARALLELISM})",
    )
    parser.add_argument(
        "--bandwidth",
        type=_rate,
        default=None,
        metavar="RATE",
        help="read at most so much of all blobs together: 50MiB/s, 400Mbit/s (default: no limit)",
    )


def is_plan(paths: Sequence[str]) -> bool:
    """Whether the arguments are one saved plan rather than specs."""
    if len(paths) != 1 or not is_file(paths[0]):
        return bool(paths) and paths[0].endswith(".json")
    try:
        with Path(paths[0]).open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            # What a large plan is stands behind all of its content, near its end.
            return data[:1] == b"{" and data.rfind(b'"planner.plan/') != -1
    except (OSError, ValueError):  # ValueError: it is empty
        return False  # reading it as a spec tells why


def load_saved(
    options: argparse.Namespace, tell: Callable[[float], None] = lambda _share: None
) -> tuple[Plan, Stores]:
    """A saved plan, and the stores as it saw them; ``tell`` gets the share that was read so far.

    Raises:
        StaleError: one of its inputs, or the way to a registry, changed since.
    """
    if options.read_from or options.write_to:
        raise UsageError(
            "a saved plan says itself where it reads and writes",
            "leave out --from and --to, or plan again",
        )
    if options.platforms:
        raise UsageError(
            "a saved plan says itself which platforms it keeps",
            "leave out --platform, or plan again",
        )
    if options.locked:
        raise UsageError(
            "a saved plan was made already: --locked is heeded when one is made",
            "leave it out; planner plan --locked -o FILE makes a plan that the lock covers",
        )
    plan = load_plan(options.specs[0], tell)
    changed = list(unchanged(plan.inputs))
    if changed:
        listed = ", ".join(changed)
        raise StaleError(f"the plan is stale: {listed} changed since it was made", "plan again")
    access = plan.access
    _check_same_folder(plan)
    places = Places(
        load_config(options.config),
        access.read_from,
        access.write_to,
        access.schemes,
        access.logins,
        access.authorities,
    )
    _check_same_places(plan, places)
    stores = Stores(places, journal=Journal(folder_of(places.config)))
    stores.traffic.tell = tell_wait
    return only_selected(plan, options), stores


def _check_same_folder(plan: Plan) -> None:
    """A relative layout means another folder elsewhere; the plan's own files tell whether this is the same place."""
    access = plan.access
    places = (access.read_from, access.write_to, *access.endpoints.values())
    is_relative = any(
        each.startswith("oci:") and not Path(each[4:]).is_absolute() for each in places
    )
    kept = (each.path for each in plan.inputs if each.role != "inventory")
    missing = [each for each in kept if not is_file(each)]
    if is_relative and missing:
        raise StaleError(
            f"the plan was made in another folder: {missing[0]} is not here, and its oci: folders are relative",
            "apply it where it was made, or plan again with absolute paths",
        )


def _check_same_places(plan: Plan, places: Places) -> None:
    """Another planner.yaml must not send a reviewed plan to other machines."""
    before, now = plan.access.endpoints, places.contacted(plan.sources, plan.targets)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            was, would = (each.get(name, "its own address") for each in (before, now))
            raise StaleError(
                f"the plan is stale: it reached {name} at {was}, now it would be {would}",
                "apply it with the planner.yaml that it was made with (--config), or plan again",
            )


def conclude(plan: Plan, progress: Progress) -> int:
    """Say how a run ended, and what did not work; the result is the exit code."""
    sys.stdout.write(f"{outcome(progress)}\n")
    by_cause: dict[tuple[str, str], list[str]] = {}
    for each in progress.failed:
        by_cause.setdefault((each.reason, each.hint), []).append(each.image)
    for (reason, hint), images in by_cause.items():
        sys.stderr.write("".join(f"failed: {printable(image)}\n" for image in images))
        sys.stderr.write(f"  {printable(reason)}\n")
        sys.stderr.write(f"  hint: {printable(hint)}\n" if hint else "")
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


def limit_bandwidth(options: argparse.Namespace, stores: Stores) -> None:
    """As --bandwidth has it."""
    if options.bandwidth is not None:
        stores.traffic.limit(options.bandwidth)


def _rate(text: str) -> float:
    try:
        return parse_rate(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.message}: {error.hint}") from error


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
