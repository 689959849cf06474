"""A run in a real terminal: steered by keys, left behind, watched from elsewhere, suspended, hung up on, and broken."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from tests.real.story import Workplace
from tests.support.process import PATIENCE, wait_until
from tests.support.terminal import Terminal

HOST = "registry.corp:5000"
IMAGES = tuple(parse_image(f"docker.io/team{number}/app:1") for number in range(6))
SPEC = f"mirrors:\n  docker.io:\n    endpoint: ['https://{HOST}']\n    rewrite: {{'^(.*)$': 'hub/$1'}}\n"
SLOW = ("--bandwidth", "4MiB/s", "--parallelism", "4")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A saved plan that copies six images of some MiB from one layout into another."""
    place = Workplace(tmp_path)
    upstream = LayoutFolder(tmp_path / "up")
    write_samples(IMAGES, lambda registry: Layout(upstream, registry), kib=1024)
    place.write("registries.yaml", SPEC)
    place.write("list.txt", "".join(f"{each}\n" for each in IMAGES))
    specs = ("registries.yaml", "--images", "list.txt")
    planned = place.planner(
        "plan", *specs, "--from", "oci:up", "--to", "oci:down", "-o", "plan.json"
    )
    assert planned.returncode == 0, planned.stderr
    monkeypatch.chdir(tmp_path)
    return place


def apply(terminal: Terminal, place: Workplace, *options: str) -> None:
    """Begin a run by way of the review."""
    command = (sys.executable, "-m", "planner", "apply", "--review", "plan.json", *options)
    terminal.start(command, width=120, height=40, env=place.environment)
    terminal.wait_for("6 of 6 selected")
    terminal.send("a")
    terminal.wait_for("Type  yes  to apply:")
    terminal.send("yes", "Enter")


def held(place: Workplace) -> int:
    store = Layout(LayoutFolder(place.folder / "down"), HOST)
    return sum(store.head(f"hub/{each.repository}", "1") is not None for each in IMAGES)


def last_run(place: Workplace) -> dict[str, int]:
    record = json.loads((place.folder / ".planner" / "record.json").read_text("utf-8"))
    found: dict[str, int] = record["runs"][-1]
    return found


def test_a_run_is_paused_resumed_and_finished_without_an_image(
    place: Workplace, terminal: Terminal
) -> None:
    apply(terminal, place, *SLOW, "--events", "events.jsonl")
    terminal.wait_for(" Applying ")
    terminal.send("p")
    terminal.wait_for(" Paused ")
    terminal.send("3", "End", "c")
    terminal.wait_for("Leave this image out")
    terminal.send("y")
    terminal.wait_for("1 Failed (0, 1 cancelled)")
    terminal.send("p")
    terminal.wait_for(" Applying ")
    terminal.wait_for("5 images done, 1 not finished")
    assert "exit code 130" in terminal.screen()
    terminal.send("q")
    assert terminal.wait_for_exit() == 130
    assert held(place) == 5
    assert (last_run(place)["done"], last_run(place)["cancelled"]) == (5, 1)
    lines = (place.folder / "events.jsonl").read_text("utf-8").splitlines()
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds.index("paused") < kinds.index("image_cancelled") < kinds.index("resumed")
    again = place.planner("apply", "--resume")
    assert (again.returncode, held(place)) == (0, 6)


def test_a_run_that_is_left_behind_goes_on_in_the_terminal(
    place: Workplace, terminal: Terminal
) -> None:
    apply(terminal, place, *SLOW, "--progress", "plain")
    terminal.wait_for(" Applying ")
    terminal.send("q")
    terminal.wait_for("It is still running")
    terminal.send("d")
    terminal.wait_for("the run goes on here")
    assert terminal.wait_for_exit() == 0
    assert "6 images done" in terminal.wait_for("6 images done")
    assert held(place) == 6


def test_a_review_that_is_left_without_an_apply_is_not_approved(
    place: Workplace, terminal: Terminal
) -> None:
    command = (sys.executable, "-m", "planner", "apply", "--review", "plan.json")
    terminal.start(command, width=80, height=24, env=place.environment)
    terminal.wait_for("6 of 6 selected")
    terminal.send("q")
    assert terminal.wait_for_exit() == 77
    terminal.wait_for("not approved: nothing was written")
    assert held(place) == 0


def test_a_run_is_watched_from_another_process_and_replayed(
    place: Workplace, terminal: Terminal
) -> None:
    watch = (sys.executable, "-m", "planner", "review", "--watch", "events.jsonl")
    terminal.start(watch, width=120, height=30, env=place.environment)
    terminal.wait_for("waiting for a run to begin")
    done = place.planner("apply", "plan.json", "--events", "events.jsonl")
    assert done.returncode == 0, done.stderr
    terminal.wait_for("6 images done")
    terminal.send("q")
    assert terminal.wait_for_exit() == 0
    terminal.close()
    with Terminal() as other:
        replay = (sys.executable, "-m", "planner", "review", "events.jsonl")
        other.start(replay, width=80, height=24, env=place.environment)
        other.wait_for("6 images done")
        other.send("0")
        other.wait_for("3 Queued (6)")
        other.send("Space")
        other.wait_for("6 images done")
        other.send("q")
        assert other.wait_for_exit() == 0


class Session:
    """A program on a terminal of its own, which nobody draws: what it writes is kept."""

    def __init__(self, command: tuple[str, ...], place: Workplace) -> None:
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(place.folder)
            environment = {**place.environment, "TERM": "xterm-256color", "COLUMNS": "120"}
            os.execve(command[0], command, {**environment, "LINES": "40"})
        self.said = b""
        self.status: int | None = None

    def read(self) -> bytes:
        """What was written by now, all of it."""
        with suppress(OSError):
            while select.select([self.terminal], [], [], 0.05)[0]:
                if not (data := os.read(self.terminal, 65536)):
                    break
                self.said += data
        return self.said

    def wait_for(self, text: str, start: int = 0) -> None:
        wait_until(
            lambda: text.encode() in self.read()[start:],
            otherwise=lambda: f"no {text!r} in {self.said[-2000:]!r}",
        )

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def hang_up(self) -> None:
        os.close(self.terminal)
        self.terminal = -1

    def wait_status(self, options: int = 0) -> int:
        """What became of the process; what it writes meanwhile is read, lest it waits for that."""

        def is_known() -> bool:
            if self.terminal >= 0:
                self.read()
            found, status = os.waitpid(self.pid, options | os.WNOHANG)
            self.status = status if found else None
            return bool(found)

        wait_until(is_known, otherwise=lambda: f"still runs: {self.said[-500:]!r}")
        assert self.status is not None
        return self.status

    def close(self) -> None:
        if self.terminal >= 0:
            os.close(self.terminal)
        if self.status is None or os.WIFSTOPPED(self.status):
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)


@contextmanager
def running(place: Workplace, *, code: str = "", until: str = "Applying") -> Iterator[Session]:
    """A run that goes on for some seconds, from where something of it is seen; ``code`` is executed before planner is."""
    program = f"{code}\nfrom planner.__main__ import main\nmain()"
    command = (sys.executable, "-c", program, "apply", "--review", "plan.json", *SLOW)
    session = Session(command, place)
    try:
        session.wait_for("selected")
        session.type("a")
        session.wait_for("to apply:")
        session.type("yes\r")
        session.wait_for(until)
        yield session
    finally:
        session.close()


LEFT = b"\x1b[?1049l"  # xterm's sequence for the end of the full screen


def test_ctrl_z_gives_the_terminal_back_and_the_run_goes_on_behind_it(place: Workplace) -> None:
    with running(place) as session:
        session.type("\x1a")
        assert os.WIFSTOPPED(session.wait_status(os.WUNTRACED))
        assert LEFT in session.read()
        start = len(session.said)
        os.kill(session.pid, signal.SIGCONT)
        session.wait_for("Active", start)
        session.wait_for("images done", start)
        session.type("q")
        assert os.waitstatus_to_exitcode(session.wait_status()) == 0
    assert held(place) == 6


def test_sigterm_stops_the_run_cleanly_and_gives_the_terminal_back(place: Workplace) -> None:
    with running(place) as session:
        os.kill(session.pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(session.wait_status()) == 130
        assert LEFT in session.read()
        assert b"stopped: run it again to go on" in session.said
    assert last_run(place)["cancelled"] > 0
    assert place.planner("apply", "--resume").returncode == 0


def test_a_terminal_that_is_closed_stops_the_run_cleanly(place: Workplace) -> None:
    with running(place) as session:
        session.hang_up()
        assert not os.WIFSIGNALED(session.wait_status())
    assert last_run(place)["cancelled"] > 0
    assert place.planner("apply", "--resume").returncode == 0


def test_plain_apply_stops_cleanly_when_its_terminal_is_closed(place: Workplace) -> None:
    command = (sys.executable, "-m", "planner", "apply", "plan.json", *SLOW)
    process = subprocess.Popen(
        command,
        cwd=place.folder,
        env=place.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    unfinished = place.folder / ".planner" / "unfinished.json"
    wait_until(unfinished.exists, otherwise=lambda: "it did not begin")
    time.sleep(0.5)
    process.send_signal(signal.SIGHUP)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert last_run(place)["cancelled"] > 0


DEAF = "from planner.ui.copying import Copying\nCopying.stop = lambda self: None"


def test_the_second_time_nothing_is_waited_for(place: Workplace) -> None:
    with running(place, code=DEAF) as session:
        session.type("x")
        session.wait_for("Stopping")
        session.type("x")
        assert os.waitstatus_to_exitcode(session.wait_status()) == 130
        assert LEFT in session.read()
    assert held(place) < 6


BROKEN = """
from planner.ui.review.run_model import RunModel
def broken(self):
    password = "hunter2"
    raise ZeroDivisionError("drawn wrongly")
see = RunModel.see
def later(self, events):
    see(self, events)
    if self.progress.moved:
        broken(self)
RunModel.see = later
"""


def test_a_screen_that_breaks_leaves_a_terminal_a_report_and_a_whole_record(
    place: Workplace,
) -> None:
    # It may break before anything of the run is drawn.
    with running(place, code=BROKEN, until=LEFT.decode()) as session:
        assert os.waitstatus_to_exitcode(session.wait_status()) == 70
        said = session.read()
    assert LEFT in said
    end = said[said.rindex(LEFT) :].decode("utf-8", "replace")
    assert "a bug in planner: ZeroDivisionError: drawn wrongly" in end
    (report,) = (place.folder / ".planner").glob("crash-*.txt")
    assert f".planner/{report.name}" in end
    assert 'raise ZeroDivisionError("drawn wrongly")' not in end
    assert "ZeroDivisionError: drawn wrongly" in report.read_text("utf-8")
    assert "hunter2" not in end + report.read_text("utf-8")
    assert last_run(place)["cancelled"] > 0
    assert place.planner("apply", "--resume").returncode == 0
    assert held(place) == 6
