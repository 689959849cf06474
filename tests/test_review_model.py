"""The review without its drawing: selection, figures, filters, groups."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest

from planner.core.content import OCI_INDEX, OCI_MANIFEST, Manifest, digest_of
from planner.core.place import Place
from planner.core.plan import PENDING, Change, Op, Plan
from planner.core.refs import ImageRef, parse_canonical
from planner.ui.plan.groups import group_of
from planner.ui.review.model import PlanModel

HOST = "registry.corp:5000"
SEEDS = range(20)


def blob(name: str, size: int) -> dict[str, Any]:
    return {"mediaType": "application/x", "digest": digest_of(name.encode()), "size": size}


def image(*blobs: dict[str, Any]) -> Manifest:
    config, *layers = blobs
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}
    return Manifest(OCI_MANIFEST, json.dumps(document).encode())


def index(*manifests: Manifest) -> Manifest:
    listed = [
        {
            "mediaType": OCI_MANIFEST,
            "digest": each.digest,
            "size": len(each.data),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for each, architecture in zip(manifests, ("amd64", "arm64"), strict=False)
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}
    return Manifest(OCI_INDEX, json.dumps(document).encode())


def change(op: Op, target: str, manifest: Manifest, source: str = "", reason: str = "") -> Change:
    name = parse_canonical(target)
    origin = parse_canonical(source) if source else ImageRef("docker.io", name.repository, name.tag)
    current = {
        "move": digest_of(target.encode()),
        "repair": manifest.digest,
        "same": manifest.digest,
    }
    digest = "" if op == "blocked" else manifest.digest
    return Change(op, name, origin, digest, current.get(op, ""), reason)


def plan_of(changes: Iterable[Change], *manifests: Manifest, **rest: Any) -> Plan:
    return Plan(tuple(changes), {each.digest: each for each in manifests}, **rest)


ONE = image(blob("config 1", 10), blob("base", 5_000), blob("top 1", 2_000_000))
TWO = image(blob("config 2", 20), blob("base", 5_000), blob("top 2", 300))
BOTH = index(ONE, TWO)
SMALL = plan_of(
    (
        change("create", f"{HOST}/k8s/pause:3.10", ONE, "registry.k8s.io/pause:3.10"),
        change("move", f"{HOST}/k8s/etcd:3.5", TWO, "registry.k8s.io/etcd:3.5"),
        change("repair", f"{HOST}/addons/dns:1", BOTH, "quay.io/addons/dns:1", "1 part is gone"),
        change("blocked", f"{HOST}/addons/coredns:1", ONE, "quay.io/coredns:1", "Not Found"),
        change("same", f"{HOST}/addons/there:1", ONE, "quay.io/there:1"),
    ),
    ONE,
    TWO,
    BOTH,
)
PAUSE, ETCD, DNS, COREDNS, THERE = range(5)


def random_plan(seed: int) -> Plan:
    """Few blobs, repositories and registries, so that much is shared."""
    choose = random.Random(seed)
    blobs = [blob(f"blob {number}", choose.randint(1, 10**6)) for number in range(12)]
    images = [image(*choose.sample(blobs, choose.randint(1, 5))) for _ in range(6)]
    manifests = [*images, *(index(*choose.sample(images, 2)) for _ in range(3))]
    places = [Place(host, name) for host in ("one", "two") for name in ("a/b", "a/c", "d")]
    changes = [
        change(
            choose.choice(("create", "create", "move", "repair", "blocked", "same")),
            f"{place}:{tag}",
            each,
        )
        for place in places
        for tag, each in enumerate(choose.sample(manifests, 4))
    ]
    changes += [
        change("create", f"{place}@{each.digest}", each) for place in places for each in images[:2]
    ]
    present = {
        each["digest"]: tuple(choose.sample(places, choose.randint(0, 2))) for each in blobs[:6]
    }
    return plan_of(changes, *manifests, present=present)


def chosen_bytes(model: PlanModel) -> int:
    return model.plan.bytes_to_send(model.selection.changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_bytes_follow_every_toggle_as_if_counted_anew(seed: int) -> None:
    choose = random.Random(seed)
    model = PlanModel(random_plan(seed))
    assert model.selection.bytes_to_send == chosen_bytes(model)
    for _ in range(40):
        model.toggle(choose.choice(model.rows))
        assert model.selection.bytes_to_send == chosen_bytes(model)


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_and_boxes_agree_with_what_is_selected(seed: int) -> None:
    choose = random.Random(seed)
    model = PlanModel(random_plan(seed))
    for _ in range(40):
        model.toggle(choose.choice(model.rows))
        chosen = model.selection.changes
        for op in PENDING:
            assert model.selection.counts[op] == sum(each.op == op for each in chosen)
        for name in (row for row in model.rows if isinstance(row, str)):
            boxes = {model.box(row) for row in model.members(name)} - {""}
            assert model.box(name) == (
                "" if not boxes else boxes.pop() if len(boxes) == 1 else "some"
            )


@pytest.mark.parametrize("seed", SEEDS)
def test_toggling_twice_ends_where_it_started_when_nothing_is_tied(seed: int) -> None:
    plan = random_plan(seed)
    model = PlanModel(
        plan_of((each for each in plan.changes if each.target.tag), *plan.manifests.values())
    )
    for row in (row for row in model.rows if isinstance(row, int)):
        before = model.selection.changes
        model.toggle(row)
        model.toggle(row)
        assert model.selection.changes == before


@pytest.mark.parametrize("seed", SEEDS)
def test_sizes_of_rows_are_those_of_the_plan(seed: int) -> None:
    model = PlanModel(random_plan(seed))
    for row in model.rows:
        members = (model.plan.changes[each] for each in model.members(row))
        changes = [each for each in members if each.is_pending]
        assert model.size(row) == model.plan.total_bytes(changes)
        assert model.cost(row) == model.plan.bytes_to_send(changes)


def test_own_cost_is_what_dropping_an_image_saves() -> None:
    model = PlanModel(SMALL)
    model.toggle(DNS)
    before, own = model.selection.bytes_to_send, model.selection.own_cost(PAUSE)
    model.toggle(PAUSE)
    assert (own, model.selection.bytes_to_send) == (2_000_010, before - 2_000_010)


def test_all_that_is_pending_is_selected_at_first() -> None:
    assert PlanModel(SMALL).selection.changes == SMALL.pending


@pytest.mark.parametrize("row", [COREDNS, THERE])
def test_blocked_and_same_rows_cannot_be_selected(row: int) -> None:
    model = PlanModel(SMALL)
    model.show_same(shown=True)
    assert (model.box(row), model.toggle(row), row in model.selection) == ("", frozenset(), False)


def test_a_group_of_blocked_rows_has_no_box() -> None:
    model = PlanModel(SMALL)
    model.narrow("blocked")
    assert [model.box(row) for row in model.rows] == ["", ""]


def test_the_box_of_a_group_has_three_states() -> None:
    model = PlanModel(SMALL)
    name = f"{HOST}/k8s"
    seen = [model.box(name)]
    for row in (PAUSE, ETCD, name):
        model.toggle(row)
        seen.append(model.box(name))
    assert seen == ["all", "some", "none", "all"]


def test_a_partly_selected_group_becomes_wholly_selected_first() -> None:
    model = PlanModel(SMALL)
    model.toggle(PAUSE)
    model.toggle(f"{HOST}/k8s")
    assert PAUSE in model.selection


def test_an_index_and_a_part_of_it_wanted_by_digest_go_together() -> None:
    part = change("create", f"{HOST}/addons/dns@{ONE.digest}", ONE)
    model = PlanModel(
        plan_of((change("create", f"{HOST}/addons/dns:1", BOTH), part), ONE, TWO, BOTH)
    )
    assert model.toggle(1) == {0, 1}  # without the part there is no index
    assert model.toggle(0) == {0, 1}
    assert model.toggle(0) == {0}  # the part can stand alone


def test_two_changes_of_one_tag_go_together() -> None:
    pinned = change("create", f"{HOST}/k8s/pause:3.10@{ONE.digest}", ONE)
    model = PlanModel(plan_of((change("create", f"{HOST}/k8s/pause:3.10", ONE), pinned), ONE))
    assert model.toggle(1) == {0, 1}
    assert not model.selection


def test_the_same_part_in_another_repository_is_independent() -> None:
    part = change("create", f"{HOST}/other@{ONE.digest}", ONE)
    model = PlanModel(plan_of((change("create", f"{HOST}/dns:1", BOTH), part), ONE, TWO, BOTH))
    assert model.toggle(1) == {1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("", {PAUSE, ETCD, DNS, COREDNS, THERE}, id="empty"),
        pytest.param("pause", {PAUSE}, id="word"),
        pytest.param("PAUSE", {PAUSE}, id="case"),
        pytest.param("pause:3.10", {PAUSE}, id="word-with-colon"),
        pytest.param("quay.io dns", {DNS, COREDNS}, id="and"),
        pytest.param("not", {COREDNS}, id="reason"),
        pytest.param("/etcd|pause/", {PAUSE, ETCD}, id="regex"),
        pytest.param("/K8S.PAUSE/", {PAUSE}, id="regex-case"),
        pytest.param("/k8s/pause/", {PAUSE}, id="regex-with-slash"),
        pytest.param("/part is/", {DNS}, id="regex-with-blank"),
        pytest.param("!quay.io", {PAUSE, ETCD}, id="not"),
        pytest.param("!/etcd|pause/ !there", {DNS, COREDNS}, id="not-regex"),
        pytest.param("!", {PAUSE, ETCD, DNS, COREDNS, THERE}, id="not-nothing-yet"),
        pytest.param("op:create", {PAUSE}, id="op"),
        pytest.param("op:+", {PAUSE}, id="op-create"),
        pytest.param("op:~", {ETCD}, id="op-move"),
        pytest.param("op:r", {DNS}, id="op-repair"),
        pytest.param("op:=", {THERE}, id="op-same"),
        pytest.param("op:!", {COREDNS}, id="op-blocked"),
        pytest.param("!op:!", {PAUSE, ETCD, DNS, THERE}, id="not-op"),
        pytest.param("repo:k8s", {PAUSE, ETCD}, id="repo"),
        pytest.param("src:quay.io", {DNS, COREDNS, THERE}, id="src"),
        pytest.param("size:>1MiB", {PAUSE, DNS}, id="larger"),
        pytest.param("size:>=2005010 size:<2.1MB", {PAUSE, DNS}, id="between"),
        pytest.param("size:<=5320 op:move", {ETCD}, id="at-most"),
        pytest.param("size:<1k", {COREDNS, THERE}, id="smaller"),
        pytest.param("blocked", {COREDNS}, id="blocked"),
        pytest.param("selected", {ETCD, DNS}, id="selected"),
        pytest.param("!selected op:create", {PAUSE}, id="not-selected"),
        pytest.param("[red]", set(), id="markup"),
        pytest.param("unknown:field", set(), id="unknown-field-is-a-word"),
    ],
)
def test_filters(text: str, found: set[int]) -> None:
    model = PlanModel(SMALL)
    model.show_same(shown=True)
    model.toggle(PAUSE)
    assert model.narrow(text) == ""
    assert {row for row in model.rows if isinstance(row, int)} == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("/(/", "/(/ is not a regular expression: missing )", id="regex"),
        pytest.param("/abc", "/abc has no closing /", id="open-regex"),
        pytest.param("op:copy", "op:copy is none of delete - create +", id="op"),
        pytest.param("op:", "op: is none of", id="op-unfinished"),
        pytest.param("size:10", "size:10 is not like size:>10MiB", id="size"),
        pytest.param("size:>10XB", "size:>10xb is not like", id="unit"),
    ],
)
def test_a_wrong_filter_is_explained_and_changes_nothing(text: str, said: str) -> None:
    model = PlanModel(SMALL)
    model.narrow("pause")
    before = model.rows
    assert model.narrow(text).startswith(said)
    assert (model.rows, model.filter_text) == (before, "pause")


def test_a_filter_narrows_what_a_group_selects() -> None:
    model = PlanModel(SMALL)
    model.narrow("etcd")
    assert model.toggle(f"{HOST}/k8s") == {ETCD}
    assert PAUSE in model.selection


def test_all_or_none_of_what_is_shown() -> None:
    model = PlanModel(SMALL)
    model.narrow("repo:k8s")
    assert model.toggle_all() == {PAUSE, ETCD}
    model.narrow("")
    assert model.toggle_all() == {PAUSE, ETCD}
    assert model.toggle_all() == {PAUSE, ETCD, DNS}


def test_what_is_in_sync_is_hidden_until_asked_for() -> None:
    model = PlanModel(SMALL)
    assert THERE not in model.rows
    model.show_same(shown=True)
    assert THERE in model.rows


def test_grouping_goes_round() -> None:
    model = PlanModel(SMALL)
    seen = []
    for _ in range(6):
        seen.append((model.grouping, [row for row in model.rows if isinstance(row, str)]))
        model.next_grouping()
    assert seen == [
        ("repository", [f"{HOST}/addons", f"{HOST}/k8s"]),
        ("source", ["quay.io", "registry.k8s.io"]),
        ("cluster", ["needed by no cluster that is known"]),
        ("action", ["blocked", "move", "repair", "create"]),
        ("flat", []),
        ("repository", [f"{HOST}/addons", f"{HOST}/k8s"]),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_grouping_shows_every_change_once(seed: int) -> None:
    model = PlanModel(random_plan(seed))
    model.show_same(shown=True)
    for _ in range(5):
        shown = [row for row in model.rows if isinstance(row, int)]
        assert sorted(shown) == list(range(len(model.plan.changes)))
        model.next_grouping()


def test_groups_are_those_of_the_plan_as_text() -> None:
    model = PlanModel(SMALL)
    for row in (row for row in model.rows if isinstance(row, int)):
        assert model.group(row).name == group_of(SMALL.changes[row])


@pytest.mark.parametrize(
    ("times", "order"),
    [
        pytest.param(0, [COREDNS, ETCD, DNS, PAUSE], id="danger"),
        pytest.param(1, [COREDNS, DNS, ETCD, PAUSE], id="name"),
        pytest.param(2, [DNS, PAUSE, ETCD, COREDNS], id="size"),
        pytest.param(3, [COREDNS, ETCD, DNS, PAUSE], id="danger-again"),
    ],
)
def test_sorting_goes_round(times: int, order: list[int]) -> None:
    model = PlanModel(SMALL)
    while model.grouping != "flat":
        model.next_grouping()
    for _ in range(times):
        model.next_sorting()
    assert list(model.rows) == order


def test_a_collapsed_group_keeps_its_heading_and_its_selection() -> None:
    model = PlanModel(SMALL)
    name = f"{HOST}/k8s"
    model.collapse(name, collapsed=True)
    assert (PAUSE in model.rows, name in model.rows, PAUSE in model.selection) == (
        False,
        True,
        True,
    )
    assert model.rows[model.position(PAUSE)] == name
    model.collapse(name, collapsed=False)
    assert model.rows[model.position(PAUSE)] == PAUSE


def test_problems_are_found_one_after_the_other_and_round() -> None:
    model = PlanModel(SMALL)
    model.collapse(f"{HOST}/k8s", collapsed=True)
    row, seen = model.rows[0], []
    for _ in range(4):
        row = model.next_problem(row, 1) or ""
        seen.append(row)
    assert seen == [COREDNS, DNS, ETCD, COREDNS]
    assert model.next_problem(COREDNS, -1) == ETCD


def test_there_is_no_problem_where_all_is_new() -> None:
    model = PlanModel(plan_of([change("create", f"{HOST}/pause:1", ONE)], ONE))
    assert model.next_problem(model.rows[0], 1) is None


def test_names_leave_out_what_rows_share() -> None:
    model = PlanModel(SMALL)
    seen = [model.name(PAUSE)]
    model.next_grouping()
    seen.append(model.name(PAUSE))
    assert seen == ["pause:3.10", "k8s/pause:3.10"]


def test_names_cannot_steer_the_terminal() -> None:
    hostile = change("create", f"{HOST}/a/b\x1b[2J\n\u202e:1", ONE)
    model = PlanModel(plan_of([hostile], ONE))
    assert model.name(0) == "b\\x1b[2J \\u202e:1"


def test_an_empty_plan_has_no_rows() -> None:
    model = PlanModel(plan_of(()))
    assert (list(model.rows), model.toggle_all(), model.next_problem(None, 1)) == (
        [],
        frozenset(),
        None,
    )


def test_the_model_loads_no_drawing_library() -> None:
    code = "import sys, planner.ui.review.model as m; print({'textual', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_signature_goes_only_with_the_image_that_it_is_about() -> None:
    place, digest = f"{HOST}/a/b", ONE.digest
    names = ("1", "also", f"{digest.replace(':', '-')}.sig", "2")
    held = (digest, digest, TWO.digest, TWO.digest)
    changes = [
        Change(
            "delete", parse_canonical(f"{place}:{tag}"), parse_canonical(f"{place}:{tag}"), "", of
        )
        for tag, of in zip(names, held, strict=True)
    ]
    model = PlanModel(plan_of(changes))
    assert model.toggle(0) == {0, 2}
    assert model.toggle(2) == {0, 2}
    model.toggle(3)
    assert model.toggle(1) == {1, 2}
