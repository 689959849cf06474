"""``planner plan``.

Compares by digest what the specs need with what the registry holds, with reads
alone: nothing is written, no right to write is asked for.

Examples:
  planner plan registries.yaml --release v1.35.0+k3s1
  planner plan -o plan.json && planner review plan.json
  planner plan kubeone.yaml --to oci:mirror
"""

from __future__ import annotations

import argparse
import sys
import time

from planner.core.errors import CHANGES, DONE
from planner.core.plan import Plan, to_json
from planner.files import write_whole
from planner.prepare import Note, make_plan, quiet
from planner.stores.cache import ManifestCache
from planner.ui.options import (
    Session,
    add_place_arguments,
    add_shallow_argument,
    add_spec_arguments,
    open_session,
)
from planner.ui.plan_text import Detail, plan_text
from planner.ui.selecting import add_selection_arguments, only_selected
from planner.ui.style import style_for

_REDRAW = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_spec_arguments(parser)
    add_place_arguments(parser)
    add_selection_arguments(parser)
    add_shallow_argument(parser)
    parser.add_argument("-o", "--out", default="", metavar="FILE", help="save the plan")
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")
    parser.add_argument("--all", action="store_true", help="show what is in sync, too")
    parser.add_argument("--summary", action="store_true", help="only figures and what is blocked")
    parser.add_argument("--concise", action="store_true", help="only changes and figures")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 when changes are pending"
    )


def run(options: argparse.Namespace) -> int:
    """Make the plan, save it, print it."""
    session = open_session(options, tuple(options.specs))
    plan = plan_for(session, options)
    if options.out:
        write_whole(options.out, to_json(plan))
    if options.format == "json":
        sys.stdout.write(to_json(plan).decode("utf-8", "surrogatepass"))
    else:
        detail = Detail(everything=options.all, summary=options.summary, concise=options.concise)
        sys.stdout.write(plan_text(plan, style_for(sys.stdout), detail))
        sys.stdout.write(_next_step(plan, options.out))
    return CHANGES if options.detailed_exitcode and plan.pending else DONE


def plan_for(session: Session, options: argparse.Namespace) -> Plan:
    """Ask the registries, with one live line on a terminal."""
    plan = make_plan(
        session.collected,
        session.stores,
        ManifestCache(),
        shallow=options.shallow,
        note=live_note(),
    )
    return only_selected(plan, options)


def live_note() -> Note:
    """One line on stderr that is drawn over; nothing where nobody looks."""
    if not sys.stderr.isatty():
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


def _next_step(plan: Plan, file: str) -> str:
    if not plan.pending:
        return ""
    if file:
        return f"\nSaved to {file} ({plan.id[:19]}…)\n  planner review {file}      planner apply {file}\n"
    return "\nSave it with -o plan.json to review and apply exactly this.\n"
