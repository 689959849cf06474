"""Child processes: run one, find it a port, wait for a claim to come true, end it."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_POLL = 0.01
PATIENCE = 60.0
"""How many seconds to wait for what must come: only what hangs takes so long, on any machine."""


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, given: bytes = b""
) -> bytes:
    """Return the standard output of a command that must succeed.

    Args:
        command: Program and arguments.
        env: Additions to this process's environment.
        given: Standard input.

    Raises:
        RuntimeError: It failed; the message holds its standard error.
    """
    done = subprocess.run(
        command, input=given, capture_output=True, check=False, env={**os.environ, **(env or {})}
    )
    if done.returncode:
        error = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}: {error}")
    return done.stdout


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(
    claim: Callable[[], bool], *, otherwise: Callable[[], str], timeout: float = PATIENCE
) -> None:
    """Return as soon as a claim is true.

    Raises:
        AssertionError: It was not within ``timeout`` seconds; ``otherwise`` makes the message.
    """
    deadline = time.monotonic() + timeout
    while not claim():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s: {otherwise()}")
        time.sleep(_POLL)


def end(process: "subprocess.Popen[bytes]", *, grace: float = 5.0) -> None:
    """Terminate a process, and kill it when it is still there after ``grace`` seconds."""
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
