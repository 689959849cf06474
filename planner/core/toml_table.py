"""A table of a TOML file as a ``Spec``, so that it is checked, and reported on, like a YAML file.

Python's reader tells no places. A finding stands at the line that begins with its key, or at the table's header: what is
found by looking for them line by line is right for every table that is written as tables are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from planner.core.document import Entry, Node, Path, Problem, Span, Spec

_HEADER = re.compile(r"\s*\[[^\]=]*\]+\s*(?:#|$)")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def read_table(file: str, text: str, name: tuple[str, ...]) -> Spec | None:
    """The table called ``name``; None when there is none. What is no TOML has a problem, and no document."""
    try:
        value: Any = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        return Spec(file, text, (), (_problem(str(error), text),))
    for step in name:
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return None
    return Spec(file, text, (_Places(text, name).node(value, (), Span(1, 1, 1, 1), None),))


def _problem(message: str, text: str) -> Problem:
    found = _PLACE.search(message)
    line, column = (int(found[1]), int(found[2])) if found else (len(text.splitlines()), 1)
    told = _PLACE.sub("", message).strip()
    return Problem("syntax", Span(line, column, line, column + 1), (), f"not valid TOML: {told}")


class _Places:
    """Makes nodes, and finds their lines."""

    def __init__(self, text: str, name: tuple[str, ...]) -> None:
        self._lines = text.splitlines()
        self._name = name

    def node(self, value: Any, path: Path, above: Span, key: Span | None) -> Node:
        """The node of a value; ``above`` is where it stands unless it has a line of its own."""
        match value:
            case dict():
                header = self._header(path)
                span = header or above
                entries = tuple(self._entries(value, path, span, has_lines=header is not None))
                return Node("mapping", span, path, key and span, entries=entries)
            case list():
                items = (self.node(each, (*path, at), above, None) for at, each in enumerate(value))
                return Node("sequence", above, path, key, items=tuple(items))
            case bool() | int() | float() | str():
                text = str(value).lower() if isinstance(value, bool) else str(value)
                return Node("scalar", above, path, key, text, value)
            case _:
                return Node("scalar", above, path, key, str(value), str(value))

    def _entries(
        self, table: dict[str, Any], path: Path, span: Span, *, has_lines: bool
    ) -> Iterator[Entry]:
        for key, value in table.items():
            below = (*path, key)
            line = self._key(key, span) if has_lines else None
            place = line or self._header(below) or span
            node = self.node(value, below, place, place)
            yield Entry(Node("scalar", place, below, None, key, key), node, merged=False)

    def _header(self, path: Path) -> Span | None:
        """The header of a table; of one in a list of tables, the one that comes in its turn."""
        names = (*self._name, *(step for step in path if isinstance(step, str)))
        steps = r"\s*\.\s*".join(map(_quoted, names))
        found = (
            Span(number, match.start(1) + 1, number, match.end(1) + 1)
            for number, line in enumerate(self._lines, 1)
            if (match := re.match(rf"\s*\[{{1,2}}\s*({steps})\s*\]", line))
        )
        turn = path[-1] if path and isinstance(path[-1], int) else 0
        return next(islice(found, turn, None), None)

    def _key(self, key: str, header: Span) -> Span | None:
        for number, line in enumerate(self._lines[header.line :], header.line + 1):
            if match := re.match(rf"\s*({_quoted(key)})\s*[.=]", line):
                return Span(number, match.start(1) + 1, number, match.end(1) + 1)
            if _HEADER.match(line):
                break
        return None


def _quoted(key: str) -> str:
    return rf"[\"']?{re.escape(key)}[\"']?"
