"""Plans: what the registry lacks, found with reads alone."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.config import Config, RegistrySettings
from planner.core.content import OCI_INDEX, digest_of
from planner.core.errors import InputError, RegistryError, UsageError
from planner.core.plan import Change, Plan
from planner.core.plan_file import to_json
from planner.core.quota import Quota
from planner.prepare import Prepared, make_plan
from planner.pulls import Pulls
from planner.stores.cache import ManifestCache
from planner.stores.opening import Places, Stores
from tests.fakes import (
    Access,
    AddHeaders,
    Bearer,
    FakeRegistry,
    Fault,
    Request,
    Status,
    TokenRequest,
    WrongBytes,
)
from tests.making import (
    IMPATIENT,
    MIRROR,
    OTHER,
    UPSTREAM,
    World,
    ending,
    make_collected,
    make_need,
    make_world,
    writes,
)
from tests.support.process import free_port

BASE = b"base" * 100
OWN = b"own" * 100


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """``a/one:1`` and ``a/two:1`` share a layer upstream; ``a/multi:1`` is an index of two."""
    with make_world(tmp_path) as world:
        fill(world.upstream)
        yield world


def fill(fake: FakeRegistry) -> None:
    fake.add_image("a/one", "1", [BASE, OWN])
    fake.add_image("a/two", "1", [BASE, b"two"])
    children = [
        fake.add_image("a/multi", f"{each}", [BASE, each.encode()], f"linux/{each}")
        for each in ("amd64", "arm64")
    ]
    fake.add_index("a/multi", "1", children)


def prepare(world: World, *images: str) -> Prepared:
    needs = [make_need(each, f"{MIRROR}/{each}") for each in images]
    return make_plan(make_collected(needs), world.stores(), world.cache)


def only(plan: Plan) -> Change:
    (change,) = plan.changes
    return change


def manifests(fake: FakeRegistry) -> list[Request]:
    return [each for each in fake.requests if "/manifests/" in each.path]


def forget(fake: FakeRegistry, repository: str, digest: str, *, manifest: bool = False) -> None:
    if manifest:
        fake._storage.delete_manifest(repository, digest)
    else:
        fake._storage.delete_blob(repository, digest)


def test_what_is_missing_is_to_be_created(world: World) -> None:
    change = only(world.plan("a/one:1"))
    assert (change.op, change.current) == ("create", "")
    assert change.digest == world.upstream.manifest("a/one", "1").digest


def test_what_differs_is_to_be_moved(world: World) -> None:
    before = world.mirror.add_image("a/one", "1", [b"old"])
    change = only(world.plan("a/one:1"))
    assert (change.op, change.current) == ("move", before)


def test_what_is_there_is_the_same(world: World) -> None:
    fill(world.mirror)
    plan = world.plan("a/one:1", "a/two:1", "a/multi:1")
    assert [change.op for change in plan.changes] == ["same"] * 3
    assert (plan.pending, plan.manifests, plan.present) == ((), {}, {})


def test_what_the_source_lacks_is_blocked(world: World) -> None:
    change = only(world.plan("a/none:1"))
    assert (change.op, change.digest) == ("blocked", "")
    assert change.reason == "the source has no docker.io/a/none:1"


def test_what_is_sent_nowhere_is_blocked(world: World) -> None:
    change = only(world.plan_of(make_need("a/one:1")))
    assert (change.op, change.target, change.source) == ("blocked", change.source, change.target)
    assert change.reason == "no mirror: the nodes pull it from docker.io itself"


def test_a_digest_is_kept_whatever_the_tag_says_by_now(world: World) -> None:
    pinned = world.upstream.manifest("a/one", "1").digest
    world.upstream.add_image("a/one", "1", [b"new"])
    name = f"a/one:1@{pinned}"
    assert only(world.plan(name)).digest == pinned


@pytest.mark.parametrize("digest", [digest_of(OWN), digest_of(BASE)])
def test_a_blob_that_is_gone_behind_a_right_tag_is_repaired(world: World, digest: str) -> None:
    fill(world.mirror)
    forget(world.mirror, "a/one", digest)
    change = only(world.plan("a/one:1"))
    assert change.op == "repair"
    assert change.reason == "the tag is right, but 1 part of its content is gone"


def test_a_child_that_is_gone_behind_a_right_tag_is_repaired(world: World) -> None:
    fill(world.mirror)
    forget(world.mirror, "a/multi", world.mirror.manifest("a/multi", "arm64").digest, manifest=True)
    assert only(world.plan("a/multi:1")).op == "repair"


def test_a_plan_that_is_not_deep_looks_at_tags_alone(world: World) -> None:
    fill(world.mirror)
    forget(world.mirror, "a/one", digest_of(OWN))
    assert only(world.plan("a/one:1", deep=False)).op == "same"
    assert world.mirror.count("GET|HEAD", "blobs|sha256:") == 0


def test_an_index_comes_with_its_children(world: World) -> None:
    plan = world.plan("a/multi:1")
    assert only(plan).platforms == ("linux/amd64", "linux/arm64")
    assert len(plan.manifests) == 3


def test_an_index_without_platforms_says_so(world: World) -> None:
    child = b'{"schemaVersion":2,"config":{"digest":"%b","size":4}}' % digest_of(BASE).encode()
    digest = world.upstream.add_manifest("a/multi", digest_of(child), child, "x")
    index = b'{"schemaVersion":2,"manifests":[{"digest":"%b","size":9}]}' % digest.encode()
    world.upstream.add_manifest("a/multi", "bare", index, "application/vnd.oci.image.index.v1+json")
    world.upstream.add_manifest(
        "a/multi", digest, child, "application/vnd.oci.image.manifest.v1+json"
    )
    assert only(world.plan("a/multi:bare")).platforms == ("unknown",)


def test_blobs_of_other_repositories_on_the_target_are_known(world: World) -> None:
    world.mirror.add_image("a/two", "1", [BASE, b"two"])
    plan = world.plan("a/one:1", "a/two:1")
    (place,) = plan.present[digest_of(BASE)]
    assert (place.registry, place.repository) == (MIRROR, "a/two")
    assert digest_of(b"two") not in plan.present


@pytest.mark.parametrize("name", ["a/two", "a/multi"])
def test_what_images_in_sync_consist_of_is_remembered(world: World, name: str) -> None:
    """No request tells that another repository holds the layer, and it is not sent again."""
    world.sync(f"{name}:1")
    asked = world.mirror.count("HEAD", "/blobs/")
    plan = world.plan("a/one:1", f"{name}:1", deep=False)
    assert [str(place) for place in plan.present[digest_of(BASE)]] == [f"{MIRROR}/{name}"]
    assert world.mirror.count("HEAD", "/blobs/") == asked
    before = world.mirror.count("PUT", "/blobs/")
    assert ending(world.apply(plan)).failed == 0
    assert world.mirror.count("PUT", "/blobs/") == before + 2  # its own layer and its configuration


def test_what_is_remembered_and_gone_is_sent_all_the_same(world: World) -> None:
    world.sync("a/two:1")
    forget(world.mirror, "a/two", digest_of(BASE))
    plan = world.plan("a/one:1", "a/two:1", deep=False)
    assert plan.present
    assert ending(world.apply(plan)).failed == 0
    assert world.mirror.blob("a/one", digest_of(BASE)) == BASE


def test_of_the_same_repository_nothing_is_believed_that_was_not_asked(world: World) -> None:
    """What a repository is thought to hold is not even mounted into it."""
    world.upstream.add_image("a/one", "2", [BASE, b"more"])
    world.sync("a/one:1")
    forget(world.mirror, "a/one", digest_of(BASE))
    plan = world.plan("a/one:1", "a/one:2", deep=False)
    assert digest_of(BASE) not in plan.present


def test_planning_writes_nothing(world: World) -> None:
    world.plan("a/one:1", "a/two:1", "a/multi:1", "a/none:1")
    assert (writes(world.upstream), writes(world.mirror)) == (0, 0)


def test_a_first_plan_asks_once_for_each_name_that_a_target_lacks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the source has answered without a word of limits: that it knows the name, its manifest says as well as a HEAD."""
    monkeypatch.setattr("planner.prepare.PARALLELISM", 1)
    world.plan("a/multi:1", "a/one:1", "a/two:1")
    asked = [(each.method, each.path.rpartition("/")[2][:7]) for each in manifests(world.upstream)]
    by_digest = [("GET", "sha256:")] * 3
    assert asked == [("HEAD", "1"), ("GET", "1"), ("GET", "1"), *by_digest]


def test_a_source_that_counts_pulls_is_asked_for_what_is_not_known_yet_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.prepare.PARALLELISM", 1)
    limits = AddHeaders(lambda: {"RateLimit-Limit": "9;w=60", "RateLimit-Remaining": "8;w=60"})
    world.upstream.faults.add(Fault("HEAD|GET", "manifests", limits, every=True))
    world.plan("a/multi:1", "a/one:1", "a/two:1")
    count = len(world.upstream.requests)
    world.plan("a/multi:1", "a/one:1", "a/two:1")
    assert {each.method for each in manifests(world.upstream)[count - 1 :]} == {"HEAD"}


def test_what_a_target_has_is_confirmed_by_the_source_in_short(world: World) -> None:
    fill(world.mirror)
    moved = world.mirror.add_image("a/two", "1", [b"older"])
    plan = world.plan("a/one:1", "a/two:1", "a/multi:1")
    assert {each.target.repository: each.op for each in plan.changes}["a/two"] == "move"
    assert plan.changes[-1].current == moved
    answers = {each.path: each.status for each in world.upstream.requests if each.method == "HEAD"}
    assert answers == {
        "/v2/a/multi/manifests/1": 304,
        "/v2/a/one/manifests/1": 304,
        "/v2/a/two/manifests/1": 200,
    }


def test_several_targets_of_one_name_ask_its_source_once(world: World) -> None:
    needs = [make_need("a/one:1", f"{MIRROR}/copy{each}:1") for each in range(8)]
    world.plan_of(*needs)
    assert world.upstream.count("HEAD", "manifests") == 1


def test_a_first_plan_fetches_each_manifest_once_and_by_digest(world: World) -> None:
    needs = [make_need("a/multi:1", f"{MIRROR}/copy{each}:1") for each in range(8)]
    world.plan_of(*needs)
    gets = [each.path for each in world.upstream.requests if each.method == "GET"]
    gets.remove("/v2/")
    assert len(gets) == len(set(gets)) == 3
    assert all("/manifests/sha256:" in each for each in gets)


def test_a_second_plan_asks_once_for_each_name(world: World) -> None:
    first = world.plan("a/one:1", "a/multi:1")
    count = len(world.upstream.requests)
    assert to_json(world.plan("a/one:1", "a/multi:1")) == to_json(first)
    later = world.upstream.requests[count:]
    # A HEAD, or the manifest itself where the first answer was there by then.
    assert sorted(each.path for each in later) == [
        "/v2/",
        "/v2/a/multi/manifests/1",
        "/v2/a/one/manifests/1",
    ]


def test_a_plan_with_nothing_to_do_costs_the_source_no_pull(world: World) -> None:
    fill(world.mirror)
    world.plan("a/one:1", "a/two:1", "a/multi:1")
    assert world.upstream.count("GET", "manifests") == 0
    assert world.upstream.count("HEAD", "manifests") == 3


def test_each_blob_is_looked_for_once_per_repository(world: World) -> None:
    for name in ("a/one", "a/two", "a/multi"):
        world.mirror.add_image(name, "0", [b"so that there is a repository"])
    world.plan("a/one:1", "a/two:1", "a/multi:1")
    asked = [each.path for each in world.mirror.requests if "/blobs/" in each.path]
    assert len(asked) == len(set(asked)) == 3 + 3 + 5


def test_blobs_of_a_repository_without_tags_are_not_looked_for(world: World) -> None:
    plan = world.plan("a/one:1", "a/two:1")
    assert world.mirror.count("GET", "tags/list") == 2
    assert world.mirror.count("HEAD", "/blobs/") == 0
    assert plan.present == {}


def anyone(user: str, access: Access) -> bool:
    return access.action == "pull"


def test_planning_asks_for_no_right_but_to_pull(tmp_path: Path) -> None:
    with make_world(tmp_path, auth=Bearer({}, allows=anyone)) as world:
        fill(world.upstream)
        world.mirror.add_image("a/two", "1", [BASE, b"two"])
        world.plan("a/one:1", "a/two:1", "a/multi:1")
        assert _actions(world.mirror.token_requests) == {"pull"}


def _actions(requests: list[TokenRequest]) -> set[str]:
    return {scope.rpartition(":")[2] for each in requests for scope in each.scopes}


@pytest.mark.parametrize("status", [401, 403])
def test_an_image_that_may_not_be_read_is_blocked(world: World, status: int) -> None:
    world.upstream.faults.add(Fault("HEAD|GET", "/a/one/", Status(status), every=True))
    plan = world.plan("a/one:1", "a/two:1")
    assert [change.op for change in plan.changes] == ["blocked", "create"]
    assert f"docker.io/a/one:1 with no credentials: {status}" in plan.changes[0].reason


@pytest.mark.parametrize("status", [401, 403])
def test_a_source_that_lets_nothing_be_read_is_an_error(world: World, status: int) -> None:
    world.upstream.faults.add(Fault("HEAD|GET", "/manifests/", Status(status), every=True))
    with pytest.raises(RegistryError, match="with no credentials") as caught:
        world.plan("a/one:1", "a/two:1")
    assert (caught.value.status, caught.value.exit_code) == (status, 69)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_target_that_may_not_be_read_is_an_error(world: World, status: int) -> None:
    world.mirror.faults.add(Fault("HEAD", "/a/two/", Status(status), every=True))
    with pytest.raises(RegistryError, match=f"{MIRROR}/a/two:1"):
        world.plan("a/one:1", "a/two:1")


@pytest.mark.parametrize("side", ["docker.io", MIRROR])
def test_a_registry_that_is_down_is_one_error(world: World, side: str) -> None:
    host = f"127.0.0.1:{free_port()}"
    world.more[side] = RegistrySettings(endpoint=f"http://{host}")
    with pytest.raises(RegistryError, match=f"{host}: nothing listens there") as caught:
        world.plan("a/one:1", "a/two:1")
    assert caught.value.exit_code == 69


def test_an_exhausted_quota_blocks_what_it_keeps_out(world: World) -> None:
    world.upstream.faults.add(Fault("GET", "manifests", Status(429), every=True))
    prepared = prepare(world, "a/one:1", "a/two:1", "a/multi:1")
    assert {change.op for change in prepared.plan.changes} == {"blocked"}
    assert [(each.registry, each.waiting) for each in prepared.pulls] == [(UPSTREAM, 3)]


def test_no_more_is_pulled_than_a_source_allows(world: World) -> None:
    names = [f"many/{number}" for number in range(5)]
    for name in names:
        world.upstream.add_image(name, "1", [name.encode()])

    left = itertools.count(3, -1)

    def state(remaining: int) -> dict[str, str]:
        return {"RateLimit-Limit": "3;w=3600", "RateLimit-Remaining": f"{remaining};w=3600"}

    counted, free = AddHeaders(lambda: state(next(left) - 1)), AddHeaders(lambda: state(3))
    world.upstream.faults.add(Fault("GET", "manifests", counted, every=True))
    world.upstream.faults.add(Fault("HEAD", "manifests", free, every=True))
    prepared = prepare(world, *(f"{name}:1" for name in names))
    assert world.upstream.count("GET", "manifests") == 3
    assert [change.op for change in prepared.plan.changes].count("blocked") == 2
    assert prepared.pulls == (Pulls(UPSTREAM, 3, 2, Quota(3, 0, 3600)),)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(WrongBytes(), "got sha256:", id="other-bytes"),
        pytest.param(Status(404), "404", id="gone"),
        pytest.param(Status(403), "403", id="forbidden"),
    ],
)
def test_an_image_whose_manifest_cannot_be_had_is_blocked(
    world: World, fault: Any, reason: str
) -> None:
    world.upstream.faults.add(Fault("GET", "/a/one/manifests", fault, every=True))
    plan = world.plan("a/one:1", "a/two:1")
    assert [change.op for change in plan.changes] == ["blocked", "create"]
    assert reason in plan.changes[0].reason


def test_an_image_that_lacks_a_child_is_blocked(world: World) -> None:
    child = world.upstream.manifest("a/multi", "arm64").digest
    forget(world.upstream, "a/multi", child, manifest=True)
    change = only(world.plan("a/multi:1"))
    assert change.op == "blocked"
    assert child in change.reason


@pytest.mark.parametrize(
    ("depth", "op"), [(1, "create"), (2, "create"), (3, "blocked"), (40, "blocked")]
)
def test_an_index_that_multiplies_is_blocked(world: World, depth: int, op: str) -> None:
    for _ in range(depth):
        digest = world.upstream.manifest("a/one", "1").digest
        world.upstream.add_manifest("a/one", "1", _index([digest] * 2), OCI_INDEX)
    assert only(world.plan("a/one:1")).op == op


def test_an_index_longer_than_any_is_blocked(world: World) -> None:
    digest = world.upstream.manifest("a/one", "1").digest
    world.upstream.add_manifest("a/one", "1", _index([digest] * 1001), OCI_INDEX)
    assert "too long" in only(world.plan("a/one:1")).reason


def _index(digests: list[str]) -> bytes:
    listed = [{"digest": each, "size": 9} for each in digests]
    return json.dumps({"schemaVersion": 2, "manifests": listed}).encode()


def test_two_sources_for_one_name_contradict_each_other(world: World) -> None:
    needs = [
        make_need("a/one:1", f"{MIRROR}/x:1", line=3),
        make_need("a/two:1", f"{MIRROR}/x:1", line=7),
    ]
    with pytest.raises(InputError) as caught:
        world.plan_of(*needs)
    assert caught.value.message == (
        f"two sources want the name {MIRROR}/x:1:"
        " docker.io/a/one:1 (s.yaml:3) and docker.io/a/two:1 (s.yaml:7)"
    )
    assert len(world.upstream.requests) == 0


def test_sources_of_two_clusters_that_contradict_each_other_are_told_with_both(
    world: World,
) -> None:
    needs = [
        need._replace(because=(need.because[0]._replace(cluster=name),))
        for name in ("edge", "prod")
        for need in [make_need(f"{name}/one:1", f"{MIRROR}/x:1")]
    ]
    with pytest.raises(InputError) as caught:
        world.plan_of(*needs)
    assert "docker.io/edge/one:1 (edge, s.yaml:1)" in caught.value.message
    assert "docker.io/prod/one:1 (prod, s.yaml:1)" in caught.value.message


def test_one_name_wanted_twice_is_one_change_with_both_reasons(world: World) -> None:
    needs = [make_need("a/one:1", f"{MIRROR}/x:1", line=each) for each in (7, 3, 7)]
    change = only(world.plan_of(*needs))
    assert [each.line for each in change.because] == [3, 7]


def test_one_source_may_have_two_targets(world: World) -> None:
    needs = [make_need("a/one:1", f"{each}/x:1") for each in (MIRROR, OTHER)]
    plan = world.plan_of(*needs)
    assert [change.target.registry for change in plan.changes] == [OTHER, MIRROR]
    assert world.upstream.count("GET", "manifests") == 1


def test_a_plan_does_not_depend_on_the_order_of_needs(world: World) -> None:
    world.mirror.add_image("a/two", "1", [BASE])
    needs = [make_need(f"a/{each}:1", f"{MIRROR}/{each}:1") for each in ("one", "two", "multi")]
    needs += [make_need("a/one:1", f"{MIRROR}/one:1", line=2), make_need("a/none:1")]
    needs += [make_need("a/none:1", line=2), make_need("a/none:1", f"{MIRROR}/none:1")]
    expected = to_json(world.plan_of(*needs))
    for seed in range(5):
        random.Random(seed).shuffle(needs)
        assert to_json(world.plan_of(*needs)) == expected


def test_a_plan_says_where_it_looked(world: World) -> None:
    access = world.plan("a/one:1").access
    assert access.endpoints == {"docker.io": world.upstream.url, MIRROR: world.mirror.url}


def test_a_plan_tells_how_far_it_is(world: World) -> None:
    told: list[tuple[str, int, int]] = []
    collected = make_collected([make_need("a/one:1", f"{MIRROR}/a/one:1")])
    make_plan(collected, world.stores(), world.cache, note=lambda *each: told.append(each))
    assert told == [
        ("names", 1, 1),
        ("manifests", 1, 1),
        ("repositories", 1, 1),
    ]


def test_a_damaged_cache_is_an_empty_one(world: World) -> None:
    first = world.plan("a/multi:1")
    for path in filter(Path.is_file, (world.folder / "cache").rglob("*")):
        path.write_bytes(path.read_bytes()[:-9])
    assert to_json(world.plan("a/multi:1")) == to_json(first)


def test_a_cache_cannot_change_the_type_of_a_manifest(world: World) -> None:
    first = world.plan("a/one:1")
    for path in filter(Path.is_file, (world.folder / "cache").rglob("*")):
        data = path.read_bytes().partition(b"\n")[2]
        path.write_bytes(b"application/vnd.oci.image.index.v1+json\n" + data)
    assert to_json(world.plan("a/one:1")) == to_json(first)


def test_a_cache_that_cannot_be_written_does_no_harm(world: World) -> None:
    (world.folder / "cache").write_text("a file in its place")
    assert only(world.plan("a/one:1")).op == "create"


def test_nothing_needed_is_an_empty_plan(world: World) -> None:
    assert world.plan_of().changes == ()
    assert world.upstream.requests == []


def test_a_layout_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    places = Places(Config(), f"oci:{tmp_path}/typo", f"oci:{tmp_path}/out")
    needs = make_collected([make_need("a/one:1", f"{MIRROR}/a/one:1")])
    with pytest.raises(RegistryError, match="there is no such folder"):
        make_plan(needs, Stores(places, IMPATIENT), ManifestCache(tmp_path))


def test_two_registries_cannot_meet_at_one_address(tmp_path: Path) -> None:
    """Equal names would overwrite each other there."""
    stores = Stores(Places(Config(), write_to="http://127.0.0.1:1"), IMPATIENT)
    needs = [make_need("a/one:1", "r1.lan/a/one:1"), make_need("b/one:1", "r2.lan/a/one:1")]
    with pytest.raises(UsageError, match=r"of r1\.lan and of r2\.lan meet at"):
        make_plan(make_collected(needs), stores, ManifestCache(tmp_path))


@pytest.mark.parametrize("side", ["target", "source"])
def test_two_registries_cannot_share_an_endpoint_for_one_name(tmp_path: Path, side: str) -> None:
    """What is behind the address could be only one of the two."""
    shared = RegistrySettings(endpoint="http://127.0.0.1:1/meet")
    places = Places(Config(registries={"r1.lan": shared, "r2.lan": shared}))
    needs = {
        "target": [make_need("a/one:1", "r1.lan/a/one:1"), make_need("b/one:1", "r2.lan/a/one:1")],
        "source": [
            make_need("r1.lan/a/one:1", "m.lan/x:1"),
            make_need("r2.lan/a/one:1", "m.lan/y:1"),
        ],
    }
    with pytest.raises(UsageError, match=r"of r1\.lan and of r2\.lan meet at"):
        make_plan(make_collected(needs[side]), Stores(places, IMPATIENT), ManifestCache(tmp_path))


@pytest.mark.parametrize("product", ["distribution", ""])
def test_a_plain_registry_takes_names_of_one_component(world: World, product: str) -> None:
    world.more[MIRROR] = RegistrySettings(endpoint=world.mirror.url, product=product)
    plan = world.plan_of(make_need("a/one:1", f"{MIRROR}/pause:3.10"))
    assert (only(plan).op, plan.namespaces) == ("create", ())
