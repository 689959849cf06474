"""One full-screen program in a pseudo-terminal: how long it takes until something is drawn, and what it takes meanwhile."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.measuring import environment

_WIDTH, _HEIGHT = 120, 40
_QUIET = 0.08  # so long nothing comes when a frame is complete
_LONGEST = 120.0
_SAME_FRAME = 0.005  # textual waits 16 ms between two
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Repaint(NamedTuple):
    """Milliseconds from a key until its frame was complete, and until the last byte of all that came of it."""

    first: float
    last: float


class Session:
    """A context manager; the program is killed at its end, if it has not ended by itself."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self._command = command
        self._home = home
        self._state = tempfile.TemporaryDirectory(prefix="state-", dir=home)
        self._terminal = -1
        self._seen = b""
        self._process: subprocess.Popen[bytes] | None = None
        self._start = self._seen_at = 0.0

    def __enter__(self) -> Self:
        self._terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", _HEIGHT, _WIDTH, 0, 0))
        settings = {**environment(), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._start = time.perf_counter()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._home,
            env={**settings, "HOME": str(self._home), "XDG_STATE_HOME": self._state.name},
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one thread; its own terminal
        )
        os.close(other)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        os.close(self._terminal)
        self._state.cleanup()

    def until(self, text: str) -> float:
        """Milliseconds from the start of the process until a text has been drawn.

        Raises:
            SystemExit: it does not come.
        """
        while text.encode() not in self._seen:
            data, at = self._read(_LONGEST)
            if not data:
                raise SystemExit(f"{self._command[0]} shows no {text!r}: {self._seen[-2000:]!r}")
            self._seen += data
            self._seen_at = at
        return (self._seen_at - self._start) * 1000

    def settle(self, seconds: float = 0.5) -> None:
        """Wait until nothing is drawn any more."""
        while self._read(seconds)[0]:
            pass

    def press(self, key: str, sign: str = "", quiet: float = _QUIET) -> Repaint:
        """Press a key, and wait until nothing is drawn any more; ``sign`` is what the first frame that counts has in it."""
        start = time.perf_counter()
        os.write(self._terminal, key.encode())
        seen, at = self._read(_LONGEST)
        if not seen:
            raise SystemExit(f"{self._command[0]} draws nothing for {key!r}")
        first, last = at, at
        has_come = sign.encode() in seen
        while True:
            data, at = self._read(quiet)
            if not data:
                break
            seen += data
            if not has_come or (at - last < _SAME_FRAME and first == last):
                first = at
            has_come = has_come or sign.encode() in seen
            last = at
        return Repaint((first - start) * 1000, (last - start) * 1000)

    def processor(self) -> float:
        """Seconds that the program has computed so far."""
        status = Path(f"/proc/{self._running.pid}/stat").read_text("ascii")
        fields = status.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS

    def end(self, *keys: str) -> float:
        """Press keys that leave; the result is the most memory that the process had, in MiB.

        Raises:
            SystemExit: it does not end.
        """
        process, memory = self._running, self._memory()
        for key in keys:
            os.write(self._terminal, key.encode())
            self.settle(0.3)
        os.set_blocking(self._terminal, False)
        deadline = time.perf_counter() + _LONGEST
        while True:
            self._read(0.05)
            if process.poll() is not None:
                break
            if time.perf_counter() > deadline:
                raise SystemExit(f"{self._command[0]} does not end")
        if process.returncode:
            raise SystemExit(f"{self._command[0]} ended with {process.returncode}")
        return memory

    def _memory(self) -> float:
        """The peak of the program itself: what ``wait4`` says is at least what this process had when it started it."""
        status = Path(f"/proc/{self._running.pid}/status").read_text("ascii")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise SystemExit("the session has not begun")
        return self._process

    def _read(self, timeout: float) -> tuple[bytes, float]:
        ready, _, _ = select.select([self._terminal], [], [], timeout)
        try:
            data = os.read(self._terminal, 1 << 16) if ready else b""
        except OSError:  # the other side is closed
            data = b""
        return data, time.perf_counter()
