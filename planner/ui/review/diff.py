"""The screen of differences: what stands under a name now beside what the plan puts there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import dropwhile
from typing import Any, ClassVar, Literal, get_args

from rich.style import Style
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static

from planner.core.content import Manifest
from planner.core.errors import PlannerError
from planner.core.text import short_digest
from planner.stores.opening import Stores
from planner.ui.plan.words import SYMBOLS, one_line
from planner.ui.review.arrangement import WORDS
from planner.ui.review.clipboard import copy
from planner.ui.review.differences import (
    Side,
    annotation_lines,
    config_lines,
    json_lines,
    layer_lines,
)
from planner.ui.review.fetching import config_descriptor, config_of, manifests_now
from planner.ui.review.lines import Line, Lines
from planner.ui.review.model import PlanModel
from planner.ui.review.texts import title_line

Tab = Literal["layers", "config", "manifest", "annotations"]
TABS: tuple[Tab, ...] = get_args(Tab)
_TABS = Binding.Group("tabs", compact=True)
_AROUND = Binding.Group("context", compact=True)
_CONTEXT = 3
_MOST_CONTEXT = 50


class DiffScreen(Screen[None]):
    """Opens with what the plan knows; the registries are asked on threads, for configurations when they are looked at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,d", "back", "back", key_display="esc", id="diff.back"),
        Binding("left_square_bracket,left,h", "turn(-1)", "tab before", key_display="[", id="diff.previous", group=_TABS),
        Binding("right_square_bracket,right,l", "turn(1)", "next tab", key_display="]", id="diff.next", group=_TABS),
        Binding("1", "tab(0)", "layers", show=False, id="diff.layers"),
        Binding("2", "tab(1)", "config", show=False, id="diff.config"),
        Binding("3", "tab(2)", "manifest", show=False, id="diff.manifest"),
        Binding("4", "tab(3)", "annotations", show=False, id="diff.annotations"),
        Binding("y", "copy", "copy", id="diff.copy"),
        Binding("left_curly_bracket", "widen(-1)", "less context", key_display="{", id="diff.less", group=_AROUND),
        Binding("right_curly_bracket", "widen(1)", "more context", key_display="}", id="diff.more", group=_AROUND),
        Binding("r", "ask", "ask again", show=False, id="diff.retry"),
    ]  # fmt: skip

    class Now(Message):
        """What stands under the name, or why that is not known."""

        def __init__(self, answer: Mapping[str, Manifest] | PlannerError) -> None:
            super().__init__()
            self.answer = answer

    class Configured(Message):
        """Configurations by the digest of their manifest; a text says why one cannot be had."""

        def __init__(self, configs: Mapping[str, Mapping[str, Any] | str]) -> None:
            super().__init__()
            self.configs = configs

    def __init__(self, model: PlanModel, index: int, stores: Stores) -> None:
        super().__init__()
        self._model = model
        self._stores = stores
        self._change = model.plan.changes[index]
        self._parts = {each.digest: each for each in model.parts(index)}
        self._tab: Tab = "layers"
        self._around = _CONTEXT
        self._now: Mapping[str, Manifest] | PlannerError | None = None
        self._configs: Mapping[str, Mapping[str, Any] | str] | None = None
        self._is_asking = False

    def compose(self) -> ComposeResult:
        """What it is about, the tabs, one of them, the keys."""
        yield Static(id="title", classes="title", markup=False)
        yield Static(id="tabs", markup=False)
        yield Lines(id="difference")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Ask for what the plan does not carry."""
        self.query_one(Lines).focus()
        self.action_ask()

    def on_resize(self) -> None:
        """The title fills the line."""
        self._draw()

    @property
    def _before(self) -> Side:
        known = self._now if isinstance(self._now, Mapping) else {}
        return Side(self._change.current, known)

    @property
    def _after(self) -> Side:
        """What the plan carries; of what is in sync, what stands there."""
        change = self._change
        if change.op == "delete":
            return Side()
        if change.digest in self._model.plan.manifests:
            return Side(change.digest, self._model.plan.manifests)
        return self._before if change.digest == change.current else Side()

    def action_back(self) -> None:
        """Return."""
        self.dismiss()

    def action_turn(self, step: int) -> None:
        """To the tab beside this one."""
        self.action_tab((TABS.index(self._tab) + step) % len(TABS))

    def action_tab(self, number: int) -> None:
        """To a tab."""
        self._tab = TABS[number]
        if self._tab == "config" and self._configs is None:
            self._ask_for_configs()
        self._draw()

    def action_widen(self, step: int) -> None:
        """More or fewer lines around what differs."""
        self._around = max(0, min(self._around + step, _MOST_CONTEXT))
        self._draw()

    def action_copy(self) -> None:
        """Copy what is under the cursor, or the digest of the image."""
        value = self.query_one(Lines).value
        copy(self.app, str(value or self._change.digest or self._change.current))

    def action_ask(self) -> None:
        """Look at what stands there, unless the plan knows already."""
        self._configs = None
        if self._change.current and not self._is_asking:
            self._is_asking = True
            self._now = None
            self._look()
        if self._tab == "config":
            self._ask_for_configs()
        self._draw()

    @work(thread=True)
    def _look(self) -> None:
        """Runs on a thread of its own, where nothing may be done but to post a message."""
        answer: Mapping[str, Manifest] | PlannerError
        try:
            answer = manifests_now(self._model.plan, self._change, self._stores)
        except PlannerError as error:
            answer = error
        self.post_message(self.Now(answer))

    def on_diff_screen_now(self, message: Now) -> None:
        """Show it."""
        self._now, self._is_asking = message.answer, False
        if self._tab == "config":
            self._ask_for_configs()
        self._draw()

    def _ask_for_configs(self) -> None:
        if not self._is_asking:
            self._read_configs(self._before, self._after)

    @work(thread=True, exclusive=True, group="configs")
    def _read_configs(self, before: Side, after: Side) -> None:
        """Runs on a thread of its own, as above."""
        wanted = {each.digest: (each, False) for each in before.platforms().values()}
        is_stored = self._change.current == self._change.digest
        wanted |= {each.digest: (each, not is_stored) for each in after.platforms().values()}
        found: dict[str, Mapping[str, Any] | str] = {}
        for digest, (manifest, is_new) in wanted.items():
            if config_descriptor(manifest) is None:
                continue
            try:
                found[digest] = config_of(
                    manifest, self._change, self._model.plan, self._stores, is_new=is_new
                )
            except PlannerError as error:
                found[digest] = f"the configuration cannot be had: {error.message}"
        self.post_message(self.Configured(found))

    def on_diff_screen_configured(self, message: Configured) -> None:
        """Show them."""
        self._configs = message.configs
        self._draw()

    def _draw(self) -> None:
        self.query_one("#title", Static).update(self._title())
        self.query_one("#tabs", Static).update(self._tabs())
        self.query_one(Lines).show(tuple(self._lines()))

    def _title(self) -> Text:
        change = self._change
        name = one_line(str(change.target).removeprefix(f"{change.target.registry}/"))
        both = [one_line(short_digest(each)) for each in (change.current, change.digest)]
        said = f"now {both[0] or 'nothing'}  →  new {both[1] or 'nothing'}"
        if change.op == "blocked" or change.current == change.digest:
            said = f"now {both[0] or 'unknown'}"
        width = self.app.size.width
        return title_line(f"{SYMBOLS[change.op]} {WORDS[change.op]}   {name}", f"  {said}", width)

    def _tabs(self) -> Text:
        text = Text(" ")
        for number, name in enumerate(TABS):
            style = "reverse" if name == self._tab else "dim"
            click = Style.from_meta({"@click": f"screen.tab({number})"})
            text.append(f" {number + 1} {name.capitalize()} ", Style.parse(style) + click)
            text.append(" ")
        return text

    def _lines(self) -> Iterator[Line]:
        yield from self._state()
        before, after = self._before, self._after
        found: list[Line] = []
        match self._tab:
            case "layers":
                found = list(layer_lines(before, after, self._parts))
            case "config":
                found = list(self._config_lines(before, after))
            case "manifest":
                found = list(json_lines(before, after, self._around))
            case "annotations":
                found = list(annotation_lines(before, after))
        if not found and not self._is_asking and (before.manifests or after.manifests):
            found = [Line(f"there is no {self._tab.removesuffix('s')} to show", "dim")]
        yield from dropwhile(lambda each: not each.text, found)

    def _config_lines(self, before: Side, after: Side) -> Iterator[Line]:
        if self._configs is None:
            yield Line("asking for the configuration …", "dim")
            return
        configs = self._configs
        sides = (
            {
                name: configs[each.digest]
                for name, each in side.platforms().items()
                if each.digest in configs
            }
            for side in (before, after)
        )
        yield from config_lines(*sides)

    def _state(self) -> Iterator[Line]:
        """What keeps the one side or the other from being shown."""
        if self._is_asking:
            yield Line("asking the registry for what stands there now …", "dim")
        elif isinstance(self._now, PlannerError):
            yield Line(f"what stands there now cannot be had: {self._now.message}", "changed")
            if self._now.hint:
                yield Line(f"  {self._now.hint}", hanging=2)
            yield Line("  r asks again", "dim")
        change = self._change
        if change.op == "delete":
            yield Line(
                "The tag goes; what nothing else needs, the registry may collect later.", "bad"
            )
        elif change.op == "repair":
            yield Line(change.reason, "changed", hanging=2)
        elif change.op == "blocked":
            yield Line(f"blocked: {change.reason}", "bad", hanging=2)
            if not change.current:
                yield Line(
                    "The plan carries no content of it, so there is nothing to compare.", "dim"
                )
