"""A spec as a tree that knows where everything stands.

Accessors are total: what is missing or of another kind reads as absent, so that rules need no guards and only the
schema reports types. Nodes are built once, bottom up, and never changed afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any, Literal, NamedTuple

from planner.core.scalars import Scalar

Step = str | int
Path = tuple[Step, ...]
Kind = Literal["mapping", "sequence", "scalar", "absent"]


class Span(NamedTuple):
    """A stretch of text: lines and columns from 1, columns in code points, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


NOWHERE = Span(1, 1, 1, 1)


class Entry(NamedTuple):
    """One ``key: value`` of a mapping. ``merged`` entries came in through ``<<``."""

    key: Node
    value: Node
    merged: bool


class Node:
    """A value of a document. ``key`` is the place of its key when it is a value of a mapping.

    ``text`` is the scalar as written (without quotes), ``value`` what it means to Go.
    """

    __slots__ = ("entries", "items", "key", "kind", "path", "span", "text", "value")

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        kind: Kind,
        span: Span,
        path: Path,
        key: Span | None = None,
        text: str = "",
        value: Scalar = None,
        *,
        entries: tuple[Entry, ...] = (),
        items: tuple[Node, ...] = (),
    ) -> None:
        self.kind = kind
        self.span = span
        self.path = path
        self.key = key
        self.text = text
        self.value = value
        self.entries = entries
        self.items = items

    def __bool__(self) -> bool:
        """Whether there is such a node at all (``null`` is one)."""
        return self.kind != "absent"

    def get(self, *steps: Step) -> Node:
        """The node below, or an absent one. The last of several equal keys wins, as in Go."""
        node = self
        for step in steps:
            node = node._child(step)
        return node

    def fields(self) -> Iterator[tuple[str, Node]]:
        """Key and value of a mapping, each key once."""
        last = {entry.key.text: entry.value for entry in self.entries}
        return iter(last.items())

    def string(self) -> str:
        """The scalar as Go puts it into a string field: as written, and empty for null."""
        return "" if self.value is None else self.text

    def is_true(self) -> bool:
        """Whether this is a true boolean."""
        return self.value is True

    def is_null(self) -> bool:
        """Whether this is absent, or a null."""
        return self.kind == "absent" or (self.kind == "scalar" and self.value is None)

    def plain(self) -> Any:
        """The value as JSON types, for the schema."""
        if self.kind == "mapping":
            return {entry.key.text: entry.value.plain() for entry in self.entries}
        if self.kind == "sequence":
            return [item.plain() for item in self.items]
        is_endless = isinstance(self.value, float) and not isfinite(self.value)
        return self.text if is_endless else self.value  # JSON has no such number

    @property
    def place(self) -> Span:
        """Where a finding about this value points: a scalar itself, of a collection its key."""
        if self.kind == "scalar" or self.key is None:
            return self.span
        return self.key

    def _child(self, step: Step) -> Node:
        if isinstance(step, int):
            return self.items[step] if -1 < step < len(self.items) else ABSENT
        for entry in reversed(self.entries):
            if entry.key.text == step:
                return entry.value
        return ABSENT

    def __repr__(self) -> str:
        return f"<{self.kind} at {self.span.line}:{self.span.column}>"


ABSENT = Node("absent", NOWHERE, ())


class Problem(NamedTuple):
    """Something wrong with the YAML itself. ``first`` is the earlier of two equal keys."""

    kind: Literal["syntax", "duplicate", "limit"]
    span: Span
    path: Path
    message: str
    first: Span | None = None


class Spec(NamedTuple):
    """One file: its name as given, its text, and its YAML documents in order."""

    file: str
    text: str
    documents: tuple[Node, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def root(self) -> Node:
        """The first document, or an absent node for an empty file."""
        return self.documents[0] if self.documents else ABSENT

    def document(self, kind: str) -> Node:
        """The first document of this Kubernetes kind, or an absent node."""
        found = (each for each in self.documents if each.get("kind").string() == kind)
        return next(found, ABSENT)
