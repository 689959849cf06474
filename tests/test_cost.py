"""What a plan costs, held against its graph and against what registries are really asked; and how long it may take."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planner.core.cost import Pace, cost_of, pace_of
from planner.core.graph import build_graph
from planner.core.plan import Access, Plan
from planner.core.plan_file import to_json, totals
from planner.core.record import PastRun, Record
from planner.core.steps import CopyBlob, MountBlob, PutManifest, PutTag
from planner.ui.cost_text import transfer_line
from tests.making import MIRROR, OTHER, World, make_need, make_random_plan, make_world

MIB = 1024 * 1024
BASE = b"base" * 100


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """``a/one:1`` and ``a/two:1`` share a layer upstream, also with the index ``a/multi:1``."""
    with make_world(tmp_path) as world:
        world.upstream.add_image("a/one", "1", [BASE, b"one"])
        world.upstream.add_image("a/two", "1", [BASE, b"two"])
        children = [
            world.upstream.add_image("a/multi", each, [BASE, each.encode()], f"linux/{each}")
            for each in ("amd64", "arm64")
        ]
        world.upstream.add_index("a/multi", "1", children)
        yield world


def asked(world: World) -> int:
    """Requests so far, without the greetings."""
    fakes = (world.upstream, world.mirror, world.other)
    return sum(fake.count("[A-Z]+", "^/v2/.") for fake in fakes)


@pytest.mark.parametrize("seed", range(60))
def test_the_cost_is_that_of_the_graph(seed: int) -> None:
    plan = make_random_plan(seed)
    kinds = Counter(type(each) for each in build_graph(plan, plan.pending).steps.values())
    cost = cost_of(plan, plan.pending)
    assert (cost.copies, cost.mounts) == (kinds[CopyBlob], kinds[MountBlob])
    assert cost.bytes == plan.bytes_to_send(plan.pending)
    puts = kinds[PutManifest] + 2 * kinds[PutTag]  # each tag is read back
    assert cost.requests == len(plan.pending) + 3 * cost.copies + cost.mounts + puts


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(["a/one:1"], id="one"),
        pytest.param(["a/one:1", "a/two:1"], id="shared"),
        pytest.param(["a/one:1", "a/two:1", "a/multi:1"], id="index"),
    ],
)
def test_as_many_requests_are_sent_as_were_told(world: World, images: list[str]) -> None:
    plan = world.plan(*images)
    before = asked(world)
    world.apply(plan)
    assert asked(world) - before == cost_of(plan, plan.pending).requests


def test_two_registries_and_what_one_of_them_has_already(world: World) -> None:
    world.mirror.add_image("b/old", "1", [BASE])
    needs = [make_need("a/one:1", f"{each}/a/one:1") for each in (MIRROR, OTHER)]
    needs.append(make_need("a/two:1", f"{MIRROR}/b/old:2"))
    plan = world.plan_of(*needs)
    cost, before = cost_of(plan, plan.pending), asked(world)
    assert (cost.mounts, cost.shared) == (1, 1)
    world.apply(plan)
    assert asked(world) - before == cost.requests


def test_folders_are_asked_nothing(world: World) -> None:
    plan = world.plan("a/one:1")
    own = cost_of(plan, plan.pending)
    into = replace(plan, access=Access(write_to="oci:out"))
    assert cost_of(into, plan.pending).requests == own.copies
    between = replace(plan, access=Access("oci:in", "oci:out"))
    assert cost_of(between, plan.pending) == own._replace(requests=0)


def test_the_saved_plan_tells_what_it_costs(world: World) -> None:
    plan = world.plan("a/one:1", "a/two:1")
    told = json.loads(to_json(plan))["totals"]
    assert told == totals(plan)
    assert (told["blobs_to_send"], told["blobs_to_mount"], told["blobs_shared"]) == (5, 1, 1)


def run(mib: int, seconds: float, *, read: str = "s", written: str = "t") -> PastRun:
    return PastRun("p", "2026-01-01T00:00:00Z", 1, 0, 0, mib * MIB, seconds, (read,), (written,))


@pytest.mark.parametrize(
    ("runs", "pace"),
    [
        pytest.param([], None, id="none"),
        pytest.param([run(100, 10)], Pace(10 * MIB, 1), id="one"),
        pytest.param([run(1, 10)], None, id="too-little"),
        pytest.param([run(100, 0.5)], None, id="too-short"),
        pytest.param([run(100, 10), run(1, 60)], Pace(10 * MIB, 1), id="small-one-after"),
        pytest.param([run(100, 10), run(200, 10)], Pace(15 * MIB, 2), id="weighed"),
        pytest.param([run(900, 3), *[run(20, 10)] * 3], Pace(2 * MIB, 3), id="old-ones-forgotten"),
        pytest.param([run(100, 10, written="oci:/x")], None, id="other-target"),
        pytest.param([run(100, 10, read="oci:/x")], None, id="other-source"),
    ],
)
def test_the_pace_is_that_of_the_last_runs_of_the_kind(
    runs: list[PastRun], pace: Pace | None
) -> None:
    assert pace_of(Record(runs=tuple(runs)), ["s", "more"], ["t"]) == pace


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.1, "5 s"),
        (42, "40 s"),
        (58, "1 min"),
        (540, "9 min"),
        (3600, "1 h"),
        (7777, "2 h 10 min"),
    ],
)
def test_the_time_is_told_as_exactly_as_a_guess_can_be(
    world: World, seconds: float, told: str
) -> None:
    plan = world.plan("a/one:1")
    sent = cost_of(plan, plan.pending).bytes
    line = transfer_line(plan, Pace(sent / seconds, 1))
    assert line.startswith(f"Transfer: {sent} B of {sent} B after sharing, about 12 requests; ")
    assert f"; about {told} at " in line
    assert line.endswith("/s (last run).")
    assert transfer_line(plan, Pace(sent / seconds, 3)).endswith("/s (last 3 runs).")


def test_without_earlier_runs_nothing_is_told_of_the_time(world: World) -> None:
    assert transfer_line(world.plan("a/one:1")).endswith("about 12 requests.")


def test_a_plan_of_nothing_costs_nothing() -> None:
    assert cost_of(Plan(()), ()) == (0, 0, 0, 0, 0)
