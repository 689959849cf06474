"""The picture of a plan: well-formed, self-contained, the same each time, and true to the plan."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from planner.core.namespaces import Namespace
from planner.core.plan import Plan
from planner.ui.plan.picture import svg
from planner.ui.plan.picture.layout import Picture, laid_out
from planner.ui.plan.picture.scene import MOST_ROWS, scene_of
from tests.plans import (
    CORP,
    HOSTILE,
    MIB,
    PICTURE,
    change,
    full_plan,
    hostile_plan,
    large_plan,
    picture,
)

_NAMESPACE = "{http://www.w3.org/2000/svg}"
very_large_plan = cache(lambda: large_plan(3025))
PLANS: dict[str, Callable[[], Plan]] = {
    "full": full_plan,
    "hostile": hostile_plan,
    "large": lambda: large_plan(120, same_every=3),
    "very-large": very_large_plan,
    "empty": lambda: Plan(()),
    "in-sync": lambda: Plan(tuple(replace(each, op="same") for each in large_plan(3).changes)),
}


def texts(plan: Plan) -> list[str]:
    """Every text that is drawn."""
    return [each.text or "" for each in ET.fromstring(svg(plan)).iter(f"{_NAMESPACE}text")]


def titles(plan: Plan) -> list[str]:
    """Every text that is shown where one points."""
    return [each.text or "" for each in ET.fromstring(svg(plan)).iter(f"{_NAMESPACE}title")]


@pytest.mark.parametrize("plan", [pytest.param(each(), id=name) for name, each in PLANS.items()])
def test_it_is_one_document_that_asks_for_nothing_else(plan: Plan) -> None:
    text = svg(plan)
    root = ET.fromstring(text)
    assert root.tag == f"{_NAMESPACE}svg"
    assert {each.tag.removeprefix(_NAMESPACE) for each in root.iter()} <= set(
        "svg title style rect text path g".split()
    )
    names = {name for each in root.iter() for name in each.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert not re.search(r"url\(|@import|<!", text)
    assert text == svg(plan)


@pytest.mark.parametrize("plan", [pytest.param(each(), id=name) for name, each in PLANS.items()])
def test_everything_lies_within_the_picture_and_no_box_on_another(plan: Plan) -> None:
    picture = laid_out(scene_of(plan))
    columns = (
        list(picture.sources.values()),
        [each.box for each in picture.bands],
        [box for _, box in picture.homes],
    )
    for column in columns:
        boxes = sorted(column, key=lambda box: box.y)
        for above, below in itertools.pairwise(boxes):
            assert above.y + above.height < below.y
        assert all(box.y >= 0 and box.y + box.height <= picture.height for box in boxes)


def test_hostile_names_are_texts() -> None:
    drawn = texts(hostile_plan()) + titles(hostile_plan())
    assert any("<script>" in each for each in drawn)
    assert all(each.isprintable() for each in drawn)
    assert "<script>" not in svg(hostile_plan())
    assert HOSTILE not in svg(hostile_plan())


def test_every_image_that_is_not_in_sync_has_a_row() -> None:
    drawn = texts(full_plan())
    for each in full_plan().changes:
        own = str(each.target).rpartition("/")[2]
        shown = own in drawn or str(each.target) in drawn
        assert shown == (each.op != "same")
    assert "1 image in sync" in drawn


def test_sources_and_destinations_are_named() -> None:
    drawn = texts(full_plan())
    for name in ("docker.io", "public.ecr.aws", "registry.k8s.io", "k8s", "eksa", "nowhere"):
        assert name in drawn
    assert {"project to be created", "project blocked", "organisation may be missing"} <= set(drawn)


def test_flows_are_as_thick_as_what_they_carry() -> None:
    heavy, light = (
        replace(each, source=each.source._replace(registry=name))
        for each, name in zip(large_plan(8).changes[2::5], ("heavy.io", "light.io"), strict=True)
    )
    plan = replace(large_plan(8), changes=(heavy, light))
    picture = laid_out(scene_of(plan))
    widths = {flow.y1: flow.width for flow in picture.flows if flow.x1 < picture.bands[0].box.x}
    of_heavy, of_light = (
        next(width for y, width in widths.items() if box.y < y < box.y + box.height)
        for box in (picture.sources["heavy.io"], picture.sources["light.io"])
    )
    sent = [plan.bytes_to_send([each]) for each in (heavy, light)]
    assert of_heavy / of_light == pytest.approx(sent[0] / sent[1])


def rows(picture: Picture) -> dict[str, tuple[int, int]]:
    """The bytes of each row: its own, and those that it shares."""
    return {row.name: (row.own, row.shared) for band in picture.bands for row, _ in band.rows}


def test_a_shared_layer_belongs_to_the_first_that_needs_it() -> None:
    found = rows(laid_out(scene_of(full_plan())))
    base, held = 30 * MIB, 12 * MIB
    assert found["kube-apiserver:v1.35.2"][0] > base
    assert found["kube-scheduler:v1.35.2"][1] == base
    assert found["etcd:3.6.8-0"][1] == held
    assert sum(own for own, _ in found.values()) == full_plan().bytes_to_send(full_plan().pending)


def test_many_images_become_folders_with_counts() -> None:
    few, many = scene_of(large_plan(MOST_ROWS)), scene_of(large_plan(MOST_ROWS + 25))
    assert sum(len(band.rows) for band in few.bands) == MOST_ROWS
    assert next(row.name for band in many.bands for row in band.rows) == "mirror/team-000   +25"
    assert sum(len(band.rows) for band in many.bands) == MOST_ROWS // 25 + 1


def test_very_many_folders_become_their_first_components() -> None:
    (band,) = scene_of(very_large_plan()).bands
    assert [row.name for row in band.rows] == ["mirror   +3025"]


def test_what_is_blocked_is_drawn_as_stopped() -> None:
    plan = Plan(
        (change("blocked", "docker.io/a/b:1", f"{CORP}/a/b:1", reason="denied"),),
        namespaces=(Namespace(CORP, "a", "project", "blocked", repositories=("a/b",)),),
    )
    assert svg(plan).count('class="flow stopped"') == 2
    assert 'class="box blocked"' in svg(plan)
    assert "blocked: b:1: denied" in titles(plan)


def test_the_picture_of_the_readme_is_one_of_ours() -> None:
    assert PICTURE.read_text("utf-8") == picture(), "python -m tests.plans writes it anew"
