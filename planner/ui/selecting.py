"""``--target`` and ``--exclude``: a part of a plan."""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Container
from dataclasses import replace

from planner.core.errors import UsageError
from planner.core.namespaces import Namespace
from planner.core.plan import Change, Plan


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
    changes = tuple(each for each in plan.changes if _is_selected(each, options))
    places = {(each.target.registry, each.target.repository) for each in changes}
    namespaces = (_with_some(each, places) for each in plan.namespaces)
    return replace(
        plan,
        changes=changes,
        namespaces=tuple(each for each in namespaces if each.repositories),
    ).trimmed()


def _with_some(namespace: Namespace, places: Container[tuple[str, str]]) -> Namespace:
    """The namespace with those of its repositories that are at the given places."""
    registry = namespace.registry
    kept = (each for each in namespace.repositories if (registry, each) in places)
    return replace(namespace, repositories=tuple(kept))


def _is_selected(change: Change, options: argparse.Namespace) -> bool:
    wanted = not options.target or any(_matches(change, each) for each in options.target)
    return wanted and not any(_matches(change, each) for each in options.exclude)


def _matches(change: Change, pattern: str) -> bool:
    return fnmatch.fnmatchcase(str(change.target), pattern)
