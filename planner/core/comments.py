"""Comments of a YAML text: where they stand, and which lines they are about.

A ``#`` counts only outside of every string: the reader's outline knows where those stand. What follows the place where
the reading stopped has no comments.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from planner.core.document import Span
from planner.core.edits import lines_of
from planner.core.reader import Outline, outline

_HASH = re.compile(r"(?:^|(?<=[ \t]))#")


class Comment(NamedTuple):
    """A comment, from its ``#`` on.

    ``text`` stands after the ``#``. It is about the lines ``first`` to ``last``: its own line, or, alone on its line, those
    of the entry or item that follows with everything below it (none follows: ``last`` is 0).
    """

    span: Span
    text: str
    first: int
    last: int


def comments(text: str, word: str) -> tuple[Comment, ...]:
    """The comments that begin with ``word``, in their order."""
    if word not in text:
        return ()
    known = outline(text)
    found = (
        (number, line, hash_at)
        for number, line in enumerate(lines_of(text), 1)
        if word in line and (hash_at := _comment_start(number, line, known)) >= 0
    )
    made = (_comment(number, line, hash_at, known) for number, line, hash_at in found)
    return tuple(each for each in made if each.text.startswith(word))


def _comment_start(number: int, line: str, known: Outline) -> int:
    """Where the comment of a line begins, from 0; -1 when it has none."""
    for match in _HASH.finditer(line):
        place = (number, match.start() + 1)
        if known.end and place >= known.end:
            return -1
        before = bisect_right(known.strings, place, key=_start)
        if not (before and _covers(known.strings[before - 1], place, line)):
            return match.start()
    return -1


def _start(span: Span) -> tuple[int, int]:
    return span[:2]


def _covers(string: Span, place: tuple[int, int], line: str) -> bool:
    if not string[:2] <= place < string[2:]:
        return False
    # The header of a block scalar may have a comment, which is no part of the string.
    return not (place[0] == string.line and line[string.column - 1] in "|>")


def _comment(number: int, line: str, hash_at: int, known: Outline) -> Comment:
    body = line[hash_at:].rstrip()
    span = Span(number, hash_at + 1, number, hash_at + 1 + len(body))
    first, last = number, number
    if not line[:hash_at].strip():
        first, last = _next_part(number, known.parts)
    return Comment(span, body[1:].strip(), first, last)


def _next_part(number: int, parts: tuple[Span, ...]) -> tuple[int, int]:
    at = bisect_left(parts, (number + 1,))
    if at == len(parts):
        return number, 0
    after = bisect_right(parts, parts[at][:2], key=_start)
    end_line, end_column = parts[after - 1][2:]  # of those that begin here the largest
    return parts[at].line, end_line - (end_column == 1)


def spanned(lines: Sequence[str], span: Span) -> Iterator[str]:
    """The text of a span, line by line."""
    for number in range(span.line, min(span.end_line, len(lines)) + 1):
        line = lines[number - 1]
        end = span.end_column - 1 if number == span.end_line else len(line)
        yield line[span.column - 1 if number == span.line else 0 : end]
