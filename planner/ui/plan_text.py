"""A plan as text: grouped by repository prefix, the dangerous first, the summary last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from planner import __version__
from planner.core.plan import Change, Op, Plan
from planner.core.text import plural, printable, short_digest, size
from planner.ui.style import Style

SYMBOLS: dict[Op, str] = {"create": "+", "move": "~", "repair": "r", "same": "=", "blocked": "!"}
_MEANING: dict[Op, str] = {
    "create": "create",
    "move": "move tag",
    "repair": "repair content",
    "same": "in sync",
    "blocked": "blocked",
}
_COLOURS: dict[Op, str] = {
    "create": "green",
    "move": "yellow",
    "repair": "yellow",
    "same": "dim",
    "blocked": "red",
}
_DANGER: dict[Op, int] = {"blocked": 0, "move": 1, "repair": 2, "create": 3, "same": 4}
_FEWEST_COLUMNS_FOR_DIGESTS = 100
_LINES_PER_GROUP = 20
_BLOCKED_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Detail:
    """How much to show: what is in sync (``everything``), only the summary, or only changed lines (``concise``)."""

    everything: bool = False
    summary: bool = False
    concise: bool = False


def plan_text(plan: Plan, style: Style, detail: Detail) -> str:
    """The whole text."""
    shown = [change for change in plan.changes if detail.everything or change.op != "same"]
    parts = [] if detail.concise else [_heading(plan), _legend(shown, style)]
    if not detail.summary:
        parts += [_group(plan, name, list(group), style) for name, group in _groups(shown)]
    parts += [_blocked(plan, style), *([] if detail.concise else [_why(plan)]), closing(plan)]
    return "\n\n".join(filter(None, parts)) + "\n"


def closing(plan: Plan) -> str:
    """The last paragraph: what will happen, in figures."""
    if not plan.pending:
        blocked = plan.count("blocked")
        if not plan.changes:
            return "Nothing is needed: the specs name no image."
        if blocked:
            return f"Nothing to do, but {plural(blocked, 'image')} {'is' if blocked == 1 else 'are'} blocked."
        return f"No changes. {plural(plan.count('same'), 'image')} in sync."
    parts = [
        f"{plan.count('create')} to create",
        f"{plan.count('move')} to move",
        *([f"{plan.count('repair')} to repair"] if plan.count("repair") else []),
        f"{plan.count('blocked')} blocked",
    ]
    total, to_send = plan.total_bytes(plan.pending), plan.bytes_to_send(plan.pending)
    return (
        f"Plan: {', '.join(parts)}. {plan.count('same')} in sync.\n"
        f"Transfer: {size(to_send)} of {size(total)}, after what is shared and what is there already."
    )


def places_text(plan: Plan) -> str:
    """Which registries are written, and where, when that is not their own address."""
    names = sorted(plan.targets)
    if not names:
        return "none"
    if plan.access.write_to:
        return f"{', '.join(names)} at {plan.access.write_to}"
    at = plan.access.endpoints
    return ", ".join(f"{name} at {at[name]}" if name in at else name for name in names)


def because_lines(change: Change) -> list[str]:
    """Why an image is needed: a place and a reason each."""
    return [
        f"{each.file}:{each.line}:{each.column}  {each.text}" if each.line else each.text
        for each in change.because
    ]


def _heading(plan: Plan) -> str:
    sources = plan.sources
    specs = sum(each.role not in ("config", "images") for each in plan.inputs)
    return (
        f"planner {__version__}   {plural(specs, 'spec')}   "
        f"{plural(len(sources), 'source registry', 'source registries')}\n"
        f"target: {places_text(plan)}"
    )


def _legend(changes: Iterable[Change], style: Style) -> str:
    ops = {change.op for change in changes}
    return (
        "  "
        + "   ".join(
            style.paint(f"{symbol} {_MEANING[op]}", _COLOURS[op])
            for op, symbol in SYMBOLS.items()
            if op in ops
        )
        if ops
        else ""
    )


def _groups(changes: Iterable[Change]) -> list[tuple[str, Iterator[Change]]]:
    """By the folder of the repository; the group with the most dangerous change first."""
    ordered = sorted(changes, key=lambda each: (group_of(each), _DANGER[each.op], each.target))
    groups = [(name, list(group)) for name, group in groupby(ordered, group_of)]
    groups.sort(key=lambda pair: (min(_DANGER[change.op] for change in pair[1]), pair[0]))
    return [(name, iter(group)) for name, group in groups]


def group_of(change: Change) -> str:
    """The registry and all but the last component of the repository."""
    if change.op == "blocked" and change.target == change.source:
        return f"{change.source.registry} (no place on the private registry)"
    return change.target.name.rpartition("/")[0]


def _group(plan: Plan, name: str, changes: Sequence[Change], style: Style) -> str:
    ops = (f"{symbol}{count}" for op, symbol in SYMBOLS.items() if (count := _count(changes, op)))
    to_send, total = plan.bytes_to_send(changes), plan.total_bytes(changes)
    sizes = f"   {size(total)} → {size(to_send)} to send" if total else ""
    head = f"{style.paint(printable(name), 'bold')}   {' '.join(ops)}{sizes}"
    return "\n".join([head, *_lines(plan, changes, style)])


def _lines(plan: Plan, changes: Sequence[Change], style: Style) -> Iterator[str]:
    never_hidden = [change for change in changes if _DANGER[change.op] < _DANGER["create"]]
    others = [change for change in changes if _DANGER[change.op] >= _DANGER["create"]]
    limit = len(others) if style.width is None else max(0, _LINES_PER_GROUP - len(never_hidden))
    shown = [*never_hidden, *others[:limit]]
    width = max(len(_own_name(change)) for change in shown)
    for change in shown:
        yield _line(plan, change, width, style)
    if len(others) > limit:
        yield f"     … {len(others) - limit} more (planner show PLAN | less)"


def _line(plan: Plan, change: Change, width: int, style: Style) -> str:
    symbol = style.paint(SYMBOLS[change.op], _COLOURS[change.op])
    total = size(plan.total_bytes([change])) if change.is_pending else ""
    name = f"{printable(_own_name(change)):{width}}"
    return f"  {symbol}  {name}  {total:>9}  {_about(change, style)}".rstrip()


def _about(change: Change, style: Style) -> str:
    match change.op:
        case "blocked" | "repair":
            return printable(change.reason)
        case "move":
            return f"{short_digest(change.current)} → {short_digest(change.digest)}"
        case "create" | "same":
            roomy = style.width is None or style.width >= _FEWEST_COLUMNS_FOR_DIGESTS
            digest = f"  {short_digest(change.digest)}" if roomy else ""
            return f"← {_origin(change, style)}{digest}"


def _origin(change: Change, style: Style) -> str:
    """The source; on a terminal, an ellipsis stands for what it shares with the target."""
    source = printable(str(change.source))
    own = printable(_own_name(change))
    if style.width is not None and source.endswith(f"/{own}"):
        return f"{source.removesuffix(own)}…"
    return source


def _own_name(change: Change) -> str:
    name = str(change.target)
    return name.removeprefix(f"{change.target.name.rpartition('/')[0]}/")


def _blocked(plan: Plan, style: Style) -> str:
    """The reasons, each once, with the images that they keep out."""
    by_reason: dict[str, list[Change]] = {}
    for change in plan.changes:
        if change.op == "blocked":
            by_reason.setdefault(change.reason, []).append(change)
    if not by_reason:
        return ""
    lines = [style.paint(f"Blocked ({plan.count('blocked')}):", "red", "bold")]
    for reason, changes in by_reason.items():
        lines.append(f"  ! {plural(len(changes), 'image')}: {printable(reason)}")
        for change in changes[:_BLOCKED_EXAMPLES]:
            lines.append(f"      {printable(str(change.target))}")
            lines += [f"        needed by {printable(line)}" for line in because_lines(change)[:1]]
        if len(changes) > _BLOCKED_EXAMPLES:
            lines.append(f"      … and {len(changes) - _BLOCKED_EXAMPLES} more")
    return "\n".join(lines)


def _why(plan: Plan) -> str:
    """Images and bytes by source."""
    sources = sorted(plan.sources)
    width = max((len(each) for each in (*sources, "By source")), default=0)
    rows = [f"{'By source':{width}}  create  move  blocked  in sync     to send"]
    for source in sources:
        own = [change for change in plan.changes if change.source.registry == source]
        pending = [change for change in own if change.is_pending]
        rows.append(
            f"{printable(source):{width}}  {_count(own, 'create'):6}  {_count(own, 'move'):4}"
            f"  {_count(own, 'blocked'):7}  {_count(own, 'same'):7}  {size(plan.bytes_to_send(pending)):>10}"
        )
    return "\n".join(rows) if sources else ""


def _count(changes: Iterable[Change], op: Op) -> int:
    return sum(change.op == op for change in changes)
