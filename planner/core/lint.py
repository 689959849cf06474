"""Findings, rules, and the run of both layers over one spec.

A rule is a documented function; its docstring is its page (``planner explain``) and its ``Bad:`` and ``Good:`` blocks
are its tests. A family lists its rules in a tuple: nothing registers itself.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from planner.core.document import NOWHERE, Node, Path, Problem, Span, Spec
from planner.core.schema import Violation, violations
from planner.core.text import closest


class Severity(StrEnum):
    """*error*: the system rejects it or silently does something else; *warning*: it works, and somebody will regret it."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Related(NamedTuple):
    """Another place that belongs to a finding."""

    file: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a finding does not count: who says so, and for what reason."""

    by: Literal["comment", "config", "baseline"]
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake at one place. Ordered by place. ``identity`` is what its fingerprint is made of, besides its code."""

    file: str
    span: Span
    code: str
    name: str = ""
    message: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
    path: Path = field(default=(), compare=False)
    related: tuple[Related, ...] = field(default=(), compare=False)
    suppressed: Suppression | None = field(default=None, compare=False)
    identity: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule yields: the node to blame, what is wrong, and what to do.

    ``on_key`` points at the key although the value is a scalar. ``severity`` overrides the rule's.
    """

    node: Node
    message: str
    hint: str = ""
    on_key: bool = False
    severity: Severity | None = None
    related: tuple[tuple[Node, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of mistake."""

    code: str
    name: str
    severity: Severity
    doc: str
    check: Callable[[Spec], Iterable[Hit]]

    @property
    def title(self) -> str:
        """The first line of the page."""
        return self.doc.partition("\n")[0].rstrip(".")

    def section(self, name: str) -> str:
        """The text below ``name:`` (``Bad``, ``Good``, ``Source``), without its indentation."""
        match = re.search(rf"^{name}:\n((?:    .*\n?|\n)+)", self.doc + "\n", re.MULTILINE)
        return textwrap.dedent(match[1]).strip("\n") + "\n" if match else ""


def rule(
    code: str, severity: Severity = Severity.ERROR
) -> Callable[[Callable[[Spec], Iterable[Hit]]], Rule]:
    """Make a documented function the rule ``code``, named like the function."""

    def make(check: Callable[[Spec], Iterable[Hit]]) -> Rule:
        return Rule(code, check.__name__, severity, inspect.getdoc(check) or "", check)

    return make


@dataclass(frozen=True, slots=True)
class Structure:
    """How a family's structural layer behaves: which schema, and what the system does with a stray or a double key.

    ``unknown_key`` and ``wrong_type`` end the sentence that begins with the key: what the system does about it.
    ``tolerated`` is a pattern of keys that people put there on purpose; ``merged`` are the keys at the top of which the
    system takes both values together.
    """

    schema: str
    unknown_key: str
    wrong_type: str
    duplicate_key: str
    tolerated: str = r"(?!)"
    every_document: bool = False
    merged: frozenset[str] = frozenset()


BUILT_IN: Mapping[str, tuple[str, str]] = {
    "YAM001": ("invalid_yaml", "The file is not valid YAML, so the system cannot read it at all."),
    "YAM002": ("duplicate_key", "A mapping has the same key twice: one of the two values is lost."),
    "YAM003": ("excessive_yaml", "The YAML is nested or expands beyond any reasonable spec."),
    "SCH001": ("unknown_key", "The system knows no such key at this place."),
    "SCH002": ("missing_key", "A key without which the system refuses the document is not there."),
    "SCH003": ("wrong_type", "The value is of a type that the system cannot decode."),
    "SCH004": (
        "invalid_value",
        "The value is of the right type, but not one that the system accepts.",
    ),
    "SUP001": ("unused_suppression", "A suppression comment suppresses nothing any more."),
    "SUP002": (
        "expired_suppression",
        "The date in a suppression comment has passed: what it hid counts again.",
    ),
    "SUP003": (
        "unknown_rule_in_suppression",
        "A suppression comment names no rule, so it suppresses nothing.",
    ),
    "SUP004": (
        "malformed_suppression",
        "A comment is meant as a suppression, but not written like one: it has no effect.",
    ),
    "SUP005": (
        "stale_baseline_entry",
        "The baseline accepts a finding that is no longer there.",
    ),
}
_BUILT_IN_WARNINGS = frozenset({"SUP001", "SUP002", "SUP005"})


def built_in_severity(code: str) -> Severity:
    """How bad a finding of no family's rule is, as a rule."""
    return Severity.WARNING if code in _BUILT_IN_WARNINGS else Severity.ERROR


def lint(spec: Spec, structure: Structure, rules: Iterable[Rule]) -> list[Finding]:
    """All findings of one spec, in the order of its text.

    The rules run whatever the schema says: they read a total tree, so everything comes out in one run.
    """
    found = [*_yaml_findings(spec, structure)]
    for document in spec.documents if structure.every_document else spec.documents[:1]:
        for violation in violations(structure.schema, document.plain()):
            found.extend(_schema_findings(spec, document, violation, structure))
    for each in rules:
        found.extend(_finding(spec, each, hit) for hit in each.check(spec))
    return sorted(set(found))


def yaml_only(spec: Spec) -> list[Finding]:
    """What is wrong with the YAML of a file whose family is not known."""
    return [*_yaml_findings(spec, None)]


def _yaml_findings(spec: Spec, structure: Structure | None) -> Iterator[Finding]:
    codes = {"syntax": "YAM001", "duplicate": "YAM002", "limit": "YAM003"}
    for problem in spec.problems:
        related = (Related(spec.file, problem.first, "first here"),) if problem.first else ()
        message, severity = _double(problem, structure)
        code = codes[problem.kind]
        yield Finding(
            spec.file,
            problem.span,
            code,
            BUILT_IN[code][0],
            message,
            severity=severity,
            path=problem.path,
            related=related,
        )


def _double(problem: Problem, structure: Structure | None) -> tuple[str, Severity]:
    """Message and severity of a problem: a double key may be harmless."""
    if structure is None or problem.kind != "duplicate":
        return problem.message, Severity.ERROR
    if len(problem.path) == 1 and problem.path[0] in structure.merged:
        return f"{problem.message}: both values are taken together", Severity.WARNING
    return f"{problem.message}: {structure.duplicate_key}", Severity.ERROR


def _finding(spec: Spec, source: Rule, hit: Hit) -> Finding:
    span = hit.node.key if hit.on_key and hit.node.key else hit.node.place
    related = tuple(Related(spec.file, node.place, text) for node, text in hit.related)
    severity = hit.severity or source.severity
    return Finding(
        spec.file,
        span,
        source.code,
        source.name,
        hit.message,
        hit.hint,
        severity,
        hit.node.path,
        related,
    )


def _schema_findings(
    spec: Spec, document: Node, violation: Violation, structure: Structure
) -> Iterator[Finding]:
    node = document.get(*violation.path)
    match violation.keyword:
        case "additionalProperties":
            for key, span in _stray_keys(node, violation, structure.tolerated):
                hint = _hint_for_key(key, violation, structure.schema)
                message = f"unknown key {key!r}: {structure.unknown_key}"
                yield _structural(spec, "SCH001", span, (*node.path, key), message, hint)
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
            yield _structural(spec, "SCH003", node.place, node.path, message, hint)
        case keyword:
            message = _value_message(keyword, violation, node)
            hint = violation.schema.get("description", "")
            yield _structural(spec, "SCH004", node.place, node.path, message, hint)


def _structural(spec: Spec, code: str, span: Span, path: Path, message: str, hint: str) -> Finding:
    return Finding(spec.file, span, code, BUILT_IN[code][0], message, hint, path=path)


def _stray_keys(node: Node, violation: Violation, tolerated: str) -> Iterator[tuple[str, Span]]:
    known = violation.schema.get("properties", {})
    for entry in node.entries:
        key = entry.key.text
        if key not in known and not re.fullmatch(tolerated, key):
            yield key, entry.key.span


def _hint_for_key(key: str, violation: Violation, schema: str) -> str:
    known = list(violation.schema.get("properties", {}))
    if near := closest(key, known):
        return f"did you mean {near!r}?"
    return f"known here: {', '.join(known)}" if len(known) <= 8 else f"see planner schema {schema}"


def _first_line(node: Node) -> Span:
    place = node.place
    if node.key is None and node.kind == "mapping" and node.entries:
        return node.entries[0].key.span
    return place if place != NOWHERE else NOWHERE


def _types(schema: Mapping[str, Any]) -> str:
    names = {"object": "a mapping", "array": "a list", "integer": "an integer", "null": ""}
    kinds = schema["type"]
    listed = kinds if isinstance(kinds, list) else [kinds]
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
    match keyword:
        case "enum":
            near = closest(node.text, [str(each) for each in limit])
            listed = ", ".join(str(each) for each in limit if each)
            choice = f"did you mean {near!r}?" if near else f"one of {listed}"
            return f"{node.text!r} is not accepted: {choice}"
        case "const":
            return f"expected {limit!r}, got {_describe(node)}"
        case "minimum" | "exclusiveMinimum":
            return f"{node.text} is below {limit}"
        case "maximum" | "exclusiveMaximum":
            return f"{node.text} is above {limit}"
        case "pattern":
            return f"{node.text!r} does not have the form {violation.schema.get('title', limit)}"
        case "minItems" | "minLength" | "minProperties":
            return "must not be empty" if limit == 1 else f"needs at least {limit}"
        case "maxItems" | "maxLength" | "maxProperties":
            return f"allows at most {limit}"
        case _:
            return f"{keyword} does not hold"
