"""Verify walks as the nodes do, and believes nothing that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.config import RegistrySettings
from planner.core.content import digest_of
from planner.core.errors import RegistryError
from planner.core.family import Consumer, Need
from planner.core.resolution import Attempt, Resolution, Rewrite, RewrittenBy
from planner.ui.consequence import consequence, consumer
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


# What will happen, and who fails


def without_fallback(need: Need, *rewrites: Rewrite) -> Need:
    """The need with its private endpoints alone, and what was made of its name before."""
    attempts = need.resolution.attempts[:-1]
    return need._replace(resolution=Resolution(need.source, attempts, rewrites))


def test_the_second_endpoint_is_named_with_what_the_first_lacks(world: World) -> None:
    digest = fill(world.other, "hub/one")
    result = one(world)
    assert (result.number, result.is_good) == (2, True)
    assert consequence(result) == (
        f"the node gets it from the second endpoint: {digest[:19]} at https://{OTHER}/v2 ({MIRROR}/a/one:1 is not there)"
    )


def test_kubelet_falls_back_to_the_internet(world: World) -> None:
    assert consequence(one(world)) == (
        "kubelet falls back to the internet (https://docker.io/v2): "
        f"{MIRROR}/a/one:1 is not there; {OTHER}/hub/one:1 is not there"
    )


def test_without_a_mirror_kubelet_never_asks_another(world: World) -> None:
    result = one(world, make_need("a/one:1"))
    assert consequence(result) == (
        "kubelet pulls it from docker.io itself (https://docker.io/v2): the spec sends the nodes nowhere else"
    )


@pytest.mark.parametrize(
    ("by", "who"),
    [
        ("imageswap", "the webhook rewrites it to"),
        ("kubeone", "KubeOne deploys it as"),
        ("system-default-registry", "system-default-registry makes it"),
    ],
)
def test_who_renamed_an_image_is_named(world: World, by: RewrittenBy, who: str) -> None:
    name = f"{MIRROR}/a/one:1"
    result = one(world, without_fallback(make_need("a/one:1", name), Rewrite(by, name)))
    assert (result.verdict, consumer(result)) == ("missing", "kubelet")
    assert consequence(result) == f"{who} {name}, which is not there: ImagePullBackOff"


def test_what_eks_anywhere_asks_for_itself_is_no_pod_of_kubelet(world: World) -> None:
    name = f"{MIRROR}/a/one:1"
    by_node = without_fallback(make_need("a/one:1", name), Rewrite("eks-anywhere", name))
    assert consumer(one(world, by_node)) == "kubelet"
    need = by_node._replace(consumer="eks-anywhere")
    result = one(world, need)
    assert consumer(result) == "eks-anywhere"
    assert consequence(result) == f"EKS Anywhere asks for {name}, which is not there"
    fill(world.mirror)
    world.mirror._storage.delete_blob("a/one", digest_of(LAYER))
    assert consequence(one(world, need, blobs=True)).startswith("EKS Anywhere cannot pull it: ")


def test_a_renamed_image_may_have_several_endpoints_that_lack_it(world: World) -> None:
    name = f"{MIRROR}/a/one:1"
    need = make_need("a/one:1", name, f"{OTHER}/a/one:1", name)
    result = one(world, without_fallback(need, Rewrite("kubeone", name)))
    assert consequence(result) == (
        f"KubeOne deploys it as {name}, and no endpoint has that: ImagePullBackOff "
        f"({name} is not there; {OTHER}/a/one:1 is not there)"
    )


@pytest.mark.parametrize(
    ("made", "asks", "text"),
    [
        pytest.param("", "webhook", "the webhook fails on this name", id="webhook-fails"),
        pytest.param("r.corp/A//b:1", "kubelet", "InvalidImageName", id="no-name"),
    ],
)
def test_what_the_webhook_spoils_never_reaches_a_registry(
    world: World, made: str, asks: str, text: str
) -> None:
    result = one(world, without_fallback(make_need("a/one:1"), Rewrite("imageswap", made)))
    assert (result.verdict, consumer(result)) == ("missing", asks)
    assert text in consequence(result)


def test_a_node_with_one_endpoint_has_nowhere_else_to_ask(world: World) -> None:
    result = one(world, without_fallback(make_need("a/one:1", f"{MIRROR}/a/one:1")))
    assert consequence(result) == (
        f"kubelet has nowhere else to ask (ImagePullBackOff): {MIRROR}/a/one:1 is not there"
    )


@pytest.mark.parametrize(
    ("need", "text"),
    [
        pytest.param(IMAGE, f"kubelet asks the next endpoint (https://{OTHER}/v2)", id="next"),
        pytest.param(
            make_need("a/one:1", f"{MIRROR}/a/one:1"),
            "kubelet falls back to the internet (https://docker.io/v2) for what is missing",
            id="upstream",
        ),
        pytest.param(
            without_fallback(make_need("a/one:1", f"{MIRROR}/a/one:1")),
            "kubelet cannot pull it (ImagePullBackOff)",
            id="nothing-left",
        ),
    ],
)
def test_what_is_missing_is_asked_of_the_endpoints_behind(
    world: World, need: Need, text: str
) -> None:
    fill(world.mirror)
    world.mirror._storage.delete_blob("a/one", digest_of(LAYER))
    assert consequence(one(world, need, blobs=True)).startswith(text)


def test_reasons_of_equal_questions_are_joined(world: World) -> None:
    other = make_need("a/one:1", f"{MIRROR}/a/one:1", f"{OTHER}/hub/one:1", line=7)
    assert [reason.line for reason in one_of(world, IMAGE, other).need.because] == [1, 7]


def one_of(world: World, *needs: Need) -> Verified:
    (result,) = check(world, *needs)
    return result


@pytest.mark.parametrize(
    ("asks", "who"), [("eks-anywhere", "EKS Anywhere"), ("palette", "Palette")]
)
def test_an_artifact_is_asked_for_by_what_understands_it(
    world: World, asks: Consumer, who: str
) -> None:
    name = f"{MIRROR}/a/one:1"
    own = make_need("a/one:1")._replace(kind="artifact", consumer=asks)
    need = without_fallback(make_need("a/one:1", name))._replace(kind="artifact", consumer=asks)
    result = one(world, need)
    assert consumer(result) == asks
    assert consequence(result) == f"{who} cannot pull it: {name} is not there"
    fill(world.upstream)
    assert consequence(one(world, own)).startswith(f"{who} pulls it from docker.io itself")
