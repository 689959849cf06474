"""A plan as text: in groups, the dangerous first, the summary last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.core.cost import Pace
from planner.core.plan import Plan
from planner.ui.cost_text import drift_note
from planner.ui.plan.figures import closing, heading, legend, limits, tables
from planner.ui.plan.groups import Grouping, groups_of
from planner.ui.plan.lines import LINES, Page, group_lines, plain_lines
from planner.ui.plan.obstacles import blocked_lines, delete_lines, namespace_lines
from planner.ui.plan.words import by_danger
from planner.ui.style import Style

if TYPE_CHECKING:  # it knows registries, which a saved plan needs not
    from planner.pulls import Pulls


@dataclass(frozen=True, slots=True)
class Detail:
    """How much to show: also what is in sync (``everything``), only the summary, or only changed lines (``concise``).

    ``limit`` is how many lines each group has at most; None: as many as suit a terminal, and all in a pipe.
    """

    everything: bool = False
    summary: bool = False
    concise: bool = False
    limit: int | None = None
    group_by: Grouping = "repository"


def plan_text(
    plan: Plan,
    style: Style,
    detail: Detail,
    pulls: Iterable[Pulls] = (),
    pace: Pace | None = None,
) -> str:
    """The whole text; ``pulls`` are what making the plan took of its sources' limits, ``pace`` is how fast it may go."""
    limit = detail.limit
    if limit is None and style.width is not None:
        limit = LINES
    page = Page(plan, style, limit)
    parts = _concise(page, detail) if detail.concise else _whole(page, detail)
    parts += [_filled(page, limits(pulls)), _filled(page, closing(plan, pace))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _filled(page: Page, text: str) -> str:
    """Each line as prose."""
    return "\n".join(part for line in text.splitlines() for part in page.below(line, 0))


def _whole(page: Page, detail: Detail) -> list[str]:
    shown = [each for each in page.plan.changes if detail.everything or each.op != "same"]
    kept = [each for each in shown if each.op != "delete"]
    groups = [] if detail.summary else groups_of(page.plan, kept, detail.group_by)
    lines = [
        delete_lines(page),
        namespace_lines(page),
        *(group_lines(page, each) for each in groups),
        blocked_lines(page),
    ]
    return [
        _filled(page, heading(page.plan)),
        _filled(page, drift_note(page.plan)),
        "" if detail.summary else legend(shown, page.style),
        *("\n".join(each) for each in lines),
        *tables(page.plan, page.style.width),
    ]


def _concise(page: Page, detail: Detail) -> list[str]:
    """Namespaces, and a line for each change."""
    shown = [each for each in page.plan.changes if detail.everything or each.op != "same"]
    lines = plain_lines(page, by_danger(shown))
    return ["\n".join(namespace_lines(page)), "\n".join(lines)]
