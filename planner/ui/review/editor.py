"""Opening a spec at a line in the editor of whoever looks."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from planner.core.errors import InputError, UsageError
from planner.core.family import Because
from planner.core.text import printable
from planner.files import is_file

_HINT = "export EDITOR=vim, or VISUAL='code --wait'"


def _plus_line(file: str, line: int, _column: int) -> list[str]:
    return [f"+{line}", file]


def _plus_both(mark: str) -> Callable[[str, int, int], list[str]]:
    return lambda file, line, column: [f"+{line}{mark}{column}", file]


def _behind_name(file: str, line: int, column: int) -> list[str]:
    return [f"{file}:{line}:{column}"]


def _goto(file: str, line: int, column: int) -> list[str]:
    return ["--goto", f"{file}:{line}:{column}"]


def _named(file: str, line: int, column: int) -> list[str]:
    return ["--line", str(line), "--column", str(column), file]


# Who takes a line how. Source: vim starting.txt "+{num}"; GNU nano 8 manual, "Invoking"; GNU Emacs 29 manual, "Action
# Arguments"; Kakoune doc/pages/command-parsing, kak(1) "+line[:column]"; micro --help; docs.helix-editor.com "Usage";
# code.visualstudio.com/docs/editor/command-line "--goto"; sublimetext.com/docs/command_line.html; zed.dev/docs "CLI";
# jetbrains.com/help/idea/opening-files-from-command-line.html; kate(1).
_WAYS: dict[str, Callable[[str, int, int], list[str]]] = {
    **dict.fromkeys("vi vim nvim gvim mvim nvi vis view joe jmacs pico ed mg".split(), _plus_line),
    **dict.fromkeys(("nano", "ne"), _plus_both(",")),
    **dict.fromkeys("emacs emacsclient kak micro gedit gnome-text-editor".split(), _plus_both(":")),
    **dict.fromkeys("hx helix subl sublime_text zed zeditor".split(), _behind_name),
    **dict.fromkeys("code code-insiders codium vscodium cursor windsurf".split(), _goto),
    **dict.fromkeys("idea pycharm goland webstorm kate".split(), _named),
}


def editor_command(file: str, line: int, column: int, environment: Mapping[str, str]) -> list[str]:
    """The words that open a file there; of an editor that is not known, the file alone. ``line`` 0: no place in it.

    Raises:
        UsageError: neither ``$VISUAL`` nor ``$EDITOR`` names one, or what they say is no command line.
    """
    said = (environment.get("VISUAL") or environment.get("EDITOR") or "").strip()
    if not said:
        raise UsageError("neither $VISUAL nor $EDITOR names an editor", _HINT)
    try:
        words = shlex.split(said)
    except ValueError as error:
        raise UsageError(f"$VISUAL or $EDITOR cannot be read: {said}: {error}", _HINT) from error
    # A name that looks like an option must not be one.
    named = f"./{file}" if file.startswith(("-", "+")) else file
    way = _WAYS.get(Path(words[0]).name.removesuffix(".exe"))
    return [*words, *(way(named, line, max(1, column)) if way and line else [named])]


def first_place(because: Iterable[Because]) -> Because | None:
    """The first reason that stands at a line; else the first that names a file which is there."""
    reasons = list(because)
    placed = (each for each in reasons if each.line)
    return next(placed, None) or next((each for each in reasons if is_file(each.file)), None)


def open_in_editor(app: App[Any], place: Because | None) -> None:
    """Leave the screen to the editor until it is closed; what keeps it from opening is told."""
    if place is None:
        app.notify("no line of a spec is behind this", markup=False)
        return
    try:
        _open(app, place)
    except (InputError, UsageError) as error:
        app.notify(
            printable(error.hint), title=printable(error.message), severity="warning", markup=False
        )


def _open(app: App[Any], place: Because) -> None:
    if not is_file(place.file):
        raise InputError(
            f"{place.file} is not here", "start the review in the folder where the plan was made"
        )
    if app.is_web:
        raise InputError("an editor cannot be opened from a browser", f"{place.file}:{place.line}")
    command = editor_command(place.file, place.line, place.column, os.environ)
    if shutil.which(command[0]) is None:
        raise UsageError(f"{command[0]}, which $VISUAL or $EDITOR names, is not installed", _HINT)
    try:
        with app.suspend():
            code = subprocess.run(command, check=False).returncode
    except SuspendNotSupported as error:
        raise InputError(
            "this terminal cannot be left to an editor", shlex.join(command)
        ) from error
    except OSError as error:
        raise UsageError(
            f"{command[0]} does not start: {error.strerror or error}", _HINT
        ) from error
    app.refresh()
    if code:
        raise InputError(f"{command[0]} ended with exit code {code}", shlex.join(command))
