"""Which findings count, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from planner.check import Checked
from planner.core.lint import Finding, Severity
from planner.core.text import plural
from planner.fix import fixable


def counted(checked: Sequence[Checked]) -> list[Finding]:
    """The findings that nobody suppressed, in the order of files and places."""
    return [finding for each in checked for finding in counted_in(each)]


def counted_in(checked: Checked) -> list[Finding]:
    """The same of one file."""
    return [each for each in checked.findings if each.suppressed is None]


def severest_first(findings: Sequence[Finding]) -> list[Finding]:
    """Errors, then warnings, then the rest; what is equally severe keeps its order."""
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))


def counts(checked: Sequence[Checked]) -> dict[str, int]:
    """Files looked at, and findings by severity."""
    severities = [finding.severity for finding in counted(checked)]
    return {
        "files": len(checked),
        **{severity.value: severities.count(severity) for severity in Severity},
    }


def summary(checked: Sequence[Checked]) -> str:
    """The last line: what was looked at, and what was found."""
    found = counts(checked)
    specs = sum(bool(each.kind) for each in checked)
    listed = [plural(found[severity], severity) for severity in Severity if found[severity]]
    hidden = sum(len(each.findings) for each in checked) - len(counted(checked))
    suppressed = f" ({hidden} suppressed)" if hidden else ""
    return f"{plural(specs, 'spec')} checked: {', '.join(listed) or 'no findings'}{suppressed}"


def fixes_offered(checked: Sequence[Checked]) -> str:
    """How many of the findings planner can fix, and how to have it do so; empty when there are none."""
    fixes = [finding.fix for each in checked for finding in fixable(each) if finding.fix]
    safe = sum(each.is_safe for each in fixes)
    unsafe = len(fixes) - safe
    parts = [f"{safe:,} fixable with --fix"] if safe else []
    if unsafe:
        parts.append(f"{unsafe:,} {'more' if safe else 'fixable'} with --fix=unsafe")
    return ", ".join(parts)


def statistics(checked: Sequence[Checked]) -> str:
    """How often each rule was broken, the most frequent first, and the summary."""
    return "".join(f"{line}\n" for line in (*_frequencies(checked), summary(checked)))


def _frequencies(checked: Sequence[Checked]) -> Iterator[str]:
    found = Counter((finding.code, finding.name) for finding in counted(checked))
    ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    width = len(str(ordered[0][1])) if ordered else 0
    for (code, name), count in ordered:
        yield f"{count:>{width}}  {code}  {name}"
