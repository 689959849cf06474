"""``name:tag@digest`` is pulled by its digest, and looked for under its tag: it is stored so that both are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.core.plan import Change
from planner.core.refs import ImageRef
from planner.preflight import Ground
from planner.prepare import make_plan, quiet
from planner.stores.workers import workers
from planner.survey import Asking, Survey, Wish
from planner.verify import verify
from tests.fakes import FakeRegistry
from tests.making import MIRROR, World, make_collected, make_need, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        yield world


def pinned(digest: str, tag: str = "1") -> tuple[str, str]:
    """What a spec says, and what its nodes ask for."""
    return f"a/one:{tag}@{digest}", f"{MIRROR}/a/one@{digest}"


def changes_of(world: World, *pairs: tuple[str, str]) -> list[Change]:
    needs = [make_need(source, target) for source, target in pairs]
    return list(make_plan(make_collected(needs), world.stores(), world.cache).plan.changes)


def sync(world: World, *pairs: tuple[str, str]) -> None:
    needs = [make_need(source, target) for source, target in pairs]
    plan = make_plan(make_collected(needs), world.stores(), world.cache).plan
    world.apply(plan)


def add(fake: FakeRegistry, content: bytes, tag: str = "1") -> str:
    return fake.add_image("a/one", tag, [content])


def test_it_is_stored_under_both(world: World) -> None:
    digest = add(world.upstream, b"old")
    add(world.upstream, b"new")
    (change,) = changes_of(world, pinned(digest))
    assert (change.op, str(change.target)) == ("create", f"{MIRROR}/a/one:1")
    assert (str(change.source), change.digest) == (f"docker.io/a/one:1@{digest}", digest)
    sync(world, pinned(digest))
    assert world.mirror.manifest("a/one", "1").digest == digest
    assert world.mirror.manifest("a/one", digest).digest == digest
    assert [each.op for each in changes_of(world, pinned(digest))] == ["same"]
    need = make_need(*pinned(digest))
    assert [each.verdict for each in verify([need], world.stores(), blobs=True)] == ["found"]


def test_what_only_lacks_its_tag_gets_it(world: World) -> None:
    digest = add(world.upstream, b"old")
    add(world.mirror, b"old", digest)
    assert [each.op for each in changes_of(world, pinned(digest))] == ["create"]
    sync(world, pinned(digest))
    assert world.mirror.tags("a/one") == ["1"]
    assert world.mirror.count("PUT", "uploads") == 0


def test_a_tag_that_holds_something_else_is_seen_to_move(world: World) -> None:
    digest = add(world.upstream, b"old")
    before = add(world.mirror, b"other")
    (change,) = changes_of(world, pinned(digest))
    assert (change.op, change.current) == ("move", before)


def test_a_tag_that_is_wanted_for_itself_stays_its_own(world: World) -> None:
    old = add(world.upstream, b"old")
    new = add(world.upstream, b"new")
    by_tag = ("a/one:1", f"{MIRROR}/a/one:1")
    found = {str(each.target): each.digest for each in changes_of(world, pinned(old), by_tag)}
    assert found == {f"{MIRROR}/a/one:1": new, f"{MIRROR}/a/one@{old}": old}


def test_two_digests_of_one_tag_are_stored_by_digest(world: World) -> None:
    digests = {add(world.upstream, content) for content in (b"old", b"new")}
    found = {str(each.target) for each in changes_of(world, *map(pinned, digests))}
    assert found == {f"{MIRROR}/a/one@{each}" for each in digests}


def test_a_digest_without_a_tag_is_stored_by_digest(world: World) -> None:
    digest = add(world.upstream, b"old")
    (change,) = changes_of(world, (f"a/one@{digest}", f"{MIRROR}/a/one@{digest}"))
    assert str(change.target) == f"{MIRROR}/a/one@{digest}"


class Frozen(Ground):
    """What a registry with immutable tags says."""

    def is_frozen(self, target: ImageRef) -> bool:
        return bool(target.tag)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        pytest.param(b"other", "create registry.corp/a/one@{digest}", id="another"),
        pytest.param(b"old", "same registry.corp/a/one:1", id="the-same"),
    ],
)
def test_an_immutable_tag_is_left_alone(world: World, held: bytes, expected: str) -> None:
    digest = add(world.upstream, b"old")
    add(world.mirror, held)
    target, source = ImageRef(MIRROR, "a/one", "1"), ImageRef("docker.io", "a/one", "1", digest)
    with workers(2) as pool:
        asking = Asking(world.stores(), world.cache, pool, Frozen(), quiet)
        (change,) = Survey(asking).plan([Wish(target, source, ())]).changes
    assert f"{change.op} {change.target}" == expected.format(digest=digest)
