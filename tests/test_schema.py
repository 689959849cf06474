"""The schemas themselves, and the two engines that read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from planner.core.reader import read
from planner.core.schema import (
    HAS_FAST_ENGINE,
    fast_engine,
    folder,
    load,
    reference_engine,
    violations,
)

_NAMES = sorted(
    path.relative_to(folder()).with_suffix("").as_posix() for path in folder().rglob("*.json")
)
_TESTS = Path(__file__).parent
_ODD = """
null --- [] --- 5 --- text --- {mirrors: [.inf, .nan]} --- {mirrors: {a: {endpoint: [.inf, -.inf, .nan, 1e400]}}}
--- {configs: {a: {tls: {insecure_skip_verify: 1.0}}}} --- {1: 2, true: {}} --- {version: 1.0, clusters: {}}
--- {mirrors: 18446744073709551616, configs: -9223372036854775809} --- {name: [], spec: {}} --- {format: x}
""".replace("\n", " ")

Engine = Callable[[object], Iterator[tuple[list[Any], list[Any]]]]


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
    fast, reference = fast_engine(name), reference_engine(name)
    for instance in _INSTANCES:
        assert _errors(fast, instance) == _errors(reference, instance), instance


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
