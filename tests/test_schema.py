"""The schemas themselves, and the two engines that read them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from planner.core.reader import read
from planner.core.schema import (
    Engine,
    fast_engine,
    folder,
    load,
    meant_branch,
    places_of,
    reference_engine,
    violations,
)
from planner.core.shape import Shape

_NAMES = sorted(
    path.relative_to(folder()).with_suffix("").as_posix() for path in folder().rglob("*.json")
)
_TESTS = Path(__file__).parent
_ODD = """
null --- [] --- 5 --- text --- {mirrors: [.inf, .nan]} --- {mirrors: {a: {endpoint: [.inf, -.inf, .nan, 1e400]}}}
--- {configs: {a: {tls: {insecure_skip_verify: 1.0}}}} --- {1: 2, true: {}} --- {version: 1.0, clusters: {}}
--- {mirrors: 18446744073709551616, configs: -9223372036854775809} --- {name: [], spec: {}} --- {format: x}
""".replace("\n", " ")

HAS_FAST_ENGINE = importlib.util.find_spec("jsonschema_rs") is not None


def _texts() -> Iterator[str]:
    """Conformance cases, examples, and oddities."""
    for path in sorted((_TESTS / "conformance").glob("*_lint.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)["yaml"]
    for path in sorted((_TESTS.parent / "examples").rglob("*.yaml")):
        yield path.read_text("utf-8")
    yield from _ODD.split("---")


_INSTANCES = [document.plain() for text in _texts() for document in read("f.yaml", text).documents]


def _errors(engine: Engine, instance: object) -> set[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    return {(tuple(path), tuple(keywords)) for path, keywords in engine(instance)}


@pytest.mark.skipif(not HAS_FAST_ENGINE, reason="jsonschema-rs has no wheel for this platform")
@pytest.mark.parametrize("name", _NAMES)
def test_both_engines_find_the_same(name: str) -> None:
    fast, reference = fast_engine(load(name)), reference_engine(load(name))
    for instance in _INSTANCES:
        assert _errors(fast, instance) == _errors(reference, instance), instance


@pytest.mark.parametrize("name", _NAMES)
def test_what_fits_beyond_doubt_is_valid(name: str) -> None:
    engine = reference_engine(load(name))
    for instance in _INSTANCES:
        if Shape(load(name)).fits(instance):
            assert _errors(engine, instance) == set(), instance


@pytest.mark.parametrize("name", _NAMES)
def test_references_are_followed_as_if_they_stood_in_place(name: str) -> None:
    schema = json.loads((folder() / f"{name}.json").read_text("utf-8"))
    followed = Shape(schema, schema.get("$defs", {}))
    for instance in _INSTANCES:
        assert followed.fits(instance) == Shape(load(name)).fits(instance), instance


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, width=16)
    | st.text("a1\n٣", max_size=3),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc"), below, max_size=3)
    ),
    max_leaves=6,
)
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(_TYPES)
            | st.lists(st.sampled_from(_TYPES), min_size=1, unique=True),
            "enum": st.lists(_VALUES, min_size=1, max_size=3),
            "const": _VALUES,
            "pattern": st.sampled_from(["^a$", r"^\d+$", "a|1"]),
            "minimum": st.integers(-2, 2),
            "maximum": st.integers(-2, 2),
            "minLength": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "required": st.lists(st.sampled_from("abc"), unique=True),
            "title": st.just("A title"),
        },
    ),
    lambda below: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), below, max_size=2),
            "additionalProperties": st.booleans() | below,
            "items": below,
            "anyOf": st.lists(below, min_size=1, max_size=2),
            "not": below,
        },
    ),
    max_leaves=5,
)


@given(schema=_SCHEMAS, value=_VALUES)
def test_no_schema_is_fitted_by_what_a_validator_refuses(
    schema: dict[str, Any], value: object
) -> None:
    if Shape(schema).fits(value):
        assert _errors(reference_engine(schema), value) == set()


def test_most_valid_documents_fit_beyond_doubt() -> None:
    """Otherwise the quick look would be worth nothing."""
    text = (_TESTS.parent / "examples" / "kubeone" / "aws.yaml").read_text("utf-8")
    assert Shape(load("kubeone/kubeonecluster")).fits(read("f.yaml", text).root.plain())


_BY_TYPE = [
    {"properties": {"type": {"const": "name"}, "name": {"type": "string"}}},
    {"properties": {"type": {"const": "uuid"}, "uuid": {"type": "string"}}},
]


@pytest.mark.parametrize(
    ("value", "branch"),
    [
        ({"type": "uuid", "name": "x"}, 1),
        ({"type": "name", "uuid": "x"}, 0),
        ({"uuid": "x"}, 1),
        ({}, 0),
        ("text", 0),
    ],
)
def test_the_discriminator_tells_the_branch(value: object, branch: int) -> None:
    assert meant_branch(_BY_TYPE, value) is _BY_TYPE[branch]


def test_the_places_of_a_key_are_known() -> None:
    assert ("mirrors", "*") in places_of("k3s/registries")["endpoint"]


@pytest.mark.parametrize("name", _NAMES)
def test_a_schema_is_a_valid_schema(name: str) -> None:
    schema = json.loads((folder() / f"{name}.json").read_text("utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", _NAMES)
def test_every_property_explains_itself(name: str) -> None:
    schema = load(name)
    lacking = [path for path, each in _properties(schema, name) if not _is_explained(each)]
    assert lacking == []


def _is_explained(schema: Any) -> bool:
    return bool(schema.get("title")) and str(schema.get("description", "")).endswith(".")


def _properties(schema: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, list):
        for each in schema:
            yield from _properties(each, path)
    if not isinstance(schema, dict):
        return
    for key, each in schema.get("properties", {}).items():
        yield f"{path}.{key}", each
    for key, each in schema.items():
        inside = each.values() if key == "properties" else [each]
        for child in inside:
            yield from _properties(child, f"{path}.{key}")


def test_there_are_schemas() -> None:
    assert {"k3s/registries", "planner"} <= set(_NAMES)


def test_references_are_put_in_place() -> None:
    assert "$ref" not in json.dumps(load("k3s/registries"))


def test_violations_carry_path_keyword_and_schema() -> None:
    (found,) = violations("k3s/registries", {"mirrors": {"quay.io": {"endpoint": "x"}}})
    assert found.path == ("mirrors", "quay.io", "endpoint")
    assert found.keyword == "type"
    assert found.schema["title"] == "Endpoints"


def test_a_keyword_counts_once_per_place() -> None:
    assert len(violations("planner", {"clusters": [{}]})) == 2
