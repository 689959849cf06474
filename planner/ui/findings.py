"""Findings as people and programs read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from planner import __version__
from planner.check import Checked
from planner.core.document import Span
from planner.core.lint import Finding, Severity
from planner.core.text import plural, printable
from planner.ui.style import Style

FORMAT = "planner.lint/1"
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
Formatter = Callable[[Sequence[Checked], Style], str]


def as_text(checked: Sequence[Checked], style: Style) -> str:
    """Each finding with the line that it is about, and a summary."""
    blocks = [
        "\n".join(_block(finding, each.spec.text.splitlines(), style))
        for each in checked
        for finding in each.findings
    ]
    return "\n\n".join([*blocks, summary(checked)]) + "\n"


def as_concise(checked: Sequence[Checked], _style: Style) -> str:
    """One line for each finding: ``path:line:column: severity CODE message``."""
    lines = (
        f"{f.file}:{f.span.line}:{f.span.column}: {f.severity} {f.code} {printable(f.message)}\n"
        for each in checked
        for f in each.findings
    )
    return "".join(lines)


def as_json(checked: Sequence[Checked], _style: Style) -> str:
    """``planner.lint/1``."""
    findings = [_document(finding) for each in checked for finding in each.findings]
    document = {
        "format": FORMAT,
        "planner": __version__,
        "findings": findings,
        "summary": _counts(checked),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


FORMATTERS: dict[str, Formatter] = {"text": as_text, "concise": as_concise, "json": as_json}


def summary(checked: Sequence[Checked]) -> str:
    """The last line: what was looked at, and what was found."""
    counts = _counts(checked)
    specs = sum(bool(each.kind) for each in checked)
    found = [plural(counts[severity], severity) for severity in Severity if counts[severity]]
    return f"{plural(specs, 'spec')} checked: {', '.join(found) or 'no findings'}"


def _counts(checked: Sequence[Checked]) -> dict[str, int]:
    severities = [finding.severity for each in checked for finding in each.findings]
    return {
        "files": len(checked),
        **{severity.value: severities.count(severity) for severity in Severity},
    }


def _block(finding: Finding, lines: Sequence[str], style: Style) -> Iterator[str]:
    head = style.paint(
        f"{finding.severity}[{finding.code} {finding.name}]", _COLOURS[finding.severity], "bold"
    )
    yield f"{head}: {printable(finding.message)}"
    yield f"  --> {finding.file}:{finding.span.line}:{finding.span.column}"
    yield from _excerpt(finding.span, lines, "^", style, _COLOURS[finding.severity])
    for related in finding.related:
        yield f"  ::: {related.file}:{related.span.line}:{related.span.column} {related.message}"
        yield from _excerpt(related.span, lines, "-", style, "cyan")
    if finding.hint:
        yield f"  = {printable(finding.hint)}"


def _excerpt(
    span: Span, lines: Sequence[str], mark: str, style: Style, colour: str
) -> Iterator[str]:
    if span.line > len(lines):
        return
    line = lines[span.line - 1]
    number = str(span.line)
    end = span.end_column if span.end_line == span.line else len(line) + 1
    # Tabs and wide characters keep their width in the pad, so that the mark stands below what it means.
    pad = "".join(each if each == "\t" else " " * _cells(each) for each in line[: span.column - 1])
    marks = mark * max(1, sum(map(_cells, line[span.column - 1 : end - 1])))
    yield f"{number:>5} | {_masked(line)}"
    yield f"{'':>5} | {pad}{style.paint(marks, colour)}"


def _cells(character: str) -> int:
    import unicodedata  # noqa: PLC0415 - only for findings that are shown

    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


_SECRET_KEYS = ("password:", "auth:", "identity_token:", "identityToken:", "token:")


def _masked(line: str) -> str:
    """A line of a spec without what must not reach a log."""
    stripped = line.strip().lstrip("- ")
    for key in _SECRET_KEYS:
        if stripped.startswith(key) and stripped.removeprefix(key).strip() not in ("", "|", ">"):
            return f"{line[: line.index(key) + len(key)]} •••"
    return printable(line.replace("\t", "\0")).replace("\\x00", "\t")


def _document(finding: Finding) -> dict[str, Any]:
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
        "related": [
            {
                "file": each.file,
                "line": each.span.line,
                "column": each.span.column,
                "message": each.message,
            }
            for each in finding.related
        ],
        "fixes": [],
        "suppressed": None,
        "fingerprint": _fingerprint(finding),
    }


def _escaped(step: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return str(step).replace("~", "~0").replace("/", "~1")


def _fingerprint(finding: Finding) -> str:
    """The same for the same mistake at the same place of the tree, wherever its line has moved."""
    parts = (finding.code, finding.file, *map(str, finding.path))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
