"""A cluster of its own at a terminal, where Ctrl-C reaches all processes at once: it means what it means without one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import FakeRegistry
from tests.real.story import Workplace
from tests.support.process import PATIENCE, wait_until
from tests.support.registry_server import RegistryServer

pytestmark = pytest.mark.real

APPLY = ("apply", "registries.yaml", "--images", "images.txt", "--auto-approve")
ON_CLUSTER = ("--executor", "dask", "--parallelism", "4")


def test_ctrl_c_stops_a_run_on_a_cluster_of_its_own_and_the_next_one_completes_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "registry").mkdir()
    place = Workplace(tmp_path)
    with FakeRegistry() as source, RegistryServer(tmp_path / "registry") as target:
        for number in range(2):
            source.add_image(f"team/app{number}", "v1", [os.urandom(4_000_000)])
        names = (f"{source.host}/team/app{number}:v1\n" for number in range(2))
        place.write("images.txt", "".join(names))
        place.write(
            "registries.yaml", f"mirrors: {{'{source.host}': {{endpoint: ['{target.url}']}}}}\n"
        )
        code, said = interrupted(place, tmp_path / "events.jsonl")
        assert code == 130, said
        assert "stopped: run it again to go on" in said
        assert "Traceback" not in said
        done = place.planner(*APPLY, *ON_CLUSTER)
        assert done.returncode == 0, done.stderr
        assert "2 images done" in done.stdout
        assert place.planner("verify", *APPLY[1:4], "--blobs").returncode == 0
        assert not list(place.folder.glob(".planner/uploads-*"))


def interrupted(place: Workplace, events: Path) -> tuple[int, str]:
    """A slow run that gets Ctrl-C when bytes move; its exit code, and what it said."""
    slowly = ("--bandwidth", "600kB", "--events", str(events))
    process = subprocess.Popen(
        [sys.executable, "-m", "planner", *APPLY, *ON_CLUSTER, *slowly],
        cwd=place.folder,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(
            lambda: events.exists() and "bytes_moved" in events.read_text(),
            timeout=PATIENCE,
            otherwise=lambda: "nothing moves",
        )
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, said
