"""Everything about one row, as lines of label and text; the same for the pane and for the screen of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from planner.core.plan import Change, Op
from planner.core.text import plural, printable, short_digest, size
from planner.ui.cost_text import DRIFTS
from planner.ui.plan.reasons import because_lines, origin_text
from planner.ui.plan.sharing import Origin
from planner.ui.plan.words import SYMBOLS, platforms_text
from planner.ui.review.arrangement import WORDS, Row
from planner.ui.review.model import PlanModel, one_line

_LABEL_WIDTH = 11
_WHOLE_DIGEST = _LABEL_WIDTH + 71
_NARROWEST = 20
_MOST_LAYERS = 12
_PIECE = re.compile(r"[^\s/@]*(?:[/@]|\s+|$)")
_COLOURS: dict[Op, str] = {
    "blocked": "red",
    "delete": "red",
    "move": "yellow",
    "repair": "yellow",
    "create": "green",
    "same": "",
}


class _Fact(NamedTuple):
    """A label and what belongs to it; without a label it is a line of its own."""

    label: str
    text: str
    style: str = ""
    indent: int = 0


class Details(VerticalScroll):
    """Shows one row, and scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "up", show=False, id="details.up"),
        Binding("down,j", "scroll_down", "down", show=False, id="details.down"),
        Binding("home,g", "scroll_home", "top", show=False, id="details.first"),
        Binding("end,G", "scroll_end", "bottom", show=False, id="details.last"),
    ]

    def __init__(self, model: PlanModel, row: Row | None = None, *, id: str) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id)
        self._model = model
        self._row = row

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(markup=False)

    def on_resize(self) -> None:
        """Wrap anew."""
        self.show(self._row)

    def show(self, row: Row | None) -> None:
        """Show another row, from its first line."""
        if row != self._row:
            self.scroll_home(animate=False)
        self._row = row
        width = max(_NARROWEST, self.scrollable_content_region.width)
        self.query_one(Static).update(details_text(self._model, row, width))


class DetailsScreen(Screen[None]):
    """The details alone, where there is no room beside the list; ``do`` is what the list's keys do there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "back", "back", key_display="esc", id="image.back"),
        Binding("d", "hand_on('diff')", "diff", id="image.diff"),
        Binding("w", "hand_on('why')", "why", id="image.why"),
        Binding("o", "hand_on('edit')", "open the spec", id="image.edit"),
        Binding("y", "hand_on('copy')", "copy…", id="image.copy"),
    ]

    def __init__(self, model: PlanModel, row: Row, do: Callable[[str], object]) -> None:
        super().__init__()
        self._model = model
        self._row = row
        self._do = do

    def compose(self) -> ComposeResult:
        """The details and the keys."""
        yield Details(self._model, self._row, id="details")
        yield Footer(show_command_palette=False)

    def action_back(self) -> None:
        """Return to the list."""
        self.dismiss()

    def action_hand_on(self, name: str) -> None:
        """As in the list."""
        self._do(name)


def details_text(model: PlanModel, row: Row | None, width: int) -> Text:
    """The text, wrapped to ``width``; its lines are never read as markup."""
    if row is None:
        return Text(_nothing(model))
    facts = _of_group(model, row) if isinstance(row, str) else _of_change(model, row, width)
    text = Text()
    for fact in facts:
        _append(text, fact, width)
    return text


def _append(text: Text, fact: _Fact, width: int) -> None:
    indent = _LABEL_WIDTH if fact.label else fact.indent
    for number, line in enumerate(_wrapped(fact.text, width - indent)):
        text.append(f"{fact.label if number == 0 else '':{indent}}", "dim")
        text.append(f"{line}\n", fact.style)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, broken at blanks and in names after ``/`` and ``@``."""
    lines = [""]
    for line in printable(text).splitlines():
        lines += [*_broken(line, max(8, width)), ""]
    return lines[1:-1] or [""]


def _broken(line: str, width: int) -> Iterator[str]:
    current = ""
    for piece in _PIECE.findall(line):
        if current and len(current) + len(piece.rstrip()) > width:
            yield current.rstrip()
            current = ""
        current += piece
        while len(current.rstrip()) > width:
            yield current[:width]
            current = current[width:]
    yield current.rstrip()


def _of_change(model: PlanModel, index: int, width: int) -> Iterator[_Fact]:
    change = model.plan.changes[index]
    yield _Fact("", f"{SYMBOLS[change.op]} {WORDS[change.op]}", f"bold {_COLOURS[change.op]}")
    yield _Fact("", str(change.target), "bold")
    yield _Fact("", "")
    if change.reason:
        yield _Fact("reason", change.reason, _COLOURS[change.op])
    if change.drift:
        yield _Fact("drift", DRIFTS[change.drift], "yellow")
    yield from _digests(change, width)
    if change.source != change.target:
        yield _Fact("from", str(change.source))
    for each in model.plan.namespaces_for((change,)):
        yield _Fact("into", f"{each.kind} {each.name}, which is created first", "green")
    if change.kind != "image":
        yield _Fact("kind", change.kind)
    if change.platforms:
        yield _Fact("platforms", platforms_text(change))
    if change.is_pending:
        yield from _cost(model, index)
    yield _Fact("", "")
    yield from _reasons(change)
    yield from _layers(model, index)


def _digests(change: Change, width: int) -> Iterator[_Fact]:
    def said(digest: str) -> str:
        return (digest if width >= _WHOLE_DIGEST else short_digest(digest)) or "nothing"

    if change.op == "blocked" and not change.current:
        return
    if change.current == change.digest:
        yield _Fact("digest", said(change.digest))
        return
    yield _Fact("now", said(change.current))
    if change.digest:
        yield _Fact("new", said(change.digest))


def _cost(model: PlanModel, index: int) -> Iterator[_Fact]:
    total, cost = model.size(index), model.cost(index)
    if not model.blobs(index):
        return
    yield _Fact("size", f"{size(total)}, {size(cost)} to send")
    yield _Fact("layers", f"{model.blobs(index)} with configs, {_origins(model, index)}")
    if index in model.selection and cost:
        own = model.selection.own_cost(index)
        yield _Fact("", "")
        yield _Fact("", f"Without this image, {size(own)} less would be sent.", "dim")


def _origins(model: PlanModel, index: int) -> str:
    """How many blobs come in which way."""
    count = Counter(each.origin for each in model.parts(index))
    words: dict[Origin, str] = {
        "sent": "to send",
        "shared": "with other images",
        "mounted": "mounted",
        "there": "there",
    }
    return ", ".join(f"{count[origin]} {word}" for origin, word in words.items() if count[origin])


def _layers(model: PlanModel, index: int) -> Iterator[_Fact]:
    """The blobs, those to send first."""
    parts = sorted(model.parts(index), key=lambda each: (each.origin != "sent", -each.size))
    if parts:
        yield _Fact("", "")
        yield _Fact("", "layers", "bold")
    for part in parts[:_MOST_LAYERS]:
        mark, style = ("+", "green") if part.origin == "sent" else ("=", "dim")
        yield _Fact("", f"{mark} {short_digest(part.digest)}  {size(part.size):>9}", style)
        if told := origin_text(part):
            yield _Fact("", told, "dim", 4)
    if parts[_MOST_LAYERS:]:
        yield _Fact("", f"… {len(parts) - _MOST_LAYERS} more: d shows all", "dim")


def _reasons(change: Change) -> Iterator[_Fact]:
    lines = because_lines(change)
    if lines:
        yield _Fact("", "why", "bold")
    for line in lines:
        place, gap, reason = line.partition("  ")
        yield _Fact("", place if gap else line, "dim" if gap else "")
        if gap:
            yield _Fact("", reason, indent=2)


def _of_group(model: PlanModel, name: str) -> Iterator[_Fact]:
    group = model.group(name)
    yield _Fact("", name, "bold")
    yield _Fact("", "")
    for op, word in WORDS.items():
        if group.counts[op]:
            yield _Fact(f"{SYMBOLS[op]} {word}", plural(group.counts[op], "image"))
    yield _Fact("selected", f"{group.chosen:,} of {group.selectable:,}")
    if group.selectable:
        yield _Fact("size", f"{size(model.size(name))}, {size(model.cost(name))} to send")
    new = model.plan.namespaces_for(model.plan.changes[index] for index in group.members)
    for number, each in enumerate(new):
        said = f"{each.kind} {each.name}, which is created first"
        yield _Fact("" if number else "into", said, "green", _LABEL_WIDTH)
    yield _Fact("", "")
    yield _Fact("sources", ", ".join(_sources(model, group.members)))


def _sources(model: PlanModel, members: Iterable[int]) -> list[str]:
    return sorted({one_line(model.plan.changes[index].source.registry) for index in members})


def _nothing(model: PlanModel) -> str:
    if not model.plan.changes:
        return "Nothing is needed: the specs name no image."
    if model.filter_text:
        return "No image passes the filter; Esc clears it."
    return f"No changes: {plural(model.counts['same'], 'image')} in sync. f shows them."
