"""The short story against registries other than Debian's: plan, apply, plan again, verify."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.core.refs import parse_image
from tests.real.story import Workplace, fill
from tests.support.other_registries import OtherRegistry
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

IMAGES = (
    "docker.io/rancher/mirrored-pause:3.6",
    "docker.io/rancher/klipper-lb:v0.4.13",
    "docker.io/rancher/mirrored-coredns-coredns:1.13.1",
)


@pytest.fixture(params=["zot", "distribution v3"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OtherRegistry]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with OtherRegistry(request.param, folder) as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer, other: OtherRegistry) -> Workplace:
    """A cluster whose nodes go to ``other``."""
    fill(upstream.url, map(parse_image, IMAGES))
    place = Workplace(tmp_path)
    place.write(
        "registries.yaml",
        f"mirrors:\n  docker.io:\n    endpoint: ['{other.url}']\n    rewrite: {{'^(.*)$': 'hub/$1'}}\n",
    )
    place.write("images.txt", "".join(f"{each}\n" for each in IMAGES))
    place.write(
        "planner.yaml",
        f"version: 1\nregistries:\n  docker.io: {{endpoint: '{upstream.url}/docker.io'}}\n"
        "clusters:\n  - {name: edge, spec: registries.yaml, images: [images.txt]}\n",
    )
    return place


def test_what_is_planned_arrives_and_stays(
    place: Workplace, other: OtherRegistry, upstream: RegistryServer, skopeo: Skopeo
) -> None:
    assert place.planner("plan", "--detailed-exitcode").returncode == 2
    done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    again = place.planner("plan", "--detailed-exitcode", "--format", "json")
    assert again.returncode == 0, again.stdout
    assert {each["op"] for each in json.loads(again.stdout)["changes"]} == {"same"}
    verified = place.planner("verify", "--blobs")
    assert verified.returncode == 0, verified.stdout
    for each in map(parse_image, IMAGES):
        name = f"{each.repository}:{each.tag}"
        source = skopeo.inspect_raw(f"docker://{upstream.host}/{each.registry}/{name}")
        assert skopeo.inspect_raw(f"docker://{other.host}/hub/{name}") == source


def test_blobs_that_images_share_are_sent_once(place: Workplace) -> None:
    """zot has every blob in every repository, distribution mounts it: nothing moves either way."""
    done = place.planner("apply", "--auto-approve", "--events", "events.jsonl")
    assert done.returncode == 0, done.stderr
    events = map(json.loads, (place.folder / "events.jsonl").read_text().splitlines())
    moved = {each["step"]: each["moved"] for each in events if "moved" in each and "step" in each}
    assert any(each for step, each in moved.items() if step.startswith("blob "))
    assert {each for step, each in moved.items() if step.startswith("mount ")} == {0}
