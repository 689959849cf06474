"""A terminal that may be gone at any moment. Only where terminals are those of POSIX."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class Terminal(LinuxDriver):
    """Textual's own, but that it outlives what it draws on.

    It writes on a thread, which ends at the first write that fails, and behind a queue of thirty texts, where the next one then
    waits for ever: the program would never end. Source: textual 8.2.8 ``drivers/_writer_thread.py``.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._file: Any = Forgiving(self._file or sys.stderr)


class Forgiving:
    """A file whose failures nobody hears of."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """As far as that is possible."""
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """As far as that is possible."""
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """That of the file."""
        return self._file.fileno()
