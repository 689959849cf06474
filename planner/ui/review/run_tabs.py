"""The line of tabs above the lists of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static


class RunTabs(Static):
    """Names with counts, one of which is chosen."""

    class Clicked(Message):
        """Somebody clicked a tab."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(id="tabs", markup=False)
        self._names = names
        self._labels: Mapping[str, str] = {}
        self._shown = Text()

    def show(self, chosen: str, counts: Mapping[str, str]) -> None:
        """Draw the tabs; a name without count has none."""
        self._labels = {
            name: f" {number} {name}{f' ({counts[name]})' if name in counts else ''} "
            for number, name in enumerate(self._names, 1)
        }
        text = Text(" ")
        for name, label in self._labels.items():
            text.append(label, "reverse" if name == chosen else "")
            text.append(" ")
        if text != self._shown:
            self._shown = text
            self.update(text, layout=False)

    def on_click(self, event: events.Click) -> None:
        """Tell which one it is."""
        at = 1
        for name, label in self._labels.items():
            if at <= event.x < at + cell_len(label):
                self.post_message(self.Clicked(name))
            at += cell_len(label) + 1
