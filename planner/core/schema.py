"""The structural layer: JSON Schemas from ``schemas/``, and what they say about a document.

``jsonschema-rs`` does the work where it can be imported; ``jsonschema`` is the reference, and a test keeps the two equal.
Both yield the same two paths, from which everything else is derived, so that messages never depend on the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

try:
    import jsonschema_rs

    HAS_FAST_ENGINE = True
except ImportError:  # no wheel for this platform: the reference validator is slower, and equal
    HAS_FAST_ENGINE = False

Schema = Mapping[str, Any]


class Violation(NamedTuple):
    """``keyword`` of ``schema`` does not hold for the value at ``path``."""

    path: tuple[str | int, ...]
    keyword: str
    schema: Schema


def violations(name: str, instance: object) -> list[Violation]:
    """What the schema ``name`` does not accept in ``instance``, each keyword once per place, ordered by path."""
    found = {
        (tuple(map(str, path)), keywords[-1]): _violation(load(name), path, keywords)
        for path, keywords in _engine(name)(instance)
    }
    return [found[key] for key in sorted(found)]


def reference_engine(name: str) -> Callable[[object], Iterator[tuple[list[Any], list[Any]]]]:
    """Instance path and schema path of each error, by the reference validator."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 150 ms that only a fallback should cost

    validator = Draft202012Validator(dict(load(name)))
    return lambda instance: (
        (list(each.absolute_path), list(each.absolute_schema_path))
        for each in validator.iter_errors(instance)
    )


def fast_engine(name: str) -> Callable[[object], Iterator[tuple[list[Any], list[Any]]]]:
    """The same by ``jsonschema-rs``."""
    validator = jsonschema_rs.Draft202012Validator(dict(load(name)))
    return lambda instance: (
        (each.instance_path, each.schema_path) for each in validator.iter_errors(instance)
    )


def folder() -> Path:
    """Where the schemas are: in the wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


@cache
def load(name: str) -> Schema:
    """The schema ``schemas/<name>.json`` (``k3s/registries``) with its local references put in place."""
    schema: Schema = json.loads((folder() / f"{name}.json").read_text("utf-8"))
    inlined: Schema = _inline(schema, schema.get("$defs", {}))
    return {key: value for key, value in inlined.items() if key != "$defs"}


def _inline(value: Any, definitions: Schema) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            target = definitions[value["$ref"].removeprefix("#/$defs/")]
            rest = {key: each for key, each in value.items() if key != "$ref"}
            return _inline({**target, **rest}, definitions)
        return {key: _inline(each, definitions) for key, each in value.items()}
    if isinstance(value, list):
        return [_inline(each, definitions) for each in value]
    return value


@cache
def _engine(name: str) -> Callable[[object], Iterable[tuple[list[Any], list[Any]]]]:
    return fast_engine(name) if HAS_FAST_ENGINE else reference_engine(name)


def _violation(schema: Schema, path: list[Any], schema_path: list[Any]) -> Violation:
    *steps, keyword = schema_path
    value: Any = schema
    for step in steps:
        value = value[step]
    return Violation(tuple(path), keyword, value)
