"""Fixes that rules can offer. Each is None where one evident edit would not do.

What stands behind an anchor, an alias or a tag, in a block scalar or on several lines, is left to people.
"""

from __future__ import annotations

import re
from collections.abc import Container

from planner.core.document import Node, Span, Spec
from planner.core.edits import Edit, Fix, lines_of
from planner.core.scalars import resolve

_LEFT_TO_PEOPLE = tuple("&*!|>")
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./@$-]|:(?=[A-Za-z0-9/]))*")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_BRACKETS = re.compile(r"\[([\w\s,]*)\]")
_ITEM = re.compile(r"[ \t]*-[ \t]+")


def rewritten(
    spec: Spec, node: Node, text: str, title: str = "", *, is_safe: bool = False
) -> Fix | None:
    """The scalar ``node`` gets the text ``text``, in the quotes that it has."""
    if node.kind != "scalar" or text == node.text:
        return None
    return _with_text(spec, node.span, text, title or f"write {text}", is_safe=is_safe)


def renamed(spec: Spec, key: Span | None, name: str, taken: Container[str] = ()) -> Fix | None:
    """The key at ``key`` gets the name ``name``, unless that is one of ``taken``: its brothers' names."""
    if key is None or name in taken:
        return None
    return _with_text(spec, key, name, f"rename it to {name}", is_safe=False)


def as_literal(spec: Spec, node: Node, text: str) -> Fix | None:
    """The unquoted scalar ``node`` becomes ``text``, which means the same to the system."""
    if not _is_plain(_source(spec, node.span)):
        return None
    return Fix(f"write {text}", (Edit(node.span, text),), is_safe=True)


def quoted(spec: Spec, node: Node) -> Fix | None:
    """What stands there unquoted becomes a string. The text itself is no part of the edits: it may be a secret."""
    source = _source(spec, node.span)
    return _between_quotes(node.span, source) if _is_plain(source) else None


def quoted_to_the_end(spec: Spec, node: Node) -> Fix | None:
    """The rest of the line becomes a string, although YAML sees a tag or an anchor in it."""
    line = _line(spec, node.span.line)
    rest = line[node.span.column - 1 :].rstrip()
    if not re.fullmatch(r"[!&][^\s'\"#,\[\]{}]*", rest):
        return None
    start = node.span.column
    return _between_quotes(Span(node.span.line, start, node.span.line, start + len(rest)), rest)


def unquoted(spec: Spec, node: Node) -> Fix | None:
    """The string in quotes becomes what its text means without them."""
    source, span = _source(spec, node.span), node.span
    if source[1:-1] != node.text or source[:1] not in ("'", '"') or not _PLAIN.match(node.text):
        return None
    opening = Span(span.line, span.column, span.line, span.column + 1)
    closing = Span(span.line, span.end_column - 1, span.line, span.end_column)
    return Fix("take the quotes off", (Edit(opening, ""), Edit(closing, "")))


def removed(
    spec: Spec, parent: Node, node: Node, title: str = "remove it", *, is_safe: bool = False
) -> Fix | None:
    """The item or entry ``node`` of ``parent`` goes, which has others and stays."""
    spans = [_whole(each.key, each) for each in parent.items] or [
        _whole(each.key.span, each.value) for each in parent.entries if not each.merged
    ]
    own = _whole(node.key if parent.kind == "mapping" else None, node)
    if len(spans) < 2 or own not in spans or own.line != own.end_line:
        return None
    opening = _line(spec, parent.span.line)[parent.span.column - 1 :][:1]
    if opening in _LEFT_TO_PEOPLE:
        return None
    at = spans.index(own)
    span = (
        _in_flow(spec, spans, at)
        if opening in ("[", "{")
        else _in_block(spec, own, node, is_item=parent.kind == "sequence")
    )
    return Fix(title, (Edit(span, ""),), is_safe) if span else None


def without_comment(spec: Spec, comment: Span, words: Container[str]) -> Fix:
    """Of the words in the brackets of a comment, ``words`` go; when none remains, the comment, and a line of its own."""
    line = _line(spec, comment.line)
    before = line[: comment.column - 1]
    if match := _BRACKETS.search(line, comment.column - 1):
        written = [word.strip() for word in match[1].split(",")]
        if kept := [word for word in written if word not in words]:
            text = (", " if ", " in match[1] else ",").join(kept)
            span = Span(comment.line, match.start(1) + 1, comment.line, match.end(1) + 1)
            return Fix(f"leave {', '.join(kept)}", (Edit(span, text),), is_safe=True)
    span = _whole_line(spec, comment.line)
    if before.strip():
        span = Span(comment.line, len(before.rstrip()) + 1, comment.line, len(line) + 1)
    return Fix("remove the comment", (Edit(span, ""),), is_safe=True)


def _whole_line(spec: Spec, number: int) -> Span:
    """The line with its end, which the last one may not have."""
    lines = lines_of(spec.text)
    if number < len(lines):
        return Span(number, 1, number + 1, 1)
    return Span(number, 1, number, len(lines[-1]) + 1)


def _whole(key: Span | None, value: Node) -> Span:
    return Span(*(key or value.span)[:2], *value.span[2:])


def _in_flow(spec: Spec, spans: list[Span], at: int) -> Span | None:
    """From the end of the one before, or to the beginning of the one behind."""
    one, other = (spans[at - 1], spans[at]) if at else (spans[0], spans[1])
    between = Span(*one[2:], *other[:2])
    if not _COMMA.fullmatch(_source(spec, between)):
        return None
    return Span(*one[2:], *other[2:]) if at else Span(*one[:2], *other[:2])


def _in_block(spec: Spec, own: Span, node: Node, *, is_item: bool) -> Span | None:
    line = _line(spec, own.line)
    before, behind = line[: own.column - 1], line[own.end_column - 1 :]
    is_alone = _ITEM.fullmatch(before) if is_item else not before.strip()
    is_block = _source(spec, node.span)[:1] in ("|", ">")
    if not is_alone or behind.strip() or is_block:
        return None
    return _whole_line(spec, own.line)


def _with_text(spec: Spec, span: Span, text: str, title: str, *, is_safe: bool) -> Fix | None:
    source = _source(spec, span)
    if not source or source.startswith(_LEFT_TO_PEOPLE) or not text.isprintable():
        return None
    return Fix(title, (Edit(span, _written(text, source[0])),), is_safe)


def _written(text: str, style: str) -> str:
    """``text`` in quotes like those that ``style`` begins, or as it is where it needs none."""
    is_plain = (
        style not in ("'", '"') and _PLAIN.fullmatch(text) and resolve(text, plain=True) == text
    )
    if is_plain:
        return text
    if style == "'" or ("\\" in text and style != '"'):
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _between_quotes(span: Span, source: str) -> Fix | None:
    """Quotes in which nothing of ``source`` is special."""
    quote = "'" if "\\" in source or '"' in source else '"'
    if quote in source or not source.isprintable():
        return None
    line, start, _, end = span
    opening, closing = Span(line, start, line, start), Span(line, end, line, end)
    return Fix("put it in quotes", (Edit(opening, quote), Edit(closing, quote)))


def _is_plain(source: str) -> bool:
    return bool(source) and not source.startswith((*_LEFT_TO_PEOPLE, "'", '"'))


def _source(spec: Spec, span: Span) -> str:
    """The text of a span on one line; empty for one on several."""
    if span.line != span.end_line:
        return ""
    return _line(spec, span.line)[span.column - 1 : span.end_column - 1]


def _line(spec: Spec, number: int) -> str:
    lines = lines_of(spec.text)
    return lines[number - 1] if number <= len(lines) else ""
