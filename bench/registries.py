"""Registries to measure with: distribution on loopback, its files on tmpfs, its access log as a witness."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, create_server
from typing import NamedTuple

from bench.tools import ROOT, find

_MEMORY = Path("/dev/shm")  # noqa: S108 - tmpfs, so that no disk is measured
_PATIENCE = 20.0
_NAMES = ("registry", "docker-registry")
_OBTAIN = ROOT / "scripts" / "obtain-go-tools"


class Served(NamedTuple):
    """A registry that runs: ``host`` is its address and port, ``data`` the folder of its files, ``log`` its access log."""

    host: str
    data: Path
    log: Path
    process: int = 0

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{self.host}"

    def requests(self, method: str) -> int:
        """How many requests with a method it has answered."""
        return self.log.read_bytes().count(b'"' + method.encode() + b" /v2/")

    @property
    def processor(self) -> float:
        """Seconds of the processor that it has taken so far, where /proc tells (Linux: proc_pid_stat(5), fields 14 and 15)."""
        stat = Path(f"/proc/{self.process}/stat")
        if not stat.is_file():
            return math.nan
        fields = stat.read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder on tmpfs where there is one."""
    place = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="planner-bench-", dir=place) as folder:
        yield Path(folder)


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A registry with its files in ``folder``, which may hold those of another one."""
    folder.mkdir(parents=True, exist_ok=True)
    with create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    found = Served(f"127.0.0.1:{port}", folder / "data", folder / "access.log")
    config = folder / "config.yml"
    config.write_text(json.dumps(_config(found)), "utf-8")  # JSON is YAML
    with found.log.open("ab") as log, (folder / "log").open("wb") as errors:
        process = subprocess.Popen([*program(), "serve", config], stdout=log, stderr=errors)
    try:
        _wait(found, process, folder / "log")
        yield found._replace(process=process.pid)
    finally:
        process.terminate()
        process.wait()


def copied(filled: Path, to: Path) -> Path:
    """The files of a registry once more, for another one that holds the same."""
    shutil.copytree(filled / "data", to / "data")
    return to


def program() -> tuple[str, ...]:
    """The registry's program: that of distribution v3 where it can be built, which is faster than Debian's.

    Raises:
        SystemExit: there is none.
    """
    if not find(_NAMES[0]):
        subprocess.run([_OBTAIN], stdout=sys.stderr, check=True)
    found = find(*_NAMES)
    if not found:
        raise SystemExit(
            f"no registry to measure with: install Go, with which {_OBTAIN.name} builds one, or Debian's docker-registry"
        )
    return (found,)


def _config(registry: Served) -> dict[str, object]:
    return {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {
            "filesystem": {"rootdirectory": str(registry.data)},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": registry.host, "secret": "planner-bench"},
    }


def _wait(registry: Served, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with create_connection(
                (registry.host.partition(":")[0], int(registry.host.partition(":")[2]))
            ):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(
                    f"the registry does not run: {log.read_text('utf-8')[-1000:]}"
                ) from None
            time.sleep(0.05)
