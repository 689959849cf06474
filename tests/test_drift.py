"""What moved since the last apply: marked in the plan, told on top of its text, and never asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.core import schema
from planner.core.content import digest_of
from planner.core.drift import with_drift
from planner.core.plan import Access, Change, Drift, Op, Plan
from planner.core.plan_file import from_json, to_json
from planner.core.record import Record, Written
from planner.core.refs import parse_image
from planner.ui.cli import main
from planner.ui.cost_text import drift_note
from planner.ui.review.details import details_text
from planner.ui.review.model import PlanModel
from tests.making import MIRROR, World, make_world

OLD, NEW, ALIEN = (digest_of(each) for each in (b"old", b"new", b"alien"))
SOURCE, TARGET = "docker.io/a/one:1", "registry.corp/a/one:1"
LAST = Record({MIRROR: {TARGET: Written(OLD, SOURCE, "2026-01-01T00:00:00Z", "sha256:1")}})


def change(op: Op, digest: str, current: str, source: str = SOURCE, drift: Drift = "") -> Change:
    names = parse_image(TARGET), parse_image(source)
    return Change(op, *names, digest, current, drift=drift)


def drift_of(plan: Plan, record: Record = LAST, pinned: frozenset[Any] = frozenset()) -> Drift:
    (marked,) = with_drift(plan, record, lambda registry: registry, pinned).changes
    return marked.drift


@pytest.mark.parametrize(
    ("made", "drift"),
    [
        pytest.param(change("same", OLD, OLD), "", id="nothing"),
        pytest.param(change("move", NEW, OLD), "source", id="source"),
        pytest.param(change("move", OLD, ALIEN), "target", id="target"),
        pytest.param(change("move", NEW, ALIEN), "both", id="both"),
        pytest.param(change("same", NEW, NEW), "both", id="both-to-the-same"),
        pytest.param(change("create", OLD, ""), "target", id="gone"),
        pytest.param(change("move", NEW, OLD, "quay.io/a/one:1"), "", id="another-source"),
        pytest.param(change("blocked", "", ""), "", id="not-asked"),
        pytest.param(change("blocked", "", OLD), "", id="source-gone"),
        pytest.param(change("blocked", "", ALIEN), "target", id="blocked-and-moved"),
        pytest.param(change("delete", "", OLD, TARGET), "", id="delete"),
        pytest.param(change("delete", "", ALIEN, TARGET), "target", id="delete-what-moved"),
    ],
)
def test_a_side_moved_when_it_holds_something_else(made: Change, drift: Drift) -> None:
    assert drift_of(Plan((made,))) == drift


def test_what_was_never_applied_did_not_move() -> None:
    assert drift_of(Plan((change("move", NEW, ALIEN),)), Record()) == ""
    other = Record({"oci:/mirror": LAST.targets[MIRROR]})
    assert drift_of(Plan((change("move", NEW, ALIEN),)), other) == ""


def test_what_was_not_asked_did_not_move() -> None:
    plan = Plan((change("move", NEW, ALIEN),))
    assert drift_of(plan, pinned=frozenset({parse_image(SOURCE)})) == "target"
    recorded = Plan(plan.changes, access=Access(inventories={MIRROR: "inventory.json"}))
    assert drift_of(recorded) == "source"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        pytest.param([("move", "")], "", id="none"),
        pytest.param(
            [("move", "target"), ("create", "target")],
            "Note: 2 tags changed on the target since the last apply and are part of this plan (marked *).",
            id="target",
        ),
        pytest.param(
            [("move", "source")],
            "Note: 1 tag changed at the source since the last apply and is part of this plan (marked *).",
            id="source",
        ),
        pytest.param(
            [("move", "both"), ("move", "source"), ("same", "both"), ("blocked", "target")],
            "Note: 1 tag changed on the target, 2 tags changed at the source since the last apply,"
            " and are part of this plan (marked *).\n"
            "      Other drift: 1 tag moved and is in sync again, 1 tag moved and is blocked.",
            id="all",
        ),
        pytest.param(
            [("same", "both")],
            "Note: since the last apply, 1 tag moved and is in sync again.",
            id="only-other",
        ),
    ],
)
def test_the_note_tells_what_is_part_of_the_plan_first(
    changes: list[tuple[Op, Drift]], note: str
) -> None:
    made = [change(op, NEW, OLD, drift=drift) for op, drift in changes]
    assert drift_note(Plan(tuple(made))) == note


def test_drift_is_saved_with_the_plan() -> None:
    plan = Plan((change("blocked", NEW, ALIEN, drift="both"),))
    assert from_json(to_json(plan), "f") == plan
    document = json.loads(to_json(plan))
    assert document["totals"]["drifted"] == 1
    assert schema.violations("formats/plan", document) == []


def test_the_review_tells_which_side_moved() -> None:
    model = PlanModel(Plan((change("move", NEW, ALIEN, drift="both"),)))
    assert "source and target moved since the last apply" in details_text(model, 0, 80).plain


# Commands.

Planned = Callable[..., str]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A project that was applied once."""
    with make_world(tmp_path) as world:
        for name in ("one", "two"):
            world.upstream.add_image(f"a/{name}", "1", [name.encode()])
        (tmp_path / "planner.yaml").write_text(
            "version: 1\nregistries:\n"
            f"  docker.io: {{endpoint: '{world.upstream.url}'}}\n"
            f"  {MIRROR}: {{endpoint: '{world.mirror.url}'}}\n"
            "clusters: [{name: c, spec: registries.yaml, images: [images.txt]}]\n"
        )
        (tmp_path / "registries.yaml").write_text(
            f"mirrors: {{docker.io: {{endpoint: ['https://{MIRROR}']}}}}\n"
        )
        (tmp_path / "images.txt").write_text("a/one:1\na/two:1\n")
        monkeypatch.chdir(tmp_path)
        assert main(["apply", "--auto-approve"]) == 0
        yield world


@pytest.fixture
def planned(capsys: pytest.CaptureFixture[str], world: World) -> Planned:
    def plan(*words: str) -> str:
        capsys.readouterr()
        assert main(["plan", *words]) == 0
        return capsys.readouterr().out

    return plan


def drifts(text: str) -> list[tuple[str, str]]:
    return [(each["op"], each["drift"]) for each in json.loads(text)["changes"]]


def test_a_plan_marks_what_moved_on_either_side(world: World, planned: Planned) -> None:
    assert "Note" not in planned()
    world.mirror.add_image("a/one", "1", [b"alien"])
    world.upstream.add_image("a/two", "1", [b"newer"])
    text = planned()
    assert "Note: 1 tag changed on the target, 1 tag changed at the source since" in text
    assert text.count("\n  ~* ") == 2
    assert planned("--concise").count("  ~* ") == 2
    assert drifts(planned("--format", "json")) == [("move", "target"), ("move", "source")]


def test_what_was_brought_in_sync_by_others_is_other_drift(world: World, planned: Planned) -> None:
    for fake in (world.mirror, world.upstream):
        fake.add_image("a/one", "1", [b"newer"])
    assert "Note: since the last apply, 1 tag moved and is in sync again." in planned()


def test_marks_cost_no_requests(world: World, planned: Planned) -> None:
    def asked() -> int:
        return len(world.mirror.requests) + len(world.upstream.requests)

    costs = []
    for record in (True, False):
        if not record:
            Path(".planner/record.json").unlink()
        before = asked()
        planned()
        costs.append(asked() - before)
    assert costs[0] == costs[1]


def test_applying_again_ends_the_drift(world: World, planned: Planned) -> None:
    world.mirror.add_image("a/one", "1", [b"alien"])
    assert main(["apply", "--auto-approve"]) == 0
    assert drifts(planned("--format", "json")) == [("same", ""), ("same", "")]


def test_a_copy_elsewhere_says_nothing_about_the_registry(world: World, planned: Planned) -> None:
    world.upstream.add_image("a/one", "1", [b"newer"])
    assert main(["apply", "--auto-approve", "--to", "oci:copy"]) == 0
    assert drifts(planned("--format", "json")) == [("move", "source"), ("same", "")]
    assert drifts(planned("--format", "json", "--to", "oci:copy")) == [("same", ""), ("same", "")]


def test_a_saved_plan_shows_its_marks(
    world: World, planned: Planned, capsys: pytest.CaptureFixture[str]
) -> None:
    world.mirror.add_image("a/one", "1", [b"alien"])
    planned("-o", "plan.json")
    world.mirror.add_image("a/one", "1", [b"alien again"])
    assert main(["show", "plan.json"]) == 0
    assert capsys.readouterr().out.count("~* ") == 1
