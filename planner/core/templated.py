"""Files that a template engine turns into YAML: their actions, ``{{ … }}``, stand where YAML cannot have them.

A neutral text takes their place, as wide as they are, so that what can be read of the file is read with its lines and
columns. What an action may change is not judged: values on its line, what is missing, and what stands there twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from planner.core.document import Span, Spec
from planner.core.edits import lines_of
from planner.core.lint import BUILT_IN, Finding, Severity
from planner.core.reader import read

_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LINES = re.compile(r".*(?:\n|$)")
_OPEN = re.compile(
    r":[ \t]*\r?\n[ \t]*\Z"
)  # a key, whose value may be what begins on the next line
_NEAR = 200
_JUDGED = frozenset({"SCH001", "SCH003", "SCH004"})


def is_templated(spec: Spec) -> bool:
    """Whether the file is not YAML, and template actions stand in it."""
    return is_broken(spec) and _ACTION.search(spec.text) is not None


def is_broken(spec: Spec) -> bool:
    """Whether the file could not be read to its end."""
    return any(problem.kind != "duplicate" for problem in spec.problems)


def neutral(spec: Spec) -> Spec:
    """The file without its actions: empty lines where they stood alone, and words where they did not."""
    return read(spec.file, "".join(_filled(spec.text)))


def readable(spec: Spec) -> Spec:
    """What can be read of the file: its neutral form when it is a template."""
    return neutral(spec) if is_templated(spec) else spec


def judged(spec: Spec, findings: Iterable[Finding]) -> list[Finding]:
    """Those findings about the neutral file that hold whatever the actions yield."""
    touched = _touched(spec.text)
    return [
        each
        for each in findings
        if each.code in _JUDGED
        and touched.isdisjoint(range(each.span.line, each.span.end_line + 1))
    ]


def note(spec: Spec, *, is_read: bool) -> Finding:
    """What is told of such a file, at its first action."""
    action = _ACTION.search(spec.text)
    before = lines_of(spec.text[: action.start() if action else 0])
    line, column = len(before), len(before[-1]) + 1
    done = "only its keys and types are checked" if is_read else "it cannot be checked"
    message = f"the file is a template: {done}"
    hint = "check what the template engine makes of it, too: planner lint -"
    span = Span(line, column, line, column + 2)
    return Finding(
        spec.file, span, "YAM004", BUILT_IN["YAM004"][0], message, hint, Severity.WARNING
    )


def top_level(text: str) -> str:
    """The lines that are not indented: of a template, the only ones whose meaning does not depend on others."""
    return "".join(line for line in _LINES.findall(text) if line[:1].strip())


def _filled(text: str) -> Iterator[str]:
    """Line by line: what actions leave of it."""
    blanked = _ACTION.sub(lambda match: re.sub(r"[^\n]", "\0", match[0]), text)
    for line in _LINES.findall(blanked):
        alone = "\0" in line and not line.strip("\0 \t\r\n")
        yield re.sub(r"[^\r\n]", "", line) if alone else line.replace("\0", "x")


def _touched(text: str) -> frozenset[int]:
    """The lines that hold a part of an action, and those whose value an action below may be."""
    found: set[int] = set()
    line, counted = 1, 0
    for match in _ACTION.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        found.update(range(line, line + match[0].count("\n") + 1))
        if _OPEN.search(text, max(0, counted - _NEAR), counted):
            found.add(line - 1)
    return frozenset(found)
