"""``planner show PLAN``.

A saved plan can always be shown, also one that is stale by now. Asks no registry.

Examples:
  planner show plan.json
  planner show plan.json --format tsv    # source, target, digest of each change
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from planner.core.errors import DONE, InputError
from planner.core.plan import Plan
from planner.core.plan_file import from_json
from planner.core.text import printable
from planner.needs import unchanged
from planner.ui.plan_options import add_showing_arguments, shown
from planner.ui.selecting import add_selection_arguments, only_selected


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "plan", metavar="PLAN", help="a file that planner plan -o saved; - is standard input"
    )
    add_selection_arguments(parser)
    add_showing_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print it."""
    plan = load_plan(options.plan)
    for path in unchanged(plan.inputs):
        sys.stderr.write(f"note: {printable(path)} changed since this plan was made\n")
    sys.stdout.write(shown(only_selected(plan, options), options))
    return DONE


def load_plan(file: str) -> Plan:
    """Read a saved plan."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror or error}"
        raise InputError(message, "make one with planner plan -o FILE") from error
    return from_json(data, file)
