"""``text``: each finding with the line that it is about, and a summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from planner.check import Checked
from planner.core.document import Span
from planner.core.edits import lines_of
from planner.core.lint import Finding, Severity
from planner.core.text import printable
from planner.ui.findings.counting import counted_in, fixes_offered, summary
from planner.ui.findings.wording import one_line
from planner.ui.style import Style

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def write(checked: Sequence[Checked], style: Style) -> str:
    """The findings with excerpts."""
    blocks = [
        "\n".join(_block(finding, lines_of(each.spec.text), style))
        for each in checked
        for finding in counted_in(each)
    ]
    last = [summary(checked), *filter(None, [fixes_offered(checked)])]
    return "\n\n".join([*blocks, "\n".join(last)]) + "\n"


def _block(finding: Finding, lines: Sequence[str], style: Style) -> Iterator[str]:
    head = style.paint(
        f"{finding.severity}[{finding.code} {finding.name}]", _COLOURS[finding.severity], "bold"
    )
    yield f"{head}: {printable(finding.message)}"
    yield f"  --> {_place(finding.file, finding.span)}"
    yield from _excerpt(finding.span, lines, "^", style, _COLOURS[finding.severity])
    for related in finding.related:
        yield f"  ::: {_place(related.file, related.span)} {printable(related.message)}"
        if related.file == finding.file:
            yield from _excerpt(related.span, lines, "-", style, "cyan")
    title = finding.fix.title if finding.fix else ""
    if finding.hint and finding.hint != title:
        yield f"  = {printable(finding.hint)}"
    if finding.fix:
        yield f"  = fix{'' if finding.fix.is_safe else ' (unsafe)'}: {printable(title)}"


def _place(file: str, span: Span) -> str:
    return f"{one_line(file)}:{span.line}:{span.column}"


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


_SECRET = re.compile(
    r"""(?:password|passwd|token|secret|secretkey|accesskey|privatekey|dockerconfigjson|auth)["']?\s*:(?=\s)(?!\s*(?:[|>][+-]?\d*)?\s*(?:\#|$))""",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def _masked(line: str) -> str:
    """A line of a spec without what must not reach a log."""
    if found := _SECRET.search(line):
        return f"{_shown(line[: found.end()])} •••"
    return _shown(_USER_INFO.sub(lambda found: "•" * len(found[0]), line))


def _shown(text: str) -> str:
    """Printable, but for tabs, which keep their width."""
    return printable(text.replace("\t", "\0")).replace("\\x00", "\t")
