"""The baseline: findings that are accepted for now, so that only new ones count.

One line per fingerprint, sorted, without line numbers: two branches that change it merge like any list.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from planner.core.document import Span
from planner.core.errors import InputError
from planner.core.fingerprint import fingerprint
from planner.core.lint import BUILT_IN, Finding, Suppression, built_in_severity
from planner.core.schema import violations
from planner.files import read_text, write_whole

FORMAT = "planner.baseline/1"
_STALE = "SUP005"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What one fingerprint stands for. ``file`` is relative to the project; ``count`` findings are accepted."""

    code: str
    file: str
    count: int


Baseline = Mapping[str, Accepted]


def load_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        InputError: it cannot be read, or is no baseline.
    """
    try:
        document = json.loads(read_text(path))
    except ValueError as error:
        raise _unusable(path, "it is not JSON") from error
    if wrong := violations("formats/baseline", document):
        where = "/".join(map(str, wrong[0].path)) or "the document"
        raise _unusable(path, f"{where} is not as {FORMAT} has it ({wrong[0].keyword})")
    return {key: Accepted(**each) for key, each in document["findings"].items()}


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline, in one go; raises what ``write_whole`` raises."""
    entries = (
        f"  {json.dumps(key)}: {json.dumps(asdict(each))}" for key, each in sorted(baseline.items())
    )
    listed = ",\n".join(entries)
    text = f'{{\n "format": "{FORMAT}",\n "findings": {{\n{listed}\n }}\n}}\n'
    write_whole(str(path), text.encode())


def accept(findings: Iterable[Finding], baseline: Baseline) -> list[Finding]:
    """The findings, suppressed as far as the baseline accepts them; what is suppressed already needs no entry."""
    left = Counter({key: each.count for key, each in baseline.items()})
    result = []
    for finding in findings:
        key = fingerprint(finding)
        if finding.suppressed is None and left[key] > 0:
            left[key] -= 1
            finding = finding._replace(suppressed=Suppression("baseline", "accepted"))  # noqa: PLW2901 - marked
        result.append(finding)
    return result


def baseline_of(findings: Iterable[Finding]) -> Baseline:
    """A baseline that accepts every finding which nothing else suppresses."""
    found: dict[str, Accepted] = {}
    for finding in findings:
        if _needs_entry(finding):
            key = fingerprint(finding)
            count = found[key].count + 1 if key in found else 1
            found[key] = Accepted(finding.code, _file(finding), count)
    return found


def stale(baseline: Baseline, present: Baseline, is_judged: Callable[[Accepted], bool]) -> Baseline:
    """What the baseline accepts in excess of what is present, among the entries that this run can judge."""
    return {
        key: each
        for key, each in baseline.items()
        if is_judged(each) and each.count > (present[key].count if key in present else 0)
    }


def updated(
    baseline: Baseline, present: Baseline, is_judged: Callable[[Accepted], bool]
) -> Baseline:
    """What is present, and of the old baseline what this run cannot judge."""
    kept = {key: each for key, each in baseline.items() if not is_judged(each)}
    return {**kept, **present}


def stale_findings(path: Path, text: str, entries: Baseline) -> Iterator[Finding]:
    """One finding for each stale entry, in the baseline itself."""
    lines = text.splitlines()
    for key, each in entries.items():
        number = next((n for n, line in enumerate(lines, 1) if f'"{key}"' in line), 1)
        line = lines[number - 1]
        start = line.find(f'"{key}"') + 1
        span = Span(number, start, number, start + len(key) + 2)
        message = f"{each.code} in {each.file} is accepted more often than it occurs"
        name, severity = BUILT_IN[_STALE][0], built_in_severity(_STALE)
        hint = "planner lint --update-baseline removes it"
        yield Finding(str(path), span, _STALE, name, message, hint, severity)


def _needs_entry(finding: Finding) -> bool:
    by = finding.suppressed.by if finding.suppressed else "baseline"
    return by == "baseline" and finding.code != _STALE


def _file(finding: Finding) -> str:
    return finding.identity[0] if finding.identity else finding.file


def _unusable(path: Path, why: str) -> InputError:
    hint = "planner lint --baseline FILE --update-baseline writes a new one"
    return InputError(f"{path} is not a baseline: {why}", hint)
