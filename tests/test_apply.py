"""Carrying a plan out: every step in its order, every blob once, and no tag before its content."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from planner.apply import Run, apply, still_to_do
from planner.core.content import digest_of
from planner.core.controls import Cancel, Control, Pause, Resume, Retry
from planner.core.errors import StaleError
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
)
from planner.core.graph import build_graph, root_id
from planner.core.plan import Plan
from planner.core.plan_file import from_json, to_json
from planner.core.steps import CopyBlob, MountBlob, Outcome, Step, size_of
from planner.stores.opening import Places, Stores
from planner.stores.perform import perform
from planner.ui.copying import Copying
from tests.fakes import (
    CutUploadAfter,
    FakeRegistry,
    Fault,
    Stall,
    Status,
    WrongBytes,
    WrongDigestHeader,
)
from tests.making import (
    IMPATIENT,
    MIRROR,
    OTHER,
    World,
    ending,
    make_need,
    make_random_plan,
    make_world,
    writes,
)

BASE = b"base" * 1000
NAMES = ("a/one:1", "a/two:1", "b/three:1", "b/multi:1")
BLOBS = 11  # the shared layer, and of each of the five images its own layer and its configuration


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        fill(world.upstream)
        yield world


def fill(fake: FakeRegistry) -> None:
    """Three images and an index that share one layer."""
    for name in NAMES[:3]:
        repository, _, tag = name.partition(":")
        fake.add_image(repository, tag, [BASE, name.encode()])
    children = [
        fake.add_image("b/multi", each, [BASE, each.encode()], f"linux/{each}")
        for each in ("amd64", "arm64")
    ]
    fake.add_index("b/multi", "1", children)


def digest(fake: FakeRegistry, name: str) -> str:
    repository, _, tag = name.partition(":")
    try:
        return fake.manifest(repository, tag).digest
    except KeyError:
        return ""


def is_complete(fake: FakeRegistry, plan: Plan) -> bool:
    """Whether everything that the plan names stands there."""
    for change in plan.pending:
        repository = change.target.repository
        assert all(fake.blob(repository, each) for each in plan.blobs(change))
        for child in plan.manifests[change.digest].children:
            assert fake.manifest(repository, child.digest)
        assert fake.manifest(repository, change.target.reference).digest == change.digest
    return True


def kinds(events: list[Event], *kind: type) -> list[Any]:
    return [each for each in events if isinstance(each, kind)]


# Between registries.


def test_an_empty_registry_is_filled(world: World) -> None:
    plan = world.plan(*NAMES)
    end = ending(world.apply(plan))
    assert (end.done, end.failed, end.cancelled) == (4, 0, 0)
    assert [digest(world.mirror, each) for each in NAMES] == [
        digest(world.upstream, each) for each in NAMES
    ]
    assert is_complete(world.mirror, plan)


def test_every_blob_is_read_and_sent_once(world: World) -> None:
    plan = world.plan(*NAMES)
    before = world.mirror.count("HEAD", "blobs")
    world.apply(plan)
    blobs = {each for change in plan.pending for each in plan.blobs(change)}
    assert world.mirror.count("PUT", "blobs/uploads") == len(blobs)
    assert world.upstream.count("GET", "blobs") == len(blobs)
    assert world.mirror.count("POST", "mount=") == len(blobs) + 3
    assert world.mirror.count("POST", f"mount={digest_of(BASE)}") == 4
    assert world.mirror.count("HEAD", "blobs") == before


def test_bytes_sent_are_the_bytes_foretold(world: World) -> None:
    plan = world.plan(*NAMES)
    events = world.apply(plan)
    received = sum(each.bytes_in for each in world.mirror.requests if "uploads" in each.path)
    (started,) = kinds(events, Started)
    moved = sum(each.moved for each in kinds(events, StepDone))
    assert started.bytes == moved == received == plan.bytes_to_send(plan.pending)


def test_a_registry_that_mounts_nothing_is_filled_too(tmp_path: Path) -> None:
    with make_world(tmp_path, mount=False) as world:
        fill(world.upstream)
        plan = world.plan(*NAMES)
        assert ending(world.apply(plan)).done == 4
        assert is_complete(world.mirror, plan)
        assert world.mirror.open_uploads() == 0


def test_two_registries_each_get_every_blob(world: World) -> None:
    needs = [make_need(each, f"{to}/{each}") for each in NAMES for to in (MIRROR, OTHER)]
    plan = world.plan_of(*needs)
    assert ending(world.apply(plan)).done == 8
    for fake in (world.mirror, world.other):
        assert fake.count("PUT", "blobs/uploads") == BLOBS
        assert digest(fake, "a/one:1") == digest(world.upstream, "a/one:1")


def test_a_second_run_writes_nothing(world: World) -> None:
    world.sync(*NAMES)
    before = writes(world.mirror)
    plan = world.plan(*NAMES)
    assert (plan.pending, still_to_do(plan, plan.pending, world.stores())) == ((), [])
    assert writes(world.mirror) == before


def test_a_plan_that_is_done_already_has_nothing_to_do(world: World) -> None:
    plan = world.plan(*NAMES)
    world.apply(plan)
    assert still_to_do(plan, plan.pending, world.stores()) == []


def test_a_saved_plan_does_the_same(world: World) -> None:
    plan = from_json(to_json(world.plan(*NAMES)), "plan.json")
    assert ending(world.apply(plan)).done == 4
    assert is_complete(world.mirror, plan)


def test_a_tag_is_moved(world: World) -> None:
    world.mirror.add_image("a/one", "1", [b"old"])
    assert world.sync("a/one:1").done == 1
    assert digest(world.mirror, "a/one:1") == digest(world.upstream, "a/one:1")


@pytest.mark.parametrize("kind", ["blob", "child"])
def test_lost_content_is_repaired(world: World, kind: str) -> None:
    world.sync("b/multi:1")
    if kind == "blob":
        world.mirror._storage.delete_blob("b/multi", digest_of(BASE))
    else:
        world.mirror._storage.delete_manifest("b/multi", digest(world.upstream, "b/multi:arm64"))
    plan = world.plan("b/multi:1")
    assert [change.op for change in plan.pending] == ["repair"]
    assert ending(world.apply(plan)).done == 1
    assert is_complete(world.mirror, plan)
    assert world.plan("b/multi:1").pending == ()


def test_a_digest_without_tag_is_stored(world: World) -> None:
    name = f"a/one@{digest(world.upstream, 'a/one:1')}"
    plan = world.plan(name)
    assert ending(world.apply(plan)).done == 1
    assert world.mirror.manifest("a/one", plan.changes[0].digest)
    assert world.plan(name).pending == ()


def test_a_tag_with_digest_is_stored_under_both(world: World) -> None:
    name = f"a/one:1@{digest(world.upstream, 'a/one:1')}"
    assert world.sync(name).done == 1
    assert world.mirror.tags("a/one") == ["1"]
    assert world.plan(name).pending == ()


def test_a_name_that_changed_since_makes_the_plan_stale(world: World) -> None:
    plan = world.plan(*NAMES)
    now = world.mirror.add_image("a/one", "1", [b"someone else's"])
    with pytest.raises(StaleError) as caught:
        still_to_do(plan, plan.pending, world.stores())
    assert caught.value.message == (
        "the plan is stale: 1 tag changed since it was made\n"
        f"  {MIRROR}/a/one:1: the plan saw nothing, now it holds {now[:19]}"
    )
    assert writes(world.mirror) == 0


def test_a_name_that_vanished_since_makes_the_plan_stale(world: World) -> None:
    before = world.mirror.add_image("a/one", "1", [b"old"])
    plan = world.plan("a/one:1")
    world.mirror._storage.delete_manifest("a/one", before)
    with pytest.raises(StaleError, match=f"the plan saw {before[:19]}, now it holds nothing"):
        still_to_do(plan, plan.pending, world.stores())


def test_a_failing_image_does_not_stop_the_others(world: World) -> None:
    world.upstream.faults.add(Fault("GET", f"blobs/{_own('a/two:1')}", WrongBytes(), every=True))
    events = world.apply(world.plan(*NAMES))
    (failed,) = kinds(events, ImageFailed)
    assert failed.image == f"{MIRROR}/a/two:1"
    assert "sent bytes with the digest" in failed.reason
    assert (ending(events).done, ending(events).failed) == (3, 1)
    assert digest(world.mirror, "a/two:1") == ""
    assert world.mirror.count("PUT", "a/two/manifests") == 0


def _own(name: str) -> str:
    return digest_of(name.encode())


def test_a_shared_blob_that_fails_fails_all_who_need_it(world: World) -> None:
    world.upstream.faults.add(Fault("GET", f"blobs/{digest_of(BASE)}", Status(404), every=True))
    end = ending(world.apply(world.plan(*NAMES)))
    assert (end.done, end.failed, end.cancelled) == (0, 4, 0)
    assert world.mirror.count("PUT", "manifests") == 0


def test_a_refused_tag_is_that_images_failure(world: World) -> None:
    body = b'{"errors":[{"code":"TAG_IMMUTABLE","message":"immutable"}]}'
    world.mirror.faults.add(Fault("PUT", "a/one/manifests/1", Status(409, body), every=True))
    events = world.apply(world.plan("a/one:1", "a/two:1"))
    (failed,) = kinds(events, ImageFailed)
    assert "409 TAG_IMMUTABLE: immutable" in failed.reason


def test_fail_fast_starts_nothing_after_a_failure(world: World) -> None:
    world.upstream.faults.add(Fault("GET", "blobs", Status(404), every=True))
    events = world.apply(world.plan(*NAMES), fail_fast=True, limit=1)
    assert len(kinds(events, StepStarted)) == 1
    end = ending(events)
    assert end.failed > 0
    assert (end.done, end.failed + end.cancelled) == (0, 4)


def test_a_run_that_was_cut_short_is_finished_later_without_sending_again(world: World) -> None:
    started = itertools.count()
    plan = world.plan(*NAMES)
    end = ending(world.apply(plan, cancelled=lambda: next(started) > 5, limit=1))
    assert (end.done, end.cancelled) == (0, 4)
    assert world.mirror.count("PUT", "manifests/1$") == 0
    sent = world.mirror.count("PUT", "uploads")
    assert sent > 0
    assert ending(world.apply(plan)).done == 4
    assert world.mirror.count("PUT", "uploads") == BLOBS
    assert is_complete(world.mirror, plan)


def test_a_run_that_failed_in_part_is_finished_by_the_next(world: World) -> None:
    broken = Fault("PUT", "uploads", CutUploadAfter(2), nth=3, times=4)
    world.mirror.faults.add(broken)
    plan = world.plan(*NAMES)
    assert ending(world.apply(plan, limit=1)).failed > 0
    world.mirror.faults.clear()
    assert ending(world.apply(plan)).failed == 0
    assert is_complete(world.mirror, plan)


def test_a_copying_that_is_stopped_leaves_no_tag_and_can_be_run_again(world: World) -> None:
    plan = world.plan(*NAMES)
    copying = Copying(plan, plan.pending, world.stores(), parallelism=1)
    events = []
    for event in copying.events():
        events.append(event)
        if isinstance(event, StepDone):
            copying.stop()
    assert (ending(events).done, ending(events).failed, ending(events).cancelled) == (0, 0, 4)
    assert all(digest(world.mirror, each) == "" for each in NAMES)
    assert ending(list(Copying(plan, plan.pending, world.stores()).events())).done == 4
    assert is_complete(world.mirror, plan)


def test_a_copying_tells_every_byte(world: World) -> None:
    plan = world.plan(*NAMES)
    progress = Progress()
    for event in Copying(plan, plan.pending, world.stores()).events():
        progress = progress.after(event)
    assert progress.moved == progress.bytes == plan.bytes_to_send(plan.pending)
    assert (progress.steps_done, progress.active) == (progress.steps, {})


def test_layouts_take_the_place_of_registries(world: World) -> None:
    plan = world.plan(*NAMES)
    out = f"oci:{world.folder}/out"
    stores = Stores(Places(world.places.config, write_to=out), IMPATIENT)
    with ThreadPoolExecutor(8) as pool:
        run = Run(pool, partial(perform, stores, lambda *_: None))
        assert ending(list(apply(plan, plan.pending, run))).done == 4
    assert still_to_do(plan, plan.pending, stores) == []


def perform_elsewhere(places: Places, step: Step) -> Outcome:
    """What a worker in another process does."""
    return perform(Stores(places, IMPATIENT), lambda *_: None, step)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_steps_may_be_done_in_other_processes(world: World) -> None:
    plan = world.plan("a/one:1", "b/multi:1")
    work = partial(perform_elsewhere, world.places)
    with ProcessPoolExecutor(2, get_context("forkserver")) as pool:
        assert ending(list(apply(plan, plan.pending, Run(pool, work)))).done == 2
    assert is_complete(world.mirror, plan)


def test_a_tag_that_moved_during_the_run_is_left_alone_and_others_go_on(world: World) -> None:
    plan = world.plan("a/one:1", "b/multi:1")
    theirs = world.mirror.add_image("a/one", "1", [b"somebody's"])
    end = ending(events := world.apply(plan, plan.pending))
    assert (end.done, end.failed) == (1, 1)
    (failure,) = (each for each in events if isinstance(each, ImageFailed))
    assert "changed by somebody else" in failure.reason
    assert world.mirror.manifest("a/one", "1").digest == theirs


def test_what_was_looked_at_just_now_is_not_looked_at_again(world: World) -> None:
    plan = world.plan("a/one:1")
    work = partial(perform, world.stores(), lambda *_: None, is_fresh=lambda: True)
    before = world.mirror.count("HEAD", "manifests")
    with ThreadPoolExecutor(4) as pool:
        assert ending(list(apply(plan, plan.pending, Run(pool, work)))).done == 1
    assert world.mirror.count("HEAD", "manifests") == before + 1


def test_a_registry_that_stores_something_else_under_a_tag_is_told_on(world: World) -> None:
    plan = world.plan("a/one:1")
    work = partial(perform, world.stores(), lambda *_: None, is_fresh=lambda: True)
    world.mirror.faults.add(Fault("HEAD", "/a/one/manifests/1", WrongDigestHeader(), every=True))
    with ThreadPoolExecutor(4) as pool:
        events = list(apply(plan, plan.pending, Run(pool, work)))
    (failure,) = (each for each in events if isinstance(each, ImageFailed))
    assert "was written, and the registry answers" in failure.reason


def test_who_only_wanted_to_share_a_blob_fetches_it_when_its_bringer_failed(world: World) -> None:
    """``a/one`` and ``a/two`` share a layer; the first of them may not be written at all."""
    plan = world.plan("a/one:1", "a/two:1")
    world.mirror.faults.add(Fault("POST", "/a/one/blobs", Status(403), every=True))
    end = ending(world.apply(plan))
    assert (end.done, end.failed) == (1, 1)
    assert world.mirror.tags("a/two") == ["1"]


# The engine alone.


class Inline(Executor):
    """Does the work as soon as it is handed in."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **named))
        except Exception as error:  # noqa: BLE001 - as executors do
            future.set_exception(error)
        return future


@settings(max_examples=60, deadline=None)
@given(seed=some.integers(0, 10_000), limit=some.integers(1, 9))
def test_a_step_starts_after_all_that_it_needs(seed: int, limit: int) -> None:
    plan = make_random_plan(seed)
    needs = build_graph(plan, plan.pending).needs
    finished: set[str] = set()

    def work(step: Step) -> Outcome:
        assert needs[step.id] <= finished
        finished.add(step.id)
        return Outcome()

    events = list(apply(plan, plan.pending, Run(Inline(), work, limit)))
    assert finished == set(needs)
    assert ending(events).done == len(plan.pending)


@settings(max_examples=60, deadline=None)
@given(seed=some.integers(0, 10_000), limit=some.integers(1, 9))
def test_nothing_starts_that_needs_a_failed_step(seed: int, limit: int) -> None:
    plan, chance = make_random_plan(seed), random.Random(seed)
    graph = build_graph(plan, plan.pending)
    failed: set[str] = set()

    def work(step: Step) -> Outcome:
        bad = graph.needs[step.id] & failed
        assert not bad or isinstance(step, MountBlob)
        assert all(isinstance(graph.steps[each], CopyBlob) for each in bad)
        if chance.random() < 0.2:
            failed.add(step.id)
            return Outcome(error="broken")
        return Outcome()

    end = ending(list(apply(plan, plan.pending, Run(Inline(), work, limit))))
    assert end.done + end.failed == len(plan.pending)
    assert (end.failed > 0, end.cancelled) == (bool(failed), 0)


def run_of(world: World, perform: Callable[[Step], Outcome], **options: Any) -> list[Event]:
    plan = world.plan(*NAMES)
    return list(apply(plan, plan.pending, Run(Inline(), perform, **options)))


def test_no_more_steps_run_at_once_than_allowed(world: World) -> None:
    lock, running, most = threading.Lock(), [0], [0]
    barrier = threading.Event()

    def work(_: Step) -> Outcome:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        barrier.wait(0.01)
        with lock:
            running[0] -= 1
        return Outcome()

    plan = world.plan(*NAMES)
    with ThreadPoolExecutor(8) as pool:
        list(apply(plan, plan.pending, Run(pool, work, 3)))
    assert most[0] == 3


def test_large_blobs_go_first_and_finished_images_before_all(world: World) -> None:
    order: list[Step] = []

    def work(step: Step) -> Outcome:
        order.append(step)
        return Outcome()

    plan = world.plan(*NAMES)
    list(apply(plan, plan.pending, Run(Inline(), work, limit=1)))
    assert order[0].id.endswith(digest_of(BASE))
    needs = build_graph(plan, plan.pending).needs
    for number, step in enumerate(order):
        finished = {each.id for each in order[:number]}
        ready = [each for each in order[number:] if needs[each.id] <= finished]
        assert size_of(step) == 0 or all(size_of(each) for each in ready)


def test_events_come_in_order(world: World) -> None:
    ticks = itertools.count()
    events = run_of(world, lambda _: Outcome(moved=1), clock=lambda: float(next(ticks)))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert [each.at for each in events] == sorted(each.at for each in events)
    steps = [each.step for each in kinds(events, StepDone)]
    assert steps == list(dict.fromkeys(steps))
    assert len(kinds(events, ImageDone)) == 4


def test_bytes_are_told_before_their_step_is_done(world: World) -> None:
    moved: list[tuple[str, int]] = []

    def work(step: Step) -> Outcome:
        moved.append((step.id, 5))
        return Outcome(moved=5)

    def drain() -> list[tuple[str, int]]:
        drained, moved[:] = list(moved), []
        return drained

    events = run_of(world, work, drain=drain)
    told = [each.step for each in kinds(events, BytesMoved, StepDone)]
    assert all(told.index(each.step) < _last(told, each.step) for each in kinds(events, StepDone))


def _last(words: list[str], word: str) -> int:
    return len(words) - 1 - words[::-1].index(word)


def test_time_without_news_is_told_too(world: World) -> None:
    plan = world.plan("a/one:1")
    release = threading.Event()

    def work(_: Step) -> Outcome:
        release.wait(5)
        return Outcome()

    with ThreadPoolExecutor(2) as pool:
        events = apply(plan, plan.pending, Run(pool, work, tick=0.01))
        assert any(isinstance(each, Ticked) for each in events if not release.is_set())
        release.set()
        list(events)


def test_a_stopped_step_is_no_failure(world: World) -> None:
    events = run_of(world, lambda _: Outcome(error="stopped", code="CANCELLED"), limit=2)
    end = ending(events)
    assert (end.done, end.failed, end.cancelled) == (0, 0, 4)


def test_a_failure_counts_more_than_a_stopped_step(world: World) -> None:
    outcomes = itertools.cycle([Outcome(error="stopped", code="CANCELLED"), Outcome(error="no")])
    plan = world.plan("a/one:1")
    events = list(apply(plan, plan.pending, Run(Inline(), lambda _: next(outcomes))))
    assert [each.reason for each in kinds(events, ImageFailed)] == ["no"]


def test_a_run_that_was_stopped_at_once_does_nothing(world: World) -> None:
    events = run_of(world, lambda _: Outcome(), cancelled=lambda: True)
    assert [type(each) for each in events] == [Started, Finished]
    assert ending(events).cancelled == 4


def test_a_bug_in_a_step_is_not_swallowed(world: World) -> None:
    def work(_: Step) -> Outcome:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_of(world, work)


def test_a_failed_step_says_why(world: World) -> None:
    events = run_of(world, lambda _: Outcome(error="no", hint="do this"))
    assert {(each.reason, each.hint) for each in kinds(events, StepFailed, ImageFailed)} == {
        ("no", "do this")
    }


def test_one_image_under_two_names_in_a_repository_is_done_twice(world: World) -> None:
    needs = [make_need("a/one:1", f"{MIRROR}/a/one:{each}") for each in ("1", "latest")]
    plan = world.plan_of(*needs)
    assert ending(world.apply(plan)).done == 2
    assert digest(world.mirror, "a/one:latest") == digest(world.mirror, "a/one:1")


def test_nothing_to_do_is_done_at_once() -> None:
    events = list(apply(Plan(()), (), Run(Inline(), lambda _: Outcome())))
    assert [type(each) for each in events] == [Started, Finished]


# Steered while it runs.


Script = Callable[[], list[Control]]


def scripted(*turns: Sequence[Control]) -> Script:
    """Controls by the turns of the engine in which they are asked for."""
    left = iter(turns)
    return lambda: list(next(left, ()))


def steered(plan: Plan, work: Callable[[Step], Outcome], **options: Any) -> list[Event]:
    return list(apply(plan, plan.pending, Run(Inline(), work, limit=1, **options)))


def sometimes(often: int = 200) -> Callable[[], bool]:
    """True so often: a run that waits for ever would fail no test."""
    turns = itertools.count()
    return lambda: next(turns) < often


def names_of(events: list[Event], *kind: type) -> list[str]:
    return [each.image for each in kinds(events, *kind)]


@settings(max_examples=150, deadline=None)
@given(seed=some.integers(0, 10_000), limit=some.integers(1, 9))
def test_whatever_is_asked_for_no_step_comes_too_early_and_all_images_are_accounted_for(
    seed: int, limit: int
) -> None:
    plan, chance = make_random_plan(seed), random.Random(seed)
    graph = build_graph(plan, plan.pending)
    roots = {root_id(plan, each): str(each.target) for each in plan.pending}
    names = [str(each.target) for each in plan.pending]
    finished: set[str] = set()
    gone: set[str] = set()
    unwanted: set[str] = set()
    turns = itertools.count()

    def work(step: Step) -> Outcome:
        early = graph.needs[step.id] - finished
        assert not early or isinstance(step, MountBlob)
        assert all(isinstance(graph.steps[each], CopyBlob) for each in early)
        assert step.id not in finished
        assert step.id not in unwanted
        assert roots.get(step.id) not in gone
        if chance.random() < 0.15:
            return Outcome(error="broken")
        finished.add(step.id)
        return Outcome()

    def controls() -> list[Control]:
        if next(turns) > 60:
            return [Resume()]
        known: list[Control] = [Pause(), Resume(), Retry(), Cancel(chance.choice(names))]
        return chance.choices(known, k=chance.randint(0, 2))

    run = Run(
        *(Inline(), work, limit),
        tick=0,
        controls=controls,
        unwanted=unwanted,
        stays=lambda: next(turns) < 60,
    )
    events, is_paused = [], False
    for event in apply(plan, plan.pending, run):
        events.append(event)
        assert not (is_paused and isinstance(event, StepStarted))
        is_paused = (is_paused or isinstance(event, Paused)) and not isinstance(event, Resumed)
        gone |= {event.image} if isinstance(event, ImageCancelled) else set()
    progress = fold(events)
    end = ending(events)
    assert end.done == len(names_of(events, ImageDone)) == len(finished & roots.keys())
    assert (end.failed, end.cancelled) == (len(progress.failed), len(gone))
    assert end.done + end.failed + end.cancelled == len(names)
    assert gone.isdisjoint(names_of(events, ImageDone))


@settings(max_examples=100, deadline=None)
@given(seed=some.integers(0, 10_000), limit=some.integers(1, 9))
def test_who_is_cancelled_keeps_nobody_else_from_being_finished(seed: int, limit: int) -> None:
    plan, chance = make_random_plan(seed), random.Random(seed)
    names = [str(each.target) for each in plan.pending]
    chosen = chance.sample(names, chance.randint(0, len(names)))
    run = Run(
        *(Inline(), lambda _: Outcome(), limit),
        controls=scripted(*([Cancel(each)] for each in chosen)),
    )
    events = list(apply(plan, plan.pending, run))
    done, cancelled = names_of(events, ImageDone), names_of(events, ImageCancelled)
    assert sorted([*done, *cancelled]) == sorted(names)
    assert set(cancelled) <= set(chosen)
    assert (ending(events).done, ending(events).cancelled) == (len(done), len(cancelled))


@settings(max_examples=100, deadline=None)
@given(seed=some.integers(0, 10_000), limit=some.integers(1, 9))
def test_what_fails_at_first_is_done_when_it_is_retried(seed: int, limit: int) -> None:
    plan, chance = make_random_plan(seed), random.Random(seed)
    tried: set[str] = set()

    def work(step: Step) -> Outcome:
        if step.id not in tried and chance.random() < 0.4:
            tried.add(step.id)
            return Outcome(error="broken", code=chance.choice(["", "BLOB_UNKNOWN"]))
        return Outcome()

    run = Run(*(Inline(), work, limit), tick=0, controls=lambda: [Retry()], stays=sometimes())
    events = list(apply(plan, plan.pending, run))
    assert ending(events).done == len(plan.pending)
    assert fold(events).failed == ()
    retried = [image for each in kinds(events, Retried) for image in each.images]
    assert sorted(retried) == sorted(names_of(events, ImageFailed))
    assert len(names_of(events, ImageDone)) == len(plan.pending)


def fold(events: list[Event]) -> Progress:
    progress = Progress()
    for event in events:
        progress = progress.after(event)
    return progress


def test_paused_before_it_began_it_waits_and_then_does_all(world: World) -> None:
    plan = world.plan(*NAMES)
    script = scripted([Pause()], [], [], [Resume()])
    events = steered(plan, lambda _: Outcome(), tick=0, controls=script)
    kinds_of = [type(each) for each in events]
    assert kinds_of.index(Resumed) < kinds_of.index(StepStarted)
    assert kinds_of.count(Paused) == 1
    assert ending(events).done == 4


def test_a_run_that_is_stopped_while_it_is_paused_ends(world: World) -> None:
    stopped = itertools.chain([False] * 5, itertools.repeat(True))
    plan = world.plan(*NAMES)
    events = steered(
        plan,
        lambda _: Outcome(),
        tick=0,
        controls=scripted([Pause()]),
        cancelled=lambda: next(stopped),
    )
    assert ending(events).cancelled == 4
    assert not kinds(events, StepStarted)


def test_a_cancelled_image_takes_along_what_it_alone_needs(world: World) -> None:
    plan = world.plan(*NAMES)
    started: list[str] = []

    def work(step: Step) -> Outcome:
        started.append(step.id)
        return Outcome()

    events = steered(plan, work, controls=scripted([Cancel(f"{MIRROR}/a/one:1")]))
    assert names_of(events, ImageCancelled) == [f"{MIRROR}/a/one:1"]
    assert (ending(events).done, ending(events).cancelled) == (3, 1)
    ours = [each for each in started if "a/one" in each]
    # The others share the layer by way of the repository that it was to come to first.
    assert ours == [f"blob {MIRROR}/a/one@{digest_of(BASE)}"]


@pytest.mark.parametrize("image", [f"{MIRROR}/a/one:2", "", f"{MIRROR}/a/one"])
def test_an_unknown_image_cannot_be_cancelled(world: World, image: str) -> None:
    plan = world.plan(*NAMES)
    events = steered(plan, lambda _: Outcome(), controls=scripted([Cancel(image)]))
    assert (ending(events).done, kinds(events, ImageCancelled)) == (4, [])


def test_a_manifest_that_an_index_names_cannot_be_cancelled_while_the_index_can(
    world: World,
) -> None:
    child = f"b/multi@{digest(world.upstream, 'b/multi:arm64')}"
    plan = world.plan("b/multi:1", child)
    names = [str(each.target) for each in plan.pending]
    only = next(each for each in names if "@" in each)
    index = next(each for each in names if "@" not in each)
    events = steered(plan, lambda _: Outcome(), controls=scripted([Cancel(only)]))
    assert (ending(events).done, kinds(events, ImageCancelled)) == (2, [])
    events = steered(plan, lambda _: Outcome(), controls=scripted([Cancel(index)]))
    assert names_of(events, ImageCancelled) == [index]
    assert names_of(events, ImageDone) == [only]


def test_what_failed_can_be_retried_after_all_else_is_done(world: World) -> None:
    is_broken = [True]

    def work(step: Step) -> Outcome:
        is_bad = is_broken[0] and isinstance(step, CopyBlob) and "a/two" in step.id
        return Outcome(error="broken", hint="mend it") if is_bad else Outcome()

    plan = world.plan(*NAMES)
    asked: list[bool] = []

    def controls() -> list[Control]:
        if not asked or len(asked) < 3:
            return []
        is_broken[0] = False
        return [Retry()]

    def stays() -> bool:
        asked.append(True)
        return True

    events = steered(plan, work, tick=0, controls=controls, stays=stays)
    assert names_of(events, ImageFailed) == [f"{MIRROR}/a/two:1"]
    (retried,) = kinds(events, Retried)
    assert retried.images == (f"{MIRROR}/a/two:1",)
    assert len(names_of(events[: events.index(retried)], ImageDone)) == 3
    assert (ending(events).done, ending(events).failed) == (4, 0)


def test_a_mount_waits_again_for_a_bringer_that_is_retried(world: World) -> None:
    """Or each of them would fetch the blob for itself once the source answers again."""
    tries: list[str] = []

    def work(step: Step) -> Outcome:
        if step.id.endswith(digest_of(BASE)):
            tries.append(step.id)
            if len(tries) <= 4:
                return Outcome(error="source is down")
        return Outcome()

    plan = world.plan(*NAMES)
    events = steered(plan, work, tick=0, stays=sometimes(), controls=retry_when(tries, 4))
    assert ending(events).done == 4
    again = tries[4:]
    assert again[0].startswith("blob ")
    assert [each.partition(" ")[0] for each in again].count("blob") == 1


def retry_when(tries: list[str], count: int) -> Script:
    asked: list[bool] = []

    def controls() -> list[Control]:
        if len(tries) >= count and not asked:
            asked.append(True)
            return [Retry()]
        return []

    return controls


def test_a_new_run_of_an_event_names_its_images(world: World) -> None:
    plan = world.plan(*NAMES)
    (started,) = kinds(steered(plan, lambda _: Outcome()), Started)
    assert started.names == tuple(str(each.target) for each in plan.pending)


def test_a_blob_that_moves_for_a_cancelled_image_alone_is_cut_off(world: World) -> None:
    """In a real run: what was sent of it is no image, and the others are whole."""
    own = _own("a/two:1")
    plan = world.plan(*NAMES)
    copying = Copying(plan, plan.pending, world.stores(), parallelism=4)
    world.upstream.faults.add(Fault("GET", f"blobs/{own}", Stall(30), every=True))
    events: list[Event] = []
    for event in copying.events():
        events.append(event)
        if isinstance(event, StepStarted) and event.step.endswith(own):
            copying.cancel(f"{MIRROR}/a/two:1")
        if isinstance(event, ImageCancelled):
            world.upstream.faults.release()
    assert names_of(events, ImageCancelled) == [f"{MIRROR}/a/two:1"]
    assert (ending(events).done, ending(events).cancelled) == (3, 1)
    assert digest(world.mirror, "a/two:1") == ""
    with pytest.raises(KeyError):
        world.mirror.blob("a/two", own)
