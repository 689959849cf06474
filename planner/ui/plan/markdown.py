"""``markdown``: a plan for a comment on a pull request.

What is deleted or blocked comes first and is never left out; the rest is folded by group, and what a comment has no room
for is counted. Names and reasons stand in ``<code>``, where GitHub and GitLab mention nobody and link nothing.

Source: docs.github.com, "Organizing information with collapsed sections" (``<details>``, a blank line before Markdown in it);
cmark-gfm: references to characters make text, never markup; a comment on GitHub has at most 65,536 characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from planner.core.plan import Change, Op, Plan
from planner.core.text import plural, short_digest, size
from planner.ui.plan.figures import closing, counted, places_text
from planner.ui.plan.groups import Group, groups_of
from planner.ui.plan.lines import bytes_to_send, group_figures
from planner.ui.plan.obstacles import NAMESPACE_SYMBOLS, by_reason, images_in
from planner.ui.plan.words import (
    MEANINGS,
    SYMBOLS,
    clusters_of,
    counts,
    name_of,
    one_line,
    rewriting_texts,
)

MOST_BYTES = 60_000
_ROOM_FOR_THE_REST = 300
_KEPT_FIRST: tuple[Op, ...] = ("move", "repair", "create", "same")
_EVERYTHING = re.compile(r"[^A-Za-z0-9 ./:,+=()!?\-\u0080-\U0010ffff]|:(?=//)|(?<=www)\.")


def markdown(plan: Plan, *, everything: bool = False, most: int = MOST_BYTES) -> str:
    """The plan, in about ``most`` bytes; also what is in sync, if ``everything`` is wanted."""
    fixed = [
        f"### planner: {_title(plan)}",
        f"target: {code(places_text(plan))}",
        _summary(plan),
        *_blocked(plan),
        *_deletes(plan),
        *_namespaces(plan),
    ]
    ends = [_text(closing(plan)).replace("\n", "<br>\n")]
    used = sum(len(part.encode()) + 2 for part in (*fixed, *ends))
    wanted = [each for each in plan.changes if each.op in _KEPT_FIRST]
    wanted = [each for each in wanted if everything or each.op != "same"]
    groups, left_out = _groups(plan, wanted, most - used - _ROOM_FOR_THE_REST)
    return "\n\n".join([*fixed, *groups, *left_out, *ends]) + "\n"


def code(text: str) -> str:
    """``text`` as it is, in a line."""
    return f"<code>{_text(one_line(text))}</code>"


def _text(text: str) -> str:
    """``text`` without anything that Markdown or HTML takes for more."""
    return _EVERYTHING.sub(
        lambda found: found[0] if found[0] == "\n" else f"&#{ord(found[0])};", text
    )


def _title(plan: Plan) -> str:
    if plan.pending or not plan.changes:
        return ", ".join(counted(plan))
    return closing(plan).rstrip(".")


def _summary(plan: Plan) -> str:
    rows = ["| | | images | to send |", "| :---: | --- | ---: | ---: |"]
    for op, count in counts(plan.changes).items():
        members = [each for each in plan.changes if each.op == op]
        sent = bytes_to_send(plan, members)
        rows.append(
            f"| {SYMBOLS[op]} | {MEANINGS[op]} | {count:,} | {size(sent) if sent else ''} |"
        )
    return "\n".join(rows)


def _blocked(plan: Plan) -> Iterator[str]:
    reasons = by_reason(plan)
    if not reasons:
        return
    yield f"#### Blocked ({plan.count('blocked'):,})"
    for reason, changes in reasons.items():
        yield f"{plural(len(changes), 'image')}: {code(reason)}"
        yield "\n".join(f"- {code(str(each.target))}{_needed_by(each)}" for each in changes)


def _needed_by(change: Change) -> str:
    clusters = clusters_of(change)
    return f", needed by {', '.join(map(code, clusters))}" if clusters else ""


def _deletes(plan: Plan) -> Iterator[str]:
    deletes = [each for each in plan.changes if each.op == "delete"]
    if deletes:
        yield f"#### To delete ({len(deletes):,})"
        yield "\n".join(
            f"- {code(name_of(each))} {code(short_digest(each.current))}" for each in deletes
        )


def _namespaces(plan: Plan) -> Iterator[str]:
    """What must exist first; the commands for administrators in a block that can be copied."""
    listed = [each for each in plan.namespaces if each.op != "same"]
    if not listed:
        return
    listed.sort(key=lambda each: (list(NAMESPACE_SYMBOLS).index(each.op), each))
    images = images_in(plan)
    yield "#### Before anything is pushed"
    yield "\n".join(
        f"- {code(f'{NAMESPACE_SYMBOLS[each.op]} {each.kind} {each}')}"
        f" for {plural(images.get(each, 0), 'image')}{f': {code(each.reason)}' if each.reason else ''}"
        for each in listed
    )
    commands = list(dict.fromkeys(one_line(each.command) for each in listed if each.command))
    if commands:
        ticks = max(map(len, re.findall(r"`+", " ".join(commands))), default=0)
        fence = "`" * max(3, ticks + 1)
        yield "\n".join(["An administrator runs:", "", f"{fence}sh", *commands, fence])


def _groups(plan: Plan, changes: Iterable[Change], room: int) -> tuple[list[str], list[str]]:
    """The groups as far as there is room, and a line about what is left out: first what is least dangerous."""
    groups = groups_of(plan, changes, "repository")
    kept: set[Change] = set()
    opened: set[str] = set()
    left_out: list[Change] = []
    for op in _KEPT_FIRST:
        for group in groups:
            for change in group.changes:
                if change.op != op:
                    continue
                cost = len(_row(plan, group, change).encode()) + 1
                if group.name not in opened:
                    cost += len(_section(plan, group, ()).encode()) + 2
                if cost > room:
                    left_out.append(change)
                    room = -1
                    continue
                room -= cost
                kept.add(change)
                opened.add(group.name)
    parts = [
        _section(plan, group, [each for each in group.changes if each in kept])
        for group in groups
        if group.name in opened
    ]
    return parts, [_left_out(left_out)] if left_out else []


def _left_out(changes: Sequence[Change]) -> str:
    kinds = ", ".join(f"{count:,} {MEANINGS[op]}" for op, count in counts(changes).items())
    return (
        f"**{plural(len(changes), 'more image')}** left out, for which a comment has no room: {kinds}."
        " `planner show PLAN` shows them."
    )


def _section(plan: Plan, group: Group, changes: Sequence[Change]) -> str:
    figures = code(group_figures(plan, group.changes))
    rows = [_row(plan, group, each) for each in changes]
    table = "\n".join(["| | image | size | |", "| :---: | --- | ---: | --- |", *rows])
    return f"<details>\n<summary>{code(group.name)} {figures}</summary>\n\n{table}\n\n</details>"


def _row(plan: Plan, group: Group, change: Change) -> str:
    name = str(change.target).removeprefix(group.prefix)
    total = size(plan.total_bytes([change])) if change.is_pending else ""
    return f"| {SYMBOLS[change.op]} | {code(name)} | {total} | {_about(change)} |"


def _about(change: Change) -> str:
    match change.op:
        case "move":
            about = f"{code(short_digest(change.current))} → {code(short_digest(change.digest))}"
        case "repair":
            about = code(change.reason)
        case _:
            about = f"from {code(str(change.source))}"
    if told := next(rewriting_texts(change), ""):
        about += f", {code(told)}"
    return f"{about}{_needed_by(change)}" if len(clusters_of(change)) > 1 else about
