"""What there is to copy of a row: names, digests, commands that pull it, JSON. No drawing.

All of it is safe to be pasted into a terminal: what a file or a registry says cannot end a line there.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from planner.core.plan import Change, Plan
from planner.core.plan_file import to_json
from planner.core.refs import ImageRef
from planner.ui.review.arrangement import Row
from planner.ui.review.model import PlanModel, one_line
from planner.ui.selecting import part_of


class Copy(NamedTuple):
    """A text to copy, and what it is."""

    title: str
    text: str


def copies_of(model: PlanModel, row: Row) -> Iterator[Copy]:
    """The texts, the one that is wanted most often first."""
    change = model.change(row)
    if change:
        yield from _of_change(change)
        yield Copy("JSON", json_of(model.plan, change))
        return
    changes = [model.plan.changes[index] for index in model.members(row)]
    yield Copy("target references", _listed(each.target for each in changes))
    yield Copy("source references", _listed(each.source for each in changes))
    yield Copy("name of the group", one_line(str(row)))


def json_of(plan: Plan, change: Change) -> str:
    """A change as a saved plan has it."""
    (document,) = json.loads(to_json(part_of(plan, (change,))))["changes"]
    return json.dumps(document, indent=2)


def _listed(names: Iterable[ImageRef]) -> str:
    return "\n".join(dict.fromkeys(one_line(str(each)) for each in names))


def _of_change(change: Change) -> Iterator[Copy]:
    digest = one_line(change.digest or change.current)
    yield Copy("target reference", one_line(str(change.target)))
    if change.source != change.target:
        yield Copy("source reference", one_line(str(change.source)))
    if digest:
        yield Copy("digest", digest)
        yield Copy("target by digest", f"{one_line(change.target.name)}@{digest}")
    if change.op not in ("blocked", "delete"):
        yield from (Copy(" ".join(words[:2]), shlex.join(words)) for words in _pulls(change))


def _pulls(change: Change) -> Iterator[tuple[str, ...]]:
    """What pulls it once it is there. Source: docker-pull(1), crictl v1.33 docs/crictl.md, helm v3 "helm pull"."""
    if change.kind == "image" and not change.subject:
        yield ("docker", "pull", one_line(str(change.target)))
        yield ("crictl", "pull", one_line(str(change.target)))
    elif change.kind == "chart":
        version = ("--version", change.target.tag) if change.target.tag else ()
        yield ("helm", "pull", f"oci://{one_line(change.target.name)}", *version)
