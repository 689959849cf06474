"""Signatures, attestations and SBOMs travel with their images, or the plan says that they do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.core.content import OCI_INDEX, OCI_MANIFEST, digest_of
from planner.core.graph import build_graph
from planner.core.plan import Change, Plan
from planner.core.plan_file import from_json, to_json
from planner.core.refs import ImageRef
from planner.prepare import make_plan
from planner.stores.opening import Places
from planner.stores.referring import tag_of
from planner.ui import cli
from planner.ui.plan_text import Detail, plan_text
from planner.ui.style import Style
from planner.verify import verify
from tests.fakes import FakeRegistry, Fault, Status
from tests.making import (
    MIRROR,
    OTHER,
    World,
    ending,
    make_collected,
    make_need,
    needed_for,
)

NOTATION = "application/vnd.cncf.notary.signature"
SPDX = "application/spdx+json"
IMAGE = "a/one:1"


@contextmanager
def world_of(folder: Path, *, source: bool, target: bool, page_size: int = 100) -> Iterator[World]:
    """An upstream and a private registry that list referrers, or do not."""
    with (
        FakeRegistry(referrers=source, page_size=page_size) as upstream,
        FakeRegistry(referrers=target) as mirror,
        FakeRegistry() as other,
    ):
        yield World(folder, upstream, mirror, other)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(tmp_path, source=True, target=True) as world:
        yield world


def plan_of(world: World, *images: str, deep: bool = False, referrers: bool = True) -> Plan:
    needs = [make_need(each, f"{MIRROR}/{each}") for each in images or (IMAGE,)]
    stores = world.stores()
    return make_plan(
        make_collected(needs), stores, world.cache, deep=deep, referrers=referrers
    ).plan


def companions(plan: Plan) -> list[Change]:
    return [each for each in plan.changes if each.subject]


def fill(fake: FakeRegistry) -> str:
    return fake.add_image("a/one", "1", [b"layer"])


def add_list(fake: FakeRegistry, subject: str, *entries: dict[str, Any]) -> str:
    """The list that a client keeps."""
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, "kept": "as it is"}
    return fake.add_manifest("a/one", tag_of(subject), json.dumps(index).encode(), OCI_INDEX)


def entry(fake: FakeRegistry, digest: str) -> dict[str, Any]:
    size = len(fake.manifest("a/one", digest).body)
    return {"mediaType": OCI_MANIFEST, "digest": digest, "size": size}


def listed(fake: FakeRegistry, subject: str) -> list[dict[str, Any]]:
    """What the list of a client says."""
    index = json.loads(fake.manifest("a/one", tag_of(subject)).body)
    return list(index["manifests"])


def sign(fake: FakeRegistry, digest: str, *layers: bytes, ending: str = "sig") -> str:
    """Sign as cosign does."""
    return fake.add_image("a/one", f"{tag_of(digest)}.{ending}", layers or [b"signature"])


def test_nothing_is_asked_about_signatures_without_the_option(world: World) -> None:
    digest = fill(world.upstream)
    sign(world.upstream, digest)
    plan = plan_of(world, referrers=False)
    assert companions(plan) == []
    assert world.upstream.count("GET|HEAD", r"referrers|sha256-") == 0
    text = plan_text(plan, Style(), Detail())
    assert "Signatures and SBOMs are not looked for; --referrers takes them along.\n" in text


def test_the_plan_is_silent_where_they_are_looked_for_or_nothing_changes(world: World) -> None:
    fill(world.upstream)
    assert "not looked for" not in plan_text(plan_of(world), Style(), Detail())
    assert ending(world.apply(plan_of(world))).done == 1
    in_sync = plan_of(world, referrers=False)
    assert "not looked for" not in plan_text(in_sync, Style(), Detail())


def test_a_referrer_is_a_change_of_its_own(world: World) -> None:
    digest = fill(world.upstream)
    signature = world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
    (change,) = companions(plan_of(world))
    assert (change.op, change.kind, change.digest) == ("create", "artifact", signature)
    assert change.target == ImageRef(MIRROR, "a/one", "", signature)
    assert (change.subject, change.reason) == (digest, "signs :1")
    assert [each.text for each in change.because] == [IMAGE]
    text = plan_text(plan_of(world), Style(), Detail())
    assert "signs :1" in text


@pytest.mark.parametrize("source", [True, False], ids=["api", "list"])
def test_referrers_arrive_byte_for_byte_and_are_listed(tmp_path: Path, source: bool) -> None:
    with world_of(tmp_path, source=source, target=True) as world:
        digest = fill(world.upstream)
        found = [
            world.upstream.add_referrer("a/one", "1", kind, [kind.encode()])
            for kind in (NOTATION, SPDX)
        ]
        if not source:
            add_list(world.upstream, digest, *(entry(world.upstream, each) for each in found))
        assert ending(world.apply(plan_of(world))).done == 3
        for each in found:
            there = world.mirror.manifest("a/one", each)
            assert there.body == world.upstream.manifest("a/one", each).body
        assert tag_of(digest) not in world.mirror.tags("a/one")
        assert {each.op for each in plan_of(world, deep=True).changes} == {"same"}


def test_where_the_target_lists_nothing_a_list_is_kept_with_what_others_wrote(
    tmp_path: Path,
) -> None:
    with world_of(tmp_path, source=True, target=False) as world:
        digest = fill(world.upstream)
        found = {
            world.upstream.add_referrer("a/one", "1", f"{NOTATION}.{each}", [b"%d" % each])
            for each in range(5)
        }
        world.mirror.add_image("a/one", "theirs", [b"theirs"])
        theirs = entry(world.mirror, world.mirror.manifest("a/one", "theirs").digest)
        theirs["annotations"] = {"who": "somebody else"}
        add_list(world.mirror, digest, theirs)
        assert ending(world.apply(plan_of(world))).done == 6
        first, *ours = listed(world.mirror, digest)
        assert first == theirs
        assert {each["digest"] for each in ours} == found
        assert all(each["artifactType"].startswith(NOTATION) for each in ours)
        assert all(each["annotations"] == {"made.by": "the test"} for each in ours)
        index = json.loads(world.mirror.manifest("a/one", tag_of(digest)).body)
        assert index["kept"] == "as it is"
        assert {each.op for each in plan_of(world, deep=True).changes} == {"same"}


def test_a_list_that_is_none_is_left_alone(tmp_path: Path) -> None:
    with world_of(tmp_path, source=True, target=False) as world:
        digest = fill(world.upstream)
        world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
        theirs = world.mirror.add_image("a/one", tag_of(digest), [b"an image"])
        end = ending(world.apply(plan_of(world)))
        assert (end.done, end.failed) == (1, 1)
        assert world.mirror.manifest("a/one", tag_of(digest)).digest == theirs


def test_a_list_of_the_source_that_is_none_blocks(tmp_path: Path) -> None:
    with world_of(tmp_path, source=False, target=False) as world:
        digest = fill(world.upstream)
        world.upstream.add_image("a/one", tag_of(digest), [b"an image"])
        (change,) = companions(plan_of(world))
        assert change.op == "blocked"
        assert "is no index" in change.reason


def test_all_pages_are_read(tmp_path: Path) -> None:
    with world_of(tmp_path, source=True, target=True, page_size=2) as world:
        fill(world.upstream)
        for each in range(5):
            world.upstream.add_referrer("a/one", "1", NOTATION, [b"%d" % each])
        assert len(companions(plan_of(world))) == 5
        assert world.upstream.count("GET", r"referrers/.*last=") >= 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Status(404, b"404 page not found\n"), id="plain"),
        pytest.param(Status(404, b'{"errors": [{"code": "NAME_UNKNOWN"}]}'), id="json"),
        pytest.param(Status(405), id="method"),
        pytest.param(Status(400), id="bad"),
        pytest.param(Status(403), id="denied"),
        pytest.param(Status(200, b"<html>", {"Content-Type": "text/html"}), id="page"),
    ],
)
def test_a_registry_without_the_api_is_asked_for_the_list(world: World, answer: Status) -> None:
    digest = fill(world.upstream)
    signature = world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
    add_list(world.upstream, digest, entry(world.upstream, signature))
    world.upstream.faults.add(Fault("GET", "referrers", answer, times=100))
    assert [each.digest for each in companions(plan_of(world))] == [signature]


def test_cosigns_tags_travel(world: World) -> None:
    digest = fill(world.upstream)
    found = {
        ending: sign(world.upstream, digest, ending=ending) for ending in ("sig", "att", "sbom")
    }
    plan = plan_of(world)
    assert {each.target.tag: each.reason for each in companions(plan)} == {
        f"{tag_of(digest)}.sig": "signs :1",
        f"{tag_of(digest)}.att": "attests :1",
        f"{tag_of(digest)}.sbom": "describes :1",
    }
    assert ending(world.apply(plan)).done == 4
    for each, held in found.items():
        assert world.mirror.manifest("a/one", f"{tag_of(digest)}.{each}").digest == held


def test_what_signs_an_sbom_travels_too(world: World) -> None:
    fill(world.upstream)
    sbom = world.upstream.add_referrer("a/one", "1", SPDX, [b"sbom"])
    signature = world.upstream.add_referrer("a/one", sbom, NOTATION, [b"signed sbom"])
    assert {each.digest for each in companions(plan_of(world))} == {sbom, signature}
    assert ending(world.apply(plan_of(world))).done == 3
    puts = [each.path for each in world.mirror.requests if each.method == "PUT"]
    order = [each.rpartition("/")[2] for each in puts if "/manifests/" in each]
    assert order.index("1") < order.index(sbom) < order.index(signature)


def test_platforms_are_asked_only_where_the_index_has_something(world: World) -> None:
    child = world.upstream.add_image("a/one", "child", [b"layer"])
    index = world.upstream.add_index("a/one", "1", [child])
    assert companions(plan_of(world)) == []
    assert world.upstream.count("GET", f"referrers/{child}") == 0
    root, part = (sign(world.upstream, each, each.encode()) for each in (index, child))
    assert {each.digest for each in companions(plan_of(world))} == {root, part}


def test_a_signature_of_ours_on_the_target_is_not_lost(world: World) -> None:
    digest = fill(world.upstream)
    sign(world.upstream, digest, b"theirs")
    sign(world.mirror, digest, b"ours")
    (change,) = companions(plan_of(world))
    assert change.op == "blocked"
    assert "moving it would lose them" in change.reason
    sign(world.upstream, digest, b"ours", b"theirs")
    (change,) = companions(plan_of(world))
    assert change.op == "move"


def test_two_tags_of_an_image_share_its_signature(world: World) -> None:
    digest = fill(world.upstream)
    world.upstream.add_image("a/one", "2", [b"layer"])
    sign(world.upstream, digest)
    (change,) = companions(plan_of(world, IMAGE, "a/one:2"))
    assert [each.text for each in change.because] == [IMAGE, "a/one:2"]


def test_images_in_sync_are_looked_at_only_deeply(world: World) -> None:
    digest = fill(world.upstream)
    fill(world.mirror)
    sign(world.upstream, digest)
    assert companions(plan_of(world)) == []
    assert [each.op for each in companions(plan_of(world, deep=True))] == ["create"]


def test_one_that_is_there_and_told_to_nobody_is_repaired(tmp_path: Path) -> None:
    with world_of(tmp_path, source=True, target=False) as world:
        digest = fill(world.upstream)
        signature = world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
        saved = plan_of(world)
        world.mirror.faults.add(Fault("PUT", tag_of(digest), Status(403)))
        end = ending(world.apply(saved))
        assert (end.done, end.failed) == (1, 1)
        assert [each.op for each in companions(plan_of(world, deep=True))] == ["repair"]
        assert ending(world.apply(saved)).done == 1
        assert [each["digest"] for each in listed(world.mirror, digest)] == [signature]


def test_a_signature_waits_for_what_it_signs(world: World) -> None:
    fill(world.upstream)
    world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
    world.mirror.faults.add(Fault("PUT", "manifests/1$", Status(403)))
    end = ending(world.apply(plan_of(world)))
    assert (end.done, end.failed) == (0, 2)
    assert world.mirror.tags("a/one") == []


def test_a_signature_that_cannot_be_copied_blocks_itself_alone(world: World) -> None:
    fill(world.upstream)
    signature = world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
    world.upstream.faults.add(Fault("GET", f"manifests/{signature}", Status(403), times=10))
    plan = plan_of(world)
    assert {each.op for each in companions(plan)} == {"blocked"}
    assert [each.op for each in plan.changes if not each.subject] == ["create"]


def test_a_source_that_allows_no_more_pulls_blocks_signatures_alone(tmp_path: Path) -> None:
    with world_of(tmp_path, source=False, target=True) as world:
        digest = fill(world.upstream)
        signature = world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
        add_list(world.upstream, digest, entry(world.upstream, signature))
        used_up = Status(429, headers={"Retry-After": "0"})
        listing = world.upstream.manifest("a/one", tag_of(digest)).digest
        world.upstream.faults.add(Fault("GET", f"manifests/{listing}", used_up, times=99))
        plan = plan_of(world)
        assert {each.op for each in companions(plan)} == {"blocked"}
        assert [each.op for each in plan.changes if not each.subject] == ["create"]


def test_they_pass_through_a_saved_plan(world: World) -> None:
    fill(world.upstream)
    world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
    plan = plan_of(world)
    assert from_json(to_json(plan), "plan.json") == plan
    assert json.loads(to_json(plan))["referrers"] is True


def test_they_pass_through_a_layout(world: World, tmp_path: Path) -> None:
    digest = fill(world.upstream)
    signature = world.upstream.add_referrer("a/one", "1", NOTATION, [b"signed"])
    sign(world.upstream, digest)
    there = world_at(world, replace(world.places, write_to=f"oci:{tmp_path}/layout"))
    assert ending(there.apply(plan_of(there))).done == 3
    back = world_at(world, replace(world.places, read_from=f"oci:{tmp_path}/layout"))
    carried = make_need(f"{MIRROR}/{IMAGE}", f"{OTHER}/{IMAGE}")
    plan = make_plan(make_collected([carried]), back.stores(), back.cache, referrers=True).plan
    assert ending(back.apply(plan)).done == 3
    assert world.other.manifest("a/one", signature).digest == signature
    assert [each["digest"] for each in listed(world.other, digest)] == [signature]
    assert f"{tag_of(digest)}.sig" in world.other.tags("a/one")


def world_at(world: World, places: Places) -> World:
    """The same world by other ways."""

    class Elsewhere(World):
        @property
        def places(self) -> Places:
            return places

    return Elsewhere(world.folder, world.upstream, world.mirror, world.other)


def test_verify_tells_what_is_missing_on_the_target(world: World) -> None:
    digest = fill(world.upstream)
    sign(world.upstream, digest)
    need = make_need(IMAGE, f"{MIRROR}/{IMAGE}")
    world.apply(plan_of(world, referrers=False))
    (before,) = verify([need], world.stores(), blobs=False)
    assert before.verdict == "found"
    (result,) = verify([need], world.stores(), blobs=False, referrers=True)
    assert result.verdict == "unsigned"
    assert (
        result.detail == f"1 signature or the like missing, first {tag_of(digest)}.sig (signs it)"
    )
    world.apply(plan_of(world, deep=True))
    (after,) = verify([need], world.stores(), blobs=False, referrers=True)
    assert after.verdict == "found"


def test_a_tag_is_made_of_a_digest() -> None:
    hexadecimal = digest_of(b"x").partition(":")[2]
    assert tag_of(digest_of(b"x")) == f"sha256-{hexadecimal}"
    assert tag_of(f"sha512:{'ab' * 64}") == f"sha512-{'ab' * 32}"


@contextmanager
def project(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch, more: str = ""
) -> Iterator[None]:
    """The files of a cluster whose nodes go to the mirror."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("registries.yaml").write_text(
        f"mirrors: {{docker.io: {{endpoint: ['{world.mirror.url}']}}}}\n"
    )
    Path("images.txt").write_text("a/one:1\na/two:1\n")
    Path("planner.yaml").write_text(
        f"version: 1\nregistries: {{docker.io: {{endpoint: '{world.upstream.url}'}}}}\n{more}"
        "clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n"
    )
    yield


def test_the_option_and_the_setting_say_the_same(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    digest = fill(world.upstream)
    sign(world.upstream, digest)
    world.upstream.add_image("a/two", "1", [b"other"])
    found = []
    for name, more, options in (("one", "", ["--referrers"]), ("two", "referrers: true\n", [])):
        with project(world, tmp_path / name, monkeypatch, more):
            assert cli.main(["plan", *options, "--format", "json"]) == 0
            found.append(json.loads(capsys.readouterr().out)["changes"])
            assert cli.main(["plan", "--format", "images", *options]) == 0
            assert f"{tag_of(digest)}.sig" in capsys.readouterr().out
    assert [[each["kind"] for each in changes] for changes in found] == [
        ["image", "artifact", "image"]
    ] * 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(["--target", "*/a/one:1"], {"one", "sig"}, id="its-image"),
        pytest.param(["--target", "*/a/two:*"], {"two"}, id="another-image"),
        pytest.param(["--target", "*.sig"], {"sig"}, id="itself"),
        pytest.param(["--exclude", "*/a/one:1"], {"two"}, id="without-its-image"),
        pytest.param(["--exclude", "*.sig"], {"one", "two"}, id="without-it"),
    ],
)
def test_a_signature_is_chosen_with_its_image(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    expected: set[str],
) -> None:
    sign(world.upstream, fill(world.upstream))
    world.upstream.add_image("a/two", "1", [b"other"])
    with project(world, tmp_path / "project", monkeypatch):
        assert cli.main(["plan", "--referrers", "--format", "images", *options]) == 0
    names = capsys.readouterr().out.split()
    known = {".sig": "sig", "/one:1": "one", "/two:1": "two"}
    assert {
        short for name in names for mark, short in known.items() if name.endswith(mark)
    } == expected


def test_inventories_do_not_know_of_them(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with project(world, tmp_path / "project", monkeypatch):
        assert cli.main(["plan", "--referrers", "--against", "inventory.json"]) == 64
    assert "--referrers looks at what registries hold" in capsys.readouterr().err


def test_two_lists_of_one_subject_are_never_written_at_once(tmp_path: Path) -> None:
    """One step waits for the other, on whatever machine it runs."""
    with world_of(tmp_path, source=True, target=False) as world:
        fill(world.upstream)
        for each in range(4):
            world.upstream.add_referrer("a/one", "1", NOTATION, [b"%d" % each])
        plan = plan_of(world)
        graph = build_graph(plan, plan.pending)
        steps = [each for each in graph if each.startswith("referrer ")]
        assert len(steps) == 4
        for number, step in enumerate(steps):
            assert set(steps[:number]) <= needed_for(graph, step)


def test_making_a_plan_takes_a_few_requests_for_each_image(world: World) -> None:
    fill(world.upstream)
    world.plan(IMAGE)
    before = len(world.upstream.requests)
    plan_of(world, referrers=False)
    without = len(world.upstream.requests) - before
    plan_of(world)
    assert len(world.upstream.requests) - before - without == without + 1 + 3
