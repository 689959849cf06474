"""The review in lines: the plan numbered, and commands that are typed. For screen readers, and wherever no screen can be drawn.

It is the same model, the same look at the registry and the same word to type as on the screen. Nothing is drawn over, and
what a line says never depends on its colour or its place.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import TextIO, get_args

from planner.apply import still_to_do
from planner.core.errors import PlannerError, UsageError
from planner.core.events import Progress
from planner.core.text import closest, plural, size
from planner.ui.copying import Copying
from planner.ui.glyphs import as_ascii, wants_ascii
from planner.ui.plan.figures import places_text
from planner.ui.plan.filters import HELP
from planner.ui.plan.reasons import because_lines
from planner.ui.progress import Lines, View
from planner.ui.review.arrangement import GROUPINGS, SORTINGS, WORDS, Sorting
from planner.ui.review.job import Job
from planner.ui.review.model import PlanModel, one_line
from planner.ui.review.question import Checked, description, word_for

_SHOWN = 50
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_COMMANDS = (
    ("list", "the plan; list more goes on where it stopped"),
    ("show 4", "everything about an image"),
    ("drop 3 5-7", "leave images out; drop all leaves out what is listed"),
    ("keep 3 5-7", "take images in again; keep all takes in what is listed"),
    ("filter TEXT", "list only what passes; filter alone lists everything"),
    ("sort name", f"another order: {', '.join(SORTINGS)}"),
    ("same", "list what is in sync as well, or not"),
    ("status", "what is selected, and what it costs"),
    ("apply", "look at the target once more, ask, and carry out what is selected"),
    ("quit", "leave; nothing is written"),
    ("help", "this list, and what filters understand"),
)


class PlainReview:
    """One review over two streams. Numbers are those of the first list and never change."""

    def __init__(self, job: Job, given: TextIO, told: TextIO) -> None:
        self._job = job
        self._given = given
        self._told = told
        self._ascii = wants_ascii()
        self._model = PlanModel(job.plan)
        self._model.arrange("flat")
        self._model.show_same(shown=True)
        self._order = tuple(row for row in self._model.rows if isinstance(row, int))
        self._numbers = {row: number for number, row in enumerate(self._order, 1)}
        self._model.show_same(shown=False)
        self._next = 0
        self._target = one_line(places_text(job.plan)) or "no registry"
        self._progress: Progress | None = None

    def run(self) -> Progress | None:
        """Ask for commands until somebody leaves; the result is the state of a run, if there was one."""
        self._say(f"Review of plan {self._model.short_id} to {self._target}.")
        self._status()
        self._list("")
        self._say("Type help for the commands.")
        while self._progress is None:
            line = self._ask("review> ")
            if line is None or not self._obey(line.strip()):
                break
        return self._progress

    def _obey(self, line: str) -> bool:
        """Do what a line says; whether to go on."""
        word, _, rest = line.partition(" ")
        if word in ("quit", "q", "exit"):
            return False
        commands: dict[str, Callable[[str], None]] = {
            "list": self._list,
            "show": self._show,
            "drop": lambda rest: self._choose(rest, chosen=False),
            "keep": lambda rest: self._choose(rest, chosen=True),
            "filter": self._filter,
            "sort": self._sort,
            "same": self._same,
            "status": lambda _: self._status(),
            "apply": lambda _: self._apply(),
            "help": lambda _: self._help(),
        }
        try:
            if word and word not in commands:
                near = closest(word, commands)
                raise UsageError(
                    f"there is no command {word!r}",
                    f"did you mean {near}?" if near else "help lists the commands",
                )
            if word:
                commands[word](rest.strip())
        except PlannerError as error:
            hint = f" ({error.hint})" if error.hint else ""
            self._say(f"error: {error.message}{hint}")
        return True

    def _status(self) -> None:
        chosen, pending = self._model.selection, len(self._model.plan.pending)
        self._say(f"{len(chosen):,} of {pending:,} selected, {size(chosen.bytes_to_send)} to send.")
        counts = [
            f"{self._model.counts[op]:,} {word}"
            for op, word in WORDS.items()
            if self._model.counts[op]
        ]
        self._say(f"In the plan: {', '.join(counts) or 'nothing'}.")

    def _list(self, rest: str) -> None:
        rows = [row for row in self._model.rows if isinstance(row, int)]
        start = self._next if rest == "more" else 0
        for row in rows[start : start + _SHOWN]:
            self._say(self._line(row))
        self._next = min(start + _SHOWN, len(rows))
        if self._next < len(rows):
            self._say(f"{len(rows) - self._next:,} more: list more")
        elif not rows:
            self._say("Nothing is listed.")

    def _line(self, row: int) -> str:
        change = self._model.plan.changes[row]
        chosen = (
            "selected, "
            if row in self._model.selection
            else "dropped, "
            if change.is_pending
            else ""
        )
        cost = f", {size(self._model.size(row))}" if change.is_pending else ""
        reason = f", because {change.reason}" if change.reason else ""
        return one_line(
            f"{self._numbers[row]}. {chosen}{WORDS[change.op]}, {change.target}{cost}{reason}"
        )

    def _show(self, rest: str) -> None:
        for row in self._rows(rest):
            change = self._model.plan.changes[row]
            self._say(self._line(row))
            facts = (
                ("from", str(change.source)),
                ("now", change.current or "nothing"),
                ("new", change.digest),
                ("platforms", ", ".join(change.platforms)),
                ("to send", size(self._model.cost(row)) if change.is_pending else ""),
            )
            for name, fact in facts:
                if fact:
                    self._say(one_line(f"  {name}: {fact}"))
            for line in because_lines(change):
                self._say(one_line(f"  why: {' '.join(line.split())}"))

    def _choose(self, rest: str, *, chosen: bool) -> None:
        selection = self._model.selection
        rows = self._rows(rest)
        touched = selection.choose(rows) if chosen else selection.drop(rows)
        verb = "Selected" if chosen else "Dropped"
        self._say(
            f"{verb} {len(touched):,}: {self._spoken(touched)}." if touched else "Nothing changed."
        )
        if others := touched.difference(rows):
            self._say(f"They go together with others: {self._spoken(others)}.")
        self._status()

    def _filter(self, rest: str) -> None:
        mistake = self._model.narrow(rest)
        if mistake:
            raise UsageError(one_line(mistake))
        self._say(f"{plural(self._model.matching, 'image')} of {len(self._model.plan.changes):,}.")
        self._list("")

    def _sort(self, rest: str) -> None:
        known: tuple[Sorting, ...] = get_args(Sorting)
        wanted = next((each for each in known if each == rest), None)
        if wanted is None:
            raise UsageError(f"{rest!r} is no order", f"one of {', '.join(SORTINGS)}")
        self._model.arrange(GROUPINGS[-1], wanted)
        self._list("")

    def _same(self, _rest: str) -> None:
        self._model.show_same(shown=not self._model.shows_same)
        self._list("")

    def _help(self) -> None:
        for words, meaning in (
            *_COMMANDS,
            ("", ""),
            *((f"filter {term}", meaning) for term, meaning in HELP),
        ):
            self._say(f"{words}: {meaning}" if words else "")

    def _apply(self) -> None:
        """As on the screen: a last look, what will happen, and the word."""
        chosen = self._model.selection.changes
        if self._job.read_only:
            raise UsageError(
                "this review only looks",
                "planner review PLAN --allow-apply; specs without --read-only; or planner apply PLAN",
            )
        if not chosen:
            raise UsageError("nothing is selected", "keep NUMBERS selects")
        if not self._given.isatty():
            raise UsageError(
                "nobody can be asked: the answers do not come from a terminal",
                "planner apply --auto-approve asks nobody",
            )
        self._say(f"Looking at {plural(len(chosen), 'name')} on {self._target}.")
        todo = tuple(still_to_do(self._job.plan, chosen, self._job.stores))
        if not todo:
            self._say("All of it is there already.")
            return
        for line in description(self._job.plan, Checked(todo, len(chosen)), self._target):
            self._say(line)
        word = word_for(todo)
        if (
            self._ask(f"Type {one_line(word)} to apply, anything else to go back: ") or ""
        ).strip() != word:
            self._say("Nothing was written.")
            return
        self._carry_out(self._job.copying(todo))

    def _carry_out(self, copying: Copying) -> None:
        progress = Progress()
        views: tuple[View, ...] = (Lines(self._told), *self._job.views)
        with _stopping(copying), closing(copying.events()) as events:
            for event in events:
                progress = progress.after(event)
                for view in views:
                    view(event)
        self._progress = progress

    def _rows(self, text: str) -> Sequence[int]:
        """The changes with the numbers in ``3 5-7``, or all that are listed.

        Raises:
            UsageError: there are no such numbers.
        """
        if text == "all":
            return [row for row in self._model.rows if isinstance(row, int)]
        words = text.replace(",", " ").split()
        if not words:
            raise UsageError("no number is given", "one or more: 3 5-7, or all")
        return [self._order[number - 1] for word in words for number in self._range(word)]

    def _range(self, word: str) -> Iterator[int]:
        found = _RANGE.fullmatch(word)
        first = int(found[1]) if found else 0
        last = int(found[2] or first) if found else 0
        if not 1 <= first <= last <= len(self._order):
            raise UsageError(
                f"{word!r} is no number of the list", f"numbers are 1 to {len(self._order)}"
            )
        return iter(range(first, last + 1))

    def _spoken(self, rows: frozenset[int]) -> str:
        numbers = sorted(self._numbers[row] for row in rows)
        named = ", ".join(map(str, numbers[:_SHOWN]))
        return f"{named} and {len(numbers) - _SHOWN:,} more" if numbers[_SHOWN:] else named

    def _say(self, text: str) -> None:
        self._told.write(f"{as_ascii(text) if self._ascii else text}\n")

    def _ask(self, question: str) -> str | None:
        """A line; None at the end of all lines."""
        self._told.write(question)
        self._told.flush()
        line = self._given.readline()
        if not line:
            self._told.write("\n")
        return line or None


@contextmanager
def _stopping(copying: Copying) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) stops cleanly; the second is as ever."""
    kinds = (signal.SIGINT, signal.SIGTERM)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for kind in kinds:
            signal.signal(kind, before[kind])
        copying.stop()

    before = {kind: signal.getsignal(kind) for kind in kinds}
    for kind in kinds:
        signal.signal(kind, stop)
    try:
        yield
    finally:
        for kind in kinds:
            signal.signal(kind, before[kind])
