"""Plans that inventories answer for: without a network, and never taking for absent what is only unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planner.config import Config, RegistrySettings
from planner.core.errors import RegistryError, StaleError
from planner.core.inventory import Holdings, to_json
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.plan_file import from_json
from planner.inventory import named_by, take
from planner.prepare import make_plan, quiet
from planner.prune import Managed
from planner.stores.opening import Places, Stores
from planner.stores.recorded import Recording, Recordings
from planner.ui.cli import main
from tests.making import (
    IMPATIENT,
    MIRROR,
    UPSTREAM,
    World,
    error_of,
    make_collected,
    make_need,
    make_world,
)

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
NOWHERE = "http://127.0.0.1:9"  # port 9 (discard): nobody listens


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        yield world


def held(complete: bool = True, **repositories: dict[str, str]) -> Holdings:
    """Below ``team/``, since Docker Hub has a folder of its own for names without one."""
    below = {f"team/{name}": tags for name, tags in repositories.items()}
    return Holdings("distribution", "catalog", complete, below)


def recorded(**registries: Holdings) -> Recordings:
    names = {"mirror": MIRROR, "upstream": UPSTREAM}
    return Recordings(
        {names[name]: Recording(f"{name}.json", each) for name, each in registries.items()}
    )


def offline(recordings: Recordings, product: str = "") -> Stores:
    """Nothing answers at the registries' addresses."""
    settings = {
        name: RegistrySettings(endpoint=NOWHERE, product=product) for name in (UPSTREAM, MIRROR)
    }
    return Stores(Places(Config(registries=settings)), IMPATIENT, recordings)


def plan_for(world: World, stores: Stores, *images: str, managed: Managed | None = None) -> Plan:
    needs = [make_need(f"{UPSTREAM}/{each}", f"{MIRROR}/{each}") for each in images]
    return make_plan(make_collected(needs), stores, world.cache, managed=managed).plan


def by_name(plan: Plan) -> dict[str, Change]:
    return {each.target.repository: each for each in plan.changes}


def inventories(world: World, *images: str) -> Recordings:
    """What both registries hold now."""
    named = named_by(make_need(f"{UPSTREAM}/{each}", f"{MIRROR}/{each}") for each in images)
    found = {name: take(name, world.stores(), named[name], (), quiet) for name in named}
    return recorded(mirror=found[MIRROR], upstream=found[UPSTREAM])


def test_two_files_are_compared_without_a_network(world: World) -> None:
    source = held(same={"v1": A}, new={"v1": B}, moved={"v1": C})
    mirror = held(same={"v1": A}, moved={"v1": A, "v2": C})
    stores = offline(recorded(upstream=source, mirror=mirror))
    changes = by_name(plan_for(world, stores, "team/same:v1", "team/new:v1", "team/moved:v1"))
    assert changes["team/same"].op == "same"
    assert (changes["team/new"].current, changes["team/new"].digest) == ("", B)
    assert (changes["team/moved"].current, changes["team/moved"].digest) == (A, C)


def test_the_plan_is_the_one_that_the_registries_would_give(world: World) -> None:
    names = ("team/same:v1", "team/new:v1", "team/moved:v1")
    for name in names:
        world.upstream.add_image(name.removesuffix(":v1"), "v1", [name.encode()])
    world.apply(plan_for(world, world.stores(), *names[::2]))
    world.upstream.add_image("team/moved", "v1", [b"moved"])
    live = plan_for(world, world.stores(), *names)
    files = inventories(world, *names)
    plan = plan_for(world, offline(files), *names)
    assert plan.changes == live.changes
    assert plan.manifests == live.manifests
    assert {each.op for each in plan.changes} == {"same", "create", "move"}
    assert plan.bytes_to_send(plan.pending) >= live.bytes_to_send(live.pending)


@pytest.mark.parametrize(
    ("mirror", "op", "said"),
    [
        pytest.param(held(), "create", "", id="not listed, complete"),
        pytest.param(held(False, app={}), "create", "", id="tag not listed, repository read"),
        pytest.param(held(False), "blocked", "mirror.json does not tell", id="not listed"),
        pytest.param(
            replace(held(app={"v2": A}), errors={"team/app": "403"}), "blocked", "tell", id="error"
        ),
        pytest.param(held(app={"v1": ""}), "blocked", "tell", id="digest not known"),
    ],
)
def test_unknown_on_the_target_is_not_absent(
    mirror: Holdings, op: str, said: str, world: World
) -> None:
    world.upstream.add_image("team/app", "v1", [b"x"])
    stores = Stores(world.places, IMPATIENT, recorded(mirror=mirror))
    (change,) = plan_for(world, stores, "team/app:v1").changes
    assert (change.op, said in change.reason) == (op, True)
    assert not world.mirror.requests


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param(held(), "the source has no docker.io/team/app:v1", id="not there"),
        pytest.param(held(False), "upstream.json does not tell", id="not known"),
        pytest.param(
            replace(held(False, app={"v2": A}), listed_by="names"), "does not tell", id="names"
        ),
        pytest.param(held(app={"v1": A}), "upstream.json holds no manifests", id="no manifest"),
    ],
)
def test_a_source_that_is_not_known_well_enough_blocks(
    source: Holdings, said: str, world: World
) -> None:
    stores = offline(recorded(upstream=source, mirror=held()))
    (change,) = plan_for(world, stores, "team/app:v1").changes
    assert change.op == "blocked"
    assert said in change.reason


def test_blobs_of_a_recorded_target_count_as_absent(world: World) -> None:
    world.upstream.add_image("team/app", "v1", [b"layer"])
    world.apply(plan_for(world, world.stores(), "team/app:v1"))
    world.upstream.add_image("team/app", "v2", [b"layer", b"more"])
    live = plan_for(world, world.stores(), "team/app:v2")
    files = recorded(mirror=take(MIRROR, world.stores(), None, (), quiet))
    plan = plan_for(world, Stores(world.places, IMPATIENT, files), "team/app:v2")
    assert plan.bytes_to_send(plan.pending) == plan.total_bytes(plan.pending)
    assert plan.bytes_to_send(plan.pending) > live.bytes_to_send(live.pending)
    assert not world.apply(plan)[-1].failed  # type: ignore[union-attr]
    assert world.mirror.tags("team/app") == ["v1", "v2"]


def test_a_manifest_by_its_digest_is_known_by_any_tag(world: World) -> None:
    source = held(app={"v1": A})
    mirror = held(False, app={"v1": A})
    stores = offline(recorded(upstream=source, mirror=mirror))
    changes = plan_for(world, stores, f"team/app@{A}", f"team/app@{B}").changes
    assert [(each.op, each.target.digest) for each in changes] == [("same", A), ("blocked", B)]


def test_a_target_that_only_lacks_a_digest_gets_it(world: World) -> None:
    digest = world.upstream.add_image("team/app", "v1", [b"x"])
    stores = Stores(world.places, IMPATIENT, recorded(mirror=held(False)))
    (change,) = plan_for(world, stores, f"team/app@{digest}").changes
    assert change.op == "create"


@pytest.mark.parametrize(
    ("product", "op", "known"),
    [
        pytest.param("harbor", "same", True, id="project with something in it"),
        pytest.param("harbor", "unknown", False, id="project without"),
        pytest.param("quay", "same", True, id="organization with something in it"),
    ],
)
def test_namespaces_exist_where_a_repository_lies_in_them(
    product: str, op: str, known: bool, world: World
) -> None:
    world.upstream.add_image("apps/web", "v1", [b"x"])
    repository = "apps/other" if known else "elsewhere/other"
    mirror = Holdings(product, "api", True, {repository: {"v1": A}, "apps/empty": {}})
    settings = {UPSTREAM: RegistrySettings(endpoint=world.upstream.url)}
    stores = Stores(Places(Config(registries=settings)), IMPATIENT, recorded(mirror=mirror))
    plan = plan_for(world, stores, "apps/web:v1")
    (namespace,) = plan.namespaces
    assert (namespace.name, namespace.op) == ("apps", op)
    assert plan.changes[0].op == "create"


def test_where_only_an_api_knows_the_namespace_none_is_told(world: World) -> None:
    mirror = Holdings("gitlab", "api", True, {"group/project/web": {"v1": A}})
    stores = offline(recorded(upstream=held(), mirror=mirror))
    assert plan_for(world, stores, "group/project/sub/web:v1").namespaces == ()


def test_names_that_a_product_cannot_hold_are_blocked(world: World) -> None:
    mirror = Holdings("harbor", "api", complete=True)
    upstream = Holdings("distribution", "catalog", True, {"library/app": {"v1": A}})
    needs = [make_need(f"{UPSTREAM}/app:v1", f"{MIRROR}/app:v1")]
    stores = offline(recorded(upstream=upstream, mirror=mirror))
    (change,) = make_plan(make_collected(needs), stores, world.cache).plan.changes
    assert "Harbor takes PROJECT/NAME" in change.reason


def test_what_is_superfluous_is_told_by_the_file(world: World) -> None:
    mirror = held(app={"v1": A, "v0": B})
    stores = offline(recorded(upstream=held(app={"v1": A}), mirror=mirror))
    managed = Managed(frozenset({Place(MIRROR, "team/app"), Place(MIRROR, "team/gone")}))
    changes = plan_for(world, stores, "team/app:v1", managed=managed).changes
    assert {(each.op, each.target.tag) for each in changes} == {("delete", "v0"), ("same", "v1")}


def test_nothing_is_pruned_by_a_file_that_does_not_tell(world: World) -> None:
    mirror = held(False, app={"v1": A})
    stores = offline(recorded(upstream=held(app={"v1": A}), mirror=mirror))
    for managed in (
        Managed(frozenset({Place(MIRROR, "team/gone")})),
        Managed(scope=(f"{MIRROR}/*",)),
    ):
        with pytest.raises(RegistryError, match=r"mirror\.json does not tell"):
            plan_for(world, stores, "team/app:v1", managed=managed)


def test_a_recorded_registry_cannot_be_written(world: World) -> None:
    store = offline(recorded(mirror=held())).target(MIRROR)
    for write in (
        lambda: store.delete("app", "v1"),
        lambda: store.write_blob("app", A, lambda _=0: pytest.fail("asked for content")),
    ):
        assert "known from mirror.json alone" in error_of(write).message


# The command


@pytest.fixture
def place(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A cluster whose registry is the mirror, and which has one of two images."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for tag in ("v1", "v2"):
        world.upstream.add_image("team/app", tag, [tag.encode()])
    world.apply(plan_for(world, world.stores(), "team/app:v1"))
    Path("r.yaml").write_text(f"mirrors: {{docker.io: {{endpoint: ['https://{MIRROR}']}}}}\n")
    Path("images.txt").write_text("team/app:v1\nteam/app:v2\n")
    write_config(world.upstream.url, world.mirror.url)
    assert main(["plan"]) == 0  # fills the cache
    for name, file in ((MIRROR, "mirror.json"), (UPSTREAM, "upstream.json")):
        assert main(["inventory", name, "-o", file]) == 0
    return world


def write_config(upstream: str, mirror: str) -> None:
    registries = f"{{{UPSTREAM}: {{endpoint: '{upstream}'}}, {MIRROR}: {{endpoint: '{mirror}'}}}}"
    cluster = "{name: edge, spec: r.yaml, images: [images.txt]}"
    Path("planner.yaml").write_text(
        f"version: 1\nregistries: {registries}\nclusters: [{cluster}]\n"
    )


AGAINST = ("--against", "mirror.json", "--against", "upstream.json")


def test_a_plan_against_files_is_saved_and_carried_out_on_the_registry(
    place: World, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(place.mirror.requests), len(place.upstream.requests)
    assert main(["plan", *AGAINST, "-o", "plan.json"]) == 0
    assert (len(place.mirror.requests), len(place.upstream.requests)) == asked
    assert f"as mirror.json has it, not asked: {MIRROR}\n" in capsys.readouterr().out
    plan = from_json(Path("plan.json").read_bytes(), "plan.json")
    assert plan.access.inventories == {MIRROR: "mirror.json", UPSTREAM: "upstream.json"}
    roles = {each.path: each.role for each in plan.inputs}
    assert roles["mirror.json"] == roles["upstream.json"] == "inventory"
    assert main(["apply", "plan.json"]) == 0
    assert place.mirror.tags("team/app") == ["v1", "v2"]


def test_another_inventory_does_not_make_a_plan_stale(place: World) -> None:
    assert main(["plan", *AGAINST, "-o", "plan.json"]) == 0
    Path("mirror.json").write_bytes(to_json({MIRROR: held()}))
    Path("upstream.json").unlink()
    assert main(["apply", "plan.json"]) == 0


def test_a_tag_that_moved_since_the_inventory_makes_the_plan_stale(
    place: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *AGAINST, "-o", "plan.json"]) == 0
    place.mirror.add_image("team/app", "v2", [b"somebody else's"])
    assert main(["apply", "plan.json"]) == StaleError.exit_code
    assert "now it holds" in capsys.readouterr().err


def test_one_side_may_be_asked_and_the_other_not(place: World) -> None:
    asked = len(place.mirror.requests)
    assert main(["plan", "--against", "mirror.json", "--detailed-exitcode"]) == 2
    assert len(place.mirror.requests) == asked


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["plan", "--against", "none.json"], 65, "cannot be read", id="no file"),
        pytest.param(["plan", "--against", "planner.yaml"], 65, "not an inventory", id="no JSON"),
        pytest.param(["plan", *AGAINST, "--deep"], 64, "--deep looks at", id="deep"),
        pytest.param(
            ["plan", "--against", "mirror.json", "--against", "copy.json"], 64, "both", id="twice"
        ),
        pytest.param(["apply", *AGAINST, "--auto-approve"], 64, "not understood", id="apply"),
        pytest.param(["review", *AGAINST], 64, "not understood", id="review"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: list[str], code: int, said: str, place: World, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("copy.json").write_bytes(Path("mirror.json").read_bytes())
    assert main(words) == code
    assert said in capsys.readouterr().err
