"""Where reports go: ``--format FORMAT[=FILE]``, as often as there are reports to write."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from planner.check import Checked
from planner.core.errors import InputError, UsageError
from planner.core.text import closest
from planner.files import write_whole
from planner.ui.findings import FOR_PEOPLE, FORMATS, writer_of
from planner.ui.findings.counting import statistics
from planner.ui.style import Style, style_for


class Report(NamedTuple):
    """One format and where it is written: a file, or standard output when ``file`` is empty."""

    form: str
    file: str = ""


def parse_reports(words: Sequence[str]) -> tuple[Report, ...]:
    """What ``--format`` asks for; text on standard output when it does not stand there."""
    reports = tuple(map(_parse, words)) or (Report("text"),)
    for file, count in Counter(_key(report) for report in reports).items():
        if count > 1 and not file:
            hint = "write one of them to a file: --format sarif=out.sarif"
            raise UsageError("two formats cannot share standard output", hint)
        if count > 1:
            raise UsageError(f"two formats cannot share the file {file}", "name another one")
    return reports


def write_reports(
    checked: Sequence[Checked],
    reports: Sequence[Report],
    environment: Mapping[str, str] = os.environ,
    *,
    only_statistics: bool = False,
) -> None:
    """Write the files, whole or not at all, and then standard output."""
    for report in reports:
        if report.file:
            _refuse_a_spec(report.file, checked)
            write_whole(report.file, _encoded(writer_of(report.form)(checked, Style())))
    for report in reports:
        if not report.file and not only_statistics:
            text = writer_of(report.form)(checked, style_for(sys.stdout))
            sys.stdout.write(_encoded(text).decode())
    if only_statistics:
        sys.stdout.write(statistics(checked))
    if any(report.form == "github" for report in reports):
        _append_step_summary(checked, environment.get("GITHUB_STEP_SUMMARY", ""))


def refuse_statistics_beside(reports: Sequence[Report]) -> None:
    """Statistics take the place of what people would read on standard output, and of nothing else."""
    for report in reports:
        if not report.file and report.form not in FOR_PEOPLE:
            hint = f"write it to a file: --format {report.form}=FILE"
            raise UsageError(f"--statistics and --format {report.form} share standard output", hint)


def _parse(word: str) -> Report:
    form, equals, file = word.partition("=")
    if form not in FORMATS:
        near = closest(form, FORMATS)
        hint = f"did you mean {near}?" if near else f"one of {', '.join(FORMATS)}"
        raise UsageError(f"{form!r} is not a format", hint)
    if equals and not file:
        raise UsageError(f"--format {word} names no file", f"for example --format {word}report")
    return Report(form, "" if file == "-" else file)


def _key(report: Report) -> str:
    return os.path.realpath(report.file) if report.file else ""


def _refuse_a_spec(file: str, checked: Sequence[Checked]) -> None:
    path = os.path.realpath(file)
    if any(each.kind and os.path.realpath(each.spec.file) == path for each in checked):
        raise UsageError(f"{file} is a spec that was checked", "name another file for the report")


def _encoded(text: str) -> bytes:
    """UTF-8; what stands for undecodable bytes of a file's name is written as an escape."""
    return text.encode("utf-8", "backslashreplace")


def _append_step_summary(checked: Sequence[Checked], file: str) -> None:
    """Show the findings on the page of the job, too. The runner names the file; other steps have written to it."""
    if not file:
        return
    try:
        with Path(file).open("ab") as summary:
            summary.write(_encoded(writer_of("markdown")(checked, Style()) + "\n"))
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror or error}"
        raise InputError(message, "unset GITHUB_STEP_SUMMARY to do without") from error
