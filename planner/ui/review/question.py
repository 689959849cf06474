"""What is asked before anything is written: what will happen, and the word to type. The same for every kind of review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from planner.core.plan import Change, Plan
from planner.core.text import plural, short_digest, size

_DANGEROUS = ("move", "repair", "delete")


@dataclass(frozen=True, slots=True)
class Checked:
    """What is still to do of what was chosen."""

    changes: tuple[Change, ...]
    chosen: int


def word_for(changes: Iterable[Change]) -> str:
    """``yes``; the hosts of the registries where something that exists will be another."""
    hosts = {change.target.registry for change in changes if change.op in _DANGEROUS}
    return " ".join(sorted(hosts)) or "yes"


def description(plan: Plan, checked: Checked, target: str) -> Iterator[str]:
    """What will happen."""
    changes = checked.changes
    count = {op: sum(change.op == op for change in changes) for op in ("create", *_DANGEROUS)}
    deeds = [
        f"copy {plural(count['create'], 'image')}" if count["create"] else "",
        f"move {plural(count['move'], 'tag')}" if count["move"] else "",
        f"repair {plural(count['repair'], 'image')}" if count["repair"] else "",
        f"delete {plural(count['delete'], 'tag')}" if count["delete"] else "",
    ]
    said = ", ".join(filter(None, deeds))
    yield f"{said[0].upper()}{said[1:]} on {target}"
    yield f"{size(plan.bytes_to_send(changes))} to send.{'' if count['delete'] else ' Nothing is deleted.'}"
    new = plan.namespaces_for(changes)
    if new:
        yield "\nWhat will be created first:"
    yield from (f"  {each.kind} {each}" for each in new)
    moved = [change for change in changes if change.op == "move"]
    if moved:
        yield "\nTags that will point elsewhere:"
    yield from (f"  {_name(each)}\n    {_digests(each)}" for each in moved)
    repaired = [change for change in changes if change.op == "repair"]
    if repaired:
        yield "\nImages whose content will be put back:"
    yield from (f"  {_name(each)}" for each in repaired)
    deleted = [change for change in changes if change.op == "delete"]
    if deleted:
        yield "\nTags that will be deleted, after all copies:"
    yield from (f"  {_name(each)}" for each in deleted)
    yield f"\nThe target was looked at just now: {_state(checked)}"


def _state(checked: Checked) -> str:
    done = checked.chosen - len(checked.changes)
    if not done:
        return "unchanged."
    return f"{plural(done, 'image')} of {checked.chosen:,} there already, the others unchanged."


def _name(change: Change) -> str:
    return str(change.target).removeprefix(f"{change.target.registry}/")


def _digests(change: Change) -> str:
    return f"{short_digest(change.current)} → {short_digest(change.digest)}"
