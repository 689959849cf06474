"""What is chosen and dropped together, against the rules said in plain words and tried out on every change."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.core.content import Manifest, digest_of
from planner.core.plan import Change, Op, Plan
from planner.core.refs import ImageRef
from planner.ui.review.model import PlanModel
from tests.test_review_model import BOTH, HOST, ONE, TWO, plan_of

PAUSE, OTHER = "k8s/pause", "k8s/other"
SOURCE = ImageRef("docker.io", "a/b", "1")


def coming(
    tag: str, manifest: Manifest, op: Op = "create", subject: str = "", repository: str = PAUSE
) -> Change:
    reference = {"tag": tag} if tag else {"digest": manifest.digest}
    current = {"create": "", "same": manifest.digest}.get(op, digest_of(b"old"))
    target = ImageRef(HOST, repository, **reference)
    return Change(op, target, SOURCE, manifest.digest, current, subject=subject)


def going(tag: str, held: str, repository: str = PAUSE) -> Change:
    target = ImageRef(HOST, repository, tag)
    return Change("delete", target, target, current=held)


def signature(manifest: Manifest, word: str = "sig") -> str:
    return f"{manifest.digest.replace(':', '-')}.{word}"


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Few names and contents, so that much belongs together."""
    manifests = st.sampled_from((ONE, TWO, BOTH))
    repositories = st.sampled_from((PAUSE, OTHER))
    ops: st.SearchStrategy[Op] = st.sampled_from(("create", "create", "move", "repair", "same"))
    images = st.builds(
        coming, st.sampled_from(("1", "2", "")), manifests, ops, st.just(""), repositories
    )
    said = st.builds(
        lambda about, op, where, word: coming(signature(about, word), THREE, op, about.digest, where),
        manifests, ops, repositories, st.sampled_from(("sig", "sbom")),
    )  # fmt: skip
    gone = st.builds(
        going,
        st.sampled_from(("0", "9", signature(ONE))),
        st.sampled_from((ONE.digest, TWO.digest)),
        repositories,
    )
    changes = draw(st.lists(st.one_of(images, said, gone), min_size=1, max_size=9))
    return plan_of(changes, ONE, TWO, BOTH, THREE)


THREE = Manifest(ONE.media_type, ONE.data.replace(b"schemaVersion", b"schemaVersion", 1) + b" ")


def inside(plan: Plan, digest: str) -> Iterator[str]:
    yield digest
    for child in plan.manifests[digest].children:
        yield from inside(plan, child.digest)


def violates(plan: Plan, chosen: set[int], index: int) -> bool:
    """Whether a chosen change cannot be without something that is not chosen."""
    change = plan.changes[index]
    near = {
        at: each
        for at, each in enumerate(plan.changes)
        if each.is_pending and each.place == change.place
    }
    if change.op == "delete":
        about = change.target.tag.partition(".")[0].replace("-", ":")
        need = {at for at, each in near.items() if each.op != "delete" or each.current == about}
        need |= {at for at, each in near.items() if each.target.tag == change.target.tag}
        return not need <= chosen
    names = {change.target.tag or change.digest, *inside(plan, change.digest)}
    need = {at for at, each in near.items() if (each.target.tag or each.digest) in names}
    if not need <= chosen:
        return True
    images = {
        at for at, each in near.items()
        if each.op != "delete" and at != index and change.subject in inside(plan, each.digest)
    }  # fmt: skip
    there = any(
        each.op == "same" and each.place == change.place and each.digest == change.subject
        for each in plan.changes
    )
    return bool(change.subject and images and not there and not images & chosen)


def in_order(plan: Plan, chosen: set[int]) -> bool:
    return not any(violates(plan, chosen, index) for index in chosen)


def chosen_in(model: PlanModel) -> set[int]:
    return {index for index in range(len(model.plan.changes)) if index in model.selection}


@settings(max_examples=400, deadline=None)
@given(plans(), st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=6))
def test_no_choice_leaves_out_what_it_needs(plan: Plan, toggles: list[tuple[bool, int]]) -> None:
    model = PlanModel(plan)
    assert in_order(plan, chosen_in(model))
    for adds, number in toggles:
        index, before = number % len(plan.changes), chosen_in(model)
        touched = (model.selection.choose if adds else model.selection.drop)([index])
        after = chosen_in(model)
        assert in_order(plan, after)
        assert touched == before ^ after
        assert (before <= after) if adds else (after <= before)
        assert (index in after) == (adds and plan.changes[index].is_pending)
        assert model.selection.bytes_to_send == plan.bytes_to_send(model.selection.changes)


@settings(max_examples=400, deadline=None)
@given(plans(), st.sets(st.integers(0, 8), min_size=1, max_size=3))
def test_no_more_is_dropped_than_must_be(plan: Plan, numbers: set[int]) -> None:
    model = PlanModel(plan)
    dropped = {number % len(plan.changes) for number in numbers}
    left = chosen_in(model) - dropped
    while not in_order(plan, left):
        left = {index for index in left if not violates(plan, left, index)}
    model.selection.drop(dropped)
    assert chosen_in(model) == left


@settings(max_examples=200, deadline=None)
@given(plans())
def test_what_an_image_costs_alone_is_what_dropping_it_saves(plan: Plan) -> None:
    model = PlanModel(plan)
    for index in chosen_in(model):
        others = [
            each for at, each in enumerate(plan.changes) if at in chosen_in(model) and at != index
        ]
        saved = plan.bytes_to_send(model.selection.changes) - plan.bytes_to_send(others)
        assert model.selection.own_cost(index) == saved


def test_the_deletion_of_an_old_tag_waits_for_what_replaces_it() -> None:
    model = PlanModel(
        plan_of([coming("2", ONE), going("1", TWO.digest), going("1", TWO.digest, OTHER)], ONE)
    )
    assert model.toggle(0) == {
        0,
        1,
    }  # the old one may be needed as long as the new one does not come
    assert model.toggle(1) == {0, 1}
    assert model.toggle(1) == {1}  # an old tag may stay
    assert 2 in model.selection


def test_a_signature_goes_and_comes_with_its_image() -> None:
    signed = [
        coming("1", ONE),
        coming("also", ONE),
        coming(signature(ONE), THREE, "create", ONE.digest),
    ]
    model = PlanModel(plan_of(signed, ONE, THREE))
    assert model.toggle(0) == {0}  # the other tag still holds the image
    assert model.toggle(1) == {1, 2}
    assert model.toggle(2) == {0, 1, 2}
    assert model.toggle(2) == {2}  # an image without its signature is an image
    assert model.toggle(0) == {0}
    assert model.toggle(0) == {0, 2}


def test_a_signature_of_what_is_there_already_is_on_its_own() -> None:
    signed = [
        coming("1", ONE, "same"),
        coming("2", ONE),
        coming(signature(ONE), THREE, "create", ONE.digest),
    ]
    model = PlanModel(plan_of(signed, ONE, THREE))
    assert model.toggle(1) == {1}
    assert 2 in model.selection


def test_a_signature_of_one_platform_goes_with_the_whole_image() -> None:
    signed = [coming("1", BOTH), coming(signature(ONE), THREE, "create", ONE.digest)]
    model = PlanModel(plan_of(signed, ONE, TWO, BOTH, THREE))
    assert model.toggle(0) == {0, 1}
    assert model.toggle(1) == {0, 1}


def test_many_tags_of_one_repository_are_tied_in_no_time() -> None:
    """Thousands of them: each tie is followed once, not for every pair."""
    count = 3_000
    changes = [coming(f"new{number}", ONE) for number in range(count)]
    changes += [going(f"old{number}", TWO.digest) for number in range(count)]
    model = PlanModel(plan_of(changes, ONE))
    assert len(model.selection.drop([0])) == count + 1
    assert len(model.selection.choose([count])) == 2
