"""``planner show PLAN``.

A saved plan can always be shown, also one that is stale by now. Asks no registry.

Examples:
  planner show plan.json
  planner show plan.json --format tsv    # source, target, digest of each change
  planner show plan.json --filter 'cluster:prod op:move'
  planner show plan.json --filter '/etcd|coredns/ !src:quay.io' --concise
  planner show plan.json --filter blocked --filter drift  # either
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from planner.core.errors import DONE, InputError, UsageError
from planner.core.plan import Change, Plan
from planner.core.plan_file import read_plan
from planner.core.text import printable
from planner.needs import unchanged
from planner.ui.plan.filters import HELP, filtered
from planner.ui.plan_options import add_showing_arguments, shown
from planner.ui.selecting import add_selection_arguments, only_selected, part_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "plan", metavar="PLAN", help="a file that planner plan -o saved; - is standard input"
    )
    add_selection_arguments(parser)
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="EXPR",
        help=f"only what passes: terms joined by blanks, all of which hold ({_terms()}); of several, one passes",
    )
    add_showing_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print it."""
    plan = load_plan(options.plan)
    for path in unchanged(plan.inputs):
        sys.stderr.write(f"note: {printable(path)} changed since this plan was made\n")
    part = _filtered(only_selected(plan, options), options)
    if plan.changes and not part.changes and options.format == "text":
        sys.stdout.write("Nothing passes --filter.\n")
    else:
        sys.stdout.write(shown(part, options))
    return DONE


def _filtered(plan: Plan, options: argparse.Namespace) -> Plan:
    if not options.filter:
        return plan
    passing = {each for text in options.filter for each in _passing(plan, text)}
    return part_of(plan, (each for each in plan.changes if each in passing))


def _passing(plan: Plan, text: str) -> tuple[Change, ...]:
    try:
        return filtered(plan, text)
    except UsageError as error:
        raise UsageError(f"--filter {text!r}: {error.message}", f"terms are {_terms()}") from error


def _terms() -> str:
    return ", ".join(term for term, _ in HELP)


def load_plan(file: str, tell: Callable[[float], None] = lambda _share: None) -> Plan:
    """Read a saved plan; ``tell`` gets the share of the file that was read so far."""
    try:
        if file == "-":
            return read_plan(io.BytesIO(sys.stdin.buffer.read()), file)
        with Path(file).open("rb") as stream:
            if not stream.seekable():
                return read_plan(io.BytesIO(stream.read()), file)
            return read_plan(cast("BinaryIO", _Told(stream, tell)), file)
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror or error}"
        raise InputError(message, "make one with planner plan -o FILE") from error


class _Told:
    """A file that tells how far it was read."""

    def __init__(self, stream: BinaryIO, tell: Callable[[float], None]) -> None:
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size or 1
        self._tell = tell
        self.tell, self.seek = stream.tell, stream.seek

    def read(self, size: int = -1) -> bytes:
        """As of the file itself."""
        self._tell(min(1.0, self._stream.tell() / self._size))
        return self._stream.read(size)
