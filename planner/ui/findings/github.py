"""``github``: workflow commands, which GitHub shows beside the lines of a pull request.

Source: actions/toolkit packages/core/src/command.ts (``escapeData``, ``escapeProperty``). GitHub shows ten annotations
of each level in a step, and columns only where a finding begins and ends on one line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from planner.check import Checked
from planner.core.document import Span
from planner.core.lint import Finding, Severity
from planner.core.text import plural
from planner.ui.findings.counting import counted, severest_first
from planner.ui.findings.places import relative_path
from planner.ui.findings.wording import with_hint
from planner.ui.style import Style

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_SHOWN = 10


def write(checked: Sequence[Checked], _style: Style) -> str:
    """One command for each finding, and a notice when GitHub will not show all."""
    findings = severest_first(counted(checked))
    return "".join(f"{line}\n" for line in (*map(_command, findings), *_notice(findings)))


def _command(finding: Finding) -> str:
    properties = {
        "file": relative_path(finding.file),
        **_region(finding.span),
        "title": f"{finding.code} {finding.name}",
    }
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(with_hint(finding))}"


def _region(span: Span) -> dict[str, int]:
    if span.line != span.end_line:
        return {"line": span.line, "endLine": span.end_line}
    return {
        "line": span.line,
        "col": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _notice(findings: Sequence[Finding]) -> Iterator[str]:
    levels = Counter(finding.severity for finding in findings)
    if more := sum(max(0, count - _SHOWN) for count in levels.values()):
        yield f"::notice title=planner lint::{plural(more, 'more finding')} in the log of this step"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
