"""What EKS Anywhere's own code makes of a file, and what we say about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.core.lint import Finding, Severity, lint
from planner.core.reader import read
from planner.specs.eksa import FAMILY

CONFORMANCE = Path(__file__).with_name("conformance")
EXAMPLES = Path(__file__).parent.parent / "examples" / "eksa"


def findings(text: str) -> list[Finding]:
    spec = read("eksa.yaml", text)
    return lint(spec, FAMILY.layers(spec), FAMILY.rules)


def loud(text: str) -> list[Finding]:
    return [each for each in findings(text) if each.severity is not Severity.INFO]


def cases(name: str) -> list[dict[str, Any]]:
    lines = (CONFORMANCE / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def some(name: str, valid: bool) -> Iterator[Any]:
    """Cases that do not depend on the environment of the CLI."""
    for case in cases(name):
        if case["valid"] is valid and not case.get("env"):
            yield pytest.param(case, id=case["id"])


@pytest.mark.parametrize("case", list(some("eksa_lint", valid=True)))
def test_what_eks_anywhere_accepts_has_no_error(case: dict[str, Any]) -> None:
    assert [each for each in findings(case["yaml"]) if each.severity is Severity.ERROR] == []


@pytest.mark.parametrize("case", list(some("eksa_lint", valid=False)))
def test_what_eks_anywhere_refuses_has_a_finding(case: dict[str, Any]) -> None:
    assert loud(case["yaml"])


def with_place() -> Iterator[Any]:
    """Cases whose reason begins with the place: ``.spec.a[0].b: what``."""
    for case in cases("eksa_lint"):
        if match := re.match(r"\.([\w.\[\]]+): (?:unknown field (\w+))?", case.get("reason", "")):
            steps = re.findall(r"\w+", f"{match[1]}.{match[2] or ''}")
            path = tuple(int(step) if step.isdigit() else step for step in steps)
            yield pytest.param(case["yaml"], path, id=case["id"])


@pytest.mark.parametrize(("text", "path"), list(with_place()))
def test_the_finding_is_at_the_place_that_eks_anywhere_names(
    text: str, path: tuple[str | int, ...]
) -> None:
    assert path in [each.path for each in loud(text)]


@pytest.mark.parametrize("case", list(some("eksa_gray", valid=True)))
def test_what_is_accepted_and_regretted_has_a_finding(case: dict[str, Any]) -> None:
    assert loud(case["yaml"])


def test_the_example_is_clean() -> None:
    assert findings((EXAMPLES / "vsphere.yaml").read_text("utf-8")) == []


def test_each_comment_in_the_example_with_mistakes_is_about_a_finding() -> None:
    lines = (EXAMPLES / "mistakes.yaml").read_text("utf-8").splitlines()
    about = {number + 1 for number, line in enumerate(lines, 1) if re.match(r" +#", line)}
    about |= {number for number, line in enumerate(lines, 1) if line.startswith("--- #")}
    assert {each.span.line for each in loud("\n".join(lines))} == about
