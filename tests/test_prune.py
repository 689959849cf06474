"""Pruning: what the targets hold and no spec needs, and how it goes without taking anything else along."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.config import RegistrySettings
from planner.core.errors import RegistryError
from planner.core.events import Event, ImageFailed, StepDone
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.plan_file import from_json, to_json
from planner.prepare import make_plan
from planner.prune import Managed
from tests.fakes import FakeRegistry, Fault, Status
from tests.fakes.front import Front, json_reply
from tests.fakes.messages import Call, Reply
from tests.making import MIRROR, World, login, make_collected, make_need, make_world

BASE = b"base" * 100


@pytest.fixture(params=["tags", "digests"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A mirror that holds ``a:1``, which is needed, and ``a:0`` and ``b:1``, which are not."""
    with make_world(tmp_path, deletes=request.param) as world:
        world.upstream.add_image("library/a", "1", [BASE])
        world.mirror.add_image("a", "1", [BASE])
        world.mirror.add_image("a", "0", [b"old"])
        world.mirror.add_image("b", "1", [b"unneeded"])
        yield world


def managed(*repositories: str, scope: tuple[str, ...] = ()) -> Managed:
    return Managed(frozenset(Place(MIRROR, each) for each in repositories), scope)


def planned(world: World, what: Managed, *images: str) -> Plan:
    needs = [make_need(each, f"{MIRROR}/{each}") for each in images or ("a:1",)]
    return make_plan(make_collected(needs), world.stores(), world.cache, managed=what).plan


def deleted(plan: Plan) -> list[str]:
    return [str(each.target) for each in plan.changes if each.op == "delete"]


def failures(events: list[Event]) -> list[str]:
    return [each.reason for each in events if isinstance(each, ImageFailed)]


def test_only_managed_repositories_are_pruned(world: World) -> None:
    assert deleted(planned(world, managed("a"))) == [f"{MIRROR}/a:0"]
    assert deleted(planned(world, managed())) == []
    assert world.mirror.count("GET", "_catalog") == 0


def test_a_scope_is_looked_up_in_the_catalog(world: World) -> None:
    assert deleted(planned(world, managed(scope=(f"{MIRROR}/b*",)))) == [f"{MIRROR}/b:1"]
    assert deleted(planned(world, managed(scope=(f"{MIRROR}/*",)))) == [
        f"{MIRROR}/a:0",
        f"{MIRROR}/b:1",
    ]
    assert deleted(planned(world, managed(scope=("other.example.com/*",)))) == []


def test_a_registry_that_hides_its_catalog_cannot_be_pruned_by_scope(world: World) -> None:
    world.mirror.faults.add(Fault("GET", "_catalog", Status(403), every=True))
    with pytest.raises(RegistryError, match="does not tell its repositories") as caught:
        planned(world, managed(scope=(f"{MIRROR}/*",)))
    assert "prune.scope" in caught.value.hint
    assert deleted(planned(world, managed("a"))) == [f"{MIRROR}/a:0"]


def test_what_is_deleted_is_gone_and_the_rest_stays(world: World) -> None:
    plan = from_json(to_json(planned(world, managed("a", "b"))), "plan.json")
    assert failures(world.apply(plan)) == []
    assert (world.mirror.tags("a"), world.mirror.tags("b")) == (["1"], [])
    assert planned(world, managed("a", "b")).pending == ()


def test_deletions_come_after_all_copies(world: World) -> None:
    world.upstream.add_image("library/c", "1", [b"c"])
    plan = planned(world, managed("a", "b"), "a:1", "c:1")
    done = [each.step for each in world.apply(plan) if isinstance(each, StepDone)]
    first = min(number for number, step in enumerate(done) if step.startswith("delete"))
    assert all(step.startswith("delete") for step in done[first:])
    assert len(done[first:]) == 2


def test_nothing_is_deleted_when_a_copy_failed(world: World) -> None:
    world.upstream.add_image("library/c", "1", [b"c"])
    plan = planned(world, managed("a", "b"), "a:1", "c:1")
    world.mirror.faults.add(Fault("PUT", "/c/manifests", Status(403), every=True))
    world.apply(plan)
    assert (world.mirror.tags("a"), world.mirror.tags("b")) == (["0", "1"], ["1"])


def test_a_tag_that_was_moved_meanwhile_stays(world: World) -> None:
    plan = planned(world, managed("b"))
    world.mirror.add_image("b", "1", [b"somebody needs it now"])
    events = world.apply(plan, plan.pending)
    assert "was moved since" in failures(events)[0]
    assert world.mirror.tags("b") == ["1"]


def test_two_tags_of_one_digest_go_together(world: World) -> None:
    world.mirror.add_image("b", "also", [b"unneeded"])
    assert failures(world.apply(planned(world, managed("b")))) == []
    assert world.mirror.tags("b") == []


@pytest.fixture
def by_digest(tmp_path: Path) -> Iterator[World]:
    """A mirror that deletes by digest alone."""
    with make_world(tmp_path, deletes="digests") as world:
        world.upstream.add_image("library/a", "1", [BASE])
        yield world


def test_a_tag_whose_digest_another_one_needs_stays(by_digest: World) -> None:
    for tag in ("1", "0"):
        by_digest.mirror.add_image("a", tag, [BASE])
    reason = failures(by_digest.apply(planned(by_digest, managed("a"))))[0]
    assert "deletes by digest alone" in reason
    assert by_digest.mirror.tags("a") == ["0", "1"]


def test_a_tag_of_a_part_of_a_needed_index_stays(by_digest: World) -> None:
    for fake, name in ((by_digest.upstream, "library/multi"), (by_digest.mirror, "multi")):
        fake.add_index(name, "1", [fake.add_image(name, "1-amd64", [BASE])])
    reason = failures(by_digest.apply(planned(by_digest, managed("multi"), "multi:1")))[0]
    assert "multi:1 needs" in reason
    assert by_digest.mirror.tags("multi") == ["1", "1-amd64"]


def test_a_tag_that_was_left_out_protects_its_digest(by_digest: World) -> None:
    for tag in ("x", "y"):
        by_digest.mirror.add_image("a", tag, [b"old"])
    by_digest.mirror.add_image("a", "1", [BASE])
    plan = planned(by_digest, managed("a"))
    chosen: list[Change] = [each for each in plan.pending if each.target.tag == "x"]
    assert "a:y needs" in failures(by_digest.apply(plan, chosen))[0]
    assert by_digest.mirror.tags("a") == ["1", "x", "y"]


def test_a_registry_that_deletes_nothing_says_so(tmp_path: Path) -> None:
    with make_world(tmp_path, deletes="nothing") as world:
        world.upstream.add_image("library/a", "1", [BASE])
        world.mirror.add_image("a", "0", [b"old"])
        events = world.apply(planned(world, managed("a")))
        assert "does not delete" in failures(events)[0]


def test_what_is_said_about_content_goes_with_it(world: World) -> None:
    def sign(fake: FakeRegistry, tag: str, *layers: Any) -> str:
        digest = fake.manifest("a", tag).digest
        return fake.add_image("a", f"{digest.replace(':', '-')}.sig", list(layers))

    for tag in ("0", "1"):
        sign(world.mirror, tag, tag.encode())
    gone = world.mirror.manifest("a", "0").digest.replace(":", "-")
    assert deleted(planned(world, managed("a"))) == [f"{MIRROR}/a:0", f"{MIRROR}/a:{gone}.sig"]


def test_nothing_goes_where_something_cannot_come(world: World) -> None:
    """What replaces an old tag may be what is blocked: until it is there, nodes may still need the old one."""
    plan = planned(world, managed("a", "b"), "a:1", "b:2")
    assert [each.op for each in plan.changes if each.target.repository == "b"] == ["blocked"]
    assert deleted(plan) == [f"{MIRROR}/a:0"]


def signature_of(fake: FakeRegistry, repository: str, tag: str) -> str:
    digest = fake.manifest(repository, tag).digest.replace(":", "-")
    fake.add_image(repository, f"{digest}.sig", [digest.encode()])
    return f"{digest}.sig"


def test_the_signature_of_what_stays_under_another_tag_stays(world: World) -> None:
    world.mirror.add_image("a", "also", [BASE])
    signature_of(world.mirror, "a", "1")
    plan = planned(world, managed("a"))
    assert deleted(plan) == [f"{MIRROR}/a:0", f"{MIRROR}/a:also"]


def test_the_signature_of_a_part_of_what_stays_stays(world: World) -> None:
    for fake, name in ((world.upstream, "library/multi"), (world.mirror, "multi")):
        fake.add_index(name, "1", [fake.add_image(name, "1-amd64", [BASE])])
    signature_of(world.mirror, "multi", "1-amd64")
    assert deleted(planned(world, managed("multi"), "multi:1")) == [f"{MIRROR}/multi:1-amd64"]


def test_what_is_needed_by_its_digest_keeps_its_tag(world: World) -> None:
    """Some registries let content go with its last tag."""
    digest = world.mirror.manifest("b", "1").digest
    world.upstream.add_image("library/b", "1", [b"unneeded"])
    plan = planned(world, managed("a", "b"), "a:1", f"b@{digest}")
    assert deleted(plan) == [f"{MIRROR}/a:0"]


@pytest.mark.parametrize("path", ["", "/k"], ids=["machine", "path"])
def test_what_another_name_of_the_same_machine_needs_stays(world: World, path: str) -> None:
    """The record knows the repository under both names, and each of them alone would delete what the other needs."""
    prefix = path.removeprefix("/") + "/" if path else ""
    for tag in ("1", "2", "old"):
        world.upstream.add_image("library/app", tag, [tag.encode()])
        world.mirror.add_image(f"{prefix}app", tag, [tag.encode()])
    world.more = {"alias.corp": RegistrySettings(endpoint=f"{world.mirror.url}{path}")}
    needs = [make_need("app:1", f"{MIRROR}/{prefix}app:1"), make_need("app:2", "alias.corp/app:2")]
    places = {Place(MIRROR, f"{prefix}app"), Place("alias.corp", "app")}
    stores, what = world.stores(), Managed(frozenset(places))
    plan = make_plan(make_collected(needs), stores, world.cache, managed=what).plan
    (gone,) = [each for each in plan.changes if each.op == "delete"]
    assert (gone.target.tag, [each.op for each in plan.changes].count("same")) == ("old", 2)


def test_what_is_read_from_the_target_itself_stays(world: World) -> None:
    """A mirror may be where images come from, and where they go."""
    world.mirror.add_image("hub/library/c", "1", [b"c"])
    world.more = {"docker.io": RegistrySettings(endpoint=f"{world.mirror.url}/hub")}
    plan = planned(world, managed(scope=(f"{MIRROR}/hub/*",)), "c:1")
    assert [(each.op, each.target.repository) for each in plan.changes] == [("create", "c")]


def test_nothing_goes_where_a_quota_keeps_something_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with make_world(tmp_path) as world:
        world.upstream.add_image("p/a", "2", [b"new"])
        world.mirror.add_image("p/a", "1", [b"old"])

        def plane(call: Call) -> Reply | None:
            if call.path.endswith("/summary"):
                quota = {"hard": {"storage": 1}, "used": {"storage": 0}}
                return json_reply(200, {"quota": quota})
            if call.path == "/api/v2.0/projects":
                return json_reply(200, [{"name": "p", "current_user_role_id": 1}])
            return json_reply(200, {}) if call.path.startswith("/api/") else None

        with Front(plane, world.mirror.url) as front:
            login(tmp_path / "docker", front)
            settings = RegistrySettings(endpoint=front.url, product="harbor")
            world.more = {MIRROR: settings}
            need = make_need("p/a:2", f"{MIRROR}/p/a:2")
            plan = make_plan(
                make_collected([need]), world.stores(), world.cache, managed=managed("p/a")
            ).plan
    (change,) = plan.changes
    assert (change.op, "quota" in change.reason) == ("blocked", True)


def test_a_signature_outlives_a_deletion_that_is_refused(world: World) -> None:
    digest = world.mirror.manifest("b", "1").digest
    world.mirror.add_image("b", f"{digest.replace(':', '-')}.sig", [b"signature"])
    plan = planned(world, managed("b"))
    assert len(deleted(plan)) == 2
    world.mirror.faults.add(Fault("DELETE", f"/b/manifests/(1|{digest})$", Status(403), every=True))
    world.apply(plan)
    assert len(world.mirror.tags("b")) == 2
