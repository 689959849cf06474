"""``markdown``: a table for each file, for comments on pull requests and summaries of jobs.

What a spec says is escaped as GitHub's and GitLab's dialects need it, and mentions nobody.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from planner.check import Checked
from planner.core.lint import Finding
from planner.core.text import plural
from planner.ui.findings.counting import counted, counted_in, severest_first, summary
from planner.ui.findings.places import relative_path
from planner.ui.findings.wording import one_line, with_hint
from planner.ui.style import Style

_FOLDED_FROM = 11
# A comment on GitHub has at most 65,536 characters.
_MOST = 200


def write(checked: Sequence[Checked], _style: Style) -> str:
    """The summary, and the findings of each file; a long table is folded."""
    room = _MOST
    parts = [f"**planner lint**: {summary(checked)}"]
    for each in checked:
        findings = severest_first(counted_in(each))
        if findings[:room]:
            parts.append(_section(each.spec.file, findings[:room]))
        room -= min(room, len(findings))
    if more := len(counted(checked)) - _MOST:
        parts += [f"… and {plural(more, 'more finding')}."] if more > 0 else []
    return "\n\n".join(parts) + "\n"


def _section(file: str, findings: Sequence[Finding]) -> str:
    table = "\n".join(_table(findings))
    path = one_line(relative_path(file))
    if len(findings) < _FOLDED_FROM:
        return f"### {_code(path)}\n\n{table}"
    title = f"<code>{_quiet(html.escape(path))}</code>: {plural(len(findings), 'finding')}"
    return f"<details>\n<summary>{title}</summary>\n\n{table}\n\n</details>"


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    yield "| line | severity | rule | finding |"
    yield "| ---: | --- | --- | --- |"
    for each in findings:
        place = f"{each.span.line}:{each.span.column}"
        rule = f"`{each.code}` {_text(each.name)}"
        yield f"| {place} | {each.severity} | {rule} | {_text(with_hint(each))} |"


def _text(text: str) -> str:
    escaped = re.sub(r"[\\`*_{}\[\]()#+!|~$-]", r"\\\g<0>", html.escape(text, quote=False))
    return _quiet(escaped).replace("\n", "<br>")


def _code(text: str) -> str:
    """``text`` between more backticks than it has itself in a row."""
    fence = "`" * (max(map(len, re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _quiet(text: str) -> str:
    """No ``@name`` that would be told about it: a space without width stands between."""
    return text.replace("@", "@\u200b")
