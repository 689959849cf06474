"""Bytes that were expected to be sent and need not be: a run comes to 100 % all the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import pytest

from planner.config import Config, RegistrySettings
from planner.core.events import Progress, StepDone
from planner.core.plan import Plan
from planner.stores import sending
from planner.stores.journal import Journal
from planner.stores.opening import Places, Stores
from planner.ui.copying import Copying
from tests.fakes import CutUploadAfter, Fault
from tests.making import IMPATIENT, MIRROR, UPSTREAM, World, make_world

LAYER = random.Random(2).randbytes(300_000)
CHUNK = 80_000


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, size in (("_WHOLE", 100_000), ("_CHUNK", CHUNK)):
        monkeypatch.setattr(sending, name, size)
    with make_world(tmp_path) as world:
        world.upstream.add_image("a/one", "1", [LAYER])
        yield world


def run(world: World, plan: Plan) -> tuple[Progress, int]:
    """How it ended, and what was spared."""
    fakes = {UPSTREAM: world.upstream, MIRROR: world.mirror}
    settings = {name: RegistrySettings(endpoint=fake.url) for name, fake in fakes.items()}
    places = Places(Config(registries=settings))
    with Journal(world.folder / ".planner") as journal:
        stores = Stores(places, IMPATIENT, journal=journal)
        events = list(Copying(plan, plan.pending, stores).events())
    spared = sum(each.spared for each in events if isinstance(each, StepDone))
    return reduce(Progress.after, events, Progress()), spared


def test_what_an_earlier_run_sent_of_a_blob(world: World) -> None:
    world.mirror.faults.add(Fault("PATCH", "/uploads/", CutUploadAfter(0), nth=2, times=99))
    first, _ = run(world, world.plan("a/one:1"))
    assert first.failed
    world.mirror.faults.clear()
    last, spared = run(world, world.plan("a/one:1"))
    assert spared >= CHUNK
    assert last.moved == last.bytes
    assert last.seconds_left == 0


def test_what_somebody_else_sent_since_the_plan_was_made(world: World) -> None:
    plan = world.plan("a/one:1")
    world.mirror.add_blob("a/one", LAYER)
    last, spared = run(world, plan)
    assert spared == len(LAYER)
    assert last.moved == last.bytes > 0


def test_what_is_sent_twice_is_not_spared(world: World) -> None:
    world.mirror.faults.add(Fault("PATCH", "/uploads/", CutUploadAfter(10_000), nth=2))
    last, spared = run(world, world.plan("a/one:1"))
    assert not last.failed
    assert spared == 0
    assert last.moved >= last.bytes > len(LAYER)
