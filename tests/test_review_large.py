"""A plan of 50,000 images: nothing is done for what is not seen, and the terminal is given back. No test looks at a clock."""

from __future__ import annotations

import errno
import fcntl
import gc
import io
import json
import os
import pty
import random
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.pilot import Pilot

from planner.core import plan_file
from planner.core.errors import InputError
from planner.core.kept_manifests import KeptManifests
from planner.core.plan import Plan
from planner.core.plan_file import from_json, plan_id, read_plan, save, to_json
from planner.ui.review.list import PlanList
from planner.ui.review.model import PlanModel
from planner.ui.review.terminal import Forgiving
from tests.making import make_random_plan
from tests.plans import full_plan, hostile_plan, large_plan
from tests.reviewing import play, review_of, shown
from tests.support.process import PATIENCE

SEEDS = range(8)


# Reading


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(full_plan(), id="full"),
        pytest.param(hostile_plan(), id="hostile"),
        pytest.param(Plan(()), id="empty"),
        *(pytest.param(make_random_plan(seed), id=f"random-{seed}") for seed in SEEDS),
    ],
)
def test_what_planner_wrote_is_read_entry_by_entry(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = save(plan)
    at_once = plan_file._read_at_once(saved.data, "plan.json")
    monkeypatch.setattr(plan_file, "_read_at_once", None)
    monkeypatch.setattr("planner.core.json_stream._CHUNK", 7)  # every entry is cut somewhere
    found = read_plan(io.BytesIO(saved.data), "plan.json")
    assert (found, plan_id(found)) == (at_once, saved.id)
    assert plan_id(replace(found)) == plan_id(replace(at_once))  # worked out, not remembered
    assert to_json(found) == to_json(at_once)


def test_another_layout_is_the_same_plan() -> None:
    document = json.loads(to_json(full_plan()))
    for indent in (None, 2):
        turned = dict(reversed(document.items()))
        assert from_json(json.dumps(turned, indent=indent).encode(), "x") == full_plan()


@pytest.mark.parametrize("seed", SEEDS)
def test_damage_anywhere_is_found(seed: int) -> None:
    data = bytearray(to_json(full_plan()))
    chance = random.Random(seed)
    at = chance.randrange(len(data))
    data[at] = chance.choice([each for each in b'a1"{},:[ ' if each != data[at]])
    try:
        found = from_json(bytes(data), "x")
    except InputError:
        return
    assert found == full_plan()  # a blank for a line end


def test_manifests_are_kept_as_they_were() -> None:
    plan = full_plan()
    kept = KeptManifests()
    for digest, manifest in plan.manifests.items():
        kept.add(digest, manifest)
    assert kept == plan.manifests
    assert [each.digest for each in kept.values()] == list(kept)
    with pytest.raises(KeyError):
        kept["sha256:none"]


def test_reading_leaves_no_tables_behind() -> None:
    data = to_json(large_plan(200))
    before = tables()
    read = from_json(data, "x")
    model = PlanModel(read)
    assert (tables() - before, len(model.rows)) == (0, 208)


def tables() -> int:
    """How many manifests there are as tables."""
    gc.collect()
    return sum(isinstance(each, dict) and "layers" in each for each in gc.get_objects())


# Drawing


@pytest.fixture(scope="module")
def large() -> Plan:
    return large_plan(50_000)


def test_scrolling_draws_only_what_is_seen(large: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []
    draw = PlanList._draw

    def counted(self: PlanList, row: object, **options: object) -> object:
        drawn.append(row)
        return draw(self, row, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(PlanList, "_draw", counted)

    async def steps(pilot: Pilot[int]) -> None:
        rows = pilot.app.screen.query_one(PlanList)
        height = rows.size.height
        assert len(drawn) <= 3 * height  # of 52,000 rows; with and without the focus
        for key in ("down", "pagedown", "end", "pageup", "home"):
            drawn.clear()
            await pilot.press(key)
            await pilot.pause()
            assert len(set(drawn)) <= height + 2, key  # what was drawn before is kept
        drawn.clear()
        await pilot.press("down")
        await pilot.pause()
        assert len(drawn) <= 4  # the row that was left, the one that was entered

    play(review_of(large), steps)


def test_a_storm_of_sizes_ends_with_a_whole_screen(large: Plan) -> None:
    chance = random.Random(1)

    async def steps(pilot: Pilot[int]) -> None:
        for _ in range(60):
            await pilot.resize_terminal(chance.randint(1, 220), chance.randint(1, 70))
            if chance.random() < 0.3:
                await pilot.press(chance.choice(["down", "pagedown", "end", "plus", "underscore"]))
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        lines = shown(pilot).splitlines()
        assert (len(lines), max(map(len, lines))) == (40, 120)
        assert "50,000 of 50,000 selected" in lines[1]
        await pilot.press("home")
        await pilot.pause()
        assert "team-000" in shown(pilot)

    play(review_of(large), steps)


# The terminal


def started(
    command: list[str], folder: Path, *, owns_terminal: bool = True
) -> tuple[subprocess.Popen[bytes], int]:
    """A program and its terminal; one that does not own it gets no signal when that is closed."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}

    def take() -> None:
        if owns_terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
        preexec_fn=take,  # noqa: PLW1509 - one call
    )  # fmt: skip
    os.close(theirs)
    return process, ours


def read_until(terminal: int, wanted: Callable[[bytes], bool]) -> bytes:
    seen = b""
    while not wanted(seen):
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    return seen


@pytest.fixture(scope="module")
def large_file(large: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("large") / "plan.json"
    file.write_bytes(save(large).data)
    return file


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 130, id="terminated"),
        pytest.param(signal.SIGINT, 130, id="interrupted"),
    ],
)
def test_the_terminal_is_given_back_while_a_plan_is_read(
    large_file: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "planner", "review", str(large_file)]
    process, terminal = started(command, Path.cwd())
    seen = read_until(terminal, lambda text: b"Reading the plan" in text and b" %" in text)
    assert b"\x1b[?1049h" in seen
    os.killpg(process.pid, number)
    rest = read_until(terminal, lambda _: False)
    assert (process.wait(PATIENCE), b"\x1b[?25h\x1b[?1049l" in rest) == (code, True)
    assert b"Traceback" not in rest
    os.close(terminal)


def test_what_breaks_while_a_plan_is_read_is_said_on_the_terminal_itself(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    data = save(large_plan(4000)).data
    assert len(data) > 2 * 1024 * 1024
    file.write_bytes(data[:-100] + b" " * 90)
    process, terminal = started([sys.executable, "-m", "planner", "review", str(file)], tmp_path)
    seen = read_until(terminal, lambda _: False)
    assert process.wait(PATIENCE) == 65
    before, left, after = seen.rpartition(b"\x1b[?1049l")
    assert b"Reading the plan" in before
    assert left
    assert b"error:" in after
    os.close(terminal)


def test_a_small_plan_has_no_frame_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(to_json(full_plan()))
    process, terminal = started([sys.executable, "-m", "planner", "review", str(file)], tmp_path)
    seen = read_until(terminal, lambda text: b"kube-apiserver" in text)
    os.write(terminal, b"q")
    seen += read_until(terminal, lambda _: False)
    assert (process.wait(PATIENCE), b"Reading the plan" in seen) == (0, False)
    os.close(terminal)


def test_a_run_of_the_review_ends_with_the_terminal_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(to_json(full_plan()))
    process, terminal = started([sys.executable, "-m", "planner", "review", str(file)], tmp_path)
    read_until(terminal, lambda text: b"kube-apiserver" in text)
    os.killpg(process.pid, signal.SIGTERM)
    rest = read_until(terminal, lambda _: False)
    assert (process.wait(PATIENCE), b"\x1b[?1049l" in rest) == (130, True)
    os.close(terminal)


def test_a_review_ends_when_its_terminal_is_gone_and_nobody_says_so(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(to_json(full_plan()))
    command = [sys.executable, "-m", "planner", "review", str(file)]
    process, terminal = started(command, tmp_path, owns_terminal=False)
    read_until(terminal, lambda text: b"kube-apiserver" in text)
    os.close(terminal)
    try:
        assert process.wait(PATIENCE) == 130
    finally:
        process.kill()


class Gone(io.StringIO):
    """A terminal that is gone."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_who_draws_on_a_terminal_that_is_gone_need_not_wait() -> None:
    """More than textual's queue of texts takes, and then its end."""
    writer = WriterThread(cast("IO[str]", Forgiving(Gone())))

    def draw() -> None:
        for number in range(10 * MAX_QUEUED_WRITES):
            writer.write(f"{number}\n")
        writer.stop()

    writer.start()
    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    drawing.join(PATIENCE)
    assert not drawing.is_alive()
