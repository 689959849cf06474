"""Handing a text to the clipboard: to a program of this machine, or to the terminal, or to the eyes.

Nobody learns from a terminal whether it took the text; what is sent to one is said so.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from planner.core.text import printable
from planner.ui.review.hints import Hints

_PATIENCE = 3.0
_LONGEST_FOR_TERMINALS = (
    74_000  # xterm and others drop an OSC 52 of more than 100,000 bytes of base64
)
_MOST_TOLD = 200
_REMOTE = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")


class Program(NamedTuple):
    """A program that reads a text and keeps it in a clipboard, and the variable without which it has none."""

    command: tuple[str, ...]
    needs: str = ""


# The clipboard of the machine that we run on, which is the user's own unless they came over SSH.
# Source: man pages of pbcopy (macOS), wl-copy (wl-clipboard 2.2), xclip (0.13), xsel (1.2); clip.exe of Windows, for WSL.
_PROGRAMS = (
    Program(("pbcopy",)),
    Program(("wl-copy",), "WAYLAND_DISPLAY"),
    Program(("xclip", "-selection", "clipboard"), "DISPLAY"),
    Program(("xsel", "--clipboard", "--input"), "DISPLAY"),
    Program(("clip.exe",)),
)


def programs(
    environment: Mapping[str, str], find: Callable[[str], str | None] = shutil.which
) -> Iterator[tuple[str, ...]]:
    """The commands that may take a text here, the best first; none on a machine that is only reached over SSH."""
    if not any(environment.get(each) for each in _REMOTE):
        for command, needs in _PROGRAMS:
            if (not needs or environment.get(needs)) and find(command[0]):
                yield command
    # tmux keeps OSC 52 of programs to itself by default, and passes on what it is given itself.
    # Source: tmux 3.2 CHANGES ("load-buffer -w"), tmux(1) "set-clipboard".
    if environment.get("TMUX") and find("tmux"):
        yield ("tmux", "load-buffer", "-w", "-")


def takes_osc52(environment: Mapping[str, str]) -> bool:
    """Whether the terminal may know the sequence: Apple's Terminal and the Linux console do not."""
    is_deaf = environment.get("TERM_PROGRAM") == "Apple_Terminal"
    return not is_deaf and environment.get("TERM", "") not in ("linux", "dumb")


def osc52(text: str, environment: Mapping[str, str]) -> str:
    """The sequence that asks a terminal to keep a text; through tmux or screen, in their envelopes.

    Source: xterm ctlseqs "Operating System Commands", Ps = 52; tmux FAQ "passthrough"; screen manual "String Escapes".
    """
    kept = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    plain = f"\x1b]52;c;{kept}\x07"
    if environment.get("TMUX"):
        return f"\x1bPtmux;\x1b{plain}\x1b\\"
    if environment.get("TERM", "").startswith("screen"):
        return f"\x1bP{plain}\x1b\\"
    return plain


def hand_to_program(text: str, environment: Mapping[str, str]) -> str:
    """The name of the program that took it; empty when none did. Takes a moment: not for the thread that draws."""
    for command in programs(environment):
        try:
            subprocess.run(
                command,
                input=text.encode("utf-8", "surrogatepass"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                check=True,
                env=dict(environment),
            )
        except (OSError, subprocess.SubprocessError):
            continue
        return command[0]
    return ""


def copy(app: App[Any], text: str) -> None:
    """Copy a text, and say where it went; in a browser, to that one's clipboard."""
    environment = dict(os.environ)

    def work() -> None:
        program = "" if app.is_web else hand_to_program(text, environment)
        app.call_from_thread(_conclude, app, text, program, environment)

    app.run_worker(work, thread=True, group="clipboard")


def _conclude(app: App[Any], text: str, program: str, environment: Mapping[str, str]) -> None:
    shown = printable(text)
    told = shown if len(shown) <= _MOST_TOLD else f"{shown[:_MOST_TOLD]}…"
    if program == "tmux":
        title = "Copied into tmux, and to its terminal if that takes it"
    elif program:
        title = f"Copied with {program}"
    elif takes_osc52(environment) and len(text) <= _LONGEST_FOR_TERMINALS:
        app.copy_to_clipboard(text)
        sequence = osc52(text, environment)
        if sequence.startswith("\x1bP") and not app.is_web and app._driver:  # noqa: SLF001 - it knows no envelopes
            app._driver.write(sequence)  # noqa: SLF001
        title = "Sent to the terminal's clipboard, if it takes it"
    else:
        app.push_screen(TextBox(text))
        return
    app.notify(told, title=title, markup=False)


class TextBox(ModalScreen[None]):
    """A text to be marked with the mouse, where no clipboard can be reached."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "back", "back", id="text.back"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text alone between two lines, so that marking it takes nothing else along."""
        with VerticalScroll(classes="dialog", id="text-box") as box:
            box.border_title = "No clipboard can be reached: mark it with the mouse (with shift held, in most terminals)"
            yield Static(Text(printable(self._text)))
            yield Hints("\n[{text.back}] back")

    def action_back(self) -> None:
        """Close."""
        self.dismiss()
