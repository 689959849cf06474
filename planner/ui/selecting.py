"""``--target`` and ``--exclude``: a part of a plan."""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from planner.core.errors import UsageError
from planner.core.namespaces import Namespace
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.refs import subject_of


def add_selection_arguments(parser: argparse.ArgumentParser) -> None:
    """Globs over target names."""
    group = parser.add_argument_group("a part of the plan")
    for name, text in (("--target", "only names that match"), ("--exclude", "no names that match")):
        group.add_argument(
            name,
            action="append",
            default=[],
            metavar="GLOB",
            help=f"{text}; may be given several times",
        )


def only_selected(plan: Plan, options: argparse.Namespace) -> Plan:
    """The plan with the chosen names alone, and the namespaces that they lie in.

    Raises:
        UsageError: a pattern of ``--target`` matches nothing.
    """
    for pattern in options.target:
        if not any(_matches(change, pattern) for change in plan.changes):
            known = str(plan.changes[0].target) if plan.changes else "registry/repository:tag"
            raise UsageError(f"--target {pattern!r} matches no name", f"names look like {known}")
    if not options.target and not options.exclude:
        return plan
    return part_of(plan, _together(plan, options))


def part_of(plan: Plan, chosen: Iterable[Change]) -> Plan:
    """The plan with some of its changes alone, and the namespaces that they lie in."""
    changes = tuple(chosen)
    places = {(each.target.registry, each.target.repository) for each in changes}
    namespaces = (_with_some(each, places) for each in plan.namespaces)
    return replace(
        plan,
        changes=changes,
        namespaces=tuple(each for each in namespaces if each.repositories),
    ).trimmed()


def _together(plan: Plan, options: argparse.Namespace) -> Iterator[Change]:
    """What is chosen, without deletions that nobody would want alone, and with what belongs to it.

    What is said about an image (its signature) comes with it, and goes with the last of its tags; and where something that is
    to come to a repository is excluded, what it may replace there stays.
    """
    images = {(each.place, each.digest) for each in plan.changes if _is_selected(each, options)}
    chosen = {each.target for each in plan.changes if _is_chosen(each, images, options)}
    missing = [each for each in plan.pending if each.target not in chosen]
    kept = {(each.place, each.current) for each in missing if each.op == "delete"}
    waiting = {
        each.place
        for each in missing
        if each.op != "delete" and any(_matches(each, glob) for glob in options.exclude)
    }
    for each in plan.changes:
        if each.target not in chosen:
            continue
        is_tied = (each.place, subject_of(each.target.tag)) in kept or each.place in waiting
        if each.op != "delete" or not is_tied:
            yield each


def _with_some(namespace: Namespace, places: Container[tuple[str, str]]) -> Namespace:
    """The namespace with those of its repositories that are at the given places."""
    registry = namespace.registry
    kept = (each for each in namespace.repositories if (registry, each) in places)
    return replace(namespace, repositories=tuple(kept))


def _is_chosen(
    change: Change, images: Container[tuple[Place, str]], options: argparse.Namespace
) -> bool:
    """Whether a change is chosen, by its name or, of a signature, by that of its image."""
    if not change.subject or _is_named(change, options.target):
        return _is_selected(change, options)
    return (change.place, change.subject) in images and not _is_named(change, options.exclude)


def _is_named(change: Change, globs: Iterable[str]) -> bool:
    return any(_matches(change, each) for each in globs)


def _is_selected(change: Change, options: argparse.Namespace) -> bool:
    wanted = not options.target or _is_named(change, options.target)
    return wanted and not _is_named(change, options.exclude)


def _matches(change: Change, pattern: str) -> bool:
    return fnmatch.fnmatchcase(str(change.target), pattern)
