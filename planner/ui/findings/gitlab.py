"""``gitlab``: a Code Quality report.

Source: gitlabhq 33827e3 app/validators/json_schemas/codeclimate.json.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from planner.check import Checked
from planner.core.document import Span
from planner.core.lint import Finding, Severity
from planner.core.text import printable
from planner.ui.findings.counting import counted
from planner.ui.findings.places import numbered_fingerprints, relative_path
from planner.ui.style import Style

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def write(checked: Sequence[Checked], _style: Style) -> str:
    """The findings as a JSON list."""
    number = numbered_fingerprints()
    issues = [_issue(finding, *number(finding)) for finding in counted(checked)]
    return json.dumps(issues, indent=1, ensure_ascii=False) + "\n"


def _issue(finding: Finding, fingerprint: str, number: int) -> dict[str, Any]:
    return {
        "description": printable(finding.message),
        "check_name": finding.code,
        "fingerprint": _unique(fingerprint, number),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": relative_path(finding.file),
            **_region(finding.span),
        },
    }


def _region(span: Span) -> dict[str, Any]:
    """The place twice, because each reader knows one of them."""
    begin, end = max(1, span.line), max(1, span.end_line)
    return {
        "lines": {"begin": begin, "end": end},
        "positions": {
            "begin": {"line": begin, "column": span.column},
            "end": {"line": end, "column": span.end_column},
        },
    }


def _unique(fingerprint: str, number: int) -> str:
    """GitLab drops all but one of the issues with the same fingerprint."""
    if number == 1:
        return fingerprint
    return hashlib.sha256(f"{fingerprint}:{number}".encode()).hexdigest()[:32]
