"""The changes of a plan in groups: by place, source, cluster, spec or kind of change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

from planner.core.plan import Change, Plan
from planner.specs import NAMES
from planner.ui.plan.words import DANGER, MEANINGS, by_danger, clusters_of

Grouping = Literal["repository", "source", "cluster", "spec", "action"]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)


class Group(NamedTuple):
    """Some changes under one heading, the dangerous first. ``prefix`` is what the names in it begin with."""

    name: str
    changes: Sequence[Change]
    prefix: str = ""


def groups_of(plan: Plan, changes: Iterable[Change], by: Grouping) -> list[Group]:
    """The groups, the most dangerous first. What several clusters or specs need is in the groups of each."""
    specs = frozenset(each.path for each in plan.inputs if each.role in NAMES)
    found: dict[str, list[Change]] = {}
    for change in changes:
        for name in _names(change, by, specs):
            found.setdefault(name, []).append(change)
    groups = [
        Group(name, by_danger(members), f"{name}/" if by == "repository" else "")
        for name, members in found.items()
    ]
    return sorted(groups, key=lambda each: (DANGER[each.changes[0].op], each.name))


def group_of(change: Change) -> str:
    """The registry and all but the last component of the repository."""
    if change.op == "blocked" and not change.has_place:
        return f"{change.source.registry} (no place on the private registry)"
    return change.target.name.rpartition("/")[0]


def _names(change: Change, by: Grouping, specs: frozenset[str]) -> Iterable[str]:
    match by:
        case "repository":
            return (group_of(change),)
        case "source":
            return (f"from {change.source.registry}",)
        case "action":
            return (MEANINGS[change.op],)
        case "cluster":
            return clusters_of(change) or ("needed by no cluster that is known",)
        case "spec":
            files = {each.file for each in change.because}
            return sorted(files & specs or files) or ("no spec that is known",)
