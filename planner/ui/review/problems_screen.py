"""The screen of problems: what is blocked, and beside it what lint finds in the specs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static

from planner.config import Config
from planner.core.errors import PlannerError
from planner.core.family import Because
from planner.core.lint import Finding, Severity
from planner.core.text import plural
from planner.ui.plan.words import name_of, one_line
from planner.ui.review.clipboard import copy
from planner.ui.review.editor import first_place, open_in_editor
from planner.ui.review.lines import Line, Lines, Look
from planner.ui.review.model import PlanModel
from planner.ui.review.problems import Report, causes, lint_report
from planner.ui.review.texts import title_line

_LOOKS: dict[Severity, Look] = {
    Severity.ERROR: "bad",
    Severity.WARNING: "changed",
    Severity.INFO: "plain",
}


class ProblemsScreen(Screen[int | None]):
    """Its result is the change to go to, by index."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,p", "back", "back", key_display="esc", id="problems.back"),
        Binding("enter", "go", "go", key_display="enter", id="problems.go"),
        Binding("o", "open", "edit", id="problems.open"),
        Binding("tab,shift+tab,l,h,left,right", "other", "other side", key_display="tab", id="problems.other"),
        Binding("1", "pane('blocked')", "blocked", show=False, id="problems.blocked"),
        Binding("2", "pane('findings')", "lint", show=False, id="problems.findings"),
        Binding("y", "copy", "copy", id="problems.copy"),
    ]  # fmt: skip

    class Linted(Message):
        """What lint says, or why it says nothing."""

        def __init__(self, answer: Report | PlannerError) -> None:
            super().__init__()
            self.answer = answer

    def __init__(self, model: PlanModel, config: Config) -> None:
        super().__init__()
        self._model = model
        self._config = config

    def compose(self) -> ComposeResult:
        """Two lists beside each other, or one above the other where it is narrow."""
        yield Static(id="title", classes="title", markup=False)
        with Horizontal(id="problems"):
            blocked = Lines(tuple(self._blocked()), id="blocked")
            blocked.border_title = f"Blocked ({self._model.counts['blocked']:,})"
            yield blocked
            findings = Lines((Line("linting …", "dim"),), id="findings")
            findings.border_title = "Lint"
            yield findings
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with what is blocked, if anything is."""
        self.query_one("#blocked", Lines).focus()
        self._lint()

    def on_resize(self) -> None:
        """The title fills the line."""
        title = title_line("problems", f"plan {self._model.short_id}", self.app.size.width)
        self.query_one("#title", Static).update(title)

    @property
    def _pane(self) -> Lines:
        has_focus = self.query_one("#findings", Lines).has_focus
        return self.query_one("#findings" if has_focus else "#blocked", Lines)

    def action_back(self) -> None:
        """Return."""
        self.dismiss(None)

    def action_other(self) -> None:
        """To the other list."""
        other = "#blocked" if self._pane.id == "findings" else "#findings"
        self.query_one(other, Lines).focus()

    def action_pane(self, name: str) -> None:
        """To one of the lists."""
        self.query_one(f"#{name}", Lines).focus()

    @on(Lines.Chosen)
    def action_go(self) -> None:
        """To the row of what is blocked; to the place of a finding."""
        value = self._pane.value
        if isinstance(value, int):
            self.dismiss(value)
        else:
            self.action_open()

    def action_open(self) -> None:
        """Open the spec at the place that the line is about."""
        value = self._pane.value
        if isinstance(value, int):
            open_in_editor(self.app, first_place(self._model.plan.changes[value].because))
        elif isinstance(value, tuple):
            open_in_editor(self.app, _place(value[0]))

    def action_copy(self) -> None:
        """Copy the finding, or why something is blocked."""
        value = self._pane.value
        if isinstance(value, int):
            change = self._model.plan.changes[value]
            copy(self.app, f"{change.target}: {change.reason}")
        elif isinstance(value, tuple):
            copy(self.app, value[1])

    @work(thread=True)
    def _lint(self) -> None:
        """Runs on a thread of its own, where nothing may be done but to post a message."""
        answer: Report | PlannerError
        try:
            answer = lint_report(self._model.plan, self._config)
        except PlannerError as error:
            answer = error
        self.post_message(self.Linted(answer))

    def on_problems_screen_linted(self, message: Linted) -> None:
        """Show it."""
        pane = self.query_one("#findings", Lines)
        if isinstance(message.answer, Report):
            pane.border_title = f"Lint ({len(message.answer.findings):,})"
            pane.show(tuple(_lint_lines(message.answer)))
        else:
            error = message.answer
            pane.show((Line(error.message, "bad"), Line(error.hint)))
        if not self._model.counts["blocked"] and pane.value is not None:
            pane.focus()

    def _blocked(self) -> Iterator[Line]:
        found = causes(self._model.plan)
        if not found:
            yield Line("Nothing is blocked.", "good")
        for number, cause in enumerate(found):
            if number:
                yield Line("")
            count = plural(len(cause.members), "image")
            yield Line(f"{count}: {one_line(cause.reason)}", "bad", hanging=2)
            yield from (Line(f"  → {one_line(step)}", hanging=4) for step in cause.steps)
            for index in cause.members:
                yield Line(f"! {name_of(self._model.plan.changes[index])}", value=index, hanging=4)


def _lint_lines(report: Report) -> Iterator[Line]:
    yield from (Line(f"note: {each}", "changed", hanging=2) for each in report.notes)
    if not report.findings:
        yield (
            Line("No findings in what could be read.", "dim")
            if report.notes
            else Line("No findings.", "good")
        )
    for number, (finding, text) in enumerate(report.findings):
        if number or report.notes:
            yield Line("")
        head, _, rest = text.partition("\n")
        yield Line(head, _LOOKS[finding.severity], (finding, text), hanging=2)
        yield from (Line(line, hanging=4) for line in rest.splitlines())


def _place(finding: Finding) -> Because:
    return Because(finding.file, finding.span.line, finding.span.column, finding.message)
