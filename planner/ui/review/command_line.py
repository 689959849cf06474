"""The shortest ``planner apply`` that carries out exactly what is chosen. Pure, and slow for plans of many thousands."""

from __future__ import annotations

import argparse
import glob
import re
import shlex
from collections.abc import Collection, Iterable, Iterator

from planner.core.errors import UsageError
from planner.core.plan import Change, Plan
from planner.ui.selecting import only_selected

_LONGEST = 2_000  # characters of a command that anybody would paste
_CUT = re.compile(r"/|:(?=[^/]*$)")  # not the colons of ports and addresses


def command_for(plan: Plan, chosen: Collection[Change], plan_file: str) -> str:
    """``planner apply FILE …`` for the chosen changes; empty where no command of a bearable length chooses just these."""
    wanted = {each.target for each in chosen}
    kept = [str(each.target) for each in plan.pending if each.target in wanted]
    left = [str(each.target) for each in plan.pending if each.target not in wanted]
    if not (plan_file and kept):
        return ""
    if not left:
        return shlex.join(("planner", "apply", plan_file))
    targets = _globs(kept, left)
    tries: tuple[tuple[list[str], list[str]], ...] = (
        (targets, []),
        ([], _globs(left, kept)),
        (targets, _globs(_beside(plan, kept, targets), kept)),
    )
    commands = sorted(
        {_command(plan_file, *each): each for each in tries}.items(), key=lambda each: len(each[0])
    )
    for command, (only, without) in commands:
        if len(command) <= _LONGEST and _chosen_by(plan, only, without) == wanted:
            return command
    return ""


def _globs(names: Iterable[str], others: Iterable[str]) -> list[str]:
    """Patterns that match all of some names and none of the others: beginnings where several share one, else whole names."""
    forbidden = {part for name in others for part in _beginnings(name)}
    count: dict[str, int] = {}
    listed = list(names)
    for name in listed:
        for part in _beginnings(name):
            count[part] = count.get(part, 0) + 1
    found: dict[str, None] = {}
    for name in listed:
        free = (each for each in _beginnings(name) if each not in forbidden and count[each] > 1)
        shared = next(free, "")
        found[f"{glob.escape(shared)}*" if shared else glob.escape(name)] = None
    return list(found)


def _beginnings(name: str) -> Iterator[str]:
    """What a name begins with, up to each of its separators, the shortest first."""
    return (name[: found.end()] for found in _CUT.finditer(name))


def _beside(plan: Plan, kept: Collection[str], targets: list[str]) -> list[str]:
    """What patterns for the kept ones bring along: signatures and the like come with their images."""
    if len(_command("", targets, [])) > _LONGEST:
        return []
    brought = {str(each) for each in _chosen_by(plan, targets, [])}
    return sorted(brought.difference(kept))


def _chosen_by(plan: Plan, targets: list[str], excludes: list[str]) -> set[object]:
    """What would be carried out."""
    try:
        part = only_selected(plan, argparse.Namespace(target=targets, exclude=excludes))
    except UsageError:
        return set()
    return {each.target for each in part.pending}


def _command(plan_file: str, targets: Iterable[str], excludes: Iterable[str]) -> str:
    options = [word for each in targets for word in ("--target", each)]
    options += [word for each in excludes for word in ("--exclude", each)]
    return shlex.join(("planner", "apply", plan_file, *options))
