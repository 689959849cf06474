"""The graph of steps: everything after what it needs, every blob once per registry."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from planner.core.content import Descriptor, Manifest, digest_of
from planner.core.graph import Graph, build_graph, root_id
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.refs import ImageRef
from planner.core.steps import CopyBlob, MountBlob, PutManifest, PutTag, Step, size_of
from tests.making import (
    MIRROR,
    OTHER,
    make_index,
    make_manifest,
    make_random_plan,
    needed_for,
)

A, B = (Descriptor(digest_of(each), 10 + n, "x") for n, each in enumerate((b"a", b"b")))
IMAGE, OTHER_IMAGE = make_manifest((A, B)), make_manifest((A,))
LONG = make_manifest([A] * 50)
INDEX = make_index((IMAGE, OTHER_IMAGE))
CONTENT = {each.digest: each for each in (IMAGE, OTHER_IMAGE, INDEX)}
SEEDS = some.integers(0, 100_000)
FEW = settings(max_examples=80, deadline=None)


def to(repository: str, manifest: Manifest, *, registry: str = MIRROR, tag: str = "1") -> Change:
    digest = "" if tag else manifest.digest
    source = ImageRef("docker.io", f"s/{repository}", tag, digest)
    target = source.moved_to(registry, repository)
    return Change("create", target, source, manifest.digest)


def graph_of(*changes: Change, **present: tuple[Place, ...]) -> Graph:
    held = {{"a": A, "b": B}[name].digest: places for name, places in present.items()}
    plan = Plan(changes, CONTENT, held)
    return build_graph(plan, plan.pending)


def ids(graph: Graph) -> set[str]:
    return {graph.steps[each].id for each in graph}


def test_an_image_is_its_blobs_and_then_its_tag() -> None:
    graph = graph_of(to("r", IMAGE))
    assert graph.needs[f"tag {MIRROR}/r:1"] == {
        f"blob {MIRROR}/r@{A.digest}",
        f"blob {MIRROR}/r@{B.digest}",
    }
    assert len(graph) == 3


def test_an_index_comes_after_its_children() -> None:
    graph = graph_of(to("r", INDEX))
    children = {f"manifest {MIRROR}/r@{each.digest}" for each in (IMAGE, OTHER_IMAGE)}
    assert graph.needs[f"tag {MIRROR}/r:1"] == children
    assert needed_for(graph, f"tag {MIRROR}/r:1") == ids(graph) - {f"tag {MIRROR}/r:1"}


def test_an_image_without_tag_ends_with_its_manifest() -> None:
    change = to("r", IMAGE, tag="")
    plan = Plan((change,), CONTENT)
    assert root_id(plan, change) == f"manifest {MIRROR}/r@{IMAGE.digest}"
    assert root_id(plan, change) in build_graph(plan, plan.pending)


def test_a_child_that_is_wanted_by_itself_is_one_step() -> None:
    graph = graph_of(to("r", INDEX), to("r", IMAGE, tag=""))
    assert sum(isinstance(each, PutManifest) for each in graph.steps.values()) == 2


def test_a_second_repository_mounts_from_the_first() -> None:
    graph = graph_of(to("r", OTHER_IMAGE), to("q", OTHER_IMAGE))
    mount = graph.steps[f"mount {MIRROR}/q@{A.digest}"]
    assert mount == MountBlob(
        Place(MIRROR, "q"), A.digest, 10, Place("docker.io", "s/q"), Place(MIRROR, "r")
    )
    assert graph.needs[mount.id] == {f"blob {MIRROR}/r@{A.digest}"}


def test_another_registry_gets_its_own_copy() -> None:
    graph = graph_of(to("r", OTHER_IMAGE), to("r", OTHER_IMAGE, registry=OTHER))
    copies = [each for each in graph.steps.values() if isinstance(each, CopyBlob)]
    assert {each.target.registry for each in copies} == {MIRROR, OTHER}


def test_a_blob_that_is_there_needs_no_step() -> None:
    graph = graph_of(to("r", OTHER_IMAGE), a=(Place(MIRROR, "r"),))
    assert ids(graph) == {f"tag {MIRROR}/r:1"}


def test_a_blob_that_another_repository_holds_is_mounted_from_there_at_once() -> None:
    graph = graph_of(to("r", OTHER_IMAGE), a=(Place(MIRROR, "held"), Place(OTHER, "r")))
    mount = graph.steps[f"mount {MIRROR}/r@{A.digest}"]
    assert isinstance(mount, MountBlob)
    assert mount.sibling == Place(MIRROR, "held")
    assert graph.needs[mount.id] == frozenset()


def test_a_blob_that_only_another_registry_holds_is_copied() -> None:
    graph = graph_of(to("r", OTHER_IMAGE), a=(Place(OTHER, "r"),))
    assert f"blob {MIRROR}/r@{A.digest}" in graph


def test_the_same_blob_twice_in_an_image_is_one_step() -> None:
    twice = make_manifest((A, A, A))
    plan = Plan((to("r", twice),), {twice.digest: twice})
    assert len(build_graph(plan, plan.pending)) == 2


def test_two_tags_of_one_image_share_everything_else() -> None:
    graph = graph_of(to("r", INDEX), to("r", INDEX, tag="2"))
    assert sum(isinstance(each, PutTag) for each in graph.steps.values()) == 2
    assert sum(isinstance(each, CopyBlob) for each in graph.steps.values()) == 2
    assert not any(isinstance(each, MountBlob) for each in graph.steps.values())


def test_nothing_to_change_is_no_step() -> None:
    assert len(build_graph(Plan(()), ())) == 0


@FEW
@given(seed=SEEDS)
def test_steps_come_in_an_order_that_works(seed: int) -> None:
    plan = make_random_plan(seed)
    graph = build_graph(plan, plan.pending)
    drawn = graph.as_networkx()
    assert nx.is_directed_acyclic_graph(drawn)
    order = list(graph)
    assert all(order.index(one) < order.index(other) for one, other in drawn.edges)
    assert set(order) == set(drawn)
    assert set(drawn.edges) == {(need, each) for each in order for need in graph.needs[each]}


@FEW
@given(seed=SEEDS)
def test_a_tag_waits_for_all_of_its_content(seed: int) -> None:
    plan = make_random_plan(seed)
    graph = build_graph(plan, plan.pending)
    for change in plan.pending:
        before = needed_for(graph, root_id(plan, change))
        for digest in plan.blobs(change):
            held = change.place in plan.holders(change.target.registry, digest)
            assert held or any(each.endswith(f" {change.place}@{digest}") for each in before)
        for child in plan.manifests[change.digest].children:
            assert f"manifest {change.place}@{child.digest}" in before


@FEW
@given(seed=SEEDS)
def test_copies_are_the_bytes_to_send(seed: int) -> None:
    plan = make_random_plan(seed)
    copies = [
        each
        for each in build_graph(plan, plan.pending).steps.values()
        if isinstance(each, CopyBlob)
    ]
    assert sum(each.size for each in copies) == plan.bytes_to_send(plan.pending)
    keys = [(each.target.registry, each.digest) for each in copies]
    assert len(keys) == len(set(keys))


@FEW
@given(seed=SEEDS)
def test_a_mount_waits_for_a_sibling_that_will_hold_the_blob(seed: int) -> None:
    plan = make_random_plan(seed)
    graph = build_graph(plan, plan.pending)
    for step in graph.steps.values():
        if isinstance(step, MountBlob):
            assert step.sibling.registry == step.target.registry
            held = step.sibling in plan.present.get(step.digest, ())
            assert held or f"blob {step.sibling}@{step.digest}" in needed_for(graph, step.id)


@FEW
@given(seed=SEEDS, keep=some.integers(0, 255))
def test_a_part_of_a_plan_stands_on_its_own(seed: int, keep: int) -> None:
    plan = make_random_plan(seed)
    part = [each for number, each in enumerate(plan.pending) if keep >> number & 1]
    graph = build_graph(plan, part)
    sent = sum(size_of(each) for each in graph.steps.values() if isinstance(each, CopyBlob))
    assert sent == plan.bytes_to_send(part)
    assert {root_id(plan, each) for each in part} <= set(graph)


@FEW
@given(seed=SEEDS)
def test_ids_are_unique_and_stable(seed: int) -> None:
    plan = make_random_plan(seed)
    one, other = (build_graph(plan, plan.pending) for _ in range(2))
    assert list(one.steps.items()) == list(other.steps.items())
    assert all(one.steps[each].id == each for each in one)
    assert all(a.id != b.id for a, b in combinations(one.steps.values(), 2))


@pytest.mark.parametrize(
    "step",
    [
        CopyBlob(Place(MIRROR, "r"), A.digest, 10, Place("docker.io", "r")),
        MountBlob(Place(MIRROR, "r"), A.digest, 10, Place("docker.io", "r"), Place(MIRROR, "q")),
        PutManifest(Place(MIRROR, "r"), LONG),
        PutTag(Place(MIRROR, "r"), "1", LONG),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_travels_light(step: Step) -> None:
    assert LONG.blobs
    packed = pickle.dumps(step)
    assert pickle.loads(packed) == step
    assert len(packed) < 1000 + len(LONG.data)


def test_sizes_are_those_of_blobs() -> None:
    sizes = {
        type(each).__name__: size_of(each) for each in graph_of(to("r", OTHER_IMAGE)).steps.values()
    }
    assert sizes == {"CopyBlob": 10, "PutTag": 0}


def test_a_change_that_moves_needs_the_same_steps() -> None:
    change = to("r", INDEX)
    assert ids(graph_of(replace(change, op="repair"))) == ids(graph_of(change))
