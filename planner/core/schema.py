"""The structural layer: JSON Schemas from ``schemas/``, and what they say about a document.

A document that fits beyond doubt (``shape``) needs no validator. For the others, ``jsonschema-rs`` does the work where it
can be imported; ``jsonschema`` is the reference, and tests keep the three equal. Both validators yield the same two paths,
from which everything else is derived, so that messages never depend on the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from planner.core.shape import Schema, Shape

Engine = Callable[[object], Iterable[tuple[list[Any], list[Any]]]]

_ALTERNATIVES = ("anyOf", "oneOf")


class Violation(NamedTuple):
    """``keyword`` of ``schema`` does not hold for the value at ``path``."""

    path: tuple[str | int, ...]
    keyword: str
    schema: Schema


def violations(name: str, instance: object) -> list[Violation]:
    """What the schema ``name`` does not accept in ``instance``, each keyword once per place, ordered by path."""
    if _shape(name).fits(instance):
        return []
    found = {
        (tuple(map(str, each.path)), each.keyword): each
        for path, keywords in _engine(name)(instance)
        for each in _chosen(_violation(load(name), path, keywords), instance)
    }
    return [found[key] for key in sorted(found)]


def _chosen(violation: Violation, instance: object) -> Iterator[Violation]:
    """The violation, or, where none of several branches holds, those of the branch that was evidently meant."""
    if violation.keyword not in _ALTERNATIVES:
        yield violation
        return
    value: Any = instance
    for step in violation.path:
        value = value[step]
    branch = meant_branch(violation.schema[violation.keyword], value)
    for path, keywords in _engine_for(branch)(value):
        below = _violation(branch, path, keywords)
        yield from _chosen(below._replace(path=(*violation.path, *path)), instance)


def meant_branch(branches: Sequence[Schema], value: object) -> Schema:
    """The branch whose constants stand in ``value``; among equals the one that knows most of its keys."""

    def score(branch: Schema) -> tuple[int, int]:
        if not isinstance(value, dict):
            return (Shape({"type": branch["type"]}).fits(value) if "type" in branch else 0, 0)
        known = branch.get("properties", {})
        constants = sum(
            1 if value[key] in _constants(each) else -1
            for key, each in known.items()
            if key in value and _constants(each)
        )
        return constants, sum(key in known for key in value)

    return max(branches, key=score)


def _constants(schema: Schema) -> Sequence[Any]:
    return [schema["const"]] if "const" in schema else schema.get("enum", ())


def _branches(schema: Schema) -> Iterator[Schema]:
    for keyword in _ALTERNATIVES:
        yield from schema.get(keyword, ())


@cache
def places_of(name: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Each key that the schema knows, with the places where it does: the steps to its mapping, ``[]`` for any item."""
    found: dict[str, list[tuple[str, ...]]] = {}

    def walk(schema: Schema, place: tuple[str, ...]) -> None:
        for key, below in schema.get("properties", {}).items():
            found.setdefault(key, []).append(place)
            walk(below, (*place, key))
        if isinstance(schema.get("items"), dict):
            walk(schema["items"], (*place, "[]"))
        if isinstance(schema.get("additionalProperties"), dict):
            walk(schema["additionalProperties"], (*place, "*"))
        for branch in _branches(schema):
            walk(branch, place)

    walk(load(name), ())
    return {key: tuple(places) for key, places in found.items()}


def reference_engine(schema: Schema) -> Engine:
    """Instance path and schema path of each error, by the reference validator."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 150 ms that only a fallback should cost

    validator = Draft202012Validator(dict(schema))
    return lambda instance: (
        (list(each.absolute_path), list(each.absolute_schema_path))
        for each in validator.iter_errors(instance)
    )


def fast_engine(schema: Schema) -> Engine:
    """The same by ``jsonschema-rs``.

    Raises:
        ImportError: there is no wheel of it for this platform.
    """
    import jsonschema_rs  # noqa: PLC0415 - 45 ms that a document without mistakes should not cost

    validator = jsonschema_rs.Draft202012Validator(dict(schema))
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
    schema = _parsed(name)
    inlined: Schema = _inline(schema, schema.get("$defs", {}))
    return {key: value for key, value in inlined.items() if key != "$defs"}


@cache
def _shape(name: str) -> Shape:
    schema = _parsed(name)
    return Shape(schema, schema.get("$defs", {}))


@cache
def _parsed(name: str) -> Schema:
    schema: Schema = json.loads((folder() / f"{name}.json").read_bytes())
    return schema


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
def _engine(name: str) -> Engine:
    return _engine_for(load(name))


def _engine_for(schema: Schema) -> Engine:
    try:
        return fast_engine(schema)
    except ImportError:  # the reference validator is slower, and equal
        return reference_engine(schema)


def _violation(schema: Schema, path: list[Any], schema_path: list[Any]) -> Violation:
    *steps, keyword = schema_path
    value: Any = schema
    for step in steps:
        value = value[step]
    return Violation(tuple(path), keyword, value)
