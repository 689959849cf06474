"""``concise``: one line for each finding, as editors and ``grep -n`` have it."""

from __future__ import annotations

from collections.abc import Sequence

from planner.check import Checked
from planner.core.lint import Finding
from planner.ui.findings.counting import counted
from planner.ui.findings.wording import one_line
from planner.ui.style import Style


def write(checked: Sequence[Checked], _style: Style) -> str:
    """``path:line:column: severity CODE message``."""
    return "".join(f"{_line(finding)}\n" for finding in counted(checked))


def _line(finding: Finding) -> str:
    place = f"{one_line(finding.file)}:{finding.span.line}:{finding.span.column}"
    return f"{place}: {finding.severity} {finding.code} {one_line(finding.message)}"
