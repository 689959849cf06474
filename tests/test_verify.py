"""Verify walks as the nodes do, and believes nothing that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.config import RegistrySettings
from planner.core.content import digest_of
from planner.core.errors import RegistryError
from planner.core.family import Need
from planner.core.resolution import Attempt
from planner.verify import Verified, verify
from tests.fakes import FakeRegistry, Fault, Status, WrongBytes
from tests.making import MIRROR, OTHER, World, make_need, make_world, writes
from tests.support.process import free_port

LAYER = b"layer" * 100
IMAGE = make_need("a/one:1", f"{MIRROR}/a/one:1", f"{OTHER}/hub/one:1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        yield world


def check(world: World, *needs: Need, blobs: bool = False) -> list[Verified]:
    return list(verify(needs, world.stores(), blobs=blobs))


def one(world: World, need: Need = IMAGE, *, blobs: bool = False) -> Verified:
    (result,) = check(world, need, blobs=blobs)
    return result


def fill(fake: FakeRegistry, repository: str = "a/one") -> str:
    """An index of one image."""
    child = fake.add_image(repository, "child", [LAYER])
    return fake.add_index(repository, "1", [child])


def test_the_first_mirror_that_has_it_is_where_it_is_found(world: World) -> None:
    digest = fill(world.mirror)
    fill(world.other, "hub/one")
    result = one(world)
    assert (result.verdict, result.is_good) == ("found", True)
    assert (result.where, result.digest) == (f"https://{MIRROR}/v2", digest)
    assert world.other.requests == []


def test_a_second_mirror_is_asked_when_the_first_lacks_it(world: World) -> None:
    fill(world.other, "hub/one")
    result = one(world)
    assert (result.verdict, result.where) == ("found", f"https://{OTHER}/v2")
    assert world.mirror.count("HEAD", "a/one/manifests/1") == 1


def test_what_only_the_origin_has_is_not_mirrored(world: World) -> None:
    fill(world.upstream)
    result = one(world)
    assert (result.verdict, result.is_good) == ("upstream", False)
    assert result.where == "https://docker.io/v2"
    assert result.detail == (f"{MIRROR}/a/one:1 is not there; {OTHER}/hub/one:1 is not there")
    assert world.upstream.requests == []


def test_what_is_sent_nowhere_goes_upstream(world: World) -> None:
    result = one(world, make_need("a/one:1"))
    assert (result.verdict, result.detail) == ("upstream", "the spec sends the nodes nowhere else")


def test_without_a_way_upstream_it_is_missing(world: World) -> None:
    resolution = IMAGE.resolution._replace(attempts=IMAGE.resolution.attempts[:1])
    result = one(world, IMAGE._replace(resolution=resolution))
    assert (result.verdict, result.detail) == ("missing", f"{MIRROR}/a/one:1 is not there")


def test_without_any_endpoint_it_is_missing(world: World) -> None:
    resolution = IMAGE.resolution._replace(attempts=())
    result = one(world, IMAGE._replace(resolution=resolution))
    assert (result.verdict, result.detail) == ("missing", "no endpoint is configured")


def test_a_url_that_no_registry_serves_is_passed_over(world: World) -> None:
    fill(world.mirror)
    odd = Attempt("https://proxy.corp/other", "a/one", "1", "docker.io")
    attempts = (odd, *IMAGE.resolution.attempts)
    result = one(world, IMAGE._replace(resolution=IMAGE.resolution._replace(attempts=attempts)))
    assert result.verdict == "found"


def test_an_index_without_a_child_is_incomplete(world: World) -> None:
    fill(world.mirror)
    child = world.mirror.manifest("a/one", "child").digest
    world.mirror._storage.delete_manifest("a/one", child)
    result = one(world)
    assert (result.verdict, result.is_good) == ("incomplete", False)
    assert result.detail == f"1 part missing, first {child}"


@pytest.mark.parametrize(
    ("blobs", "verdict"), [(False, "found"), (True, "incomplete")], ids=["fast", "blobs"]
)
def test_a_missing_blob_is_seen_when_blobs_are_looked_for(
    world: World, blobs: bool, verdict: str
) -> None:
    fill(world.mirror)
    world.mirror._storage.delete_blob("a/one", digest_of(LAYER))
    assert one(world, blobs=blobs).verdict == verdict


def test_a_complete_image_is_found_with_its_blobs(world: World) -> None:
    fill(world.mirror)
    assert one(world, blobs=True).verdict == "found"
    assert world.mirror.count("HEAD", "blobs") == 2


@pytest.mark.parametrize("fault", [WrongBytes(), Status(404)], ids=["damaged", "gone"])
def test_a_manifest_that_cannot_be_had_is_incomplete(
    world: World, fault: WrongBytes | Status
) -> None:
    digest = fill(world.mirror)
    world.mirror.faults.add(Fault("GET", "manifests", fault, every=True))
    result = one(world)
    assert (result.verdict, result.detail) == ("incomplete", f"1 part missing, first {digest}")


def test_an_image_pinned_by_digest_is_asked_for_by_digest(world: World) -> None:
    digest = fill(world.mirror)
    name = f"a/one@{digest}"
    assert one(world, make_need(name, f"{MIRROR}/{name}")).digest == digest
    assert world.mirror.count("HEAD", f"manifests/{digest}") == 1


def test_equal_questions_are_asked_once(world: World) -> None:
    fill(world.mirror)
    results = check(world, IMAGE, IMAGE._replace(because=()), make_need("a/one:1"))
    assert [each.verdict for each in results] == ["found", "upstream"]
    assert world.mirror.count("HEAD", "manifests/1") == 1


def test_answers_come_in_the_order_of_the_questions(world: World) -> None:
    needs = [make_need(f"a/{each}:1", f"{MIRROR}/a/{each}:1") for each in "zyxwvutsrq"]
    assert [each.need for each in check(world, *needs)] == needs


def test_verifying_writes_nothing(world: World) -> None:
    fill(world.mirror)
    one(world, blobs=True)
    assert writes(world.mirror) == 0


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_mirror_that_refuses_is_an_error(world: World, status: int) -> None:
    world.mirror.faults.add(Fault("HEAD", "", Status(status), every=True))
    with pytest.raises(RegistryError, match=f"{MIRROR}/a/one:1"):
        one(world)


def test_a_mirror_that_is_down_is_an_error(world: World) -> None:
    host = f"127.0.0.1:{free_port()}"
    world.more[MIRROR] = RegistrySettings(endpoint=f"http://{host}")
    with pytest.raises(RegistryError, match=host):
        one(world)


def test_needs_of_one_image_by_two_ways_are_two_questions(world: World) -> None:
    ways = [make_need("a/one:1", f"{each}/a/one:1") for each in (MIRROR, OTHER)]
    assert [each.verdict for each in check(world, *ways)] == ["upstream", "upstream"]
