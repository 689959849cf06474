"""Events: the state of a run is their fold, and they read well as JSON lines."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from planner.core.errors import InputError
from planner.core.event_lines import from_line, header, is_event_log, to_line
from planner.core.events import (
    BytesMoved,
    Event,
    Finished,
    ImageCancelled,
    ImageDone,
    ImageFailed,
    Paused,
    Progress,
    Resumed,
    Retried,
    Started,
    StepDone,
    StepFailed,
    StepStarted,
    Ticked,
    Waiting,
    describe,
)

ALL: list[Event] = [
    Started(0.0, 2, 5, 3000, ("r/a:1", "r/b:1")),
    StepStarted(0.1, "blob a", 2048),
    BytesMoved(0.2, "blob a", 2048),
    StepDone(0.3, "blob a", 2048),
    StepFailed(0.4, "blob b", "no space", "free some"),
    ImageDone(0.5, "r/a:1", "sha256:00"),
    ImageFailed(0.6, "r/b:1", "no space", "free some"),
    Retried(0.61, 1, ("r/b:1",)),
    Paused(0.62),
    Resumed(0.63),
    ImageFailed(0.64, "r/b:1", "no space", "free some"),
    ImageCancelled(0.65, "r/c:1"),
    Ticked(0.7),
    Waiting(0.75, "docker.io", 35.0, "429 toomanyrequests"),
    Finished(0.8, 1, 1, 0),
]
SAID = [
    "2 images, 2.9 KiB to send",
    "blob a: started",
    "blob a: 2.0 KiB more",
    "blob a: 2.0 KiB",
    "blob b: no space",
    "r/a:1: complete",
    "r/b:1: no space",
    "1 failed step of 1 image again",
    "paused: nothing new starts",
    "resumed",
    "r/b:1: no space",
    "r/c:1: cancelled",
    "still working",
    "docker.io asks to wait 35s: 429 toomanyrequests",
    "1 done, 1 failed, 0 not started",
]


def fold(*events: Event) -> Progress:
    progress = Progress()
    for event in events:
        progress = progress.after(event)
    return progress


def test_the_table_has_every_event() -> None:
    assert {type(each) for each in ALL} == set(get_args(Event))


@pytest.mark.parametrize(
    ("event", "said"), list(zip(ALL, SAID, strict=True)), ids=lambda each: type(each).__name__
)
def test_an_event_is_told_to_people(event: Event, said: str) -> None:
    assert describe(event) == said


@pytest.mark.parametrize("event", ALL, ids=lambda each: type(each).__name__)
def test_an_event_is_a_line_of_json(event: Event) -> None:
    line = json.loads(to_line(event))
    assert {"at", "type", "msg"} <= line.keys()
    assert line["msg"] == describe(event)
    assert from_line(to_line(event), "log", 1) == event


def test_types_are_written_with_underscores() -> None:
    assert [json.loads(to_line(each))["type"] for each in ALL] == [
        *("started", "step_started", "bytes_moved", "step_done", "step_failed"),
        *("image_done", "image_failed", "retried", "paused", "resumed", "image_failed"),
        *("image_cancelled", "ticked", "waiting", "finished"),
    ]


def test_a_line_stays_one_line() -> None:
    line = to_line(ImageFailed(0, "r/b:1", "two\nlines\x1b\u2028"))
    assert len(line.split("\n")) == 1
    assert json.loads(line)["reason"] == "two\nlines\x1b\u2028"


def test_the_first_line_names_the_format() -> None:
    first = json.loads(header())
    assert first["format"] == "planner.events/1"
    assert {"at", "type", "msg"} <= first.keys()
    assert is_event_log(header().encode())
    assert from_line(header(), "log", 1) is None


def test_what_a_log_does_not_say_and_what_is_not_known_is_left_out() -> None:
    started = '{"type": "started", "at": 0, "images": 1, "steps": 2, "bytes": 3}'
    assert from_line(started, "log", 2) == Started(0.0, 1, 2, 3)
    assert from_line('{"type": "danced", "at": 1.5, "msg": "a dance"}', "log", 2) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        '{"type": "ticked"}',
        '{"type": "ticked", "at": "1"}',
        '{"type": "ticked", "at": -1}',
        '{"type": "ticked", "at": NaN}',
        '{"type": "step_done", "at": 1, "step": "a", "moved": true}',
        '{"type": "started", "at": 0, "images": 1, "steps": 2, "bytes": 3, "names": [1]}',
        '{"type": "ticked", "at": 1',
    ],
)
def test_a_line_that_is_none_is_told_with_its_place(line: str) -> None:
    with pytest.raises(InputError, match=r"run\.jsonl:7: not a line of an event log"):
        from_line(line, "run.jsonl", 7)


def test_a_log_of_another_format_is_refused() -> None:
    other = header().replace("planner.events/1", "planner.events/2")
    assert not is_event_log(other.encode())
    with pytest.raises(
        InputError, match=r"expected format planner\.events/1, got planner\.events/2"
    ):
        from_line(other, "run.jsonl", 1)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        pytest.param(StepDone(0, "a", 0), "a: done", id="nothing"),
        pytest.param(StepDone(0, "a", 0, mounted=True), "a: mounted", id="mounted"),
        pytest.param(StepDone(0, "a", 5), "a: 5 B", id="bytes"),
        pytest.param(
            Waiting(0, "r", 0.0, "no byte for 60 s"),
            "r: no byte for 60 s, trying again",
            id="at-once",
        ),
        pytest.param(Started(0, 1, 1, 0), "1 image, 0 B to send", id="one"),
    ],
)
def test_small_numbers_read_well(event: Event, said: str) -> None:
    assert describe(event) == said


def test_a_run_adds_up() -> None:
    progress = fold(*ALL)
    assert (progress.images, progress.steps, progress.bytes) == (2, 5, 3000)
    assert (progress.images_done, progress.steps_done, progress.moved) == (1, 1, 2048)
    assert [each.image for each in progress.failed] == ["r/b:1"]
    assert progress.end == ALL[-1]
    assert progress.at == 0.8


def test_running_steps_are_known_with_their_bytes() -> None:
    started = [StepStarted(0, each, 10) for each in "ab"]
    progress = fold(*started, BytesMoved(0, "a", 3), BytesMoved(0, "a", 4))
    assert progress.active == {"a": 7, "b": 0}
    assert fold(*started, StepDone(0, "a", 7)).active == {"b": 0}
    assert fold(*started, StepFailed(0, "b", "no")).active == {"a": 0}
    assert fold(*started, Finished(0, 0, 0, 0)).active == {}


def test_late_bytes_of_a_finished_step_still_count() -> None:
    progress = fold(StepStarted(0, "a", 9), StepDone(0, "a", 9), BytesMoved(0, "a", 9))
    assert (progress.moved, progress.active) == (9, {})


def test_mounts_are_counted() -> None:
    assert fold(StepDone(0, "a", 0, mounted=True), StepDone(0, "b", 3)).mounted == 1


def test_a_wait_is_known_until_it_is_over() -> None:
    wait = Waiting(1.0, "r", 35.0, "429")
    assert fold(wait, Ticked(35.9)).waiting == (wait,)
    assert fold(wait, Ticked(36.0)).waiting == ()
    assert fold(wait, Finished(2.0, 0, 0, 0)).waiting == ()
    assert fold(Waiting(1.0, "r", 0.0, "no byte for 60 s")).waiting == ()


def test_what_is_retried_or_cancelled_is_no_failure() -> None:
    failures = [ImageFailed(0, each, "no") for each in ("a", "b", "c")]
    progress = fold(*failures, Retried(1, 2, ("b",)), ImageCancelled(2, "c"))
    assert [each.image for each in progress.failed] == ["a"]
    assert progress.cancelled == ("c",)


def test_a_pause_is_known_until_it_is_over() -> None:
    assert fold(Paused(1)).is_paused
    assert not fold(Paused(1), Resumed(2)).is_paused
    assert not fold(Paused(1), Finished(2, 0, 0, 1)).is_paused


def test_time_does_not_go_back() -> None:
    assert fold(Ticked(5), Ticked(3)).at == 5


def test_nothing_moved_has_no_rate() -> None:
    assert (Progress().rate, Progress().seconds_left) == (0, None)


def test_the_rest_is_estimated_from_the_rate() -> None:
    progress = fold(Started(0, 1, 1, 1000), StepStarted(0, "a", 1000), BytesMoved(2, "a", 200))
    assert (progress.rate, progress.seconds_left) == (100, 8)


def test_more_than_foretold_leaves_no_time() -> None:
    progress = fold(Started(0, 1, 1, 10), BytesMoved(2, "a", 200))
    assert progress.seconds_left == 0
