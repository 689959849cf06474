"""The screen of a run: what it shows, what its keys do to the engine, and runs that are read from a log."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from planner.apply import Perform
from planner.config import ReviewSettings
from planner.core.errors import InputError
from planner.core.event_lines import header, to_line
from planner.core.events import (
    BytesMoved,
    Event,
    Finished,
    ImageCancelled,
    ImageDone,
    ImageFailed,
    Paused,
    Retried,
    Started,
    StepDone,
    StepStarted,
    Ticked,
    Waiting,
)
from planner.core.steps import CopyBlob, Outcome, PutTag, Step
from planner.stores.opening import Places, Stores
from planner.stores.verified import InterruptedStepError
from planner.ui.copying import Copying
from planner.ui.executors import Desk
from planner.ui.feed import Feed, batches
from planner.ui.replaying import Replay, Watch, is_log, read_log
from planner.ui.review.app import ReviewApp
from planner.ui.review.frame import Frame
from planner.ui.review.replay_app import ReplayApp
from planner.ui.review.run import RunScreen
from planner.ui.review.run_live import LiveRun, LiveScreen
from planner.ui.review.run_model import Meter, RunModel
from tests.reviewing import NARROW, WIDE, Steps, play, review_of, shown, until, words
from tests.test_review_model import HOST, blob, change, image, plan_of

NAMES = ("a", "b", "c")
COMMON = blob("common", 3 << 20)
PLAN = plan_of(
    [
        change("create", f"{HOST}/team/{name}:1", image(blob(f"{name}-config", 2), COMMON))
        for name in NAMES
    ],
    *(image(blob(f"{name}-config", 2), COMMON) for name in NAMES),
)
IMAGES = [str(each.target) for each in PLAN.changes]


class Work:
    """Steps that go on when they are told to, and fail while they are ``broken``."""

    def __init__(self, *, held: str = "", broken: str = "") -> None:
        self.go_on = threading.Event()
        self.held = held
        self.broken = broken
        self.done: list[Step] = []

    @contextmanager
    def crew(self, desk: Desk) -> Iterator[tuple[Executor, Perform]]:
        with ThreadPoolExecutor(desk.limit) as pool:
            self._desk = desk
            yield pool, self._perform

    def _perform(self, step: Step) -> Outcome:
        if self.held and self.held in step.id:
            while not self.go_on.wait(0.01):
                if self._desk.stopping.is_set():
                    return Outcome(error="stopped", code="CANCELLED")
        if self.broken and self.broken in step.id:
            return Outcome(error="403 [bold]denied[/bold]", hint="ask \x1b[2J")
        try:
            if isinstance(step, CopyBlob):
                self._desk.report(step.id, step.size)
        except InterruptedStepError:
            return Outcome(error="stopped", code="CANCELLED")
        self.done.append(step)
        return Outcome(moved=getattr(step, "size", 0))

    @property
    def tags(self) -> list[str]:
        return [str(each.target) for each in self.done if isinstance(each, PutTag)]


def live(work: Work, steps: Steps, screen: tuple[int, int] = WIDE) -> ReviewApp:
    """Play a run of the plan from its start."""
    app = review_of(PLAN)
    copying = Copying(PLAN, PLAN.pending, Stores(Places()), parallelism=2, crew=work.crew)
    run = LiveRun(PLAN, PLAN.changes, copying, Feed(copying.events()), "/x/record.json")

    async def begin(pilot: Pilot[int]) -> None:
        app.begin(run)
        try:
            await steps(pilot)
        finally:
            work.go_on.set()

    play(app, begin, screen)
    return app


async def until_is(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"it never came:\n{shown(pilot)}")


# A run that goes on here


@pytest.mark.parametrize("screen", [NARROW, WIDE, (200, 60)])
def test_a_run_is_followed_to_its_end(screen: tuple[int, int]) -> None:
    work = Work(held="blob")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        assert "0 of 3 images" in shown(pilot)
        assert "3 Queued (3)" in shown(pilot)
        assert "team/a@" in shown(pilot)
        assert max(map(len, shown(pilot).split("\n"))) <= screen[0]
        work.go_on.set()
        await until(pilot, "3 images done")
        assert "exit code 0 record: /x/record.json" in words(pilot)
        assert "2 Done (3)" in shown(pilot)
        await until_is(pilot, lambda: "p pause" not in words(pilot))
        await pilot.press("q")

    assert live(work, steps, screen).return_value == 0
    assert len(work.tags) == 3


def test_a_paused_run_starts_nothing_until_it_is_resumed() -> None:
    work = Work(held="blob")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        await pilot.press("p")
        await until(pilot, "Paused plan")
        work.go_on.set()
        await until(pilot, "Active (0)")
        assert len(work.done) == 2
        await pilot.press("p")
        await until(pilot, "3 images done")

    live(work, steps)


def test_an_image_is_left_out_after_a_question() -> None:
    work = Work(held="blob")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "3 Queued (3)")
        await pilot.press("3", "end", "c")
        await until(pilot, "Leave this image out")
        assert IMAGES[2] in words(pilot).partition("Cancel")[2]
        await pilot.press("escape")
        assert "Queued (3)" in shown(pilot)
        await pilot.press("c", "y")
        await until(pilot, "1 Failed (0, 1 cancelled)")
        work.go_on.set()
        await until(pilot, "2 images done, 1 not finished")
        await pilot.press("1")
        assert f"- {IMAGES[2]} cancelled" in words(pilot)
        await pilot.press("q")

    assert live(work, steps).return_value == 130
    assert sorted(work.tags) == [f"{HOST}/team/a", f"{HOST}/team/b"]


def test_a_step_for_one_image_cancels_that_and_one_for_several_names_them() -> None:
    work = Work(held="blob")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        pilot.app.screen.query_one("#active").focus()
        await pilot.press("home", "c")
        await until(pilot, "3 images need this")
        await pilot.press("escape", "down", "c")
        await until(pilot, "Leave this image out")
        await pilot.press("y")
        await until(pilot, "Failed (0, 1 cancelled)")

    live(work, steps)


def test_what_failed_is_shown_at_once_and_done_when_it_is_retried() -> None:
    work = Work(broken="tag registry.corp:5000/team/b")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Nothing is left but what failed")
        await pilot.press("1")
        assert f"x {IMAGES[1]} 403 [bold]denied[/bold]" in words(pilot)
        await pilot.press("enter")
        assert "ask \\x1b[2J" in shown(pilot)
        await pilot.press("escape")
        work.broken = ""
        await pilot.press("r")
        await until(pilot, "3 images done")
        assert "1 Failed (0)" in shown(pilot)
        await pilot.press("q")

    assert live(work, steps).return_value == 0
    assert len(work.tags) == 3


def test_what_failed_for_good_is_the_exit_code() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Nothing is left but what failed")
        await pilot.press("q")
        await until_is(pilot, lambda: pilot.app._exit)

    app = live(Work(broken="tag registry.corp:5000/team/b"), steps)
    assert app.return_value == 1
    assert app.live
    assert app.live.feed.progress.end == Finished(app.live.feed.progress.at, 2, 1, 0)


@pytest.mark.parametrize("key", ["x", "ctrl+c"])
def test_a_run_is_stopped_cleanly_and_then_left(key: str) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        await pilot.press(key)
        await until(pilot, "0 images done, 3 not finished")
        assert " Stopped" in shown(pilot)
        await pilot.press("q")

    assert live(Work(held="blob"), steps).return_value == 130


def test_the_second_time_it_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[bool] = []
    monkeypatch.setattr(Frame, "leave_at_once", lambda _self: left.append(True))
    gate = threading.Event()

    class Deaf(Work):
        def _perform(self, _step: Step) -> Outcome:
            gate.wait(10)
            return Outcome()

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        await pilot.press("x")
        await until(pilot, "Stopping")
        assert not left
        await pilot.press("x")
        assert left
        gate.set()
        await until(pilot, "3 not finished")

    live(Deaf(), steps)


def test_leaving_a_run_that_goes_on_asks_what_is_to_become_of_it() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        await pilot.press("q")
        assert "It is still running" in shown(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LiveScreen)
        await pilot.press("q", "s")
        await until_is(pilot, lambda: pilot.app._exit)

    assert live(Work(held="blob"), steps).return_value == 130


@pytest.mark.parametrize("keys", [["d"], ["q", "d"]])
def test_a_detached_run_goes_on_for_whoever_reads_it_then(keys: list[str]) -> None:
    work = Work(held="blob")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        await pilot.press(*keys)
        await until_is(pilot, lambda: pilot.app._exit)

    app = live(work, steps)
    assert app.is_detached
    assert app.live
    rest = list(app.live.feed.take_over())
    assert isinstance(rest[-1], Finished)
    assert app.live.feed.progress.end == rest[-1]
    assert (rest[-1].done, len(work.tags)) == (3, 3)


def test_a_terminated_review_stops_its_run_before_it_leaves() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        assert isinstance(pilot.app, ReviewApp)
        pilot.app.terminated()
        await until_is(pilot, lambda: pilot.app._exit)

    assert live(Work(held="blob"), steps).return_value == 130


def test_the_log_is_saved_and_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "there.log").write_text("mine")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "3 images done")
        await pilot.press("s", *["backspace"] * 60)
        await pilot.press(*str(tmp_path / "there.log"), "enter")
        await until(pilot, "is there already")
        await pilot.press(*["backspace"] * 4, *".new", "enter")
        await until(pilot, "saved as")

    live(Work(), steps, (200, 60))
    assert (tmp_path / "there.log").read_text() == "mine"
    lines = (tmp_path / "there.new").read_text().splitlines()
    assert lines[0] == "   0:00  3 images, 3.0 MiB to send"
    assert sum(each.endswith(": complete") for each in lines) == 3


def test_the_log_shows_everything_in_its_order() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "3 images done")
        await pilot.press("l")
        await pilot.press("home")
        assert "0:00 3 images, 3.0 MiB to send" in words(pilot)
        await pilot.press("end")
        assert "3 done, 0 failed, 0 not started" in words(pilot)

    live(Work(), steps)


def test_tabs_are_chosen_with_the_mouse_as_well() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Active (2)")
        line = shown(pilot).split("\n")
        row = next(number for number, text in enumerate(line) if "4 Log" in text)
        await pilot.click(offset=(line[row].index("4 Log"), row))
        await until(pilot, "0:00 3 images")

    live(Work(held="blob"), steps)


# What breaks


def test_an_exception_on_the_screen_is_kept_for_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: RunScreen) -> None:
        raise ZeroDivisionError("secret")

    app = review_of(PLAN)
    copying = Copying(PLAN, PLAN.pending, Stores(Places()), crew=Work(held="blob").crew)
    run = LiveRun(PLAN, PLAN.changes, copying, Feed(copying.events()))

    async def steps(pilot: Pilot[int]) -> None:
        app.begin(run)
        await until(pilot, "Active")
        monkeypatch.setattr(RunScreen, "draw", broken)
        await until_is(pilot, lambda: app.broke)

    with pytest.raises(ZeroDivisionError):
        play(app, steps)
    assert isinstance(app.broke, ZeroDivisionError)
    assert not app._exit_renderables, "Textual's own traceback shows local variables"


# The fold


def seen(*events: Event) -> RunModel:
    model = RunModel()
    model.see(events)
    return model


def test_images_are_queued_until_it_is_known_what_becomes_of_them() -> None:
    model = seen(
        Started(0, 4, 9, 100, ("a", "b", "c", "d")),
        ImageDone(1, "a", "sha256:0"),
        ImageFailed(2, "b", "no"),
        ImageCancelled(3, "c"),
    )
    assert (model.queue, model.done) == (["d"], ["a"])
    assert (list(model.failed), list(model.cancelled)) == (["b"], ["c"])
    model.see([Retried(4, 1, ("b",))])
    assert (model.queue, model.failed) == (["d", "b"], {})


def test_a_run_that_begins_forgets_the_one_before() -> None:
    model = seen(Started(0, 1, 1, 1, ("a",)), ImageDone(1, "a", ""), Finished(2, 1, 0, 0))
    model.see([Started(0, 1, 1, 1, ("b",))])
    assert (model.queue, model.done, model.progress.end) == (["b"], [], None)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = Meter()
    meter.add(1, 1000)
    assert meter.rate(2) == 500
    assert meter.rate(50) == 0
    model = seen(
        Started(0, 1, 1, 3000, ("a",)),
        StepStarted(0, "blob a", 3000),
        BytesMoved(100, "blob a", 1000),
    )
    assert (model.rate, model.seconds_left) == (100, 20)
    model.see([Paused(101)])
    assert model.seconds_left is None


def test_the_log_leaves_out_what_comes_too_often() -> None:
    model = seen(Started(0, 0, 0, 0), Ticked(1), BytesMoved(1, "a", 1), StepDone(2, "a", 1))
    assert [said for _, said in model.lines] == ["0 images, 0 B to send", "a: 1 B"]


def test_many_events_are_few_batches() -> None:
    events: list[Event] = [
        Started(0, 5000, 0, 0),
        *(ImageDone(0, f"i{n}", "") for n in range(5000)),
        Finished(0, 5000, 0, 0),
    ]
    found = list(batches(iter(events), lambda: False))
    assert len(found) < 20
    assert [each for batch in found for each in batch] == events


def test_what_broke_a_run_is_kept_for_who_comes_later() -> None:
    def events() -> Iterator[Event]:
        yield Ticked(0)
        raise ZeroDivisionError

    feed = Feed(events())
    with pytest.raises(ZeroDivisionError):
        list(feed.batches())
    assert isinstance(feed.error, ZeroDivisionError)


# Runs from a log


RUN: list[Event] = [
    Started(0.003, 3, 9, 300, tuple(IMAGES)),
    StepStarted(0.5, f"blob {HOST}/team/a@sha256:{'0' * 64}", 300),
    Waiting(1.0, "docker.io", 30.0, "429 [red]slow[/red]"),
    BytesMoved(20.0, f"blob {HOST}/team/a@sha256:{'0' * 64}", 300),
    ImageDone(40.0, IMAGES[0], "sha256:0"),
    ImageFailed(50.0, IMAGES[1], "no space", "free some"),
    Finished(60.0, 1, 1, 1),
]


def write_log(file: Path, events: list[Event], rest: str = "") -> None:
    lines = "".join(f"{line}\n" for line in (header(), *map(to_line, events)))
    file.write_text(f"{lines}{rest}", "utf-8")


def replayed(file: Path, steps: Steps) -> Frame:
    replay = Replay(read_log(str(file)))
    return play(ReplayApp(replay, ReviewSettings(), str(file)), steps)


def test_a_log_is_told_from_other_files(tmp_path: Path) -> None:
    write_log(tmp_path / "run", RUN)
    (tmp_path / "plan.json").write_text('{"format": "planner.plan/1"}')
    assert is_log([str(tmp_path / "run")])
    for other in ([], [str(tmp_path)], [str(tmp_path / "plan.json")], [str(tmp_path / "run")] * 2):
        assert not is_log(other)


def test_a_log_is_read_but_for_a_last_line_that_was_cut_off(tmp_path: Path) -> None:
    write_log(tmp_path / "run", RUN, '{"type": "image_do')
    assert list(read_log(str(tmp_path / "run"))) == RUN
    write_log(tmp_path / "run", RUN, "what?\n")
    with pytest.raises(InputError, match="run:9: not a line"):
        read_log(str(tmp_path / "run"))
    with pytest.raises(InputError, match="cannot be read"):
        read_log(str(tmp_path))


def test_a_log_is_shown_from_its_end_and_nothing_can_be_done_to_it(tmp_path: Path) -> None:
    write_log(tmp_path / "run", RUN)

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "1 image done, 1 failed, 1 not finished")
        assert "READ-ONLY" in shown(pilot)
        assert f"x {IMAGES[1]} no space" in words(pilot)
        await pilot.press("p", "r", "c", "x", "d")
        assert isinstance(pilot.app.screen, RunScreen)
        await pilot.press("q")

    assert replayed(tmp_path / "run", steps).return_value == 0


def test_a_log_is_played_from_any_moment(tmp_path: Path) -> None:
    write_log(tmp_path / "run", RUN)

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "1 image done")
        await pilot.press("0")
        await until(pilot, "Queued (3)")
        await pilot.press("right")
        await until(pilot, "docker.io asks to wait 30s: 429 [red]slow[/red]")
        assert "300 B of 300 B" not in shown(pilot)
        await pilot.press("right")
        await pilot.press("space")
        assert "playing x4" in shown(pilot)
        await pilot.press("plus", "plus", "plus", "plus")
        await until(pilot, "1 image done, 1 failed")
        await pilot.press("left")
        await until(pilot, "Done (1)")
        await pilot.press("e")
        await until(pilot, "1 image done, 1 failed")

    replayed(tmp_path / "run", steps)


def test_a_growing_log_is_followed_from_before_it_is_there_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "run"
    app = ReplayApp(watch := Watch(str(file)), ReviewSettings(), str(file))

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "waiting for a run to begin")
        write_log(file, RUN[:2], '{"type": "image_')
        await until(pilot, "Active (1)")
        write_log(file, RUN[:6])
        await until(pilot, "Failed (1)")
        write_log(file, RUN)
        await until(pilot, "1 image done, 1 failed, 1 not finished")
        await pilot.press("q")

    assert play(app, steps).return_value == 0
    assert list(watch.batches()), "it can be read again"


def test_a_log_that_begins_anew_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "run"
    write_log(file, RUN[:5])

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "Done (1)")
        write_log(file, [Started(0, 1, 1, 1, (IMAGES[2],))])
        await until(pilot, "Queued (1)")
        assert "Done (0)" in shown(pilot)

    play(ReplayApp(Watch(str(file)), ReviewSettings(), str(file)), steps)


def test_a_file_that_is_no_log_is_told_while_it_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "run"
    file.write_text(f"{json.dumps({'format': 'planner.plan/1'})}\n")

    async def steps(pilot: Pilot[int]) -> None:
        await until(pilot, "not a line of an event log")

    play(ReplayApp(Watch(str(file)), ReviewSettings(), str(file)), steps)
