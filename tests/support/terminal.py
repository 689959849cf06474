"""A terminal that a test can type into and read: tmux on a socket of its own."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.process import PATIENCE, wait_until
from tests.support.programs import require

_CONFIG = """\
set -g default-terminal screen-256color
set -g status off
set -s escape-time 0
"""
_NOT_INHERITED = ("TMUX", "TMUX_PANE", "COLUMNS", "LINES")


class Terminal:
    """One program in one terminal; a context manager."""

    def __init__(self) -> None:
        self._program = require("tmux")
        self._directory = Path(tempfile.mkdtemp(prefix="tm-", dir="/tmp"))
        self._exit_code = self._directory / "exit-code"
        self._group = 0
        (self._directory / "config").write_text(_CONFIG)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(
        self,
        command: Sequence[str | Path],
        *,
        width: int = 80,
        height: int = 24,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start a program in the current folder.

        Args:
            command: Program and arguments.
            width: Columns.
            height: Rows.
            env: Additions to this process's environment.
        """
        size = ("-x", str(width), "-y", str(height))
        # The shell outlives the program, so that the last screen and the exit code can be read.
        program = shlex.join(map(str, command))
        shell = f"trap : INT QUIT; {program}; echo $? >{self._exit_code}; exec sleep 86400"
        self._tmux("new-session", "-d", *size, shell, env=env)
        self._group = int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def send(self, *keys: str) -> None:
        """Press keys: tmux's names (``Enter``, ``C-c``, ``Down``), anything else as it stands."""
        self._tmux("send-keys", "--", *keys)

    def screen(self) -> str:
        """Return what is on the screen, without blanks at line ends."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, text: str, timeout: float = PATIENCE) -> str:
        """Return the first screen that holds a text, within ``timeout`` seconds.

        Raises:
            AssertionError: It did not come; the message shows the last screen.
        """
        seen = [""]

        def is_there() -> bool:
            seen[0] = self.screen()
            return text in seen[0]

        wait_until(is_there, timeout=timeout, otherwise=lambda: f"no {text!r} in:\n{seen[0]}")
        return seen[0]

    def wait_for_exit(self, timeout: float = PATIENCE) -> int:
        """Return the program's exit code once it has ended; 128 and the signal that ended it.

        Its last output may come to the screen later: ask for it with `wait_for`.

        Raises:
            AssertionError: It did not end in ``timeout`` seconds; the message shows the screen.
        """
        wait_until(
            lambda: self._exit_code.exists() and self._exit_code.read_text() != "",
            timeout=timeout,
            otherwise=lambda: f"still runs:\n{self.screen()}",
        )
        return int(self._exit_code.read_text())

    def close(self) -> None:
        """Close the terminal, which ends the program; one that was never started is fine.

        Raises:
            AssertionError: It outlives its terminal.
        """
        subprocess.run((*self._command(), "kill-server"), capture_output=True, check=False)
        shutil.rmtree(self._directory, ignore_errors=True)
        group, self._group = self._group, 0
        if group:
            wait_until(
                lambda: not _is_alive(group), otherwise=lambda: f"process group {group} is there"
            )

    def _tmux(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        inherited = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
        done = subprocess.run(
            (*self._command(), *arguments),
            capture_output=True,
            text=True,
            check=False,
            env={**inherited, "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh", **(env or {})},
        )
        if done.returncode:
            raise RuntimeError(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def _command(self) -> tuple[str | Path, ...]:
        socket, config = self._directory / "socket", self._directory / "config"
        return (self._program, "-u", "-S", socket, "-f", config)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
