"""The line below the panes in which a filter is typed."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

_DEBOUNCE = 0.01  # keys that come together; narrowing 50,000 images takes less than the time to the next one


class FilterLine(Horizontal):
    """Hidden until it is opened; asks for a filter a moment after the last key, or at Enter."""

    class Wanted(Message):
        """A filter to try; ``is_final`` when it is typed to its end."""

        def __init__(self, text: str, *, is_final: bool) -> None:
            super().__init__()
            self.text = text
            self.is_final = is_final

    def __init__(self, *, id: str) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id)
        self._waiting: Timer | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        """What is typed, and what came of it."""
        yield Static("/", id="slash", markup=False)
        yield Input(id="terms", compact=True)
        yield Static(id="matches", markup=False)

    @property
    def _terms(self) -> Input:
        return self.query_one(Input)

    def open(self) -> None:
        """Ask."""
        self.display = True
        self.screen.set_focus(self._terms)  # at once: what is typed next is meant for it

    def clear(self) -> None:
        """Ask no more, and forget what was asked for."""
        with self.prevent(Input.Changed):
            self._terms.value = ""
        self.display = False
        self._wait_no_more()

    def tell(self, text: str, *, is_mistake: bool) -> None:
        """Say what the filter found, or what is wrong with it."""
        matches = self.query_one("#matches", Static)
        matches.update(text)
        matches.set_class(is_mistake, "-mistake")

    @on(Input.Changed)
    def _typed(self) -> None:
        self._wait_no_more()
        self._waiting = self.set_timer(_DEBOUNCE, self._want)

    @on(Input.Submitted)
    def _entered(self) -> None:
        self._wait_no_more()
        self.display = bool(self._terms.value)
        self._want(is_final=True)

    def _want(self, *, is_final: bool = False) -> None:
        self.post_message(self.Wanted(self._terms.value, is_final=is_final))

    def _wait_no_more(self) -> None:
        if self._waiting:
            self._waiting.stop()
