"""``planner.lock`` on the command line: heeded where there is one, insisted on, or written."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from planner.core.errors import InputError, UsageError
from planner.core.lock import FILE_NAME, Pins, Relocked, lockable, relocked, uncovered
from planner.core.plan import Plan
from planner.core.text import first_few, plural, printable, short_digest
from planner.lock import Lock, load_lock, write_lock
from planner.needs import Wanted
from planner.ui.options import Session, wanted_from

_ADD = "add"
_UPDATE = "update"
_LOCKED = f"refuse when {FILE_NAME} does not pin all that is needed; no registry is asked for that"


def add_locked_argument(parser: argparse.ArgumentParser) -> None:
    """--locked, for what makes a plan without being about it."""
    parser.set_defaults(lock="")
    group = parser.add_argument_group("the lock")
    group.add_argument("--locked", action="store_true", help=_LOCKED)


def add_lock_arguments(parser: argparse.ArgumentParser) -> None:
    """--lock and --locked."""
    group = parser.add_argument_group("the lock")
    group.add_argument(
        "--lock",
        dest="lock",
        action="store_const",
        const=_ADD,
        default="",
        help=f"write {FILE_NAME}: pin what is not pinned yet to what its tag is now; without SPEC, drop what no cluster needs",
    )
    group.add_argument(
        "--lock=update",
        dest="lock",
        action="store_const",
        const=_UPDATE,
        help="the same, and move all pins to what their tags are now",
    )
    group.add_argument("--locked", action="store_true", help=_LOCKED)


def open_lock(session: Session, options: argparse.Namespace) -> Lock:
    """The lock of the project; what it does not pin is told, or refused.

    Raises:
        InputError: it is damaged, or --locked finds that it does not cover what is needed.
    """
    if options.lock and options.locked:
        raise UsageError("--lock writes the lock, and --locked keeps it", "leave one of them out")
    lock = load_lock(session.config)
    if options.locked and not lock.is_there:
        raise InputError(f"{lock.path}: there is no such file", "planner plan --lock writes it")
    missing = uncovered(session.collected.needs, lock.pins) if lock.is_there else ()
    if missing and options.locked:
        message = f"{lock.path} does not pin {plural(len(missing), 'image')} of those needed: {first_few(missing)}"
        raise InputError(message, "planner plan --lock adds them")
    if missing and not options.lock:
        needed = len(lockable(session.collected.needs))
        _note(
            f"{lock.path} does not pin {len(missing):,} of {plural(needed, 'image')}: {first_few(missing)};"
            " their tags are asked for (planner plan --lock adds them)"
        )
    return lock


def pins_to_heed(lock: Lock, options: argparse.Namespace) -> Pins:
    """The pins that the plan is made with."""
    return {} if options.lock == _UPDATE else lock.pins


def with_lock(plan: Plan, lock: Lock, session: Session, options: argparse.Namespace) -> Plan:
    """The plan with the lock among its inputs, after it was written where that was asked for.

    Raises:
        InputError: it cannot be written.
    """
    if options.lock:
        lock = _relock(plan, lock, session, options)
    if not lock.is_there:
        return plan
    inputs = sorted((*plan.inputs, lock.as_input), key=lambda each: each.path)
    return replace(plan, inputs=tuple(inputs))


def _relock(plan: Plan, lock: Lock, session: Session, options: argparse.Namespace) -> Lock:
    """Write what the plan has seen. Pins are dropped only when the plan is about all clusters, as they are."""
    seen = {
        each.source: each.held_at_source
        for each in plan.changes
        if each.digest and each.op != "delete"
    }
    is_whole = not options.specs and wanted_from(options, ()) == Wanted()
    needs = tuple(session.collected.needs)
    done = relocked(lock.pins, seen, needs, drop=is_whole)
    written = write_lock(lock, done.pins)
    _note(f"{lock.path}: {_said(done)}")
    for source, before, after in done.moved:
        line = f"  {source}: {short_digest(before)} → {short_digest(after)}"
        sys.stderr.write(f"{printable(line)}\n")
    unseen = [each for each in lockable(needs) if each not in seen]
    if kept := [each for each in unseen if each in done.pins]:
        _note(
            f"{plural(len(kept), 'pin')} kept as before, since the plan blocks: {first_few(kept)}"
        )
    if unpinned := [each for each in unseen if each not in done.pins]:
        _note(
            f"{plural(len(unpinned), 'image')} not pinned, since the plan blocks: {first_few(unpinned)}"
        )
    return written


def _said(done: Relocked) -> str:
    counts = ((done.added, "added"), (done.moved, "moved"), (done.dropped, "dropped"))
    changes = [f"{len(each):,} {word}" for each, word in counts if each]
    return f"{', '.join(changes) or 'nothing changed'}, {plural(len(done.pins), 'image')} pinned"


def _note(text: str) -> None:
    sys.stderr.write(f"note: {printable(text)}\n")
