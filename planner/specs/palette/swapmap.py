"""The map file of the image-swap webhook, which a cluster's ``imageSwap.imageChange`` holds as it is.

One entry on each line, ``key::value``. This reads a line as the webhook does, its oddities included.

Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from planner.core.document import NOWHERE, Entry, Node, Path, Span, Spec
from planner.core.edits import BOM, LINE_END

Kind = Literal["plain", "exact", "replace"]
Problem = Literal["", "deprecated", "dropped"]
DEFAULT = "default"
NOSWAP = "noswap_wildcards"
LIBRARY = "/library"
_NEWLINE = re.compile("\r\n|[\r\n]")  # those that Python takes for one when it reads a file
_COMMENT = re.compile(r"([^#])#+[^#]*$")
_SOUND: Problem = ""
_DEPRECATED: Problem = "deprecated"
_MARKS: dict[str, Kind] = {"[EXACT]": "exact", "[REPLACE]": "replace"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is neither empty nor a comment; ``number`` counts from 0.

    A ``deprecated`` one has a single colon, which the webhook still takes; a ``dropped`` one has no key and value.
    """

    number: int
    text: str
    kind: Kind = "plain"
    key: str = ""
    value: str = ""
    problem: Problem = ""


def parse_map(text: str) -> tuple[Line, ...]:
    """The lines of a map file, in order."""
    return tuple(_lines(text))


def map_spec(spec: Spec) -> Spec:
    """A map file as a tree: as if its text stood in the values of a cluster, each line at its own place."""
    above = Span(0, 1, 0, 1)
    text = spec.text.removeprefix(BOM)
    change = Node("scalar", above, ("imageSwap", "imageChange"), NOWHERE, text, text)
    block = _mapping("imageChange", change, ("imageSwap",))
    return Spec(spec.file, spec.text, (_mapping("imageSwap", block, ()),))


def _mapping(name: str, value: Node, path: Path) -> Node:
    key = Node("scalar", NOWHERE, path, None, name, name)
    return Node("mapping", NOWHERE, path, NOWHERE, entries=(Entry(key, value, merged=False),))


def line_node(spec: Spec, node: Node, line: Line) -> Node:
    """A line of the scalar ``node`` as a place for findings: its own where the file shows it, else the scalar's."""
    lines = LINE_END.split(spec.text.removeprefix(BOM))
    number = node.span.line + line.number + 1
    written = lines[number - 1] if number <= len(lines) else ""
    begin = written.find(line.text)
    span = node.span
    if begin >= 0 and written.strip() == line.text:
        span = Span(number, begin + 1, number, begin + 1 + len(line.text))
    return Node("scalar", span, node.path, node.key, line.text, line.text)


def _lines(text: str) -> Iterator[Line]:
    for number, raw in enumerate(_NEWLINE.split(text)):
        if raw.startswith("#"):
            continue
        entry = _without_comment(raw).rstrip().replace(" ", "")
        if entry:
            yield _line(number, raw.strip(), entry)


def _without_comment(raw: str) -> str:
    """The text before the last run of ``#`` that something stands before."""
    match = _COMMENT.search(raw)
    return raw[: match.end(1)] if match else raw


def _line(number: int, shown: str, entry: str) -> Line:
    if entry.count("::") == 1:
        separator, problem = "::", _SOUND
    elif entry.count(":") == 1:
        separator, problem = ":", _DEPRECATED
    else:
        return Line(number, shown, problem="dropped")
    key, _, value = entry.partition(separator)
    for mark, kind in _MARKS.items():
        if key.startswith(mark):
            return Line(number, shown, kind, key.removeprefix(mark).lstrip(), value, problem)
    return Line(number, shown, "plain", key, value, problem)
