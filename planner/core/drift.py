"""What became of names since they were last applied, as far as a plan has seen it. Nothing is asked for it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from planner.core.plan import Change, Drift, Plan
from planner.core.record import Record, Where, Written
from planner.core.refs import ImageRef


def with_drift(
    plan: Plan, record: Record, where: Where, pinned: Container[ImageRef] = frozenset()
) -> Plan:
    """The plan, with what moved since the record was written marked.

    ``where`` names the place of a registry, as the record does. ``pinned`` sources were not asked: nothing is said of them.
    """
    if not record.targets:
        return plan
    changes = []
    for change in plan.changes:
        registry = change.target.registry
        last = record.written(where(registry), str(change.target))
        if last:
            source = change.source not in pinned and _moved_at_source(change, last)
            target = registry not in plan.access.inventories and _moved_at_target(change, last)
            change = replace(change, drift=_drift(source=source, target=target))  # noqa: PLW2901
        changes.append(change)
    return replace(plan, changes=tuple(changes))


def _moved_at_source(change: Change, last: Written) -> bool:
    """Whether the source of what was written has something else under the same name."""
    is_same = str(change.source) == last.source and change.op != "delete"
    return is_same and change.held_at_source not in ("", last.held_at_source)


def _moved_at_target(change: Change, last: Written) -> bool:
    """Whether the name holds something else than what was written. Of what is blocked, nothing may have been seen."""
    is_seen = change.op != "blocked" or bool(change.current)
    return is_seen and change.current != last.digest


def _drift(*, source: bool, target: bool) -> Drift:
    if source and target:
        return "both"
    return "source" if source else "target" if target else ""
