"""A quick look whether a value surely fits a schema.

Nearly every document does, and then no validator needs to be loaded, which takes longer than everything else that lint
does with one file. The answer errs on one side only: a keyword that is not known here, or a case in which validators
might differ, makes it False, and the validator decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from typing import Any

Schema = Mapping[str, Any]
Holds = Callable[[Any, Any, "Shape"], bool]

_LOCAL = "#/$defs/"
_NOTHING: Schema = {}
_ANNOTATIONS = frozenset(
    "$schema $id $comment $defs title description default examples writeOnly deprecated format".split()
)


class Shape:
    """A schema, made ready for the quick look as far as values reach into it; references are followed on the way."""

    __slots__ = ("_checks", "_definitions", "_parts", "schema")

    def __init__(self, schema: Schema, definitions: Schema = _NOTHING) -> None:
        while "$ref" in schema:
            rest = {key: each for key, each in schema.items() if key != "$ref"}
            schema = {**definitions[schema["$ref"].removeprefix(_LOCAL)], **rest}
        self.schema = schema
        self._definitions = definitions
        self._parts: dict[int, Shape] = {}
        self._checks = [
            (_HOLDS.get(keyword, _unknown), expected)
            for keyword, expected in schema.items()
            if keyword not in _ANNOTATIONS
        ]

    def fits(self, value: object) -> bool:
        """Whether ``value`` (of JSON types) fits the schema beyond doubt."""
        return all(holds(expected, value, self) for holds, expected in self._checks)

    def part(self, schema: Schema) -> Shape:
        """The shape of a schema within this one."""
        found = self._parts.get(id(schema))
        if found is None:
            found = self._parts[id(schema)] = Shape(schema, self._definitions)
        return found


def _unknown(_: Any, __: Any, ___: Shape) -> bool:
    return False


def _type(expected: Any, value: Any, _: Shape) -> bool:
    """A whole float may stand for an integer, and an integer for a number: that is left to the validator."""
    name = _TYPES.get(type(value), "")
    return name in expected if isinstance(expected, list) else name == expected


_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def _properties(expected: Any, value: Any, shape: Shape) -> bool:
    if not isinstance(value, dict):
        return True
    return all(
        shape.part(expected[key]).fits(each) for key, each in value.items() if key in expected
    )


def _additional(expected: Any, value: Any, shape: Shape) -> bool:
    if not isinstance(value, dict) or expected is True:
        return True
    known = shape.schema.get("properties", {})
    strays = [each for key, each in value.items() if key not in known]
    if expected is False:
        return not strays
    return all(map(shape.part(expected).fits, strays))


def _items(expected: Any, value: Any, shape: Shape) -> bool:
    return not isinstance(value, list) or all(map(shape.part(expected).fits, value))


def _required(expected: Any, value: Any, _: Shape) -> bool:
    return not isinstance(value, dict) or all(key in value for key in expected)


def _enum(expected: Any, value: Any, _: Shape) -> bool:
    return any(type(each) is type(value) and each == value for each in expected)


def _const(expected: Any, value: Any, _: Shape) -> bool:
    return type(expected) is type(value) and expected == value


def _pattern(expected: Any, value: Any, _: Shape) -> bool:
    """Regular expressions differ in what they make of line ends and of digits beyond ASCII."""
    if not isinstance(value, str):
        return True
    return value.isascii() and "\n" not in value and re.search(expected, value) is not None


def _any_of(expected: Any, value: Any, shape: Shape) -> bool:
    return any(shape.part(each).fits(value) for each in expected)


def _number(holds: Callable[[Any, Any], bool]) -> Holds:
    return lambda limit, value, _: type(value) not in (int, float) or holds(value, limit)


def _length(kind: type[Sized], holds: Callable[[int, int], bool]) -> Holds:
    return lambda limit, value, _: not isinstance(value, kind) or holds(len(value), limit)


def _at_least(one: Any, other: Any) -> bool:
    return bool(one >= other)


def _at_most(one: Any, other: Any) -> bool:
    return bool(one <= other)


_HOLDS: Mapping[str, Holds] = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "required": _required,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "anyOf": _any_of,
    "minimum": _number(_at_least),
    "maximum": _number(_at_most),
    "minLength": _length(str, _at_least),
    "maxLength": _length(str, _at_most),
    "minItems": _length(list, _at_least),
    "maxItems": _length(list, _at_most),
    "minProperties": _length(dict, _at_least),
    "maxProperties": _length(dict, _at_most),
}
