"""The screen of differences: what stands there now beside what is to come."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from planner.core.content import OCI_INDEX, OCI_MANIFEST, Manifest, digest_of
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.refs import ImageRef
from planner.stores.layout import Layout, LayoutFolder
from planner.stores.opening import Places, Stores
from planner.stores.pieces import PIECE
from planner.stores.store import Store
from planner.stores.verified import VerifiedStream
from planner.ui.review.app import ReviewApp
from planner.ui.review.diff import DiffScreen
from planner.ui.review.differences import Side, config_lines, layer_lines
from planner.ui.review.fetching import config_of
from planner.ui.review.lines import Lines
from tests.reviewing import NARROW, WIDE, play, review_of, shown, until, words

HOST = "registry.corp:5000"
NAME = ImageRef(HOST, "k8s/etcd", "3.5")
UPSTREAM = ImageRef("registry.k8s.io", "etcd", "3.5")
OLD_CONFIG = {
    "architecture": "amd64",
    "created": "2025-11-02T00:00:00Z",
    "config": {"Env": ["PATH=/bin", "GONE=1"], "Cmd": ["etcd"], "User": "0"},
}
NEW_CONFIG = {
    "architecture": "amd64",
    "created": "2026-06-30T00:00:00Z",
    "config": {"Env": ["PATH=/usr/bin", "NEW=[red]x[/red]"], "Cmd": ["etcd"], "Labels": {"a": "b"}},
}


def stored(
    store: Store, name: ImageRef, config: Mapping[str, Any], *layers: bytes, **more: Any
) -> Manifest:
    """An image in a store, with all that belongs to it."""
    data = json.dumps(config).encode()
    for blob in (data, *layers):
        write(store, name, blob)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", data),
        "layers": [described("application/vnd.oci.image.layer.v1.tar", each) for each in layers],
        **more,
    }
    manifest = Manifest(OCI_MANIFEST, json.dumps(document).encode())
    store.write_manifest(name.repository, name.reference, manifest)
    return manifest


def described(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def write(store: Store, name: ImageRef, data: bytes) -> None:
    @contextmanager
    def source(offset: int = 0, /) -> Iterator[VerifiedStream]:
        yield VerifiedStream(
            iter((data[offset:],)), digest_of(data), len(data), "test", offset=offset
        )

    store.write_blob(name.repository, digest_of(data), source)


def index(*images: tuple[Manifest, str]) -> Manifest:
    listed = [
        {
            **described(OCI_MANIFEST, each.data),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for each, architecture in images
    ]
    return Manifest(
        OCI_INDEX,
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode(),
    )


class Scene:
    """A target with an old image, a source with a new one, and the plan that moves the tag."""

    def __init__(self, folder: Path) -> None:
        self.down = Layout(LayoutFolder(folder / "down"), HOST)
        self.up = Layout(LayoutFolder(folder / "up"), UPSTREAM.registry)
        note = {"annotations": {"org.opencontainers.image.version": "3.4"}}
        self.old = stored(self.down, NAME, OLD_CONFIG, b"base", b"old top", **note)
        note = {"annotations": {"org.opencontainers.image.version": "3.5", "only.new": "1"}}
        self.new = stored(self.up, UPSTREAM, NEW_CONFIG, b"base", b"new top", b"shared", **note)
        self.stores = Stores(Places(read_from=f"oci:{folder}/up", write_to=f"oci:{folder}/down"))
        self.folder = folder

    def plan(self, op: str = "move", **more: Any) -> Plan:
        here = Place(HOST, "k8s/etcd")
        change = Change(op, NAME, UPSTREAM, self.new.digest, self.old.digest, **more)  # type: ignore[arg-type]
        present = {digest_of(b"base"): (here,), digest_of(b"shared"): (Place(HOST, "other/app"),)}
        return Plan((change,), {self.new.digest: self.new}, present)

    def app(self, plan: Plan | None = None) -> ReviewApp:
        return review_of(plan or self.plan(), self.stores)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("screen", [NARROW, WIDE, (200, 60)])
def test_layers_say_what_stays_what_goes_and_how_the_rest_comes(
    scene: Scene, screen: tuple[int, int]
) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await until(pilot, "removed")
        text = words(pilot)
        for each in (
            f"now {scene.old.digest[:19]} → new {scene.new.digest[:19]}",
            "4 blobs",
            "1 same, 2 removed, 2 to send",
            f"= {digest_of(b'base')[:19]} 4 B same",
            f"- {digest_of(b'old top')[:19]} 7 B removed",
            f"+ {digest_of(b'new top')[:19]} 7 B to send",
            f"+ {digest_of(b'shared')[:19]} 6 B is at {HOST}/other/app, mounted from there",
        ):
            assert each in text
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, DiffScreen)

    play(scene.app(), steps, screen)


def test_what_is_new_needs_no_registry(scene: Scene) -> None:
    plan = scene.plan("create")
    plan = replace(plan, changes=(replace(plan.changes[0], current=""),))

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await pilot.pause()
        text = words(pilot)
        assert "now nothing → new" in text
        assert f"+ {digest_of(b'base')[:19]} 4 B is there already" in text
        assert "2 to send" in text

    play(review_of(plan), steps)


def test_the_configurations_are_compared_by_name(scene: Scene) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d", "right_square_bracket")
        await until(pilot, "~ created")
        text = words(pilot)
        for each in (
            "~ created 2025-11-02T00:00:00Z → 2026-06-30T00:00:00Z",
            "~ Env PATH /bin → /usr/bin",
            "+ Env NEW [red]x[/red]",
            "- Env GONE 1",
            "- User 0",
            "+ Label a b",
            '= Cmd ["etcd"]',
        ):
            assert each in text

    play(scene.app(), steps)


def test_manifests_differ_with_as_much_context_as_is_wanted(scene: Scene) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await until(pilot, "removed")
        await pilot.press("3")
        await until(pilot, f'- "digest": "{digest_of(b"old top")}"')
        before = len(pilot.app.screen.query_one(Lines).text.splitlines())
        for _ in range(3):
            await pilot.press("left_curly_bracket")
        after = len(pilot.app.screen.query_one(Lines).text.splitlines())
        assert after < before

    play(scene.app(), steps, (120, 60))


def test_annotations_are_compared_and_tabs_go_round(scene: Scene) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await until(pilot, "removed")
        await pilot.press("h")
        await until(pilot, "~ org.opencontainers.image.version 3.4 → 3.5")
        assert "+ only.new 1" in words(pilot)
        await pilot.press("l")
        await until(pilot, "removed")

    play(scene.app(), steps)


def test_what_cannot_be_had_is_said_and_asked_for_again(scene: Scene) -> None:
    kept = scene.down.manifest(NAME.repository, scene.old.digest)
    blob = scene.folder / "down" / "blobs" / "sha256" / scene.old.digest.partition(":")[2]
    data = blob.read_bytes()
    blob.unlink()

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await until(pilot, "what stands there now cannot be had:")
        assert f"+ {digest_of(b'new top')[:19]}" in words(pilot)
        blob.write_bytes(data)
        await pilot.press("r")
        await until(pilot, "removed")

    play(scene.app(), steps)
    assert kept.digest == scene.old.digest


def test_a_configuration_that_cannot_be_had_is_said(scene: Scene) -> None:
    for each in (scene.folder / "up" / "blobs" / "sha256").iterdir():
        each.unlink()

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d", "2")
        await until(pilot, "the configuration cannot be had:")

    play(scene.app(), steps)


def test_the_screen_goes_on_while_a_registry_is_slow(scene: Scene) -> None:
    go = threading.Event()

    class Slow(Stores):
        def target(self, registry: str) -> Store:
            assert go.wait(30)
            return super().target(registry)

    slow = Slow(scene.stores.places)

    async def steps(pilot: Pilot[int]) -> None:
        try:
            await pilot.press("G", "d")
            await until(pilot, "asking the registry for what stands there now")
            await pilot.press("3")
            await until(pilot, '"config": {')
            await pilot.press("1")
        finally:
            go.set()
        await until(pilot, "removed")

    play(review_of(scene.plan(), slow), steps)


def test_leaving_while_a_registry_is_asked_is_no_failure(scene: Scene) -> None:
    go = threading.Event()

    class Slow(Stores):
        def target(self, registry: str) -> Store:
            assert go.wait(30)
            return super().target(registry)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await until(pilot, "asking the registry")
        await pilot.press("escape")
        go.set()
        for _ in range(20):
            await pilot.pause(0.01)
        assert "1 of 1 selected" in shown(pilot)

    app = play(review_of(scene.plan(), Slow(scene.stores.places)), steps)
    assert app.return_code in (None, 0)


@pytest.mark.parametrize(
    ("op", "said"),
    [
        pytest.param("delete", "The tag goes", id="delete"),
        pytest.param("repair", "2 parts are gone", id="repair"),
        pytest.param("blocked", "blocked: 2 parts are gone", id="blocked"),
    ],
)
def test_other_changes_say_what_becomes_of_them(scene: Scene, op: str, said: str) -> None:
    plan = scene.plan(op, reason="2 parts are gone")

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await until(pilot, said)

    play(scene.app(plan), steps)


def test_what_is_in_sync_is_shown_as_it_stands_there(scene: Scene) -> None:
    plan = scene.plan("same")
    plan = Plan((replace(plan.changes[0], digest=scene.old.digest),))

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("f", "G", "d")
        await until(pilot, f"= {digest_of(b'old top')[:19]} 7 B same")
        await pilot.press("2")
        await until(pilot, "= Env PATH /bin")

    play(scene.app(plan), steps)


def test_platforms_are_compared_with_their_like(scene: Scene) -> None:
    arm = stored(scene.up, UPSTREAM._replace(tag="arm"), NEW_CONFIG, b"arm")
    after, before = index((scene.new, "amd64"), (arm, "arm64")), index((scene.old, "amd64"))
    known = {one.digest: one for one in (after, before, scene.new, scene.old, arm)}
    found = layer_lines(Side(before.digest, known), Side(after.digest, known), {})
    text = "\n".join(each.text for each in found)
    assert f"linux/amd64   {scene.old.digest[:19]} → {scene.new.digest[:19]}" in text
    assert f"linux/arm64   {arm.digest[:19]}" in text
    assert text.index("removed") < text.index("linux/arm64")
    missing = Side(after.digest, {after.digest: after, scene.new.digest: scene.new})
    assert "linux/arm64: is not copied" in "\n".join(
        each.text for each in layer_lines(Side(), missing, {})
    )


def test_a_configuration_that_comes_in_many_pieces_is_whole(scene: Scene) -> None:
    config = {"Labels": {str(number): "x" * 1000 for number in range(4000)}}
    manifest = stored(scene.up, UPSTREAM, config, b"layer")
    assert len(json.dumps(config)) > 3 * PIECE
    change = scene.plan().changes[0]
    assert config_of(manifest, change, scene.plan(), scene.stores, is_new=True) == config


def test_a_strange_configuration_is_shown_as_it_is() -> None:
    strange = {"config": {"Env": "no list", "Labels": ["no", "map"]}, "created": 5, "history": None}
    text = "\n".join(each.text for each in config_lines({}, {"": strange}))
    assert "no list" in text
    assert '["no", "map"]' in text


def test_a_group_has_nothing_to_compare(scene: Scene) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("g", "d")
        await until(pilot, "go to an image first")

    play(scene.app(), steps)


def test_y_copies_the_digest_under_the_cursor(scene: Scene) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "d")
        await until(pilot, "removed")
        await pilot.press("G", "y")
        for _ in range(200):
            await pilot.pause(0.01)
            if pilot.app.clipboard:
                break
        assert pilot.app.clipboard == digest_of(b"shared")

    play(scene.app(), steps)
