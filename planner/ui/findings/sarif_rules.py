"""The pages of rules as SARIF describes rules (``reportingDescriptor``, 3.49)."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Any

from planner.check import describe_built_in, find_rule
from planner.core.lint import Severity, built_in_severity
from planner.specs import families

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
_EXAMPLE = re.compile(r"^(\w+):\n((?: {4}.*\n?|\n)+)", re.MULTILINE)


def described_rules(used: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """A description of each rule, given as code and name, once and by code."""
    return [_described(code, name) for code, name in sorted(dict(used).items())]


def _described(code: str, name: str) -> dict[str, Any]:
    title, doc, level = _page(code, name)
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": _first_paragraphs(doc)},
        "help": {"text": doc, "markdown": markdown_of(doc)},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": _tags(code), "problem.severity": _PROBLEMS[level]},
    }


def _page(code: str, name: str) -> tuple[str, str, str]:
    if rule := find_rule(code):
        return rule.title, rule.doc.strip(), LEVELS[rule.severity]
    if built_in := describe_built_in(code):
        return built_in[2].rstrip("."), built_in[2], LEVELS[built_in_severity(code)]
    return name, name, "warning"


def _first_paragraphs(doc: str) -> str:
    """The page up to where it names its sources and examples."""
    return re.split(r"^\w+:(?:\s|$)", doc, maxsplit=1, flags=re.MULTILINE)[0].strip() or doc


def markdown_of(doc: str) -> str:
    """The page with its examples as blocks of YAML."""
    return _EXAMPLE.sub(_block, doc + "\n").strip()


def _block(match: re.Match[str]) -> str:
    example = textwrap.dedent(match[2]).strip("\n")
    return f"**{match[1]}:**\n\n```yaml\n{example}\n```\n\n"


def _tags(code: str) -> list[str]:
    owners = [each.name for each in families() if any(code == rule.code for rule in each.rules)]
    layers = {
        "YAM": ["yaml"],
        "SCH": ["schema"],
        "SUP": ["suppression"],
        "CFG": ["configuration"],
        "ACR": ["project"],
    }
    return owners or layers.get(code[:3], []) or ["planner"]
