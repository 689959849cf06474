"""Ctrl-C in the middle of a run: a clean stop, exit 130, and a next run that goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeRegistry, Fault, Stall
from tests.support.process import PATIENCE

SPEC = "mirrors: {{docker.io: {{endpoint: ['{url}']}}}}\n"
CONFIG = "version: 1\nregistries: {{docker.io: {{endpoint: '{url}'}}}}\n"
TAGS = ("one", "two")


@pytest.fixture
def upstream() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        for tag in TAGS:
            registry.add_image(f"team/{tag}", "v1", [f"layer of {tag}".encode() * 1000])
        yield registry


@pytest.fixture
def target() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def folder(tmp_path: Path, upstream: FakeRegistry, target: FakeRegistry) -> Path:
    (tmp_path / "registries.yaml").write_text(SPEC.format(url=target.url), "utf-8")
    (tmp_path / "planner.yaml").write_text(CONFIG.format(url=upstream.url), "utf-8")
    (tmp_path / "images.txt").write_text(
        "".join(f"docker.io/team/{tag}:v1\n" for tag in TAGS), "utf-8"
    )
    return tmp_path


def start(folder: Path) -> subprocess.Popen[str]:
    """One worker, so that what is behind the stalled request has not begun."""
    command = (
        "apply",
        "registries.yaml",
        "--images",
        "images.txt",
        "--auto-approve",
        "--parallelism",
        "1",
    )
    return subprocess.Popen(
        [sys.executable, "-m", "planner", *command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stall_a_blob(upstream: FakeRegistry) -> Stall:
    stall = Stall(60)
    upstream.faults.add(Fault("GET", r"/blobs/sha256", stall, nth=2))
    return stall


def finished_uploads(target: FakeRegistry) -> int:
    return sum(
        each.method == "PUT" and "/uploads/" in each.path and each.status == 201
        for each in target.requests
    )


def wait_until_stopping(process: subprocess.Popen[str]) -> None:
    assert process.stderr
    while "stopping" not in process.stderr.readline():
        pass


def test_a_stopped_run_writes_no_tag_and_the_next_one_goes_on(
    folder: Path, upstream: FakeRegistry, target: FakeRegistry
) -> None:
    stall = stall_a_blob(upstream)
    process = start(folder)
    assert stall.stalled.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    wait_until_stopping(process)
    stall.release.set()
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "run it again" in errors) == (130, True)
    assert target.count("PUT", r"/manifests/") == 0
    assert target.open_uploads() <= 1  # the one that was cut off

    sent = finished_uploads(target)
    again = start(folder)
    again.communicate(timeout=PATIENCE)
    assert again.returncode == 0
    assert [target.tags(f"team/{tag}") for tag in TAGS] == [["v1"], ["v1"]]
    assert (sent, finished_uploads(target)) == (1, 4)  # two images of a config and a layer each


def test_a_second_ctrl_c_leaves_at_once(
    folder: Path, upstream: FakeRegistry, target: FakeRegistry
) -> None:
    stall = stall_a_blob(upstream)
    process = start(folder)
    assert stall.stalled.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    wait_until_stopping(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE) == 130
    assert not stall.release.is_set()
    assert target.count("PUT", r"/manifests/") == 0
    process.communicate()


def test_ctrl_c_leaves_a_plan_that_waits_for_a_silent_registry(
    folder: Path, upstream: FakeRegistry
) -> None:
    stall = Stall(60)
    upstream.faults.add(Fault("HEAD", r"/manifests/", stall))
    process = start(folder)
    assert stall.stalled.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE) == 130
    assert not stall.release.is_set()
    process.communicate()
