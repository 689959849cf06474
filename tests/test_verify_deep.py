"""Verify --deep believes no registry: it reads every blob back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.core.content import Descriptor, digest_of
from planner.core.errors import RegistryError
from planner.stores.layout import Layout, LayoutFolder
from planner.stores.rehash import Reading, damage_of
from planner.ui import cli
from planner.ui.commands.verify import live_bytes
from planner.verify import Verified, readings_of, rehash, verify
from tests.fakes import FakeRegistry, Fault, Status, WrongBytes
from tests.making import MIRROR, OTHER, World, make_need, make_world

SHARED, OWN = b"shared" * 1000, b"own" * 1000
ONE = make_need("a/one:1", f"{MIRROR}/a/one:1")
TWO = make_need("a/two:1", f"{MIRROR}/a/two:1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        world.mirror.add_image("a/one", "1", [SHARED, OWN])
        world.mirror.add_image("a/two", "1", [SHARED])
        yield world


def check(world: World, *needs: Any) -> list[Verified]:
    results = list(verify(needs or (ONE, TWO), world.stores(), blobs=True))
    return list(rehash(results, readings_of(results), lambda _: None))


def rot(fake: FakeRegistry, repository: str, blob: bytes, other: bytes) -> None:
    """Let the bytes behind a digest be others, as a bad disk does."""
    fake._storage._repositories[repository].blobs[digest_of(blob)] = other


def test_what_is_whole_is_found_and_read_once(world: World) -> None:
    assert [each.verdict for each in check(world)] == ["found", "found"]
    assert world.mirror.count("GET", f"blobs/{digest_of(SHARED)}") == 1
    assert world.mirror.count("GET", "blobs/") == 4


@pytest.mark.parametrize(
    ("other", "said"),
    [
        pytest.param(bytes(len(SHARED)), "has other bytes than its digest says", id="rotten"),
        pytest.param(SHARED[:-1], "has 5,999 of its 6,000 bytes", id="short"),
        pytest.param(b"", "has 0 of its 6,000 bytes", id="empty"),
        pytest.param(SHARED + b"x", "has more than its 5.9 KiB", id="long"),
    ],
)
def test_damage_is_named_with_all_images_that_it_spoils(
    world: World, other: bytes, said: str
) -> None:
    for repository in ("a/one", "a/two"):
        rot(world.mirror, repository, SHARED, other)
    results = check(world)
    assert [each.verdict for each in results] == ["corrupted", "corrupted"]
    assert {each.detail for each in results} == {f"1 blob damaged: {digest_of(SHARED)} {said}"}


def test_damage_to_one_leaves_the_other(world: World) -> None:
    rot(world.mirror, "a/one", OWN, b"x")
    assert [each.verdict for each in check(world)] == ["corrupted", "found"]


def test_without_deep_damage_is_not_seen(world: World) -> None:
    rot(world.mirror, "a/one", OWN, b"x")
    results = verify([ONE], world.stores(), blobs=True)
    assert [each.verdict for each in results] == ["found"]


def test_what_the_way_damaged_is_read_again(world: World) -> None:
    world.mirror.faults.add(Fault("GET", f"blobs/{digest_of(OWN)}", WrongBytes()))
    assert [each.verdict for each in check(world, ONE)] == ["found"]
    assert world.mirror.count("GET", f"blobs/{digest_of(OWN)}") == 2


def test_what_vanishes_meanwhile_is_damage(world: World) -> None:
    world.mirror.faults.add(Fault("GET", f"blobs/{digest_of(OWN)}", Status(404), times=9))
    (result,) = check(world, ONE)
    assert (result.verdict, result.detail) == (
        "corrupted",
        f"1 blob damaged: {digest_of(OWN)} is gone",
    )


def test_a_registry_that_refuses_is_an_error_and_no_damage(world: World) -> None:
    world.mirror.faults.add(Fault("GET", f"blobs/{digest_of(OWN)}", Status(403), times=9))
    with pytest.raises(RegistryError, match="fetching"):
        check(world, ONE)


def test_an_incomplete_image_with_damage_tells_both(world: World) -> None:
    world.mirror._storage.delete_blob("a/one", digest_of(SHARED))
    rot(world.mirror, "a/one", OWN, b"x")
    (result,) = check(world, ONE)
    assert result.verdict == "corrupted"
    assert result.detail.startswith(f"1 part missing, first {digest_of(SHARED)}; 1 blob damaged: ")


def test_two_registries_are_read_both(world: World) -> None:
    world.other.add_image("a/one", "1", [SHARED, OWN])
    rot(world.other, "a/one", SHARED, b"x")
    other = make_need("a/one:1", f"{OTHER}/a/one:1")
    assert [each.verdict for each in check(world, ONE, other)] == ["found", "corrupted"]


def test_a_blob_with_a_sha512_digest_is_checked_by_it(tmp_path: Path) -> None:
    folder = LayoutFolder(tmp_path)
    digest = digest_of(SHARED, "sha512")
    folder.write(digest, iter((SHARED,)))
    reading = Reading(Layout(folder, MIRROR), "a/one", Descriptor(digest, len(SHARED), ""))
    assert damage_of(reading, lambda _: None) == ""
    folder.blob(digest).write_bytes(SHARED[::-1])
    assert "other bytes" in damage_of(reading, lambda _: None)


def test_layouts_are_read_too(world: World, tmp_path: Path) -> None:
    places = replace(world.places, write_to=f"oci:{tmp_path}/layout")

    class Carried(World):
        @property
        def places(self) -> Any:
            return places

    world.upstream.add_image("a/one", "1", [SHARED, OWN])
    carried = Carried(world.folder, world.upstream, world.mirror, world.other)
    carried.sync("a/one:1")
    assert [each.verdict for each in check(carried, ONE)] == ["found"]
    path = LayoutFolder(tmp_path / "layout").blob(digest_of(OWN))
    path.write_bytes(b"x" + path.read_bytes()[1:])
    assert [each.verdict for each in check(carried, ONE)] == ["corrupted"]


SPEC = """mirrors:
  docker.io:
    endpoint: ["{url}"]
"""


@pytest.mark.parametrize("option", ["--deep", "--blobs --deep"])
def test_the_command_names_the_damage_and_fails(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("registries.yaml").write_text(SPEC.format(url=world.mirror.url))
    Path("images.txt").write_text("a/one:1\na/two:1\n")
    command = ["verify", "registries.yaml", "--images", "images.txt", *option.split()]
    assert cli.main(command) == 0
    rot(world.mirror, "a/one", OWN, b"x")
    assert cli.main(command) == 1
    said = capsys.readouterr()
    assert "CORRUPTED" in said.out
    assert digest_of(OWN) in said.out
    assert "1 corrupted, 1 ok" in said.out
    assert said.err == ""
    assert cli.main([*command, "--format", "json"]) == 1
    verdicts = [each["verdict"] for each in json.loads(capsys.readouterr().out)["images"]]
    assert verdicts == ["corrupted", "found"]


def test_progress_is_told_on_a_terminal(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    readings = readings_of(verify([ONE], world.stores(), blobs=True))
    with live_bytes(readings) as report:
        report(3000)
    told = capsys.readouterr().err
    assert "reading 2.9 KiB of 9.0 KiB in 3 blobs" in told
    assert told.endswith("\r\x1b[K")
