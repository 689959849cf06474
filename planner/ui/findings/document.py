"""``json``: ``planner.lint/1``, whose schema is ``schemas/formats/lint.json``. Suppressed findings are in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from planner import __version__
from planner.check import Checked
from planner.core.edits import Fix
from planner.core.fingerprint import fingerprint
from planner.core.lint import Finding, Related, Suppression
from planner.ui.findings.counting import counts
from planner.ui.style import Style


def write(checked: Sequence[Checked], _style: Style) -> str:
    """The findings as one JSON document."""
    document = {
        "format": "planner.lint/1",
        "planner": __version__,
        "findings": [_finding(finding) for each in checked for finding in each.findings],
        "summary": counts(checked),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        "hint": finding.hint,
        "file": finding.file,
        "line": finding.span.line,
        "column": finding.span.column,
        "end_line": finding.span.end_line,
        "end_column": finding.span.end_column,
        "path": "".join(f"/{_escaped(step)}" for step in finding.path),
        "related": [_related(each) for each in finding.related],
        "fixes": [_fix(finding.fix)] if finding.fix else [],
        "suppressed": _suppressed(finding.suppressed),
        "fingerprint": fingerprint(finding),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [
        {
            "line": edit.span.line,
            "column": edit.span.column,
            "end_line": edit.span.end_line,
            "end_column": edit.span.end_column,
            "text": edit.text,
        }
        for edit in fix.edits
    ]
    return {"title": fix.title, "safe": fix.is_safe, "edits": edits}


def _related(related: Related) -> dict[str, Any]:
    return {
        "file": related.file,
        "line": related.span.line,
        "column": related.span.column,
        "message": related.message,
    }


def _suppressed(suppression: Suppression | None) -> dict[str, str] | None:
    return {"by": suppression.by, "reason": suppression.reason} if suppression else None


def _escaped(step: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return str(step).replace("~", "~0").replace("/", "~1")
