"""The same plan in a stock DataTable of textual, as one would write it first: the contender of ``bench.tui``.

It reads the file, and shows each change as a row. Space marks, s sorts, / filters. It checks nothing and counts nothing.

    python bench/tui_table.py PLAN
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Header, Input


class Table(App[None]):
    """All rows in one table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark"),
        Binding("s", "sort", "sort"),
        Binding("slash", "filter", "filter"),
        Binding("ctrl+q", "quit", "quit"),
    ]

    def __init__(self, file: str) -> None:
        super().__init__()
        document = json.loads(Path(file).read_bytes())
        self._rows = [
            ("x", each["op"], each["target"].partition("/")[2], each["source"])
            for each in document["changes"]
        ]
        self._is_turned = False

    def compose(self) -> ComposeResult:
        """A table, and a line for the filter."""
        yield Header()
        yield DataTable(cursor_type="row")
        yield Input(id="terms")
        yield Footer()

    def on_mount(self) -> None:
        """Widths are given: measuring 50,000 rows takes longer still."""
        table = self.query_one(DataTable)
        for name, width in (("", 3), ("action", 8), ("name", 60), ("source", 60)):
            table.add_column(name, width=width, key=name or "mark")
        table.add_rows(self._rows)
        table.focus()

    def action_mark(self) -> None:
        """Turn the mark of a row."""
        table = self.query_one(DataTable)
        at = table.cursor_coordinate._replace(column=0)
        table.update_cell_at(at, " " if table.get_cell_at(at) == "x" else "x")

    def action_sort(self) -> None:
        """By name, up and down in turn."""
        self._is_turned = not self._is_turned
        self.query_one(DataTable).sort("name", reverse=self._is_turned)

    def action_filter(self) -> None:
        """Ask."""
        self.query_one(Input).focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Show what has the text in it."""
        table = self.query_one(DataTable)
        table.clear()
        table.add_rows(each for each in self._rows if message.value in f"{each[2]} {each[3]}")


if __name__ == "__main__":
    Table(sys.argv[1]).run()
