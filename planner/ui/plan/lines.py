"""A group of changes as lines that suit a terminal's width; in a pipe, whole ones that can be searched.

Names are never cut: what does not fit beside them is left out, and reasons go below.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from planner.core.plan import Change, Plan
from planner.core.text import short_digest, size
from planner.ui.cost_text import drift_mark
from planner.ui.plan.groups import Group
from planner.ui.plan.words import (
    COLOURS,
    SYMBOLS,
    clusters_of,
    counts,
    name_of,
    one_line,
    rewriting_texts,
)
from planner.ui.style import Style

LINES = 20
_NEVER_HIDDEN = frozenset({"delete", "blocked"})
_FEWEST_COLUMNS_FOR_DIGESTS = 100
_MARGIN, _SIZE, _GAP = 5, 9, 2
_NAMED_CLUSTERS = 3
_FEWEST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Page:
    """Where lines are written to: how, and how many for each group (None: all)."""

    plan: Plan
    style: Style
    limit: int | None = None

    @property
    def is_roomy(self) -> bool:
        """Whether there is room for digests."""
        return self.style.width is None or self.style.width >= _FEWEST_COLUMNS_FOR_DIGESTS

    def fits(self, text: str, used: int = 0) -> bool:
        """Whether ``text`` fits on a line of which ``used`` columns are taken."""
        return self.style.width is None or used + len(text) <= self.style.width

    def below(self, text: str, indent: int) -> list[str]:
        """``text`` on lines of its own; on a terminal, as long as its width allows, with words kept whole."""
        pad = " " * indent
        if self.style.width is None:
            return [pad + text]
        width = max(self.style.width, indent + 20)
        return textwrap.wrap(
            text,
            width,
            initial_indent=pad,
            subsequent_indent=pad,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def shown(self, changes: Sequence[Change]) -> tuple[Sequence[Change], Sequence[Change]]:
        """What is listed, and what is only counted: never what is deleted or blocked."""
        if self.limit is None:
            return changes, ()
        safe = [each for each in changes if each.op not in _NEVER_HIDDEN]
        room = max(0, self.limit - (len(changes) - len(safe)))
        hidden = safe[room:]
        return changes[: len(changes) - len(hidden)], hidden


def group_lines(page: Page, group: Group) -> list[str]:
    """The heading of a group, and its changes."""
    shown, hidden = page.shown(group.changes)
    origin = _shared_origin(group) if page.style.width is not None else ""
    lines = [*_heading(page, group), *([f"  ← {origin}"] if origin else [])]
    lines += change_lines(page, shown, prefix=group.prefix, is_from_one=bool(origin))
    if hidden:
        kinds = " ".join(f"{SYMBOLS[op]}{count}" for op, count in counts(hidden).items())
        lines.append(
            f"     … {len(hidden)} more: {kinds} (--limit {len(group.changes)} shows them)"
        )
    return lines


def change_lines(
    page: Page, changes: Sequence[Change], *, prefix: str = "", is_from_one: bool = False
) -> Iterator[str]:
    """A line for each change, or several; without the ``prefix`` of their names.

    ``is_from_one``: their common source stands somewhere else.
    """
    most = (page.style.width or 10_000) - _MARGIN - _GAP - _SIZE
    names = {each: name_of(each).removeprefix(one_line(prefix)) for each in changes}
    column = max((len(name) for name in names.values() if len(name) <= most), default=0)
    has_sizes = any(each.is_pending and each.op != "delete" for each in changes)
    for (_, reason), same in groupby(changes, lambda each: (each.op, _told(each))):
        members = list(same)
        used = _MARGIN + column + (_GAP + _SIZE if has_sizes else 0) + _GAP
        is_inline = page.style.width is None or (
            len(members) == 1 and not members[0].source_digest and page.fits(reason, used)
        )
        for change in members:
            choices = _choices(page, change, names[change], is_from_one=is_from_one)
            fitting = next((each for each in choices if page.fits(each, used)), "")
            beside = reason if is_inline else ""
            about = _joined(fitting, beside) if change.source_digest else beside or fitting
            yield _line(page, change, f"{names[change]:{column}}", about, has_sizes=has_sizes)
        if reason and not is_inline:
            yield from page.below(reason, _MARGIN + _GAP)


def _line(page: Page, change: Change, name: str, about: str, *, has_sizes: bool) -> str:
    symbol = page.style.paint(SYMBOLS[change.op], COLOURS[change.op])
    pending = change.is_pending and change.op != "delete"
    total = size(page.plan.total_bytes([change])) if pending else ""
    sizes = f"  {total:>{_SIZE}}" if has_sizes else ""
    return f"  {symbol}{drift_mark(change)} {name}{sizes}  {about}".rstrip()


def _told(change: Change) -> str:
    """The reason of a change that has one to tell."""
    has_one = (
        change.op in ("blocked", "repair", "delete") or change.subject or change.wanted_platforms
    )
    return one_line(change.reason) if has_one else ""


def _choices(page: Page, change: Change, name: str, *, is_from_one: bool) -> Iterator[str]:
    """What may stand beside a name, the most telling first; that an index is another one, as long as there is room."""
    rewritings = list(rewriting_texts(change))
    others = list(_plain_choices(page, change, name, is_from_one=is_from_one))
    for told in rewritings:
        yield from (_joined(each, told) for each in others)
        yield told
    yield from others


def _plain_choices(page: Page, change: Change, name: str, *, is_from_one: bool) -> Iterator[str]:
    needed = _needed_by(change, None if page.style.width is None else _NAMED_CLUSTERS)
    if change.op in ("blocked", "repair") or change.subject:
        yield needed
    elif change.op == "delete":
        yield from (short_digest(change.current), _digits(change.current))
    elif change.op == "move":
        before, after = change.current, change.digest
        whole = f"{short_digest(before)} → {short_digest(after)}"
        yield from (_joined(whole, needed), whole, f"{_digits(before)} → {_digits(after)}")
    else:
        digest = short_digest(change.digest) if page.is_roomy else ""
        origins = [""] if is_from_one else list(_origins(page, change, name))
        for origin in origins:
            yield from (_joined(origin, digest, needed), _joined(origin, needed))
        yield from (needed, *origins)


def _origins(page: Page, change: Change, name: str) -> Iterator[str]:
    """The source; on a terminal, an ellipsis stands for what it shares with the target."""
    source = one_line(str(change.source))
    if page.style.width is not None and source.endswith(f"/{name}"):
        yield f"← {source.removesuffix(name)}…"
    else:
        yield f"← {source}"
    if page.style.width is not None:
        yield f"← {one_line(change.source.registry)}/…"


def _needed_by(change: Change, most: int | None) -> str:
    """The clusters that share it; empty when it is needed by one alone."""
    clusters = clusters_of(change)
    if len(clusters) < 2:
        return ""
    named, more = clusters[:most], len(clusters[most:]) if most else 0
    return f"needed by {', '.join(named)}{f' and {more} more' if more else ''}"


def _heading(page: Page, group: Group) -> Iterator[str]:
    name, figures = one_line(group.name), group_figures(page.plan, group.changes)
    bold = page.style.paint(name, "bold")
    if page.fits(figures, len(name) + 3):
        yield f"{bold}   {figures}"
    elif len(group.changes) > 1:
        yield from (bold, f"  {figures}")
    else:
        yield bold  # its only line says the same


def group_figures(plan: Plan, changes: Sequence[Change]) -> str:
    """How many changes of each kind, and bytes."""
    kinds = " ".join(f"{SYMBOLS[op]}{count}" for op, count in counts(changes).items())
    to_send, total = bytes_to_send(plan, changes), plan.total_bytes(pending(changes))
    if not total:
        return kinds
    whole = f"{size(total)} → " if to_send != total else ""
    return f"{kinds}   {whole}{size(to_send)} to send"


def pending(changes: Iterable[Change]) -> list[Change]:
    """Those that are to be carried out: what is in sync may share content with them."""
    return [each for each in changes if each.is_pending]


def bytes_to_send(plan: Plan, changes: Iterable[Change]) -> int:
    """What must cross for the pending ones of some changes."""
    return plan.bytes_to_send(pending(changes))


def _shared_origin(group: Group) -> str:
    """Where all of a group comes from under the same names; empty when there is no such place."""
    if not group.prefix:
        return ""
    origins = {_origin(change, group.prefix) for change in group.changes}
    return one_line(origins.pop()) if len(origins) == 1 else ""


def _origin(change: Change, prefix: str) -> str:
    source, name = str(change.source), str(change.target).removeprefix(prefix)
    is_same = change.has_place and source.endswith(f"/{name}")
    return source.removesuffix(f"/{name}") if is_same else ""


def _joined(*parts: str) -> str:
    return "  ".join(filter(None, parts))


def _digits(digest: str) -> str:
    return digest.partition(":")[2][:_FEWEST_DIGITS]


def plain_lines(page: Page, changes: Iterable[Change]) -> list[str]:
    """A line for each change with its whole name, and its reason if it has one."""
    return [
        f"  {page.style.paint(SYMBOLS[each.op], COLOURS[each.op])}{drift_mark(each)} {name_of(each)}  {_told(each)}".rstrip()
        for each in changes
    ]
