"""Findings, rules, and the run of both layers over one spec.

A rule is a documented function; its docstring is its page (``planner explain``) and its ``Bad:`` and ``Good:`` blocks
are its tests. A family lists its rules in a tuple: nothing registers itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from planner.core.document import Node, Path, Problem, Span, Spec
from planner.core.edits import Edit as Edit  # noqa: PLC0414 - rules find here all that they yield
from planner.core.edits import Fix as Fix  # noqa: PLC0414 - likewise
from planner.core.schema import violations


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


MARK = "planner:"  # how a comment begins that suppresses findings


class Suppression(NamedTuple):
    """Why a finding does not count: who says so, and for what reason."""

    by: Literal["comment", "config", "baseline"]
    reason: str


class Finding(NamedTuple):
    """One mistake at one place. ``identity`` is what its fingerprint is made of, besides its code."""

    file: str
    span: Span
    code: str
    name: str = ""
    message: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
    path: Path = ()
    related: tuple[Related, ...] = ()
    suppressed: Suppression | None = None
    identity: tuple[str, ...] = ()
    fix: Fix | None = None


_FINDING_TOLD = 7  # the fields up to ``severity``: what people are told


class Hit(NamedTuple):
    """What a rule yields: the node to blame, what is wrong, and what to do.

    ``on_key`` points at the key although the value is a scalar. ``severity`` overrides the rule's. ``related`` are places
    in the same file, ``elsewhere`` those in others. Where ``supplier`` adds to a spec, what is missing
    is no hit.
    """

    node: Node
    message: str
    hint: str = ""
    on_key: bool = False
    severity: Severity | None = None
    related: tuple[tuple[Node, str], ...] = ()
    elsewhere: tuple[Related, ...] = ()
    fix: Fix | None = None
    supplier: str = ""


class Peer(NamedTuple):
    """Another spec of the project: its family, and whether it belongs to the same cluster (or folder)."""

    family: str
    spec: Spec
    is_near: bool = True

    def related(self, node: Node, message: str) -> Related:
        """A place in this spec."""
        return Related(self.spec.file, node.place, message)


Check = Callable[[Spec], Iterable[Hit]]
CheckAcross = Callable[[Spec, Sequence[Peer]], Iterable[Hit]]


class Rule(NamedTuple):
    """One kind of mistake. ``check`` is given the spec to report on, and the specs that it can be compared with."""

    code: str
    name: str
    severity: Severity
    check: CheckAcross
    raw_doc: str

    @property
    def doc(self) -> str:
        """The page."""
        import inspect  # noqa: PLC0415 - 5 ms that only pages should cost

        return inspect.cleandoc(self.raw_doc)

    @property
    def title(self) -> str:
        """The first line of the page."""
        return self.doc.partition("\n")[0].rstrip(".")

    def section(self, name: str) -> str:
        """The text below ``name:`` (``Bad``, ``Good``, ``Source``), without its indentation."""
        import textwrap  # noqa: PLC0415 - like ``doc``

        match = re.search(rf"^{name}:\n((?:    .*\n?|\n)+)", self.doc + "\n", re.MULTILINE)
        return textwrap.dedent(match[1]).strip("\n") + "\n" if match else ""


def rule(code: str, severity: Severity = Severity.ERROR) -> Callable[[Check], Rule]:
    """Make a documented function the rule ``code``, named like the function."""

    def make(check: Check) -> Rule:
        def alone(spec: Spec, _: Sequence[Peer]) -> Iterable[Hit]:
            return check(spec)

        return Rule(code, check.__name__, severity, alone, check.__doc__ or "")

    return make


def rule_across(code: str, severity: Severity = Severity.ERROR) -> Callable[[CheckAcross], Rule]:
    """The same for a rule that compares the spec with others; it reports on the spec alone."""

    def make(check: CheckAcross) -> Rule:
        return Rule(code, check.__name__, severity, check, check.__doc__ or "")

    return make


class Structure(NamedTuple):
    """How the structural layer judges a document: by which schema, and what the system does with a stray or a double key.

    ``unknown_key`` and ``wrong_type`` end the sentence that begins with the key: what the system does about it.
    ``unknown_key_severity`` says how bad that is.
    ``tolerated`` is a pattern of keys that people put there on purpose; ``merged`` are the keys at the top of which the
    system takes both values together.
    """

    schema: str
    unknown_key: str
    wrong_type: str
    duplicate_key: str
    tolerated: str = r"(?!)"
    merged: frozenset[str] = frozenset()
    unknown_key_severity: Severity = Severity.ERROR


class Layer(NamedTuple):
    """A document, as the system's decoder sees it, and how its structure is judged."""

    document: Node
    structure: Structure


def first_document(structure: Structure) -> Callable[[Spec], Sequence[Layer]]:
    """The layers of a system that reads one document of a file."""
    return lambda spec: [Layer(document, structure) for document in spec.documents[:1]]


BUILT_IN: Mapping[str, tuple[str, str]] = {
    "YAM001": ("invalid_yaml", "The file is not valid YAML, so the system cannot read it at all."),
    "YAM002": ("duplicate_key", "A mapping has the same key twice: one of the two values is lost."),
    "YAM003": ("excessive_yaml", "The YAML is nested or expands beyond any reasonable spec."),
    "YAM004": (
        "templated_file",
        "The file is a template, so that only a part of it, or nothing, can be checked.",
    ),
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
    "CFG001": ("unknown_rule", "planner.yaml names a rule that does not exist."),
    "CFG002": ("dead_glob", "A pattern of planner.yaml matches no file of the project."),
    "CFG003": (
        "unknown_kind",
        "A comment says that the file is of a kind that planner does not know.",
    ),
    "CFG004": (
        "conflicting_keys",
        "The keymap of planner.yaml gives a key two meanings on one screen of the review.",
    ),
    "CFG005": ("no_such_key", "The keymap of planner.yaml names a key that is never heard."),
    "CFG006": ("missing_file", "A cluster of planner.yaml names a file that is not there."),
}
_BUILT_IN_WARNINGS = frozenset({"YAM004", "SUP001", "SUP002", "SUP005", "CFG002"})


def built_in_severity(code: str) -> Severity:
    """How bad a finding of no family's rule is, as a rule."""
    return Severity.WARNING if code in _BUILT_IN_WARNINGS else Severity.ERROR


def lint(
    spec: Spec,
    layers: Sequence[Layer],
    rules: Iterable[Rule],
    peers: Sequence[Peer] = (),
    suppliers: frozenset[str] = frozenset(),
) -> list[Finding]:
    """All findings of one spec, in the order of its text, but for what one of ``suppliers`` adds to it later.

    The rules run whatever the schema says: they read a total tree, so everything comes out in one run.
    """
    found = [*_yaml_findings(spec, layers)]
    for document, structure in layers:
        if broken := violations(structure.schema, document.plain()):
            from planner.core.structure import schema_findings  # noqa: PLC0415 - most specs have none

            found.extend(schema_findings(spec, document, broken, structure))
    for each in rules:
        for hit in each.check(spec, peers):
            if hit.supplier not in suppliers:
                found.append(_finding(spec, each, hit))  # noqa: PERF401 - two generators for each of fifty rules cost more
    return in_order(found)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings as they stand in the text; of those that say the same of the same place only the first."""
    told: dict[tuple[object, ...], Finding] = {}
    for each in findings:
        told.setdefault(each[:_FINDING_TOLD], each)
    return [told[key] for key in sorted(told)]


def yaml_only(spec: Spec) -> list[Finding]:
    """What is wrong with the YAML of a file whose family is not known."""
    return [*_yaml_findings(spec, ())]


def _yaml_findings(spec: Spec, layers: Sequence[Layer]) -> Iterator[Finding]:
    codes = {"syntax": "YAM001", "duplicate": "YAM002", "limit": "YAM003"}
    for problem in spec.problems:
        related = (Related(spec.file, problem.first, "first here"),) if problem.first else ()
        message, severity = _double(problem, layers)
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


def _double(problem: Problem, layers: Sequence[Layer]) -> tuple[str, Severity]:
    """Message and severity of a problem: a double key may be harmless."""
    if problem.kind != "duplicate":
        return problem.message, Severity.ERROR
    line = problem.span.line
    for document, structure in layers:
        if document.span.line <= line <= document.span.end_line:
            if len(problem.path) == 1 and problem.path[0] in structure.merged:
                return f"{problem.message}: both values are taken together", Severity.WARNING
            return f"{problem.message}: {structure.duplicate_key}", Severity.ERROR
    return problem.message, Severity.ERROR


def _finding(spec: Spec, source: Rule, hit: Hit) -> Finding:
    span = hit.node.key if hit.on_key and hit.node.key else hit.node.place
    related = (
        *(Related(spec.file, node.place, text) for node, text in hit.related),
        *hit.elsewhere,
    )
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
        fix=hit.fix,
    )
