"""``sarif``: SARIF 2.1.0, which code scanning of GitHub and others read. Suppressed findings are in it.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0; the numbers are its sections.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from planner import __version__
from planner.check import Checked
from planner.core.document import Span
from planner.core.edits import Fix
from planner.core.lint import Finding, Suppression
from planner.core.text import printable
from planner.ui.findings.places import numbered_fingerprints, relative_path
from planner.ui.findings.sarif_rules import LEVELS, described_rules
from planner.ui.findings.wording import with_hint
from planner.ui.style import Style

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"


def write(checked: Sequence[Checked], _style: Style) -> str:
    """The findings as one run."""
    findings = [finding for each in checked for finding in each.findings]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(findings)]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _run(findings: Sequence[Finding]) -> dict[str, Any]:
    rules = described_rules({(each.code, each.name) for each in findings})
    indexes = {rule["id"]: index for index, rule in enumerate(rules)}
    number = numbered_fingerprints()
    return {
        "tool": {"driver": {"name": "planner", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": f"{Path.cwd().as_uri().rstrip('/')}/"}},
        "results": [_result(each, indexes, "{}:{}".format(*number(each))) for each in findings],
    }


def _result(finding: Finding, indexes: Mapping[str, int], line_hash: str) -> dict[str, Any]:
    related = [
        {"id": id_, **_location(each.file, each.span), "message": _message(each.message)}
        for id_, each in enumerate(finding.related, 1)
    ]
    return {
        "ruleId": finding.code,
        "ruleIndex": indexes[finding.code],
        "level": LEVELS[finding.severity],
        "message": _message(with_hint(finding)),
        "locations": [_location(finding.file, finding.span)],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {"primaryLocationLineHash": line_hash},
        **({"fixes": [_fix(finding.file, finding.fix)]} if finding.fix else {}),
        "suppressions": _suppressions(finding.suppressed),
    }


def _fix(file: str, fix: Fix) -> dict[str, Any]:
    """An offer (3.55): whoever takes it sees it first, so safe and unsafe ones differ in their description only."""
    title = fix.title if fix.is_safe else f"{fix.title} (unsafe)"
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        for edit in fix.edits
    ]
    change = {"artifactLocation": _artifact(file), "replacements": replacements}
    return {"description": _message(title), "artifactChanges": [change]}


def _location(file: str, span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(file), "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": max(1, span.line),
        "startColumn": max(1, span.column),
        "endLine": max(1, span.end_line),
        "endColumn": max(1, span.end_column),
    }


def _artifact(file: str) -> dict[str, str]:
    path = relative_path(file)
    if Path(path).is_absolute() or path.startswith("../"):
        return {"uri": Path(os.path.abspath(file)).as_uri()}  # noqa: PTH100 - links keep their names
    return {"uri": quote(os.fsencode(path)), "uriBaseId": _ROOT}


def _message(text: str) -> dict[str, str]:
    """A text in which ``[words](target)`` is no link (3.11.6)."""
    return {"text": re.sub(r"\[(?=[^\]]*\]\()", r"\\[", printable(text))}


def _suppressions(suppression: Suppression | None) -> list[dict[str, str]]:
    """Never absent: all results of a run have the list, or none (3.27.23)."""
    if suppression is None:
        return []
    kind = "inSource" if suppression.by == "comment" else "external"
    reason = {"justification": suppression.reason} if suppression.reason else {}
    return [{"kind": kind, "status": "accepted", **reason}]
