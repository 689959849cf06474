"""What a document's structure says against it: violations of its schema, put into words.

A finding names the consequence (``Structure`` knows what the system does), another spelling or the right place of a key,
and a fix where only one can be meant. Values that may be secrets are not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from planner.core.document import NOWHERE, Node, Path, Span, Spec
from planner.core.edits import Fix
from planner.core.lint import BUILT_IN, Finding, Structure
from planner.core.mending import quoted, renamed, rewritten, unquoted
from planner.core.scalars import resolve
from planner.core.schema import Violation, places_of
from planner.core.shape import Shape
from planner.core.text import closest


def schema_findings(
    spec: Spec, document: Node, violations: Iterable[Violation], structure: Structure
) -> Iterator[Finding]:
    """What the schema does not accept in a document, each where it stands, with its consequence and what to do."""
    for each in violations:
        yield from _findings(spec, document, each, structure)


def _findings(
    spec: Spec, document: Node, violation: Violation, structure: Structure
) -> Iterator[Finding]:
    node = document.get(*violation.path)
    match violation.keyword:
        case "additionalProperties":
            for key, span in _stray_keys(node, violation, structure.tolerated):
                message = f"unknown key {key!r}: {structure.unknown_key}"
                path = (*node.path, key)
                hint, near = _help_for_key(key, path, violation, structure.schema)
                found = _structural(spec, "SCH001", span, path, message, hint)
                names = {entry.key.text for entry in node.entries}
                yield found._replace(
                    severity=structure.unknown_key_severity,
                    fix=renamed(spec, span, near, names) if near else None,
                )
        case "required":
            for key in violation.schema["required"]:
                if not node.get(key):
                    what = violation.schema["properties"].get(key, {}).get("description", "")
                    message = f"the key {key!r} is missing"
                    yield _structural(spec, "SCH002", _first_line(node), node.path, message, what)
        case "type":
            got = _describe(node, secret=violation.schema.get("writeOnly", False))
            message = f"expected {_types(violation.schema)}, got {got}: {structure.wrong_type}"
            hint = violation.schema.get("description", "")
            found = _structural(spec, "SCH003", node.place, node.path, message, hint)
            yield found._replace(fix=_retyped(spec, node, violation))
        case keyword:
            message = _value_message(keyword, violation, node)
            hint = violation.schema.get("description", "")
            found = _structural(spec, "SCH004", node.place, node.path, message, hint)
            near = _near_value(node, violation) if keyword == "enum" else ""
            is_text = near in violation.schema.get("enum", ())
            yield found._replace(fix=rewritten(spec, node, near) if near and is_text else None)


def _structural(spec: Spec, code: str, span: Span, path: Path, message: str, hint: str) -> Finding:
    return Finding(spec.file, span, code, BUILT_IN[code][0], message, hint, path=path)


def _stray_keys(node: Node, violation: Violation, tolerated: str) -> Iterator[tuple[str, Span]]:
    known = violation.schema.get("properties", {})
    for entry in node.entries:
        key = entry.key.text
        if key not in known and not re.fullmatch(tolerated, key):
            yield key, entry.key.span


def _help_for_key(key: str, path: Path, violation: Violation, schema: str) -> tuple[str, str]:
    """What to do with an unknown key (another spelling, another place, or the list of what is known), and the spelling."""
    known = list(violation.schema.get("properties", {}))
    if near := closest(key, known):
        return f"did you mean {near!r}?", near
    if home := _home_of_key(key, path, schema):
        return f"it belongs under {home}", ""
    listed = (
        f"known here: {', '.join(known)}" if len(known) <= 8 else f"see planner schema {schema}"
    )
    return listed, ""


def _retyped(spec: Spec, node: Node, violation: Violation) -> Fix | None:
    """Quotes where a text was meant that looks like something else, and none where it was not."""
    shape, text = Shape(violation.schema), node.text
    # ``true`` was meant as a boolean, of which nobody knows what text it stands for; ``no`` may well be Norway.
    is_boolean = isinstance(node.value, bool) and text.lower() in ("true", "false")
    if isinstance(node.value, bool | int | float) and not is_boolean:
        return quoted(spec, node) if shape.fits(text) else None
    if isinstance(node.value, str):
        value = resolve(text, plain=True)
        is_usual = text in ("true", "false") or re.fullmatch(r"0|-?[1-9][0-9]{0,8}", text)
        return unquoted(spec, node) if is_usual and shape.fits(value) else None
    return None


def _near_value(node: Node, violation: Violation) -> str:
    """The accepted text that was probably meant."""
    return closest(node.text, [str(each) for each in violation.schema["enum"]])


def _home_of_key(key: str, path: Path, schema: str) -> str:
    """Where the schema knows the very key: the place with most steps in common with ``path``, as ``a.b[]``; else empty."""
    here = [str(step) for step in path]
    best, most = "", (-1, 0)
    for place in places_of(schema).get(key, ()):
        if place:
            shared = sum(
                1
                for _ in takewhile(lambda pair: pair[0] == pair[1], zip(here, place, strict=False))
            )
            if (shared, -len(place)) > most:
                best, most = _dotted(place), (shared, -len(place))
    return best


def _dotted(place: tuple[str, ...]) -> str:
    return ".".join(place).replace(".[]", "[]")


def _first_line(node: Node) -> Span:
    place = node.place
    if node.key is None and node.kind == "mapping" and node.entries:
        return node.entries[0].key.span
    return place if place != NOWHERE else NOWHERE


def _types(schema: Mapping[str, Any]) -> str:
    names = {"object": "a mapping", "array": "a list", "integer": "an integer", "null": ""}
    kinds = schema["type"]
    listed = kinds if isinstance(kinds, list) else [kinds]
    if {"string", "boolean"} <= set(listed):
        return "a single value"
    return " or ".join(filter(None, (names.get(kind, f"a {kind}") for kind in listed)))


def _describe(node: Node, *, secret: bool = False) -> str:
    """What stands there. Schemas mark what may hold a password as ``writeOnly``, and that is not shown."""
    if node.kind != "scalar":
        return {"mapping": "a mapping", "sequence": "a list"}.get(node.kind, "nothing")
    kinds = {bool: "the boolean", int: "the number", float: "the number", str: "the string"}
    if node.value is None:
        return "null"
    return "a single value" if secret else f"{kinds[type(node.value)]} {node.text!r}"


def _value_message(keyword: str, violation: Violation, node: Node) -> str:
    limit = violation.schema[keyword]
    is_secret = violation.schema.get("writeOnly", False)
    written, text = ("this value",) * 2 if is_secret else (repr(node.text), node.text)
    match keyword:
        case "enum":
            near = "" if is_secret else _near_value(node, violation)
            listed = ", ".join(str(each) for each in limit if each)
            choice = f"did you mean {near!r}?" if near else f"one of {listed}"
            return f"{written} is not accepted: {choice}"
        case "const":
            return f"expected {limit!r}, got {_describe(node, secret=is_secret)}"
        case "minimum" | "exclusiveMinimum":
            return f"{text} is below {limit}"
        case "maximum" | "exclusiveMaximum":
            return f"{text} is above {limit}"
        case "pattern":
            return f"{written} does not have the form {violation.schema.get('title', limit)}"
        case "minItems" | "minLength" | "minProperties":
            return "must not be empty" if limit == 1 else f"needs at least {limit}"
        case "maxItems" | "maxLength" | "maxProperties":
            return f"allows at most {limit}"
        case _:
            return f"{keyword} does not hold"
