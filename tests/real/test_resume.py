"""A run that is killed, or stopped, in the middle of a large blob: the next one goes on there, where the registry can."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol
from urllib.request import Request, urlopen

import pytest

from planner.core.content import OCI_MANIFEST
from tests.real.story import Workplace
from tests.support.held_source import HeldSource
from tests.support.other_registries import OtherRegistry
from tests.support.process import PATIENCE
from tests.support.registry_server import RegistryServer

pytestmark = pytest.mark.real

MIB = 1024 * 1024
SIZE, CHUNK, HOLD = 200 * MIB, 32 * MIB, 110 * MIB
ACKNOWLEDGED = 96 * MIB


class Server(Protocol):
    @property
    def url(self) -> str: ...


def started(kind: str, folder: Path) -> AbstractContextManager[Server]:
    folder.mkdir()
    return RegistryServer(folder) if kind == "distribution 2.8" else OtherRegistry(kind, folder)


@pytest.fixture
def source() -> Iterator[HeldSource]:
    with HeldSource(SIZE // MIB) as held:
        held.hold_at = HOLD
        yield held


def begin(place: Workplace) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "planner", *APPLY],
        cwd=place.folder,
        env=place.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


APPLY = ("apply", "registries.yaml", "--images", "images.txt", "--auto-approve")


def place_between(source: HeldSource, target: Server, folder: Path) -> Workplace:
    place = Workplace(folder)
    place.write("images.txt", "docker.io/team/large:1\n")
    place.write("registries.yaml", f"mirrors:\n  docker.io:\n    endpoint: ['{target.url}']\n")
    place.write(
        "planner.yaml",
        f"version: 1\nregistries:\n  docker.io: {{endpoint: '{source.url}'}}\n",
    )
    return place


def assert_complete(target: Server, source: HeldSource) -> None:
    asked = Request(f"{target.url}/v2/team/large/manifests/1", headers={"Accept": OCI_MANIFEST})
    with urlopen(asked) as answer:
        assert answer.read() == source.manifest
    with urlopen(f"{target.url}/v2/team/large/blobs/{source.digest}") as answer:
        assert f"sha256:{hashlib.file_digest(answer, 'sha256').hexdigest()}" == source.digest


def wait_until_acknowledged(place: Workplace, source: HeldSource) -> None:
    """Sockets hold many bytes: what the source has sent, a busy machine may not have passed on yet."""
    assert source.held.wait(60)
    until = time.monotonic() + 60
    while not any(
        str(ACKNOWLEDGED) in file.read_text("utf-8")
        for file in (place.folder / ".planner").glob("uploads-*.jsonl")
    ):
        assert time.monotonic() < until, "the last whole chunk is not in the journal"
        time.sleep(0.02)


def go_on(place: Workplace, source: HeldSource) -> int:
    """Run it again; return what was read of the layer."""
    source.hold_at = None
    source.released.set()
    assert source.idle.wait(60)
    source.sent = 0
    done = place.planner(*APPLY)
    assert done.returncode == 0, done.stderr
    return source.sent


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        pytest.param("distribution 2.8", SIZE, id="distribution-2.8"),  # it loses the session
        pytest.param("distribution v3", SIZE - ACKNOWLEDGED, id="distribution-3"),
        pytest.param("zot", SIZE, id="zot"),  # it throws the session away
    ],
)
def test_a_killed_run_is_continued_inside_of_a_blob(
    tmp_path: Path, source: HeldSource, kind: str, most: int
) -> None:
    with started(kind, tmp_path / "registry") as target:
        place = place_between(source, target, tmp_path)
        process = begin(place)
        wait_until_acknowledged(place, source)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        (journal,) = (tmp_path / ".planner").glob("uploads-*.jsonl")
        assert journal.stat().st_mode & 0o777 == 0o600
        assert go_on(place, source) <= most
        assert_complete(target, source)


@pytest.mark.parametrize("kind", ["distribution 2.8", "distribution v3", "zot"])
def test_a_stopped_run_finishes_its_chunk_and_is_continued_everywhere(
    tmp_path: Path, source: HeldSource, kind: str
) -> None:
    with started(kind, tmp_path / "registry") as target:
        place = place_between(source, target, tmp_path)
        process = begin(place)
        wait_until_acknowledged(place, source)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        while "stopping" not in process.stderr.readline():
            pass
        source.released.set()
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert go_on(place, source) == SIZE - ACKNOWLEDGED - CHUNK
        assert_complete(target, source)
