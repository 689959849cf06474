"""YAML text → ``Spec``: one pass over libyaml's events, on our own stack.

Invariants: the first error of the YAML itself ends the reading but keeps the documents before it; nesting and the
growth through aliases are capped, so that neither a hundred thousand brackets nor nine levels of ten aliases cost more
than a message; every node knows its place and its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from planner.core.document import Entry, Node, Path, Problem, Span, Spec
from planner.core.edits import lines_of
from planner.core.scalars import resolve

DEEPEST = 200
MOST_NODES_FROM_ALIASES = 100_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"
_new = tuple.__new__  # one of several spans of every event: by its name it takes twice as long
_BLOCKS = ("|", ">")
_COMPLEX_KEY = "a key must be a text: put what begins with [ or {{ in quotes"


def read(file: str, text: str) -> Spec:
    """Parse ``text``; what is wrong with it stands in ``Spec.problems``."""
    body = text.removeprefix("\ufeff")
    builder = _Builder(body)
    problem = _build(body, builder)
    problems = (*builder.problems, *((problem,) if problem else ()))
    return Spec(file, text, tuple(builder.documents), problems)


class Outline(NamedTuple):
    """Where the strings of a text stand that could hold anything, and its parts: entries with their keys, and items.

    Both are in the order of the text, what contains something after what it begins with.
    The outline ends at ``end`` (line and column), where what stopped the reading begins; None when nothing did.
    """

    strings: tuple[Span, ...]
    parts: tuple[Span, ...]
    end: tuple[int, int] | None


def outline(text: str) -> Outline:
    """The outline of ``text``, of which block scalars are parts to their very end."""
    body = text.removeprefix("\ufeff")
    builder = _Builder(body, outlined=True)
    problem = _build(body, builder)
    ends = {span[:2]: span[2:] for span in builder.strings}
    parts = (
        Span(*(node.key or node.span)[:2], *ends.get(node.span[:2], node.span[2:]))
        for node in builder.parts
    )
    end = builder.broken or (problem.span[:2] if problem else None)
    return Outline(tuple(builder.strings), tuple(sorted(parts)), end)


def _build(body: str, builder: _Builder) -> Problem | None:
    """Feed the builder with all events; what ended that before its time."""
    try:
        builder.take(yaml.parse(body, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        if isinstance(
            error, yaml.scanner.ScannerError
        ):  # a string, say, whose end is missed much later
            builder.broken = _position(error.context_mark or error.problem_mark)
        return _syntax(error, body)
    except yaml.reader.ReaderError as error:
        return _unreadable(body, error)
    except UnicodeEncodeError as error:
        return _forbidden(body[: error.start], ord(body[error.start]))
    except _StopError as error:
        return error.problem
    return None


class _StopError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Frame:
    """A collection that is still open."""

    __slots__ = ("anchor", "children", "event", "is_mapping", "key", "path", "pending", "weight")

    def __init__(self, event: yaml.CollectionStartEvent, path: Path, key: Span | None) -> None:
        self.event = event
        self.is_mapping = isinstance(event, yaml.MappingStartEvent)
        self.anchor: str | None = event.anchor
        self.path = path
        self.key = key
        self.children: list[Node] = []
        self.pending: Node | None = None
        self.weight = 1


class _Builder:
    def __init__(self, body: str, *, outlined: bool = False) -> None:
        self._body = body
        self.strings: list[Span] = []
        self.parts: list[Node] = []
        self.broken: tuple[int, int] | None = None
        self._outlined = outlined
        self.documents: list[Node] = []
        self.problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._from_aliases = 0
        self._uses: Mapping[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._start,
        }

    def take(self, events: Iterable[yaml.Event]) -> None:
        """Use all events."""
        uses = self._uses
        for event in events:
            if use := uses.get(type(event)):
                use(event)

    def _start(self, _: yaml.DocumentStartEvent) -> None:
        self._anchors.clear()

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        path, key = self._place(event)
        if len(self._stack) == DEEPEST:
            message = f"nested more than {DEEPEST} levels deep"
            raise _StopError(Problem("limit", _span(event), path, message))
        self._stack.append(_Frame(event, path, key))

    def _end(self, event: yaml.Event) -> None:
        frame = self._stack.pop()
        span = _collection_span(frame, event)
        if frame.is_mapping:
            entries = _entries(frame.children)
            self.problems.extend(_duplicates(entries, frame.path))
            node = Node("mapping", span, frame.path, frame.key, entries=entries)
        else:
            node = Node("sequence", span, frame.path, frame.key, items=tuple(frame.children))
        self._close(node, frame.anchor, frame.weight)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        path, key = self._place(event)
        span = _span(event)
        if event.style:
            if self._outlined:
                self.strings.append(span)
            if event.style in _BLOCKS:
                # libyaml lets a block scalar end where the next token begins: point at its header instead.
                span = Span(*span[:2], span.line, span.column + 1)
        elif not event.value:
            span = _inside(span, self._body)
        text = event.value
        value = resolve(text, plain=event.implicit[0], tag=event.tag or "")
        self._close(Node("scalar", span, path, key, text, value), event.anchor, 1)

    def _alias(self, event: yaml.AliasEvent) -> None:
        path, key = self._place(event)
        found = self._anchors.get(event.anchor or "")
        if found is None:
            message = f"not valid YAML: there is no anchor {event.anchor!r} before this alias"
            raise _StopError(Problem("syntax", _span(event), path, message))
        anchor, weight = found
        self._from_aliases += weight
        if self._from_aliases > MOST_NODES_FROM_ALIASES:
            message = f"aliases expand to more than {MOST_NODES_FROM_ALIASES:,} values"
            raise _StopError(Problem("limit", _span(event), path, message))
        node = Node(
            anchor.kind,
            _span(event),
            path,
            key,
            anchor.text,
            anchor.value,
            entries=anchor.entries,
            items=anchor.items,
        )
        self._close(node, None, weight)

    def _close(self, node: Node, anchor: str | None, weight: int) -> None:
        if anchor:
            self._anchors[anchor] = (node, weight)
        if not self._stack:
            self.documents.append(node)
            return
        if self._outlined:
            self.parts.append(node)
        frame = self._stack[-1]
        frame.weight += weight
        frame.children.append(node)
        frame.pending = node if frame.is_mapping and frame.pending is None else None

    def _place(self, event: yaml.Event) -> tuple[Path, Span | None]:
        """Path of the node that begins here, and the place of its key."""
        if not self._stack:
            return (), None
        frame = self._stack[-1]
        if not frame.is_mapping:
            return (*frame.path, len(frame.children)), None
        if frame.pending is None:
            if not isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                raise _StopError(Problem("syntax", _span(event), frame.path, _COMPLEX_KEY))
            return frame.path, None
        return (*frame.path, frame.pending.text), frame.pending.span


def _entries(children: list[Node]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for key, value in zip(children[::2], children[1::2], strict=True):
        if key.text == _MERGE and value.kind != "scalar":
            sources = value.items if value.kind == "sequence" else (value,)
            for source in reversed(sources):
                entries.extend(Entry(each.key, each.value, True) for each in source.entries)  # noqa: FBT003
        else:
            entries.append(Entry(key, value, False))  # noqa: FBT003
    return tuple(entries)


def _duplicates(entries: tuple[Entry, ...], path: Path) -> Iterator[Problem]:
    if len({entry.key.text for entry in entries}) == len(entries):
        return
    first: dict[str, Span] = {}
    for key, _, merged in entries:
        if merged:
            continue
        if key.text in first:
            message = f"the key {key.text!r} stands here twice"
            yield Problem("duplicate", key.span, (*path, key.text), message, first[key.text])
        first.setdefault(key.text, key.span)


def _span(event: yaml.Event) -> Span:
    start: Any = event.start_mark
    end: Any = event.end_mark
    return _new(Span, (start.line + 1, start.column + 1, end.line + 1, end.column + 1))


def _inside(span: Span, text: str) -> Span:
    """The place of an empty value: at the very end, libyaml counts a line that nothing has ended."""
    lines = lines_of(text)
    if span.line <= len(lines):
        return span
    line, column = len(lines), len(lines[-1]) + 1
    return Span(line, column, line, column)


def _position(mark: Any) -> tuple[int, int]:
    """Line and column from 1; an error may come without its mark."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _collection_span(frame: _Frame, end: yaml.Event) -> Span:
    span = _span(frame.event)
    if frame.event.flow_style:
        return Span(*span[:2], *_position(end.end_mark))
    # A block collection, too, ends at the next token, past comments: take the end of its last value.
    last = frame.children[-1].span if frame.children else span
    return Span(*span[:2], *last[2:])


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Problem:
    line, column = _position(error.problem_mark or error.context_mark)
    lines = lines_of(text.rstrip())
    if line > len(lines):  # what is missing is missed after the end: point at the end
        line, column = len(lines), len(lines[-1]) + 1
    message = (error.problem or "cannot be read").replace(
        "could not find expected ':'", "expected ':'"
    )
    context = f" ({error.context})" if error.context else ""
    return Problem(
        "syntax",
        _one_character(line, column, lines[line - 1]),
        (),
        f"not valid YAML: {message}{context}",
    )


def _one_character(line: int, column: int, text: str) -> Span:
    """A place in a line with this text; nothing is behind its end."""
    end = len(text) + 1
    return Span(line, min(column, end), line, min(column + 1, end))


def _unreadable(text: str, error: yaml.reader.ReaderError) -> Problem:
    # libyaml counts bytes of UTF-8, PyYAML's own reader counts characters.
    counts_characters = error.encoding == "unicode"
    before = text.encode()[: error.position].decode(errors="ignore")
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return _forbidden(text[: error.position] if counts_characters else before, code)


def _forbidden(before: str, code: int) -> Problem:
    lines = lines_of(before)
    line, column = len(lines), len(lines[-1]) + 1
    message = f"the character U+{code:04X} is not allowed in YAML"
    return Problem("syntax", Span(line, column, line, column + 1), (), message)
