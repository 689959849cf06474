"""The first frame of the review of a large plan, and its bar, while the plan is read.

Drawn by hand: it stands before textual is loaded, and the whole processor is left to reading.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from planner.core.errors import INTERRUPTED
from planner.core.text import printable
from planner.ui.glyphs import as_ascii, wants_ascii

_LARGE = 2 * 1024 * 1024
_PAUSE = 0.1
_FULL_SCREEN, _BACK = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_REVERSE, _BOLD, _PLAIN = "\x1b[7m", "\x1b[1m", "\x1b[0m"
_WIDEST_BAR = 60

Tell = Callable[[str, float], None]


def nothing(_what: str, _share: float) -> None:
    """For whoever does not draw."""


@contextmanager
def loading(file: str) -> Iterator[Tell]:
    """Show a frame until the end of the block, unless the file is small; the block tells what is done, and which share of it.

    However the block ends, the terminal is as before: also when the process is told to end.
    """
    if not _is_large(file) or not sys.stdout.isatty():
        yield nothing
        return
    frame = _Frame(sys.stdout, f"planner review   {file}")
    with _given_back(sys.stdout):
        frame.draw("Reading the plan", 0.0)
        yield frame.tell


class _Frame:
    """A title, a box, and a bar in its middle."""

    def __init__(self, stream: TextIO, title: str) -> None:
        self._stream = stream
        self._title = printable(title).replace("\n", " ")
        self._drawn_at = 0.0
        self._seen = ("", (0, 0))

    def tell(self, what: str, share: float) -> None:
        """Draw ten times a second, and when something else begins."""
        if what != self._seen[0] or time.monotonic() - self._drawn_at >= _PAUSE:
            self.draw(what, share)

    def draw(self, what: str, share: float) -> None:
        """Draw all of it: the terminal may have another size by now."""
        width, height = os.get_terminal_size(self._stream.fileno())
        is_same = self._seen == (what, (width, height))
        self._seen = (what, (width, height))
        self._drawn_at = time.monotonic()
        bar_width = max(10, min(_WIDEST_BAR, width - 14))
        full = min(bar_width, int(bar_width * share))
        bar = f"{'█' * full}{'░' * (bar_width - full)} {min(100, int(100 * share)):3} %"
        middle, column = max(3, height // 2), max(3, (width - bar_width - 6) // 2)
        lines = (
            [] if is_same else [*self._frame(width, height), f"\x1b[{middle - 1};{column}H{what}"]
        )
        text = "".join((*lines, f"\x1b[{middle};{column}H{bar}"))
        self._stream.write(as_ascii(text) if wants_ascii() else text)
        self._stream.flush()

    def _frame(self, width: int, height: int) -> Iterator[str]:
        inner = width - 2
        yield f"\x1b[2J\x1b[H{_REVERSE}{f' {self._title}'[:width]:{width}}{_PLAIN}"
        yield f"\x1b[3;1H╭─{_BOLD} Plan {_PLAIN}{'─' * (inner - 7)}╮"
        for row in range(4, height - 1):
            yield f"\x1b[{row};1H│\x1b[{row};{width}H│"
        yield f"\x1b[{height - 1};1H╰{'─' * inner}╯\x1b[{height};2Hctrl+c leave"


@contextmanager
def _given_back(stream: TextIO) -> Iterator[None]:
    """A screen of its own, where what is typed does not show; what was typed before there was something to see is forgotten."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    silent = termios.tcgetattr(descriptor)
    silent[3] &= ~(termios.ECHO | termios.ICANON)
    ended = signal.signal(signal.SIGTERM, _leave)
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
        stream.write(_FULL_SCREEN)
        yield
    finally:
        stream.write(_BACK)
        stream.flush()
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
        signal.signal(signal.SIGTERM, ended)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(INTERRUPTED)


def _is_large(file: str) -> bool:
    try:
        return Path(file).stat().st_size > _LARGE
    except OSError:  # reading it tells why
        return False
