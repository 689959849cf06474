"""``planner diff``.

What differs between two saved plans; between a saved plan and what it would be now
(live); or, with --rev, between what the specs of two git revisions need, which asks
no registry. Specs and options are those of planner plan.

Examples:
  planner diff yesterday.json today.json
  planner diff plan.json live
  planner diff --rev main..HEAD --format markdown      # for a pull request
  planner diff --rev main clusters/edge/registries.yaml --release v1.35.0+k3s1
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from planner.config import Config, load_config
from planner.core.difference import Difference, Side, compare, side_of_needs, side_of_plan
from planner.core.errors import CHANGES, DONE, InputError, PlannerError, UsageError
from planner.core.plan_file import plan_id
from planner.core.text import printable
from planner.files import is_file
from planner.lock import load_lock
from planner.needs import Wanted, collect
from planner.revisions import WORKING_TREE, Revision, checked_out, parse_range, within_repository
from planner.ui.commands.plan import live_note
from planner.ui.commands.show import load_plan
from planner.ui.diff_text import as_json, as_markdown, as_text
from planner.ui.options import add_spec_arguments, wanted_from
from planner.ui.style import style_for

_LIVE = "live"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_spec_arguments(parser, or_plan=True)
    parser.add_argument(
        "--rev",
        default="",
        metavar="A..B",
        help="compare what the specs of two git revisions need; A alone: with the working tree; A...B: since B left A",
    )
    parser.add_argument("--format", default="text", choices=list(_FORMATS), help="default: text")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 when the two differ"
    )


def run(options: argparse.Namespace) -> int:
    """Print it."""
    names, sides = _revisions(options) if options.rev else _plans(options)
    difference = compare(*sides)
    sys.stdout.write(_FORMATS[options.format](names, difference))
    return CHANGES if options.detailed_exitcode and not difference.is_empty else DONE


def _text(names: Sequence[str], difference: Difference) -> str:
    return as_text(names, difference, style_for(sys.stdout))


_FORMATS: Mapping[str, Callable[[Sequence[str], Difference], str]] = {
    "text": _text,
    "json": as_json,
    "markdown": as_markdown,
}


def _plans(options: argparse.Namespace) -> tuple[Sequence[str], Sequence[Side]]:
    """Two saved plans, or one and what it would be now."""
    if len(options.specs) != 2 or options.specs[0] == _LIVE:
        raise UsageError(
            "two plans are compared, or a plan and live",
            "planner diff OLD.json NEW.json, planner diff PLAN.json live, or planner diff --rev main..HEAD",
        )
    before, after = options.specs
    plan = load_plan(before)
    names = [f"{before} ({plan_id(plan)[:19]}…)", _LIVE]
    if after == _LIVE:
        from planner.ui.plan_live import live_side  # noqa: PLC0415 - two files need no registries

        return names, (side_of_plan(plan), live_side(plan, options, live_note()))
    other = load_plan(after)
    names[1] = f"{after} ({plan_id(other)[:19]}…)"
    return names, (side_of_plan(plan), side_of_plan(other))


def _revisions(options: argparse.Namespace) -> tuple[Sequence[str], Sequence[Side]]:
    """What the specs of both revisions need."""
    revisions = parse_range(options.rev)
    wanted = _wanted(options)
    config = within_repository(options.config)
    found = [_side_at(each, config, wanted) for each in revisions]
    if not any(found):
        raise UsageError(
            f"there is no spec at {revisions[0]}, and none at {revisions[1]}",
            "name one, or list clusters in planner.yaml",
        )
    return [str(each) for each in revisions], [each or Side(()) for each in found]


def _wanted(options: argparse.Namespace) -> Wanted:
    """With all paths as they are seen from the working directory, which a revision has as well."""

    def inside(paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(map(within_repository, paths))

    wanted = wanted_from(options, inside(options.specs))
    return replace(
        wanted,
        images=inside(wanted.images),
        packages=inside(wanted.packages),
        packs=inside(wanted.packs),
        bundle=within_repository(wanted.bundle),
    )


def _side_at(revision: Revision, config: str, wanted: Wanted) -> Side | None:
    """What is needed at a revision; None when there is no spec."""
    with checked_out(revision) as root:
        try:
            side = _side(revision, load_config(config) if _is_there(config) else Config(), wanted)
        except PlannerError as error:
            if revision == WORKING_TREE:
                raise
            kind = UsageError if isinstance(error, UsageError) else InputError
            message = error.message.replace(f"{root}{os.sep}", "")
            raise kind(f"at {revision}: {message}", error.hint) from error
        return side and _seen_from_here(side, root)


def _seen_from_here(side: Side, root: Path) -> Side:
    """Files are named alike on both sides, wherever they lie for the moment."""
    files = {reason.file for each in side.items for reason in each.because}
    files.update(each.path for each in side.inputs)
    names = {file: within_repository(file, root) for file in files}

    items = (
        each._replace(
            because=tuple(reason._replace(file=names[reason.file]) for reason in each.because)
        )
        for each in side.items
    )
    inputs = (replace(each, path=names[each.path]) for each in side.inputs)
    return Side(tuple(items), tuple(inputs))


def _is_there(path: str) -> bool:
    return not path or "://" in path or is_file(path)


def _side(revision: Revision, config: Config, wanted: Wanted) -> Side | None:
    """Files of the command line that a revision does not have yet, or no more, are left out of it."""
    there = replace(
        wanted,
        specs=tuple(filter(_is_there, wanted.specs)),
        images=tuple(filter(_is_there, wanted.images)),
        packages=tuple(filter(_is_there, wanted.packages)),
        packs=tuple(filter(_is_there, wanted.packs)),
        bundle=wanted.bundle if _is_there(wanted.bundle) else "",
    )
    missing = {*_files(wanted)} - {*_files(there)}
    for path in sorted(missing):
        sys.stderr.write(f"note: {printable(path)} is not there at {printable(str(revision))}\n")
    if not (there.specs if wanted.specs else config.clusters):
        return None
    collected = collect(config, there)
    return side_of_needs(collected.needs, load_lock(config).pins, collected.inputs)


def _files(wanted: Wanted) -> Iterator[str]:
    """The files that the command line names."""
    yield from (*wanted.specs, *wanted.images, *wanted.packages, *wanted.packs)
    yield wanted.bundle
