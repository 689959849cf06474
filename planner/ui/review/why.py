"""The screen that says why an image is in the plan: from its name up to the lines of specs and the rules that ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from planner.core.family import Because
from planner.ui.plan.reasons import Branch, derivation, drawn
from planner.ui.plan.words import SYMBOLS, name_of
from planner.ui.review.arrangement import WORDS
from planner.ui.review.clipboard import copy
from planner.ui.review.editor import first_place, open_in_editor
from planner.ui.review.lines import Line, Lines
from planner.ui.review.model import PlanModel
from planner.ui.review.texts import title_line


class WhyScreen(Screen[None]):
    """The tree that ``planner show --why`` prints, whose places in specs can be opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w", "back", "back", key_display="esc", id="why.back"),
        Binding("enter,o", "open", "edit the spec", key_display="enter", id="why.open"),
        Binding("y", "copy", "copy the place", id="why.copy"),
    ]

    def __init__(self, model: PlanModel, index: int) -> None:
        super().__init__()
        self._change = model.plan.changes[index]
        self._branches = derivation(model.plan, self._change, model.parts(index))

    def compose(self) -> ComposeResult:
        """The tree and the keys."""
        yield Static(id="title", classes="title", markup=False)
        yield Lines(tuple(self._lines()), id="why")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Go to the first place."""
        self.query_one(Lines).focus()

    def on_resize(self) -> None:
        """The title fills the line."""
        left = (
            f"why   {SYMBOLS[self._change.op]} {WORDS[self._change.op]}   {name_of(self._change)}"
        )
        self.query_one("#title", Static).update(title_line(left, "", self.app.size.width))

    def action_back(self) -> None:
        """Return."""
        self.dismiss()

    @on(Lines.Chosen)
    def action_open(self) -> None:
        """Open the spec where the line under the cursor says."""
        place = self.query_one(Lines).value
        open_in_editor(
            self.app, place if isinstance(place, Because) else first_place(self._change.because)
        )

    def action_copy(self) -> None:
        """Copy FILE:LINE:COLUMN."""
        place = self.query_one(Lines).value
        if isinstance(place, Because):
            copy(
                self.app, f"{place.file}:{place.line}:{place.column}" if place.line else place.file
            )
        else:
            self.notify("no place in a file is behind this", markup=False)

    def _lines(self) -> Iterator[Line]:
        yield Line(name_of(self._change), "bold")
        for text, branch in drawn(self._branches):
            hanging = len(text) - len(branch.text) + 2
            yield Line(text, "bold" if branch.below else "plain", _place(branch), hanging)
        if not self._change.because:
            yield Line("")
            said = "no spec needs it" if self._change.op == "delete" else "the plan names no reason"
            yield Line(said, "dim")


def _place(branch: Branch) -> Because | None:
    """The place in a file, when there is one: the lists of releases are no files."""
    place = branch.place
    return place if place and place.line else None
