"""What is in the way of a plan: what is blocked, with causes and next steps, and what is wrong with its specs. No drawing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from planner.accepted import with_baseline
from planner.check import Checked, check
from planner.config import Config
from planner.core.lint import Finding
from planner.core.plan import Change, Input, Plan
from planner.files import is_file
from planner.needs import unchanged
from planner.specs import NAMES
from planner.ui.findings.counting import counted_in
from planner.ui.findings.excerpts import write
from planner.ui.style import Style


class Cause(NamedTuple):
    """Why some changes are blocked, what to do about it, and which (by index) they are."""

    reason: str
    steps: tuple[str, ...]
    members: tuple[int, ...]


class Report(NamedTuple):
    """What lint says of the specs of a plan: ``findings``, each with its text, and what could not be asked."""

    findings: tuple[tuple[Finding, str], ...] = ()
    notes: tuple[str, ...] = ()


def causes(plan: Plan) -> list[Cause]:
    """The reasons, what keeps most images out first."""
    found: dict[str, list[int]] = {}
    for index, change in enumerate(plan.changes):
        if change.op == "blocked":
            found.setdefault(change.reason, []).append(index)
    listed = [
        Cause(reason, tuple(_steps(plan, [plan.changes[each] for each in members])), tuple(members))
        for reason, members in found.items()
    ]
    return sorted(listed, key=lambda each: -len(each.members))


def lint_report(plan: Plan, config: Config) -> Report:
    """Lint the specs that a plan was made from, as they are now. Reads files: for threads.

    Raises:
        PlannerError: planner.yaml names rules or files that do not exist.
    """
    specs = [each for each in plan.inputs if each.role in NAMES]
    gone = [each for each in specs if not is_file(each.path)]
    notes = [f"{each.path} is gone: it cannot be looked at" for each in gone]
    notes += [
        f"{path} changed since the plan was made: plan again" for path in unchanged(plan.inputs)
    ]
    if not specs:
        notes.append("the plan names no spec that it was made from")
    checked = [one for each in specs if each not in gone for one in _checked(each, config)]
    if config.lint.baseline:
        checked = with_baseline(checked, config.lint)
    return Report(tuple(_texts(checked)), tuple(notes))


def _checked(spec: Input, config: Config) -> Sequence[Checked]:
    return check([spec.path], spec.role, config.lint, config.clusters)


def _texts(checked: Iterable[Checked]) -> Iterator[tuple[Finding, str]]:
    """Each finding with the text that ``planner lint`` prints of it."""
    for each in checked:
        for finding in counted_in(each):
            whole = write([each._replace(findings=(finding,))], Style())
            yield finding, whole.rpartition("\n\n")[0]


def _steps(plan: Plan, members: Sequence[Change]) -> Iterator[str]:
    """What can be done, as far as the plan tells."""
    places = {(each.target.registry, each.target.repository) for each in members}
    commands = [
        each.command
        for each in plan.namespaces
        if each.command and any((each.registry, name) in places for name in each.repositories)
    ]
    if commands:
        yield from (f"an administrator runs: {each}" for each in dict.fromkeys(commands))
    elif not all(each.has_place for each in members):
        yield "name a mirror for it in the spec, or an image list without it; w shows the line"
    else:
        yield f"planner doctor {members[0].target.registry}, then plan again; w shows who needs it"
