"""``--platform``: indexes for some platforms alone, planned, applied, planned again, verified and recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.config import RegistrySettings
from planner.core import schema
from planner.core.content import OCI_INDEX, OCI_MANIFEST, digest_of
from planner.core.difference import compare, side_of_needs, side_of_plan
from planner.core.drift import with_drift
from planner.core.family import Need
from planner.core.plan import Change, Drift, Plan
from planner.core.plan_file import from_json, to_json
from planner.core.record import Record, Written
from planner.core.refs import ImageRef
from planner.inventory import named_by, take
from planner.preflight import Ground
from planner.prepare import make_plan, quiet
from planner.record import load_record
from planner.recording import Recording
from planner.stores.cache import ManifestCache
from planner.stores.opening import Stores
from planner.stores.recorded import Recording as Recorded
from planner.stores.recorded import Recordings
from planner.stores.referring import tag_of
from planner.stores.workers import workers
from planner.survey import Asking, Survey, Wish
from planner.ui.cli import main
from planner.ui.consequence import consequence
from planner.ui.diff_text import as_json, as_text
from planner.ui.plan.markdown import markdown
from planner.ui.plan.reasons import why_text
from planner.ui.plan_text import Detail, plan_text
from planner.ui.review.details import details_text
from planner.ui.review.model import PlanModel
from planner.ui.style import Style
from planner.verify import Verified, verify
from tests.fakes import FakeRegistry
from tests.making import (
    IMPATIENT,
    MIRROR,
    UPSTREAM,
    World,
    ending,
    make_collected,
    make_need,
    make_world,
    writes,
)

AMD, ARM, S390 = "linux/amd64", "linux/arm64", "linux/s390x"
IMAGE = "a/multi:1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """``a/multi:1`` is an index of three upstream, ``a/one:1`` an image of one."""
    with make_world(tmp_path) as world:
        fill(world.upstream)
        yield world


def fill(fake: FakeRegistry, *platforms: str) -> str:
    fake.add_image("a/one", "1", [b"one" * 100], ARM)
    for each in platforms or (AMD, ARM, S390):
        fake.add_image("a/multi", each.rpartition("/")[2], [each.encode() * 100], each)
    listed = [each.rpartition("/")[2] for each in platforms or (AMD, ARM, S390)]
    return fake.add_index("a/multi", "1", listed)


def need_of(image: str, *platforms: str) -> Need:
    return make_need(image, f"{MIRROR}/{image}")._replace(platforms=platforms)


def plan_of(world: World, *needs: Need, cache: ManifestCache | None = None, **more: Any) -> Plan:
    listed = needs or (need_of(IMAGE, AMD),)
    return make_plan(make_collected(listed), world.stores(), cache or world.cache, **more).plan


def only(plan: Plan) -> Change:
    (change,) = plan.changes
    return change


class Watch:
    """The requests about manifests that a registry gets from now on."""

    def __init__(self, fake: FakeRegistry) -> None:
        self._fake = fake
        self._mark = len(fake.requests)

    @property
    def seen(self) -> list[str]:
        new = self._fake.requests[self._mark :]
        return [f"{each.method} {each.path}" for each in new if "/manifests/" in each.path]


def children(fake: FakeRegistry, reference: str = "1") -> list[str]:
    document = json.loads(fake.manifest("a/multi", reference).body)
    return ["/".join(each["platform"].values()) for each in document["manifests"]]


# Planning and applying.


def test_the_index_is_rewritten_and_both_digests_are_told(world: World) -> None:
    plan = plan_of(world)
    change = only(plan)
    assert (change.op, change.platforms, change.dropped_platforms) == (
        "create",
        (AMD,),
        (ARM, S390),
    )
    assert change.source_digest == world.upstream.manifest("a/multi", "1").digest
    assert change.digest != change.source_digest
    assert set(plan.manifests) == {
        change.digest,
        world.upstream.manifest("a/multi", "amd64").digest,
    }


def test_what_is_applied_is_the_plan_s_index_and_nothing_of_the_others(world: World) -> None:
    change = only(plan := plan_of(world))
    assert ending(world.apply(plan)).failed == 0
    assert world.mirror.manifest("a/multi", "1").digest == change.digest
    assert children(world.mirror) == [AMD]
    with pytest.raises(KeyError):
        world.mirror.blob("a/multi", digest_of(ARM.encode() * 100))


def test_the_result_is_in_sync_with_one_request_on_each_side(world: World) -> None:
    world.apply(plan_of(world))
    watches = [Watch(world.upstream), Watch(world.mirror)]
    assert only(plan_of(world)).op == "same"
    assert [each.seen for each in watches] == [["HEAD /v2/a/multi/manifests/1"]] * 2


def test_without_its_cache_only_the_source_s_index_is_fetched(world: World, tmp_path: Path) -> None:
    world.apply(plan_of(world))
    watch = Watch(world.upstream)
    change = only(plan_of(world, cache=ManifestCache(tmp_path / "other")))
    assert change.op == "same"
    assert watch.seen == [
        "HEAD /v2/a/multi/manifests/1",
        f"GET /v2/a/multi/manifests/{change.source_digest}",
    ]
    assert world.mirror.count("GET", "/manifests/") == 0


def test_a_whole_index_on_both_sides_is_read_where_it_counts_no_pull(world: World) -> None:
    fill(world.mirror)
    change = only(plan_of(world))
    assert (change.op, change.current) == ("move", change.source_digest)
    assert world.upstream.count("GET", f"/manifests/{change.source_digest}") == 0


def test_images_of_one_platform_cost_nothing_and_stay_as_they_are(world: World) -> None:
    """Which platform that is stands in the configuration alone, which no plan reads."""
    need = need_of("a/one:1", AMD)
    change = only(plan := plan_of(world, need))
    assert (change.op, change.source_digest, change.platforms) == ("create", "", ())
    world.apply(plan)
    watch = Watch(world.upstream)
    assert only(plan_of(world, need, cache=ManifestCache(world.folder / "other"))).op == "same"
    assert watch.seen == ["HEAD /v2/a/one/manifests/1"]


def test_what_is_in_sync_is_not_looked_into(world: World) -> None:
    world.apply(plan_of(world))
    plan = plan_of(world)
    assert (plan.manifests, plan.present, world.mirror.count("HEAD", "/blobs/")) == ({}, {}, 0)


def test_deeply_what_is_gone_behind_the_rewritten_tag_is_repaired(world: World) -> None:
    world.apply(plan_of(world))
    assert only(plan_of(world, deep=True)).op == "same"
    world.mirror._storage.delete_blob("a/multi", digest_of(AMD.encode() * 100))
    assert only(plan := plan_of(world, deep=True)).op == "repair"
    assert ending(world.apply(plan)).failed == 0
    assert only(plan_of(world, deep=True)).op == "same"


def test_an_image_for_all_that_is_wanted_is_copied_byte_for_byte(world: World) -> None:
    change = only(plan_of(world, need_of(IMAGE, AMD, ARM, S390)))
    assert change.digest == world.upstream.manifest("a/multi", "1").digest
    assert (change.source_digest, change.reason) == ("", "")


def test_an_image_for_none_of_the_platforms_is_blocked(world: World) -> None:
    change = only(plan_of(world, need_of(IMAGE, "linux/riscv64")))
    assert change.op == "blocked"
    assert change.reason == (
        "the source has nothing for linux/riscv64, but for linux/amd64, linux/arm64, linux/s390x"
    )


def test_an_index_of_attestations_alone_is_blocked(world: World) -> None:
    entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(b"x"), "size": 1}
    unknown = entry | {"platform": {"os": "unknown", "architecture": "unknown"}}
    body = json.dumps({"schemaVersion": 2, "manifests": [unknown]}).encode()
    world.upstream.add_manifest("a/multi", "1", body, OCI_INDEX)
    assert (
        only(plan_of(world)).reason == "the source has nothing for linux/amd64, but no image at all"
    )


def test_an_image_that_lacks_some_says_so(world: World) -> None:
    change = only(plan_of(world, need_of(IMAGE, AMD, "linux/riscv64")))
    assert (change.op, change.reason) == ("create", "the source has nothing for linux/riscv64")


def test_what_nodes_ask_for_by_digest_is_copied_whole_and_says_so(world: World) -> None:
    digest = world.upstream.manifest("a/multi", "1").digest
    pinned = only(plan_of(world, need_of(f"{IMAGE}@{digest}", AMD)))
    assert (pinned.digest, pinned.source_digest) == (digest, "")
    assert pinned.reason == (
        "copied whole, with linux/arm64, linux/s390x: nodes ask for its digest, and a rewritten index has another"
    )
    part = world.upstream.manifest("a/multi", "amd64").digest
    assert only(plan_of(world, need_of(f"{IMAGE}@{part}", AMD))).reason == ""


@pytest.mark.parametrize(
    ("wanted", "platforms"),
    [
        pytest.param([(AMD,), (S390,)], (AMD, S390), id="union"),
        pytest.param([(AMD,), ()], (AMD, ARM, S390), id="one-wants-all"),
    ],
)
def test_clusters_that_share_a_name_get_what_each_wants(
    world: World, wanted: list[tuple[str, ...]], platforms: tuple[str, ...]
) -> None:
    change = only(plan_of(world, *(need_of(IMAGE, *each) for each in wanted)))
    assert change.platforms == platforms


def test_a_pin_holds_the_source_s_digest(world: World) -> None:
    source = need_of(IMAGE).source
    pin = world.upstream.manifest("a/multi", "1").digest
    expected = only(plan_of(world)).digest
    fill(world.upstream, AMD)
    change = only(plan_of(world, pins={source: pin}, cache=ManifestCache(world.folder / "new")))
    assert (change.digest, change.source_digest) == (expected, pin)


def test_what_is_pinned_and_gone_blocks_that_image_alone(world: World) -> None:
    gone = digest_of(b"gone")
    needs = (need_of(IMAGE, AMD), need_of("a/one:1", AMD))
    changes = plan_of(world, *needs, pins={needs[0].source: gone}).changes
    assert [each.op for each in changes] == ["blocked", "create"]
    assert "which the source no longer has" in changes[0].reason


class Frozen(Ground):
    """What a registry with immutable tags says."""

    def is_frozen(self, target: ImageRef) -> bool:
        return bool(target.tag)


def test_an_immutable_tag_may_hold_more_than_is_wanted(world: World) -> None:
    whole = fill(world.mirror)
    target, source = ImageRef(MIRROR, "a/multi", "1"), ImageRef(UPSTREAM, "a/multi", "1")
    with workers(2) as pool:
        asking = Asking(world.stores(), world.cache, pool, Frozen(), quiet)
        (change,) = Survey(asking).plan([Wish(target, source, (), platforms=(AMD,))]).changes
    assert (change.op, change.digest) == ("same", whole)


def test_an_index_that_cannot_be_rewritten_is_blocked(world: World) -> None:
    body = world.upstream.manifest("a/multi", "1").body.replace(b"{", b'{"manifests": [],', 1)
    world.upstream.add_manifest("a/multi", "1", body, OCI_INDEX)
    change = only(plan_of(world))
    assert change.op == "blocked"
    assert "twice" in change.reason


def test_inventories_answer_as_far_as_the_cache_goes(world: World) -> None:
    world.apply(plan_of(world))
    named = named_by([need_of(IMAGE, AMD)])
    found = {
        name: Recorded(f"{name}.json", take(name, world.stores(), named[name], (), quiet))
        for name in named
    }
    watch = Watch(world.upstream)
    stores = Stores(world.places, IMPATIENT, Recordings(found))
    collected = make_collected([need_of(IMAGE, AMD)])
    assert only(make_plan(collected, stores, world.cache).plan).op == "same"
    change = only(make_plan(collected, stores, ManifestCache(world.folder / "new")).plan)
    assert (change.op, watch.seen) == ("blocked", [])
    assert "holds no manifests, and this one is not in the cache" in change.reason


# What a plan says of it.


def test_a_saved_plan_keeps_it_all(world: World) -> None:
    plan = plan_of(world)
    assert schema.violations("formats/plan", json.loads(to_json(plan))) == []
    assert from_json(to_json(plan), "plan.json").changes == plan.changes
    assert compare(side_of_plan(plan), side_of_plan(from_json(to_json(plan), "p"))).is_empty


def test_every_view_tells_the_two_digests_and_the_platforms(world: World) -> None:
    plan = plan_of(world)
    old, new = (each[:19] for each in (only(plan).source_digest, only(plan).digest))
    told = f"rewritten from {old} for linux/amd64 (1 of 3 platforms)"
    text = plan_text(plan, Style(), Detail())
    assert told in text
    assert new in text
    assert "1 image is rewritten for fewer platforms: what nodes get has another digest" in text
    assert told in markdown(plan).replace("&#58;", ":").replace("&#95;", "_")
    kept = f"linux/amd64; rewritten from {old}, without linux/arm64, linux/s390x"
    assert f"platforms {kept}" in why_text(plan, ["*"], Style())
    assert f"platforms  {kept}" in str(details_text(PlanModel(plan), 0, 200))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_a_terminal_tells_what_it_has_room_for(world: World, width: int) -> None:
    plan = plan_of(world, need_of(IMAGE, AMD, "linux/riscv64"))
    text = plan_text(plan, Style(width=width), Detail())
    assert all(len(line) <= width for line in text.splitlines() if "http" not in line)
    assert "rewritten" in text
    assert "has nothing for linux/riscv64" in " ".join(text.split())


def test_other_platforms_are_a_difference_between_two_sides() -> None:
    sides = [side_of_needs([need_of(IMAGE, *each)], {}, ()) for each in ((AMD,), (AMD, ARM), ())]
    (changed,) = compare(sides[0], sides[1]).changed
    assert changed.fields == ("platforms",)
    said = as_text(["old", "new"], compare(sides[1], sides[2]), Style())
    assert "platforms: linux/amd64, linux/arm64 → all" in said
    document = json.loads(as_json(["old", "new"], compare(sides[0], sides[1])))
    assert schema.violations("formats/diff", document) == []


# Verifying.


def check(world: World, need: Need, *, blobs: bool = True, referrers: bool = False) -> Verified:
    (result,) = verify([need], world.stores(), blobs=blobs, referrers=referrers)
    return result


def test_a_rewritten_index_is_right(world: World) -> None:
    world.apply(plan_of(world))
    result = check(world, need_of(IMAGE, AMD))
    assert (result.verdict, result.detail) == ("found", "")
    assert len(result.blobs) == 2


def test_only_what_the_nodes_will_look_for_must_be_there(world: World) -> None:
    """As in an index that another tool left with holes."""
    fill(world.mirror)
    arm = world.mirror.manifest("a/multi", "arm64").digest
    world.mirror._storage.delete_manifest("a/multi", arm)
    assert check(world, need_of(IMAGE, AMD)).verdict == "found"
    assert check(world, need_of(IMAGE, AMD, ARM), blobs=False).verdict == "incomplete"
    assert check(world, need_of(IMAGE)).verdict == "incomplete"


def test_a_platform_that_came_later_is_missing(world: World) -> None:
    world.apply(plan_of(world))
    result = check(world, need_of(IMAGE, AMD, ARM))
    assert (result.verdict, result.detail) == (
        "incomplete",
        "1 part missing, first an image for linux/arm64",
    )


def test_a_platform_that_the_source_lacks_too_is_told_and_no_fault(world: World) -> None:
    world.apply(plan_of(world))
    result = check(world, need_of(IMAGE, AMD, "linux/riscv64"))
    assert (result.verdict, result.detail) == (
        "found",
        "the image has nothing for linux/riscv64",
    )
    assert consequence(result).endswith("; the image has nothing for linux/riscv64")


def test_an_image_that_no_node_can_run_is_incomplete(world: World) -> None:
    fill(world.mirror)
    assert check(world, need_of(IMAGE, "linux/riscv64")).verdict == "incomplete"


def test_a_source_that_cannot_be_asked_proves_nothing(world: World) -> None:
    world.apply(plan_of(world))
    world.more[UPSTREAM] = RegistrySettings(endpoint="http://127.0.0.1:9")
    assert check(world, need_of(IMAGE, AMD, "linux/riscv64")).verdict == "incomplete"
    assert check(world, need_of(IMAGE, AMD)).verdict == "found"


# Signatures.


def sign(fake: FakeRegistry, reference: str) -> str:
    subject = fake.manifest("a/multi", reference).digest
    return fake.add_image("a/multi", f"{tag_of(subject)}.sig", [subject.encode()])


def test_signatures_of_kept_manifests_travel_and_those_of_the_index_stay(world: World) -> None:
    for each in ("1", "amd64", "arm64"):
        sign(world.upstream, each)
    plan = plan_of(world, referrers=True)
    image = next(each for each in plan.changes if not each.subject)
    (signature,) = (each for each in plan.changes if each.subject)
    amd = world.upstream.manifest("a/multi", "amd64").digest
    assert signature.target.tag == f"{tag_of(amd)}.sig"
    assert signature.subject == image.digest
    assert image.reason == "1 signature and the like stay behind, being of the source's whole index"
    assert image.reason in plan_text(plan, Style(), Detail())
    assert ending(world.apply(plan)).failed == 0


def test_verify_looks_for_the_signatures_of_what_was_kept(world: World) -> None:
    for each in ("1", "amd64"):
        sign(world.upstream, each)
    world.apply(plan_of(world))
    assert check(world, need_of(IMAGE, AMD), referrers=True).verdict == "unsigned"
    world.apply(plan_of(world, referrers=True, deep=True))
    assert check(world, need_of(IMAGE, AMD), referrers=True).verdict == "found"


# The record, and what moved since.


def test_the_record_keeps_both_digests(world: World, tmp_path: Path) -> None:
    plan = plan_of(world)
    recording = Recording(tmp_path / ".planner", plan)
    for event in world.apply(plan):
        recording.see(event)
    record = load_record(tmp_path / ".planner").record
    ((name, written),) = (item for each in record.targets.values() for item in each.items())
    assert name == f"{MIRROR}/{IMAGE}"
    assert (written.digest, written.source_digest) == (
        only(plan).digest,
        only(plan).source_digest,
    )


@pytest.mark.parametrize(
    ("source", "target", "wanted", "drift"),
    [
        pytest.param((), "rewritten", (AMD,), "", id="nothing"),
        pytest.param((AMD, ARM), "rewritten", (AMD,), "source", id="source-moved-to-the-same"),
        pytest.param((), "whole", (AMD,), "target", id="target-moved"),
        pytest.param((AMD, ARM), "whole", (AMD,), "both", id="both"),
        pytest.param((), "rewritten", (AMD, ARM), "", id="other-platforms"),
        pytest.param((), "rewritten", (), "", id="whole-again"),
    ],
)
def test_each_side_is_judged_by_its_own_digest(
    world: World, source: tuple[str, ...], target: str, wanted: tuple[str, ...], drift: Drift
) -> None:
    first = only(plan := plan_of(world))
    world.apply(plan)
    if target == "whole":
        fill(world.mirror)
    if source:
        fill(world.upstream, *source)
    last = Written(
        first.digest, str(first.source), "2026-01-01T00:00:00Z", "p", first.source_digest
    )
    record = Record({MIRROR: {str(first.target): last}})
    now = with_drift(plan_of(world, need_of(IMAGE, *wanted)), record, lambda name: name)
    assert only(now).drift == drift


# The command line.


@pytest.fixture
def place(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A cluster of one image in planner.yaml."""
    for name, value in {"HOME": tmp_path, "XDG_CACHE_HOME": tmp_path / "caches"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    Path("images.txt").write_text(f"{IMAGE}\n")
    Path("registries.yaml").write_text(
        f"mirrors:\n  docker.io:\n    endpoint: ['https://{MIRROR}']\n"
    )
    restrict(world, AMD)
    return world


def restrict(world: World, *platforms: str) -> None:
    Path("planner.yaml").write_text(
        "version: 1\nregistries:\n"
        f"  docker.io: {{endpoint: '{world.upstream.url}'}}\n"
        f"  {MIRROR}: {{endpoint: '{world.mirror.url}'}}\n"
        "clusters:\n  - name: edge\n    spec: registries.yaml\n    images: [images.txt]\n"
        f"    platforms: [{', '.join(platforms)}]\n"
    )


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    code = main([*words, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_planner_yaml_chooses_for_every_command(
    place: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "--auto-approve", "--progress", "none"]) == 0
    assert children(place.mirror) == [AMD]
    code, document = said(capsys, "plan", "--detailed-exitcode")
    assert (code, document["changes"][0]["wanted_platforms"]) == (0, [AMD])
    assert said(capsys, "verify", "--deep")[0] == 0
    assert said(capsys, "images")[1]["images"][0]["platforms"] == [AMD]
    assert main(["plan", "--platform", "all", "--detailed-exitcode"]) == 2
    assert main(["plan", "--platform", f"{AMD},{ARM}", "--detailed-exitcode"]) == 2


def test_options_add_up(place: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = said(capsys, "plan", "--platform", "linux/s390x", "--platform", ARM)
    assert (code, document["changes"][0]["platforms"]) == (0, [ARM, S390])


def test_the_lock_pins_sources(place: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--lock"]) == 0
    pins = json.loads(Path("planner.lock").read_text())["sources"]
    source = place.upstream.manifest("a/multi", "1").digest
    assert pins == {f"{UPSTREAM}/{IMAGE}": source}
    change = said(capsys, "plan", "--locked")[1]["changes"][0]
    assert change["source_digest"] == source


def test_a_saved_plan_is_compared_and_applied_as_it_was_made(
    place: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "-o", "plan.json"]) == 0
    assert main(["diff", "plan.json", "live", "--detailed-exitcode"]) == 0
    assert main(["apply", "plan.json", "--platform", ARM]) == 64
    assert "says itself which platforms" in capsys.readouterr().err
    assert writes(place.mirror) == 0
    watch = Watch(place.upstream)
    assert main(["apply", "plan.json"]) == 0
    assert children(place.mirror) == [AMD]
    assert watch.seen == []


def test_what_is_no_platform_stops_before_anything_is_asked(
    place: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--platform", "linux/amd46"]) == 64
    assert "did you mean linux/amd64?" in capsys.readouterr().err
    restrict(place, "linux/amd46")
    assert main(["lint", "planner.yaml"]) != 0
    assert "'linux/amd46' does not have the form Platform" in capsys.readouterr().out
    assert main(["plan"]) == 64
    assert place.upstream.requests == place.mirror.requests == []
