"""Plans as files: the same bytes each time, nothing secret, nothing altered unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from planner.core.content import Descriptor, digest_of
from planner.core.errors import InputError
from planner.core.family import Because
from planner.core.place import Place
from planner.core.plan import Access, Change, Input, Plan
from planner.core.plan_file import from_json, plan_id, to_json, totals
from planner.core.refs import ImageRef
from tests.making import MIRROR, OTHER, make_index, make_manifest, make_random_plan

A, B, C = (Descriptor(digest_of(each), 10**n, "x") for n, each in enumerate((b"a", b"b", b"c")))


def make_change(name: str, digest: str, **more: Any) -> Change:
    source = ImageRef("docker.io", f"s/{name}", "1")
    options: dict[str, Any] = {"op": "create", "digest": digest, **more}
    return Change(target=source.moved_to(MIRROR, name), source=source, **options)


def make_plan(*images: tuple[str, tuple[Descriptor, ...]], **more: Any) -> Plan:
    manifests = {name: make_manifest(blobs) for name, blobs in images}
    changes = tuple(make_change(name, each.digest) for name, each in manifests.items())
    return Plan(changes, {each.digest: each for each in manifests.values()}, **more)


FULL = replace(
    make_plan(("one", (A, B)), ("two", (A, C))),
    present={A.digest: (Place(MIRROR, "z"), Place(MIRROR, "a"))},
    inputs=(Input("cluster/registries.yaml", "00" * 32, "k3s"),),
    access=Access("oci:in", "https://x", {"r.corp": "http"}, {"docker.io": "oci:in"}),
)


def text(plan: Plan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_json(plan))
    return document


def test_a_plan_comes_back() -> None:
    again = from_json(to_json(FULL), "p")
    assert (again.changes, again.manifests) == (FULL.changes, FULL.manifests)
    assert (again.inputs, again.access, plan_id(again)) == (FULL.inputs, FULL.access, plan_id(FULL))
    assert to_json(again) == to_json(FULL)


@settings(max_examples=40, deadline=None)
@given(seed=some.integers(0, 10_000))
def test_any_plan_comes_back(seed: int) -> None:
    plan = make_random_plan(seed)
    assert to_json(from_json(to_json(plan), "p")) == to_json(plan)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("\ud800", id="lone-surrogate"),
        pytest.param("\u202e\x1b[31m", id="escapes"),
        pytest.param("日本", id="unicode"),
        pytest.param('"\\\n', id="quotes"),
    ],
)
def test_odd_words_of_others_come_back(odd: str) -> None:
    change = replace(
        FULL.changes[0], reason=odd, platforms=(odd,), because=(Because(odd, 1, 1, odd),)
    )
    plan = replace(FULL, changes=(change,))
    assert from_json(to_json(plan), "p").changes == (change,)


def test_equal_plans_are_equal_bytes_whatever_the_order_of_their_content() -> None:
    other = replace(
        FULL,
        manifests={each: FULL.manifests[each] for each in reversed(list(FULL.manifests))},
        present={each: tuple(reversed(places)) for each, places in FULL.present.items()},
    )
    assert to_json(other) == to_json(FULL)


def test_a_plan_is_readable_text() -> None:
    data = to_json(FULL)
    assert data.endswith(b"}\n")
    assert text(FULL)["format"] == "planner.plan/1"
    assert text(FULL)["id"] == plan_id(FULL)


@pytest.mark.parametrize(
    "path",
    [
        ("changes", 0, "digest"),
        ("changes", 0, "target"),
        ("changes", 0, "op"),
        ("inputs", 0, "sha256"),
        ("access", "write_to"),
        ("access", "endpoints", "docker.io"),
        ("planner",),
        ("id",),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_a_changed_plan_is_refused(path: tuple[Any, ...]) -> None:
    document = text(FULL)
    place: Any = document
    for each in path[:-1]:
        place = place[each]
    place[path[-1]] = place[path[-1]] + "0"
    with pytest.raises(InputError, match=r"p\.json: the plan was changed after it was saved"):
        from_json(json.dumps(document).encode(), "p.json")


def test_a_changed_manifest_is_refused() -> None:
    data = to_json(FULL).replace(b'\\"size\\": 10}', b'\\"size\\": 11}')
    assert data != to_json(FULL)
    with pytest.raises(InputError, match="changed after it was saved"):
        from_json(data, "p")


def test_a_manifest_under_anothers_digest_is_refused() -> None:
    one, two = FULL.manifests.values()
    swapped = replace(FULL, manifests={one.digest: two, two.digest: one})
    with pytest.raises(InputError, match="damaged"):
        from_json(to_json(swapped), "p")


def test_a_plan_that_lacks_a_manifest_is_refused() -> None:
    lacking = replace(FULL, manifests=dict([*FULL.manifests.items()][1:]))
    with pytest.raises(InputError, match="damaged"):
        from_json(to_json(lacking), "p")


def test_a_plan_of_another_release_is_read() -> None:
    document = {**text(FULL), "planner": "99.0.0", "added": {"later": 1}}
    document.pop("id")
    body = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    document["id"] = digest_of(body)
    assert from_json(json.dumps(document).encode(), "p").changes == FULL.changes


def test_a_plan_carries_its_figures() -> None:
    assert text(FULL)["totals"] == totals(FULL)


@pytest.mark.parametrize("stated", ["planner.plan/2", "planner.plan/0"])
def test_another_format_is_refused_with_both_names(stated: Any) -> None:
    data = json.dumps({**text(FULL), "format": stated}).encode()
    with pytest.raises(InputError) as caught:
        from_json(data, "p.json")
    assert caught.value.message == f"p.json: expected format planner.plan/1, got {stated}"
    assert caught.value.exit_code == 65


@pytest.mark.parametrize("stated", ["planner.inventory/1", "other/1", 7, None])
def test_a_file_of_another_kind_is_called_what_it_is(stated: Any) -> None:
    data = json.dumps({**text(FULL), "format": stated}).encode()
    with pytest.raises(InputError) as caught:
        from_json(data, "p.json")
    assert caught.value.message == f"p.json: this is not a saved plan, but {stated}"
    assert caught.value.hint == "make one with planner plan -o FILE"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"7", b"null", b'"x"', b"{}", b"\xff", b"a: b", b"[" * 200_000],
    ids=lambda data: repr(data[:9]),
)
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"p\.json: this is not a saved plan"):
        from_json(data, "p.json")


@pytest.mark.parametrize("key", ["changes", "content", "inputs", "access", "id"])
@pytest.mark.parametrize("value", [None, 7, [7], {"x": 7}], ids=repr)
def test_a_damaged_plan_is_refused(key: str, value: Any) -> None:
    with pytest.raises(InputError, match=r"p: the plan (is damaged|was changed)"):
        from_json(json.dumps({**text(FULL), key: value}).encode(), "p")


@pytest.mark.parametrize("key", ["changes", "content", "inputs", "access", "id"])
def test_a_plan_that_lacks_something_is_refused(key: str) -> None:
    document = {name: value for name, value in text(FULL).items() if name != key}
    with pytest.raises(InputError, match=r"p: the plan (is damaged|was changed)"):
        from_json(json.dumps(document).encode(), "p")


def test_blobs_are_those_of_all_platforms() -> None:
    images = [make_manifest((A, B)), make_manifest((A, C))]
    index = make_index(images)
    change = make_change("x", index.digest)
    plan = Plan((change,), {each.digest: each for each in (index, *images)})
    assert plan.blobs(change) == {A.digest: A, B.digest: B, C.digest: C}


def test_what_is_not_pending_has_no_blobs() -> None:
    plan = Plan((make_change("x", digest_of(b"?"), op="same"),))
    assert plan.blobs(plan.changes[0]) == {}
    assert plan.pending == ()


def test_bytes_are_counted_once_per_repository() -> None:
    plan = make_plan(("one", (A, B)), ("two", (A, C)))
    twice = replace(plan, changes=(*plan.changes, replace(plan.changes[0], op="move")))
    assert plan.total_bytes(plan.pending) == 2 * A.size + B.size + C.size
    assert twice.total_bytes(twice.pending) == plan.total_bytes(plan.pending)


def test_bytes_to_send_are_counted_once_per_registry() -> None:
    plan = make_plan(("one", (A, B)), ("two", (A, C)))
    away = [
        replace(each, target=each.target.moved_to(OTHER, each.target.repository))
        for each in plan.changes
    ]
    both = replace(plan, changes=(*plan.changes, *away))
    assert plan.bytes_to_send(plan.pending) == A.size + B.size + C.size
    assert both.bytes_to_send(both.pending) == 2 * plan.bytes_to_send(plan.pending)


def test_bytes_that_the_registry_has_are_not_sent() -> None:
    plan = make_plan(("one", (A, B)), present={A.digest: (Place(MIRROR, "elsewhere"),)})
    assert plan.bytes_to_send(plan.pending) == B.size
    other = replace(plan, present={A.digest: (Place(OTHER, "one"),)})
    assert other.bytes_to_send(other.pending) == A.size + B.size


@settings(max_examples=60, deadline=None)
@given(seed=some.integers(0, 10_000))
def test_bytes_to_send_agree_with_counting_by_hand(seed: int) -> None:
    plan = make_random_plan(seed)
    needed: dict[tuple[str, str], int] = {}
    for change in plan.pending:
        todo = [plan.manifests[change.digest]]
        for manifest in todo:
            todo.extend(plan.manifests[each.digest] for each in manifest.children)
            for blob in manifest.blobs:
                needed[change.target.registry, blob.digest] = blob.size
    for digest, places in plan.present.items():
        for place in places:
            needed.pop((place.registry, digest), None)
    assert plan.bytes_to_send(plan.pending) == sum(needed.values())
