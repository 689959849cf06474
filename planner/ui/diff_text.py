"""A difference for people and for programs: text, Markdown and ``planner.diff/1``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from planner.core.difference import Changed, Difference, Item
from planner.core.plan import Op
from planner.core.text import short_digest
from planner.ui.plan.markdown import MOST_BYTES, code
from planner.ui.plan.words import MEANINGS, one_line
from planner.ui.style import Style

FORMAT = "planner.diff/1"
_OWN = 5
_REASONS = 3
_WORDS = {
    "op": "is",
    "current": "there now",
    "reason": "because",
    "clusters": "clusters",
}


def as_text(names: Sequence[str], difference: Difference, style: Style) -> str:
    """What is added, removed and changed, each with its reasons; the figures last."""
    sections = [
        [f"{one_line(names[0])} → {one_line(names[1])}"],
        list(_inputs(difference)),
        _section("Removed", "-", "red", map(_item_lines, difference.removed), style),
        _section("Changed", "~", "yellow", map(_changed_lines, difference.changed), style),
        _section("Added", "+", "green", map(_item_lines, difference.added), style),
        [_figures(difference)],
    ]
    return "\n\n".join("\n".join(each) for each in sections if each) + "\n"


def _section(
    title: str, symbol: str, colour: str, blocks: Iterator[list[str]], style: Style
) -> list[str]:
    listed = list(blocks)
    lines = [style.paint(f"{title} ({len(listed)}):", "bold")] if listed else []
    for head, *below in listed:
        lines.append(f"  {style.paint(symbol, colour)}  {head}")
        lines += [f"{'':{_OWN}}  {line}" for line in below]
    return lines


def _item_lines(item: Item) -> list[str]:
    """Its name, where it comes from, what a plan says of it, and why it is needed."""
    head = one_line(item.name) if item.target else f"{one_line(item.name)} (no mirror)"
    origin = [f"← {one_line(item.source)}"] if item.target not in ("", item.source) else []
    said = [MEANINGS[item.op]] if item.op else []
    said += [one_line(item.reason)] if item.reason else []
    return [head, *origin, *([": ".join(said)] if said else []), *_reasons(item)]


def _changed_lines(changed: Changed) -> list[str]:
    return [
        one_line(changed.before.name) + _other_version(changed),
        *(f"{words}: {before} → {after}" for words, before, after in _pairs(changed)),
        *_reasons(changed.after),
    ]


def _other_version(changed: Changed) -> str:
    """The tag or digest that it becomes; empty when the name stays."""
    if "target" not in changed.fields:
        return ""
    repository = changed.after.repository[1] or changed.after.repository[2]
    return f" → {one_line(changed.after.name.removeprefix(repository).lstrip(':@'))}"


def _pairs(changed: Changed) -> Iterator[tuple[str, str, str]]:
    """What differs, in words: a field, what it was, and what it is."""
    fields = changed.fields
    if "target" in fields:
        # Of another version, all that names it is another.
        fields = tuple(
            each for each in fields if each not in ("target", "source", "digest", "current")
        )
    for field in fields:
        one, other = _said(changed.before, field), _said(changed.after, field)
        yield _WORDS.get(field, field), one, other


def _said(item: Item, field: str) -> str:
    match field:
        case "clusters":
            return one_line(", ".join(item.clusters)) or "none"
        case "platforms":
            return one_line(", ".join(item.platforms)) or "all"
        case "op":
            return MEANINGS[item.op] if item.op else "needed"
        case "digest" | "current":
            return short_digest(one_line(getattr(item, field))) or "nothing"
        case _:
            return one_line(str(getattr(item, field))) or "nothing"


def _reasons(item: Item) -> list[str]:
    """The first reasons, with their places."""
    lines = [
        one_line(f"{each.file}:{each.line}:{each.column}  {each.reason}")
        if each.line
        else one_line(f"{each.file}  {each.reason}")
        for each in item.because
    ]
    more = len(lines) - _REASONS
    return [*lines[:_REASONS], f"… and {more} more reasons"] if more > 1 else lines


def _inputs(difference: Difference) -> Iterator[str]:
    if difference.inputs:
        yield "Files:"
        yield from (f"  {change:7}  {one_line(path)}" for path, change in difference.inputs.items())


def _figures(difference: Difference) -> str:
    if difference.is_empty:
        return f"No difference. {difference.unchanged} as before."
    counts = (len(difference.added), len(difference.removed), len(difference.changed))
    return "{} added, {} removed, {} changed. {} as before.".format(*counts, difference.unchanged)


def as_json(names: Sequence[str], difference: Difference) -> str:
    """``planner.diff/1``."""
    document = {
        "format": FORMAT,
        "before": names[0],
        "after": names[1],
        "added": [_document(each) for each in difference.added],
        "removed": [_document(each) for each in difference.removed],
        "changed": [
            {
                "fields": list(each.fields),
                "before": _document(each.before),
                "after": _document(each.after),
            }
            for each in difference.changed
        ],
        "unchanged": difference.unchanged,
        "inputs": [{"path": path, "change": change} for path, change in difference.inputs.items()],
        "differs": not difference.is_empty,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _document(item: Item) -> dict[str, object]:
    op: Op | None = item.op or None
    return {
        "target": item.target or None,
        "source": item.source,
        "kind": item.kind,
        "op": op,
        "digest": item.digest,
        "current": item.current,
        "reason": item.reason,
        "clusters": list(item.clusters),
        "platforms": list(item.platforms),
        "because": [each._asdict() for each in item.because],
    }


def as_markdown(names: Sequence[str], difference: Difference) -> str:
    """For a comment: figures, and a folded list for each kind; what there is no room for is counted."""
    parts = [
        f"### planner: {_figures(difference).rstrip('.')}",
        f"{code(names[0])} → {code(names[1])}",
    ]
    if difference.inputs:
        files = (f"- {change}: {code(path)}" for path, change in difference.inputs.items())
        parts.append("\n".join(files))
    room = MOST_BYTES - sum(len(each.encode()) + 2 for each in parts)
    for title, blocks in (
        ("Removed", [_item_lines(each) for each in difference.removed]),
        ("Changed", [_changed_lines(each) for each in difference.changed]),
        ("Added", [_item_lines(each) for each in difference.added]),
    ):
        if blocks:
            section = _folded(title, blocks, room)
            room -= len(section.encode()) + 2
            parts.append(section)
    return "\n\n".join(parts) + "\n"


def _folded(title: str, blocks: Sequence[list[str]], room: int) -> str:
    """As many of the blocks as there is room for; the least that is kept is how many there are."""
    lines: list[str] = []
    used, kept = 400, 0
    for head, *below in blocks:
        block = [f"- {code(head)}", *(f"  - {code(line)}" for line in below)]
        used += sum(len(line.encode()) + 1 for line in block)
        if used > room:
            break
        lines += block
        kept += 1
    if kept < len(blocks):
        lines.append(f"- **{len(blocks) - kept:,} more**, for which a comment has no room")
    listed = "\n".join(lines)
    return f"<details open>\n<summary>{title} ({len(blocks):,})</summary>\n\n{listed}\n\n</details>"
