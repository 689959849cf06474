"""Why something cannot be chosen or applied, and what a choice took along, in words."""

from __future__ import annotations

from collections.abc import Collection

from planner.ui.review.arrangement import Row
from planner.ui.review.model import PlanModel, one_line

_READ_ONLY = (
    "This review only looks: nothing can be applied from here.\n\n"
    "planner review PLAN --allow-apply applies what is selected; specs are planned and can be applied without that, "
    "unless --read-only is given. planner apply PLAN carries out the whole plan."
)


def why_not_apply(model: PlanModel, *, read_only: bool) -> str:
    """What keeps the selection from being applied; empty when nothing does."""
    if read_only:
        return _READ_ONLY
    if not model.plan.pending:
        return "The plan has nothing to do."
    if not model.selection:
        return "Nothing is selected: space selects the row, A selects all."
    return ""


def why_not_choose(model: PlanModel, row: Row) -> str:
    """What keeps a row without a box from being chosen."""
    change = model.change(row)
    if change is None:
        return "nothing in this group can be selected"
    if change.op == "same":
        return "in sync: there is nothing to do"
    return f"blocked: {one_line(change.reason)}"


def also_touched(model: PlanModel, touched: Collection[int], row: Row) -> str:
    """What was chosen or dropped besides the row itself; empty when nothing was."""
    others = sorted(set(touched).difference(model.members(row)))
    if not others:
        return ""
    deed = "selected" if others[0] in model.selection else "dropped"
    first = one_line(str(model.plan.changes[others[0]].target))
    more = f" and {len(others) - 1} more" if others[1:] else ""
    return f"also {deed}, since they go together: {first}{more}"
