"""``planner plan``.

Compares by digest what the specs need with what the registry holds, with reads
alone: nothing is written, no right to write is asked for.

Examples:
  planner plan registries.yaml --release v1.35.0+k3s1
  planner plan -o plan.json && planner review plan.json
  planner plan kubeone.yaml --to oci:mirror
  planner plan --platform linux/amd64  # without what images have for others
  planner plan --lock                  # hold sources to what their tags are now
  planner plan --against inventory.json -o plan.json   # without a network
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from planner.core.errors import CHANGES, DONE, UsageError
from planner.core.plan import Plan
from planner.core.plan_file import save
from planner.files import write_whole
from planner.prepare import Prepared, make_plan, quiet
from planner.stores.cache import ManifestCache
from planner.survey import Note
from planner.ui.locking import add_lock_arguments, open_lock, pins_to_heed, with_lock
from planner.ui.metrics import add_metrics_argument, write_plan_metrics
from planner.ui.options import (
    Session,
    add_deep_argument,
    add_place_arguments,
    add_referrers_argument,
    add_spec_arguments,
    open_session,
)
from planner.ui.plan_options import add_showing_arguments, shown
from planner.ui.pruning import add_prune_argument, managed_from
from planner.ui.remembering import marked, pace_for
from planner.ui.selecting import add_selection_arguments, only_selected

_REDRAW = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_spec_arguments(parser)
    add_place_arguments(parser)
    add_selection_arguments(parser)
    add_deep_argument(parser)
    add_referrers_argument(parser)
    add_lock_arguments(parser)
    add_prune_argument(parser)
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="FILE",
        help="an inventory that answers for the registries it tells of; may be given several times",
    )
    parser.add_argument("-o", "--out", default="", metavar="FILE", help="save the plan")
    add_showing_arguments(parser)
    add_metrics_argument(parser)
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 when changes are pending"
    )


def run(options: argparse.Namespace) -> int:
    """Make the plan, save it, print it."""
    for option in ("deep", "prune", "referrers"):
        if options.against and getattr(options, option):
            message = f"--{option} looks at what registries hold, and --against keeps them from being asked"
            raise UsageError(message, "leave one of them out")
    session = open_session(options, tuple(options.specs), options.against)
    plan, pulls = plan_for(session, options)
    saved = save(plan) if options.out else None
    if saved:
        write_whole(options.out, saved.data)
    if options.metrics:
        write_plan_metrics(options.metrics, session.stores.traffic, plan)
    sys.stdout.write(shown(plan, options, pulls, pace_for(plan, session.config)))
    if options.format == "text" and not options.why:
        sys.stdout.write(_next_step(plan, options.out, saved.id if saved else ""))
    return CHANGES if options.detailed_exitcode and plan.pending else DONE


def plan_for(session: Session, options: argparse.Namespace) -> Prepared:
    """Ask the registries, with one live line on a terminal; what the lock pins is not asked for."""
    lock = open_lock(session, options)
    pins = pins_to_heed(lock, options)
    prepared = make_plan(
        session.collected,
        session.stores,
        ManifestCache(),
        pins=pins,
        managed=managed_from(options, session),
        deep=options.deep,
        referrers=(options.referrers or session.config.referrers)
        and not session.stores.is_recorded,
        note=live_note(),
    )
    plan = with_lock(prepared.plan, lock, session, options)
    plan = marked(plan, session.config, frozenset(pins))
    return prepared._replace(plan=only_selected(plan, options))


def live_note() -> Note:
    """One line on stderr that is drawn over; nothing where nobody looks."""
    if not sys.stderr.isatty() or os.environ.get("PLANNER_A11Y", "") not in ("", "0"):
        return quiet
    drawn_at = 0.0

    def note(what: str, done: int, total: int) -> None:
        nonlocal drawn_at
        now = time.monotonic()
        if done < total and now - drawn_at < _REDRAW:
            return
        drawn_at = now
        text = f"checking {done}/{total} {what}" if done < total else ""
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    return note


def _next_step(plan: Plan, file: str, name: str) -> str:
    if not plan.pending:
        return ""
    if file:
        return (
            f"Saved to {file} ({name[:19]}…)\n  planner review {file}      planner apply {file}\n"
        )
    return "Save it with -o plan.json to review and apply exactly this.\n"
