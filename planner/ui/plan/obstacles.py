"""What stands before a plan or in its way: namespaces, what is deleted, what is blocked and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from planner.core.namespaces import Namespace, NamespaceOp
from planner.core.plan import Change, Plan
from planner.core.text import plural
from planner.ui.plan.lines import Page, change_lines
from planner.ui.plan.reasons import because_lines
from planner.ui.plan.words import name_of, one_line

NAMESPACE_SYMBOLS: dict[NamespaceOp, str] = {
    "blocked": "!",
    "unknown": "?",
    "create": "+",
    "same": "=",
}
_COLOURS: dict[NamespaceOp, str] = {
    "blocked": "red",
    "unknown": "yellow",
    "create": "green",
    "same": "dim",
}
_EXAMPLES = 3
_INDENT = 7


def namespace_lines(page: Page) -> list[str]:
    """What must exist first, and what somebody else must create; the commands for that can be copied."""
    listed = [each for each in page.plan.namespaces if each.op != "same"]
    listed.sort(key=lambda each: (list(NAMESPACE_SYMBOLS).index(each.op), each.reason, each))
    if not listed:
        return []
    images = images_in(page.plan)
    is_one = len({each.registry for each in page.plan.namespaces}) == 1
    names = {each: one_line(each.name if is_one else str(each)) for each in listed}
    widest = max(len(f"{each.kind} {names[each]}") for each in listed)
    width = min(widest, (page.style.width or 10_000) - 24)
    lines = [page.style.paint("Before anything is pushed:", "bold")]
    for (op, reason), group in groupby(listed, lambda each: (each.op, each.reason)):
        members = list(group)
        hidden = max(0, len(members) - page.limit) if page.limit and op == "create" else 0
        for each in members[: len(members) - hidden]:
            symbol = page.style.paint(NAMESPACE_SYMBOLS[op], _COLOURS[op])
            named = f"{one_line(each.kind)} {names[each]}"
            count = images.get(each, 0)
            lines.append(f"  {symbol}  {named:{width}}   for {plural(count, 'image')}")
        if hidden:
            lines.append(f"     … {hidden} more (--limit {len(members)} shows them)")
        lines += page.below(one_line(reason), _INDENT) if reason else []
        lines += _commands(members)
    return lines


def _commands(namespaces: Sequence[Namespace]) -> Iterator[str]:
    """What an administrator runs, each on a line of its own, never wrapped."""
    commands = dict.fromkeys(one_line(each.command) for each in namespaces if each.command)
    if commands:
        yield f"{'':{_INDENT}}an administrator runs:"
        yield from (f"{'':{_INDENT + 2}}{command}" for command in commands)


def images_in(plan: Plan) -> dict[Namespace, int]:
    """How many images of the plan lie in each namespace, leaving out those that are to be deleted."""
    homes = {
        (each.registry, repository): each
        for each in plan.namespaces
        for repository in each.repositories
    }
    found: dict[Namespace, int] = {}
    for change in plan.changes:
        home = homes.get((change.target.registry, change.target.repository))
        if home and change.op != "delete":
            found[home] = found.get(home, 0) + 1
    return found


def delete_lines(page: Page) -> list[str]:
    """What is to go, every single name."""
    deletes = [each for each in page.plan.changes if each.op == "delete"]
    if not deletes:
        return []
    head = page.style.paint(f"To delete ({plural(len(deletes), 'tag')}):", "red", "bold")
    return [head, *change_lines(page, sorted(deletes, key=lambda each: (each.reason, each.target)))]


def blocked_lines(page: Page) -> list[str]:
    """The reasons, each once, with the images that they keep out."""
    blocked = by_reason(page.plan)
    if not blocked:
        return []
    count = sum(map(len, blocked.values()))
    lines = [page.style.paint(f"Blocked ({count}):", "red", "bold")]
    for reason, changes in blocked.items():
        first, *more = page.below(f"{plural(len(changes), 'image')}: {one_line(reason)}", 4)
        lines += [f"  {page.style.paint('!', 'red')} {first[4:]}", *more]
        for change in changes[:_EXAMPLES]:
            lines.append(f"      {name_of(change)}")
            lines += _needed_by(page, change)
        if len(changes) > _EXAMPLES:
            lines.append(f"      … and {len(changes) - _EXAMPLES} more")
    return lines


def _needed_by(page: Page, change: Change) -> Iterator[str]:
    for line in because_lines(change)[:1]:
        yield from page.below(f"needed by {one_line(line)}", 8)


def by_reason(plan: Plan) -> dict[str, list[Change]]:
    """What is blocked, by the reason."""
    found: dict[str, list[Change]] = {}
    for change in plan.changes:
        if change.op == "blocked":
            found.setdefault(change.reason, []).append(change)
    return found
