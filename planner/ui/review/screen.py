"""The main screen of the review: figures, list, details, filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from planner.core.errors import PlannerError
from planner.core.plan import Change
from planner.core.text import plural
from planner.stores.opening import Stores
from planner.ui.plan.figures import places_text
from planner.ui.review.arrangement import Grouping, Row, Sorting
from planner.ui.review.confirm import Confirm
from planner.ui.review.copy_menu import CopyMenu
from planner.ui.review.details import Details, DetailsScreen
from planner.ui.review.dialogs import CheckTarget, Notice, problem
from planner.ui.review.diff import DiffScreen
from planner.ui.review.editor import first_place, open_in_editor
from planner.ui.review.figures import figures
from planner.ui.review.filter_line import FilterLine
from planner.ui.review.list import PlanList
from planner.ui.review.model import PlanModel, one_line
from planner.ui.review.question import Checked
from planner.ui.review.refusals import also_touched, why_not_apply, why_not_choose
from planner.ui.review.texts import title_line
from planner.ui.review.why import WhyScreen

_SMALLEST = (60, 16)
_ALL_BUT_ALONE = 2
_WIDTHS = ("-no-details", "", "-wide-details", "-only-details")
_TOO_SMALL = "The terminal is too small for the review (60 x 16).\n\nplanner show PLAN prints the plan.\n\nq quits."


class ReviewScreen(Screen[None]):
    """Keys and what they do; the state is the model's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "select", id="review.select"),
        Binding("A", "choose_all", "select all or none", show=False, id="review.all"),
        Binding("enter", "open", "open", key_display="enter", show=False, id="review.open"),
        # Before the list has its turn: the letters that come with it in one burst are meant for the filter.
        Binding("slash", "filter", "filter", key_display="/", priority=True, id="review.filter"),
        Binding("escape", "back", "clear the filter, or back", show=False, id="review.back"),
        Binding("v", "group", "group by the next thing", show=False, id="review.group"),
        Binding("s", "sort", "sort by the next thing", show=False, id="review.sort"),
        Binding("d", "diff", "diff", id="review.diff"),
        Binding("w", "why", "why", id="review.why"),
        Binding("p", "problems", "problems", id="review.problems"),
        Binding("o", "edit", "open the spec in the editor", show=False, id="review.edit"),
        Binding("f", "same", "show or hide in-sync rows", show=False, id="review.same"),
        Binding("n", "problem(1)", "next row that needs a look", show=False, id="review.next"),
        Binding("N", "problem(-1)", "the one before", show=False, id="review.previous"),
        Binding("y", "copy", "copy…", show=False, id="review.copy"),
        Binding("1", "pane('list')", "to the list", show=False, id="review.list"),
        Binding("2", "pane('details')", "to the details", show=False, id="review.details"),
        Binding("3", "filter", "to the filter", show=False, id="review.terms"),
        Binding("plus", "widen(1)", "wider details", show=False, id="review.wider"),
        Binding("underscore", "widen(-1)", "narrower details", show=False, id="review.narrower"),
        Binding("a", "apply", "apply…", id="review.apply"),
        Binding("q", "quit", "quit", id="review.quit"),
    ]

    class Approved(Message):
        """Somebody typed the word."""

        def __init__(self, changes: tuple[Change, ...]) -> None:
            super().__init__()
            self.changes = changes

    def __init__(
        self, model: PlanModel, stores: Stores, *, read_only: bool, plan_file: str = ""
    ) -> None:
        super().__init__()
        self._plan_file = plan_file
        self._model = model
        self._stores = stores
        self._read_only = read_only
        self._target = one_line(places_text(model.plan)) or "no registry"
        self._width = 1

    def compose(self) -> ComposeResult:
        """Two lines of figures, the panes, the filter, the keys."""
        yield Static(id="title", classes="title", markup=False)
        yield Static(id="figures", markup=False)
        with Horizontal(id="panes"):
            yield PlanList(self._model, id="list")
            yield Details(self._model, id="details")
        yield FilterLine(id="filter")
        yield Static(_TOO_SMALL, id="too-small", markup=False)
        yield Footer(show_command_palette=False)

    @property
    def _list(self) -> PlanList:
        return self.query_one(PlanList)

    def on_mount(self) -> None:
        """Start at the first row."""
        self._list.border_title = "Plan"
        self.query_one(Details).border_title = "Details"
        self._draw()
        self._show_details()
        self._widen_to(self._width)

    def on_resize(self, event: events.Resize) -> None:
        """Too small is too small."""
        small = event.size.width < _SMALLEST[0] or event.size.height < _SMALLEST[1]
        self.set_class(small, "-too-small")
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing happens unseen; and where a filter is typed, its key is a letter like others."""
        del parameters
        if action == "filter" and isinstance(self.focused, Input):
            return False
        return action == "quit" or not self.has_class("-too-small")

    @property
    def details_width(self) -> int:
        """How much room the details have: 0 none, 1 a third, 2 more, 3 all."""
        return self._width

    @details_width.setter
    def details_width(self, width: int) -> None:
        self._width = max(0, min(width, len(_WIDTHS) - 1))
        if self.is_mounted:
            self._widen_to(self._width)

    def arrange_by(
        self, *, grouping: Grouping | None = None, sorting: Sorting | None = None
    ) -> None:
        """Group or sort by something else."""
        self._arrange(lambda: self._model.arrange(grouping, sorting))

    @on(PlanList.Moved)
    def _show_details(self) -> None:
        self.query_one(Details).show(self._list.row)

    @on(PlanList.BoxClicked)
    def action_choose(self) -> None:
        """Choose or drop the row under the cursor."""
        row = self._list.row
        if row is None:
            return
        if self._model.box(row):
            if told := also_touched(self._model, self._model.toggle(row), row):
                self.notify(told, markup=False)
            self._draw()
            self._show_details()
        else:
            self.notify(why_not_choose(self._model, row), markup=False)

    def action_choose_all(self) -> None:
        """Choose or drop all that is shown."""
        self._model.toggle_all()
        self._draw()
        self._show_details()

    def action_open(self) -> None:
        """Fold a group; show a change, on a screen of its own where it has no pane."""
        row = self._list.row
        if isinstance(row, str):
            self._list.fold(collapsed=not self._model.is_collapsed(row))
        elif row is not None and self.query_one(Details).region:
            self.query_one(Details).focus()
        elif row is not None:
            self.app.push_screen(DetailsScreen(self._model, row, self._do))

    def action_pane(self, name: str) -> None:
        """To the list or the details."""
        if name == "list":
            self._widen_to(min(self._width, _ALL_BUT_ALONE))
        elif self.query_one(Details).region:
            self.query_one(Details).focus()
        elif isinstance(row := self._list.row, int):
            self.app.push_screen(DetailsScreen(self._model, row, self._do))

    def action_diff(self) -> None:
        """What stands there now beside what is to come."""
        if (index := self._image()) is not None:
            self.app.push_screen(DiffScreen(self._model, index, self._stores))

    def action_why(self) -> None:
        """From the image up to the lines of specs."""
        if (index := self._image()) is not None:
            self.app.push_screen(WhyScreen(self._model, index))

    def action_problems(self) -> None:
        """What is blocked, and what lint finds in the specs."""
        from planner.ui.review.problems_screen import ProblemsScreen  # noqa: PLC0415 - it loads lint

        asked = ProblemsScreen(self._model, self._stores.places.config)
        self.app.push_screen(asked, self._go_to)

    def action_edit(self) -> None:
        """Open the spec that asks for this image."""
        if (index := self._image()) is not None:
            open_in_editor(self.app, first_place(self._model.plan.changes[index].because))

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(FilterLine).open()

    def action_back(self) -> None:
        """From the details to the list; from the list out of the filter."""
        if self._width == len(_WIDTHS) - 1:
            self._widen_to(1)
        elif self.query_one(Details).has_focus:
            self._list.focus()
        else:
            self.query_one(FilterLine).clear()
            self._narrow("")
            self._list.focus()

    def action_group(self) -> None:
        """Group by the next thing."""
        self._arrange(self._model.next_grouping)

    def action_sort(self) -> None:
        """Sort by the next thing."""
        self._arrange(self._model.next_sorting)

    def action_same(self) -> None:
        """Show or hide what is in sync."""
        self._arrange(lambda: self._model.show_same(shown=not self._model.shows_same))

    def action_problem(self, step: int) -> None:
        """Go to what is blocked, moves a tag or has lost content."""
        row = self._model.next_problem(self._list.row, step)
        if row is None:
            self.notify("nothing is blocked, moves or needs repair", markup=False)
            return
        self._show(row)

    def action_copy(self) -> None:
        """What there is to copy."""
        if (row := self._list.row) is None:
            self.notify("there is nothing to copy", markup=False)
        else:
            self.app.push_screen(CopyMenu(self._model, row, self._plan_file))

    def action_widen(self, step: int) -> None:
        """Give the details more or less room."""
        if self.has_class("-narrow"):
            if step > 0:
                self.action_open()
        else:
            self._widen_to(max(0, min(self._width + step, len(_WIDTHS) - 1)))

    async def action_quit(self) -> None:
        """Leave."""
        await self.app.action_quit()

    def action_apply(self) -> None:
        """Look at the target once more, then ask."""
        refusal = why_not_apply(self._model, read_only=self._read_only)
        if refusal:
            self.app.push_screen(Notice("Nothing to apply", refusal))
            return
        chosen = self._model.selection.changes
        self.app.push_screen(
            CheckTarget(self._model.plan, chosen, self._stores, self._target), self._checked
        )

    def _do(self, name: str) -> None:
        """What a key of the list does, for whoever shows its row."""
        getattr(self, f"action_{name}")()

    def _image(self) -> int | None:
        """The change under the cursor; None, and said so, where it is on a group."""
        row = self._list.row
        if isinstance(row, int):
            return row
        self.notify("go to an image first: this is a group", markup=False)
        return None

    def _go_to(self, index: int | None) -> None:
        """Put the cursor on a change, out of the filter if that hides it."""
        if index is None:
            return
        if not self._model.is_shown(index):
            self.query_one(FilterLine).clear()
            self._narrow("")
        if self._model.is_shown(index):
            self._show(index)
        self._list.focus()

    def _show(self, row: Row) -> None:
        group = self._model.group(row).name
        if self._model.is_collapsed(group):
            self._model.collapse(group, collapsed=False)
        self._list.follow(row)

    def _checked(self, answer: Checked | PlannerError | None) -> None:
        match answer:
            case PlannerError():
                self.app.push_screen(problem(answer))
            case Checked(changes=()):
                self.app.push_screen(Notice("Nothing to apply", "All of it is there already."))
            case Checked():
                asked = Confirm(self._model.plan, answer, self._target)
                self.app.push_screen(asked, self._approved)
            case None:
                pass

    def _approved(self, checked: Checked | None) -> None:
        if checked:
            self.post_message(self.Approved(checked.changes))

    @on(FilterLine.Wanted)
    def _wanted(self, message: FilterLine.Wanted) -> None:
        self._narrow(message.text)
        if message.is_final:
            self._list.focus()

    def _narrow(self, text: str) -> None:
        row = self._list.row
        mistake = self._model.narrow(text)
        found = f"{plural(self._model.matching, 'image')} of {len(self._model.plan.changes):,}"
        self.query_one(FilterLine).tell(one_line(mistake) or found, is_mistake=bool(mistake))
        self._list.follow(row)
        self._draw()

    def _arrange(self, change: Callable[[], None]) -> None:
        row = self._list.row
        change()
        self._list.follow(row)
        self._draw()

    def _widen_to(self, width: int) -> None:
        self._width = width
        for number, name in enumerate(_WIDTHS):
            if name:
                self.set_class(number == width, name)
        only_details = width == len(_WIDTHS) - 1
        (self.query_one(Details) if only_details else self._list).focus()

    def _draw(self) -> None:
        """What stands around the rows."""
        # Both have one line, whatever stands there: nothing else has to move.
        self.query_one("#title", Static).update(self._title(), layout=False)
        said = figures(self._model, self.app.size.width)
        self.query_one("#figures", Static).update(said, layout=False)
        order = "" if self._model.grouping == "flat" else f"by {self._model.grouping}, "
        self._list.border_title = f"Plan  {order}sorted by {self._model.sorting}"
        self._list.refresh()

    def _title(self) -> Text:
        left = f"planner review   plan {self._model.short_id}   to {self._target}"
        return title_line(left, "READ-ONLY" if self._read_only else "", self.app.size.width)
