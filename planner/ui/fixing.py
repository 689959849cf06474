"""``planner lint --fix`` and ``--diff``: what they write, and what they say about it."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from planner.check import Checked
from planner.core.text import plural, printable
from planner.fix import Fixed, Relint, fixed, write_fixed
from planner.ui.findings.places import relative_path
from planner.ui.findings.wording import one_line

_LINE = re.compile("[^\n]*\n|[^\n]+")
_NO_END = "\n\\ No newline at end of file\n"


def fix_files(checked: Sequence[Checked], relint: Relint, root: str, *, unsafe: bool) -> bool:
    """Fix files in place; whether any has changed.

    Raises:
        InputError: one cannot be written; then none is.
    """
    files = [fixed(each, relint, unsafe=unsafe, root=root) for each in checked]
    write_fixed(files)
    _tell(files, "fixed")
    return any(map(_has_changed, files))


def fix_text(checked: Checked, relint: Relint, *, unsafe: bool) -> Checked:
    """Write the fixed text to standard output, also when there was nothing to fix; what is left in it."""
    result = fixed(checked, relint, unsafe=unsafe)
    _write(result.text)
    _tell([result], "fixed")
    return result.after


def show_diff(
    checked: Sequence[Checked], relint: Relint, root: str | None, *, unsafe: bool
) -> bool:
    """Write a unified diff of what would change to standard output, and change nothing; whether there is any."""
    files = [fixed(each, relint, unsafe=unsafe, root=root) for each in checked]
    text = "".join(map(_diff, files))
    _write(_for_terminal(text) if sys.stdout.isatty() else text)
    _tell(files, "would fix")
    return bool(text)


def _has_changed(file: Fixed) -> bool:
    return file.text != file.before.spec.text


def _diff(file: Fixed) -> str:
    path = one_line(relative_path(file.before.spec.file))
    is_elsewhere = PurePath(path).is_absolute() or path.startswith(("../", "<"))
    old, new = (path, path) if is_elsewhere else (f"a/{path}", f"b/{path}")
    before, after = _LINE.findall(file.before.spec.text), _LINE.findall(file.text)
    lines = difflib.unified_diff(before, after, old, new)
    return "".join(line if line.endswith("\n") else line + _NO_END for line in lines)


def _for_terminal(text: str) -> str:
    shown = (line.removesuffix("\r").replace("\t", "    ") for line in text.split("\n"))
    return "\n".join(map(printable, shown))


def _write(text: str) -> None:
    """Byte for byte, whatever the encoding and the line ends of the platform."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _tell(files: Sequence[Fixed], done: str) -> None:
    for each in files:
        if each.problem:
            sys.stderr.write(f"note: {printable(each.before.spec.file)}: {each.problem}\n")
    sys.stderr.write("; ".join(_summary(files, done)) + "\n")


def _summary(files: Sequence[Fixed], done: str) -> Iterator[str]:
    count = sum(each.done for each in files)
    changed = sum(map(_has_changed, files))
    where = f"{plural(count, 'finding')} in {plural(changed, 'file')}"
    yield f"{done} {where}" if count else f"{done} nothing"
    if left := sum(each.left for each in files):
        yield f"--fix=unsafe can fix {left:,}{' more' if count else ''}"
