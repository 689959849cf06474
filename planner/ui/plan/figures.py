"""A plan in figures: its heading, its tables, and the paragraph that it ends with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from planner import __version__
from planner.core.cost import Pace
from planner.core.plan import Change, Op, Plan
from planner.core.text import plural, size
from planner.specs import NAMES
from planner.ui.cost_text import transfer_line
from planner.ui.plan.lines import bytes_to_send
from planner.ui.plan.words import COLOURS, MEANINGS, SYMBOLS, clusters_of, counts, one_line
from planner.ui.style import Style

if TYPE_CHECKING:  # it knows registries, which a saved plan needs not
    from planner.pulls import Pulls

_UNLIMITED = 10_000
_COLUMNS: dict[Op, str] = {
    "create": "create",
    "move": "move",
    "repair": "repair",
    "blocked": "blocked",
    "same": "in sync",
}


def heading(plan: Plan) -> str:
    """What was compared with what."""
    specs = sum(each.role in NAMES for each in plan.inputs)
    sources = plural(len(plan.sources), "source registry", "source registries")
    return (
        f"planner {__version__}   {plural(specs, 'spec')}   {sources}\n"
        f"target: {places_text(plan)}{_not_asked(plan)}"
    )


def legend(changes: Iterable[Change], style: Style) -> str:
    """The symbols that are used, and what they mean."""
    lines: list[list[str]] = [[]]
    room = left = (style.width or _UNLIMITED) - 2
    for op in counts(changes):
        words = f"{SYMBOLS[op]} {MEANINGS[op]}"
        if len(words) > left:
            lines.append([])
            left = room
        left -= len(words) + 3
        lines[-1].append(style.paint(words, COLOURS[op]))
    return "\n".join(f"  {'   '.join(words)}" for words in lines if words)


def places_text(plan: Plan) -> str:
    """Which registries are written, and where, when that is not their own address."""
    products = {each.registry: each.product for each in plan.namespaces if each.product}
    names = {
        each: f"{each} ({products[each]})" if each in products else each
        for each in sorted(plan.targets)
    }
    if not names:
        return "none"
    if plan.access.write_to:
        return one_line(f"{', '.join(names.values())} at {plan.access.write_to}")
    at = plan.access.endpoints
    return one_line(
        ", ".join(f"{said} at {at[name]}" if name in at else said for name, said in names.items())
    )


def _not_asked(plan: Plan) -> str:
    """The registries that inventories answered for."""
    files: dict[str, list[str]] = {}
    for registry, file in plan.access.inventories.items():
        files.setdefault(file, []).append(registry)
    said = (f"as {file} has it, not asked: {', '.join(each)}" for file, each in files.items())
    return "".join(f"\n{one_line(each)}" for each in said)


def tables(plan: Plan, width: int | None = None) -> list[str]:
    """Images and bytes by source, and by cluster when there are several; with symbols for words where these do not fit."""
    copied = [each for each in plan.changes if each.op != "delete"]
    sources = {
        registry: [each for each in copied if each.source.registry == registry]
        for registry in sorted(plan.sources)
    }
    clusters = {each: clusters_of(each) for each in copied}
    names = sorted({name for of_one in clusters.values() for name in of_one})
    by_cluster = {name: [each for each in copied if name in clusters[each]] for name in names}
    if shared := [each for each in copied if len(clusters[each]) > 1]:
        by_cluster["shared by several"] = shared
    wanted = {"By source": sources, "By cluster": by_cluster if len(names) > 1 else {}}
    return [_fitting(plan, title, rows, width) for title, rows in wanted.items() if rows]


def _fitting(
    plan: Plan, title: str, rows: Mapping[str, Sequence[Change]], width: int | None
) -> str:
    table = _table(plan, title, rows, _COLUMNS)
    is_too_wide = width is not None and len(table.partition("\n")[0]) > width
    return _table(plan, title, rows, SYMBOLS) if is_too_wide else table


def _table(
    plan: Plan, title: str, rows: Mapping[str, Sequence[Change]], heads: Mapping[Op, str]
) -> str:
    """Columns that would hold nothing but zeros are left out."""
    used = counts(change for changes in rows.values() for change in changes)
    ops = [op for op in _COLUMNS if op in used]
    cells = [[title, *(heads[op] for op in ops), *(["to send"] if plan.pending else [])]]
    for name, changes in rows.items():
        numbers, sent = counts(changes), size(bytes_to_send(plan, changes))
        figures = [str(numbers.get(op, 0)) for op in ops]
        cells.append([one_line(name), *figures, *([sent] if plan.pending else [])])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([f"{row[0]:{widths[0]}}", *map(str.rjust, row[1:], widths[1:])]) for row in cells
    )


def limits(pulls: Iterable[Pulls]) -> str:
    """What sources that count pulls allow."""
    return "\n".join(_limit(each) for each in pulls)


def _limit(pulls: Pulls) -> str:
    quota = pulls.quota
    used = f"Pulls from {one_line(pulls.registry)}: {pulls.used:,} used by this plan"
    if quota is None:
        return f"{used}; its limit is reached, {plural(pulls.waiting, 'image')} must wait."
    hours = f" in {quota.window / 3600:g} h" if quota.window else ""
    said = f"{used}, {quota.remaining:,} of {quota.limit:,}{hours} left; applying it takes none."
    if pulls.waiting:
        windows = plural(max(1, quota.windows_for(pulls.waiting)), "further window")
        said += f" {plural(pulls.waiting, 'image')} must wait: at least {windows}."
    return said


def closing(plan: Plan, pace: Pace | None = None) -> str:
    """The last paragraph: what will happen, in figures; ``pace`` is how fast it may go."""
    if not plan.pending:
        blocked = plan.count("blocked")
        if not plan.changes:
            return "Nothing is needed: the specs name no image."
        if blocked:
            return f"Nothing to do, but {plural(blocked, 'image')} {'is' if blocked == 1 else 'are'} blocked."
        return f"No changes. {plural(plan.count('same'), 'image')} in sync."
    lines = [
        f"Plan: {', '.join(counted(plan))}. {plan.count('same')} in sync.",
        transfer_line(plan, pace),
        *_left_out(plan),
    ]
    return "\n".join(lines)


def _left_out(plan: Plan) -> Iterator[str]:
    """What does not come along."""
    if count := sum(bool(each.left_out) for each in plan.manifests.values()):
        has = "image has" if count == 1 else "images have"
        yield f"{count} {has} layers that must not be distributed: nodes get these from where they come from."
    if rewritten := sum(bool(each.source_digest) for each in plan.pending):
        images = "1 image is" if rewritten == 1 else f"{rewritten:,} images are"
        yield f"{images} rewritten for fewer platforms: what nodes get has another digest than the source."
    if not plan.referrers and (plan.count("create") or plan.count("move")):
        yield "Signatures and SBOMs are not looked for; --referrers takes them along."


def counted(plan: Plan) -> list[str]:
    """What a plan would do, in figures."""
    new = plural(sum(each.op == "create" for each in plan.namespaces), "namespace")
    return [
        *([] if new.startswith("0") else [new]),
        f"{plan.count('create')} to create",
        f"{plan.count('move')} to move",
        *([f"{plan.count('repair')} to repair"] if plan.count("repair") else []),
        *([f"{plan.count('delete')} to delete"] if plan.count("delete") else []),
        f"{plan.count('blocked')} blocked",
    ]
