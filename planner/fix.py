"""Fixes of findings, applied to a text and proved: nothing but what they say has changed.

A pass applies the fixes that do not touch each other, safe ones first, and lints the result. It counts only when the
YAML is no worse, each finding is gone, and everything outside of the edits reads as before; after a safe one also the
system makes the same of the file. When a pass fails, fewer fixes are tried; when a single one does, the rule is wrong,
and the file stays as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from planner.check import Checked
from planner.core.document import Node, Spec
from planner.core.edits import Edited, Fix, Positions, Range, apply_edits, first_of_overlapping
from planner.core.errors import InputError, PlannerError
from planner.core.family import NodeFlags
from planner.core.lint import Finding
from planner.files import read_text, write_whole
from planner.specs import family_named

_MOST_PASSES = 10
_GONE = object()

Relint = Callable[[Checked, str], Checked]


class Fixed(NamedTuple):
    """What became of one file: how many findings were fixed, and why not more (empty: there was nothing more to fix).

    ``left`` is how many more ``--fix=unsafe`` would fix.
    """

    before: Checked
    after: Checked
    done: int = 0
    left: int = 0
    problem: str = ""

    @property
    def text(self) -> str:
        """The text with the fixes applied."""
        return self.after.spec.text


def fixable(checked: Checked) -> list[Finding]:
    """What has a fix and is not suppressed; nothing in a file that cannot be read to its end."""
    if any(each.kind != "duplicate" for each in checked.spec.problems):
        return []
    return [each for each in checked.findings if each.suppressed is None and each.fix]


def fixed(
    checked: Checked, relint: Relint, *, unsafe: bool = False, root: str | None = None
) -> Fixed:
    """Fix what nothing suppresses in a file, as often as that makes something new to fix.

    ``relint`` lints another text under the name of the file. ``root`` is the folder of the project, out of which no link is
    followed; None for a text that is no file.
    """
    now, done = checked, 0
    for _ in range(_MOST_PASSES):
        found = _next(now, unsafe=unsafe)
        if not found:
            return Fixed(checked, now, done, len(fixable(now)))
        if root is not None and _leads_out(checked.spec.file, root):
            return Fixed(
                checked, checked, problem="not fixed: a link leads from there out of the project"
            )
        result = _pass(now, found, relint)
        if isinstance(result, str):
            return Fixed(checked, checked, problem=result)
        now, done = result[0], done + result[1]
    return Fixed(checked, now, done, problem=f"there is more to fix after {_MOST_PASSES} passes")


def write_fixed(files: Iterable[Fixed]) -> None:
    """Write the files that have changed, or none of them.

    Raises:
        InputError: one of them cannot be written.
    """
    changed = [each for each in files if each.text != each.before.spec.text]
    for each in changed:
        _require_writable(each.before.spec)
    for each in changed:
        write_whole(each.before.spec.file, each.text.encode())


def _leads_out(file: str, root: str) -> bool:
    real, base = Path(os.path.realpath(file)), Path(os.path.realpath(root or "."))
    path, folder = (Path(os.path.abspath(each)) for each in (file, root or "."))  # noqa: PTH100 - links keep their names
    is_linked = path.is_symlink() or path.is_relative_to(folder)
    return is_linked and not real.is_relative_to(base)


def _require_writable(spec: Spec) -> None:
    file = spec.file
    path = Path(os.path.realpath(file))
    if read_text(path) != spec.text:
        raise InputError(
            f"{file}: cannot be fixed: it has changed meanwhile", "run planner lint again"
        )
    # Who may do everything may write what is read-only, too, but was not asked to.
    if not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK):
        raise InputError(f"{file}: cannot be fixed: it is read-only", f"chmod u+w {file}")


def _next(checked: Checked, *, unsafe: bool) -> list[Finding]:
    """The findings to fix in one pass: safe fixes, or when there are none and it is allowed, unsafe ones."""
    offered = [(each, each.fix) for each in fixable(checked) if each.fix]
    safe = [pair for pair in offered if pair[1].is_safe]
    wanted = safe or (offered if unsafe else [])
    chosen = first_of_overlapping([fix for _, fix in wanted])
    return [each for each, fix in wanted if any(fix is one for one in chosen)]


def _pass(now: Checked, found: Sequence[Finding], relint: Relint) -> tuple[Checked, int] | str:
    """The file with as many of the first fixes as can be proved, and their number; or what is wrong with the first."""
    problem = ""
    while found:
        fixes = [each.fix for each in found if each.fix]
        edited = apply_edits(now.spec.text, (edit for fix in fixes for edit in fix.edits))
        after = relint(now, edited.text)
        problem = _problem(now, after, found, edited)
        if not problem:
            return after, len(found)
        if len(found) == 1:
            break
        found = found[: len(found) // 2]
    return f"not fixed: the fix of {found[0].code} in line {found[0].span.line} does not hold: {problem}"


def _problem(now: Checked, after: Checked, found: Sequence[Finding], edited: Edited) -> str:
    """Why the edited file is not what the fixes promise; empty when it is."""
    old, new = now.spec, after.spec
    if len(new.problems) > len(old.problems) or len(new.documents) != len(old.documents):
        return "the YAML would be worse"
    if any(_stays(each, now, after, edited) for each in found):
        return "the finding would stay"
    if _rest(old, edited.before) != _rest(new, edited.after):
        return "more than the edit would change"
    if all(each.fix and each.fix.is_safe for each in found) and not _means_the_same(now, after):
        return "the system would not make the same of the file"
    return ""


def _stays(finding: Finding, now: Checked, after: Checked, edited: Edited) -> bool:
    """Whether as many findings of the rule as before lie where the fix has been at work."""
    positions = Positions(now.spec.text)
    own = positions.range(finding.span)
    fix = finding.fix or Fix("", ())
    replaced = [positions.range(edit.span) for edit in fix.edits]
    before = [own, *replaced]
    behind = [edited.moved(each) for each in before]
    return _count(after, finding.code, behind) >= _count(now, finding.code, before)


def _count(checked: Checked, code: str, ranges: Sequence[Range]) -> int:
    positions = Positions(checked.spec.text)
    places = [positions.range(each.span) for each in checked.findings if each.code == code]
    return sum(any(place == each or place.overlaps(each) for each in ranges) for place in places)


def _means_the_same(now: Checked, after: Checked) -> bool:
    plain = [[each.plain() for each in spec.documents] for spec in (now.spec, after.spec)]
    if plain[0] == plain[1]:
        return True
    family = family_named(now.kind)
    if family is None:
        return False
    try:
        render = family.images().render
        return render(now.spec, NodeFlags()) == render(after.spec, NodeFlags())
    except PlannerError:
        return False


def _rest(spec: Spec, ranges: Sequence[Range]) -> list[object]:
    """What the documents say outside of the ranges: on both sides of an edit this must be the same.

    What an edit touches is left out: a scalar, the name of a key, an entry or item as a whole.
    """
    return [_Rest(spec, ranges).of(each) for each in spec.documents]


class _Rest:
    def __init__(self, spec: Spec, ranges: Sequence[Range]) -> None:
        self._text = spec.text
        self._positions = Positions(spec.text)
        self._ranges = ranges

    def of(self, node: Node) -> object:
        """The value without what is touched; ``_GONE`` when nothing remains."""
        if node.kind == "mapping":
            entries = [(self._name(each.key), self.of(each.value)) for each in node.entries]
            kept: list[object] = [each for each in entries if each != (_GONE, _GONE)]
        elif node.kind == "sequence":
            kept = [each for each in map(self.of, node.items) if each is not _GONE]
        else:
            return self._scalar(node)
        return (node.kind, kept) if kept or not self._begins_touched(node) else _GONE

    def _scalar(self, node: Node) -> object:
        place = self._positions.range(node.span)
        if any(place.touches(each) for each in self._ranges):
            return _GONE
        if self._text.startswith(
            "*", place.start
        ):  # an alias: what it stands for is looked at there
            return self._text[place.start : place.end]
        return (type(node.value).__name__, str(node.value), node.text)

    def _name(self, key: Node) -> object:
        scalar = self._scalar(key)
        return scalar if scalar is _GONE else key.text

    def _begins_touched(self, node: Node) -> bool:
        start = self._positions.range(node.span).start
        return any(Range(start, start).touches(each) for each in self._ranges)
