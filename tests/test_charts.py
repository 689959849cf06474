"""Helm charts go the way of images: planned, copied byte for byte, verified; helm is who fails without them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.core.family import Need
from planner.core.resolution import Resolution
from planner.ui.consequence import consequence, consumer
from planner.verify import Verified, verify
from tests.fakes import FakeRegistry
from tests.making import MIRROR, World, attempt, ending, make_need, make_world, writes
from tests.support.chart import MANIFEST, Chart, make_chart

NAME = "eks/cilium/cilium"
VERSION = "1.17.6-0"
CHART = make_chart("cilium", VERSION)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        add(world.upstream, CHART)
        yield world


def add(fake: FakeRegistry, chart: Chart) -> None:
    for blob in chart.blobs:
        fake.add_blob(NAME, blob)
    fake.add_manifest(NAME, VERSION, chart.manifest, MANIFEST)


def need() -> Need:
    """Helm asks the mirror, and nobody else."""
    need = make_need(f"docker.io/{NAME}:{VERSION}")
    only = attempt(need.source, f"{MIRROR}/{NAME}:{VERSION}")
    return need._replace(kind="chart", consumer="helm", resolution=Resolution(need.source, (only,)))


def verified(world: World) -> Verified:
    (result,) = verify([need()], world.stores(), blobs=True)
    return result


def test_a_chart_is_copied_byte_for_byte(world: World) -> None:
    assert ending(world.apply(world.plan_of(need()))).done == 1
    copied = world.mirror.manifest(NAME, VERSION)
    assert (copied.body, copied.digest) == (CHART.manifest, CHART.digest)
    for blob, digest in zip(CHART.blobs, CHART.digests, strict=True):
        assert world.mirror.blob(NAME, digest) == blob


def test_a_plan_says_that_it_is_a_chart(world: World) -> None:
    (change,) = world.plan_of(need()).changes
    assert (change.op, change.kind, change.digest) == ("create", "chart", CHART.digest)


def test_a_second_plan_is_empty_and_applying_it_writes_nothing(world: World) -> None:
    world.apply(world.plan_of(need()))
    before = writes(world.mirror)
    again = world.plan_of(need())
    world.apply(again)
    assert (again.pending, writes(world.mirror)) == ((), before)


def test_a_chart_that_is_there_is_found_with_all_its_blobs(world: World) -> None:
    world.apply(world.plan_of(need()))
    result = verified(world)
    assert (result.verdict, result.digest) == ("found", CHART.digest)


def test_without_the_chart_helm_fails(world: World) -> None:
    result = verified(world)
    assert (result.verdict, consumer(result)) == ("missing", "helm")
    assert consequence(result) == (
        f"helm cannot pull the chart: {MIRROR}/{NAME}:{VERSION} is not there"
    )


@pytest.mark.parametrize("lost", CHART.digests, ids=["config", "chart", "provenance"])
def test_a_chart_with_a_part_missing_is_seen_and_repaired(world: World, lost: str) -> None:
    world.apply(world.plan_of(need()))
    world.mirror._storage.delete_blob(NAME, lost)
    result = verified(world)
    assert result.verdict == "incomplete"
    assert consequence(result).endswith(f"1 part missing, first {lost}")
    plan = world.plan_of(need())
    assert [each.op for each in plan.pending] == ["repair"]
    world.apply(plan)
    assert verified(world).verdict == "found"
