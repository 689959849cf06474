"""Edits of a text by spans, as the reader counts lines and columns. What no span covers stays byte for byte.

A BOM belongs to no line. A line ends with CR LF, LF, CR, NEL, LS or PS, and the last one may have no end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from planner.core.document import Span

BOM = "\ufeff"
LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


class Edit(NamedTuple):
    """The text of ``span`` becomes ``text``; an empty span is a place to insert at."""

    span: Span
    text: str


class Fix(NamedTuple):
    """What to change in the file so that a finding goes away.

    ``is_safe``: the system makes the same of the file before and after. An unsafe fix changes what it makes of it, to what
    its author evidently meant. Edits do not overlap, and touch nothing but their spans.
    """

    title: str
    edits: tuple[Edit, ...]
    is_safe: bool = False


class Range(NamedTuple):
    """A stretch of a text by offsets; the end is exclusive."""

    start: int
    end: int

    def touches(self, other: Range) -> bool:
        """Whether they share a character or an end."""
        return self.start <= other.end and other.start <= self.end

    def overlaps(self, other: Range) -> bool:
        """Whether they share a character, or one lies inside the other."""
        return self.start < other.end and other.start < self.end


@lru_cache(maxsize=8)
def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a text, without their ends."""
    return tuple(LINE_END.split(text.removeprefix(BOM)))


class Positions:
    """Where the lines of a text stand in it."""

    def __init__(self, text: str) -> None:
        self._starts = [len(BOM) if text.startswith(BOM) else 0]
        self._ends: list[int] = []
        for match in LINE_END.finditer(text):
            self._ends.append(match.start())
            self._starts.append(match.end())
        self._ends.append(len(text))

    def offset(self, line: int, column: int) -> int:
        """The offset of a place.

        Raises:
            ValueError: the text has no such place.
        """
        if 1 <= line <= len(self._starts):
            offset = self._starts[line - 1] + column - 1
            if column >= 1 and offset <= self._ends[line - 1]:
                return offset
        raise ValueError(f"there is no place {line}:{column}")

    def range(self, span: Span) -> Range:
        """The offsets of a span."""
        return Range(self.offset(*span[:2]), self.offset(*span[2:]))


class Edited(NamedTuple):
    """A text with edits applied: the ranges that they replaced, and the ranges of what stands there now."""

    text: str
    before: tuple[Range, ...]
    after: tuple[Range, ...]

    def moved(self, old: Range) -> Range:
        """Where something of the text before stands now; an end inside of an edit goes to that edit's end."""
        return Range(self._moved(old.start, is_end=False), self._moved(old.end, is_end=True))

    def _moved(self, offset: int, *, is_end: bool) -> int:
        shift = 0
        for before, after in zip(self.before, self.after, strict=True):
            if before.start < offset < before.end:
                return after.end if is_end else after.start
            if before.end <= offset and (before.start < offset or is_end):
                shift = after.end - before.end
        return offset + shift


def apply_edits(text: str, edits: Iterable[Edit]) -> Edited:
    """Apply edits that do not overlap; those that insert at one place do so in their order.

    Raises:
        ValueError: two of them overlap, or one lies outside of the text.
    """
    positions = Positions(text)
    ordered = sorted(
        ((positions.range(edit.span), edit.text) for edit in edits), key=lambda each: each[0]
    )
    parts: list[str] = []
    after: list[Range] = []
    done = length = 0
    for (start, end), new in ordered:
        if start < done or end < start:
            raise ValueError(f"the edit of {start} to {end} overlaps another one")
        length += start - done
        after.append(Range(length, length + len(new)))
        length += len(new)
        parts += text[done:start], new
        done = end
    before = tuple(replaced for replaced, _ in ordered)
    return Edited("".join([*parts, text[done:]]), before, tuple(after))


def first_of_overlapping(fixes: Sequence[Fix]) -> list[Fix]:
    """The fixes that can be applied together: of those that touch, the first."""
    chosen: list[Fix] = []
    taken: list[Span] = []
    for fix in fixes:
        spans = [edit.span for edit in fix.edits]
        if not any(_touch(one, other) for one in spans for other in taken):
            chosen.append(fix)
            taken += spans
    return chosen


def _touch(one: Span, other: Span) -> bool:
    return one[:2] <= other[2:] and other[:2] <= one[2:]
