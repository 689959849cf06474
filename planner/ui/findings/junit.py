"""``junit``: one suite for each file, and in it a failed case for each rule that it breaks, or one that passed.

Source: the schema of Jenkins' xunit plugin (junit-10.xsd), which GitLab, Azure and others read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from xml.etree import ElementTree as ET

from planner.check import Checked
from planner.core.lint import Finding
from planner.ui.findings.counting import counted_in
from planner.ui.findings.places import relative_path
from planner.ui.findings.wording import one_line, with_hint
from planner.ui.style import Style


def write(checked: Sequence[Checked], _style: Style) -> str:
    """The findings as XML; ElementTree escapes it, and nothing unprintable gets there."""
    root = ET.Element("testsuites", name="planner lint")
    root.extend(_suite(each) for each in checked if each.kind or each.findings)
    _count(root)
    ET.indent(root, " ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(checked: Checked) -> ET.Element:
    file = one_line(relative_path(checked.spec.file))
    suite = ET.Element("testsuite", name=file)
    by_rule = sorted(counted_in(checked), key=attrgetter("code"))
    for (code, name), findings in groupby(by_rule, key=attrgetter("code", "name")):
        _failed(_case(suite, f"{code} {name}", file), file, list(findings))
    if not by_rule:
        _case(suite, "planner lint", file)
    _count(suite)
    return suite


def _case(suite: ET.Element, name: str, file: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", name=name, classname=file, file=file, time="0")


def _failed(case: ET.Element, file: str, findings: Sequence[Finding]) -> None:
    first = findings[0]
    failure = ET.SubElement(case, "failure", message=one_line(first.message), type=first.severity)
    failure.text = "\n".join(_lines(file, findings))


def _lines(file: str, findings: Iterable[Finding]) -> Iterable[str]:
    for each in findings:
        yield f"{file}:{each.span.line}:{each.span.column}: {each.severity}: {with_hint(each)}"


def _count(element: ET.Element) -> None:
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    element.set("failures", str(sum(1 for _ in element.iter("failure"))))
    element.attrib.update(errors="0", skipped="0", time="0")
