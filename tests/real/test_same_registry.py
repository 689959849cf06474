"""A source that is the target: other names on the same machine share their blobs, the very same names are in sync."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.config import Config, RegistrySettings
from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.opening import Places, Stores
from tests.real.story import WRITES, Workplace, endpoints, fill
from tests.support.registry_server import RegistryServer

IMAGES = tuple(map(parse_image, ("docker.io/team/app:1", "docker.io/team/tool:1")))


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.mark.parametrize("below", ["", "mirror/"])
def test_another_repository_of_the_same_registry_shares_the_blobs(
    place: Workplace, registry: RegistryServer, below: str
) -> None:
    """Nothing is read or sent but manifests, when the source is below the target's address."""
    fill(registry.url, IMAGES)
    describe(place, registry, endpoints(registry.url, ["docker.io"]), below)
    before, mark = registry.blob_digests_on_disk(), registry.mark()
    done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert " 0 B sent" in done.stdout
    requests = registry.requests_since(mark)
    assert not [each for each in requests if each.method == "GET" and "/blobs/" in each.path]
    assert {each.method for each in requests if "/uploads/" in each.path} == {"POST"}
    assert registry.blob_digests_on_disk() == before
    assert place.planner("verify", "--blobs").returncode == 0


def test_the_same_name_is_in_sync(place: Workplace, registry: RegistryServer) -> None:
    """Nodes are sent to where the images come from anyway."""
    settings = {"docker.io": RegistrySettings(endpoint=registry.url)}
    write_samples(IMAGES, Stores(Places(Config(registries=settings))).target, kib=1)
    describe(place, registry, f"registries: {{docker.io: {{endpoint: '{registry.url}'}}}}\n")
    mark = registry.mark()
    done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert "2 images in sync" in done.stdout
    assert not [each for each in registry.requests_since(mark) if each.method in WRITES]


def describe(place: Workplace, registry: RegistryServer, settings: str, below: str = "") -> None:
    rewrite = f"{{'^(.*)$': '{below}$1'}}"
    place.write("images.txt", "".join(f"{each}\n" for each in IMAGES))
    place.write(
        "registries.yaml",
        f"mirrors: {{docker.io: {{endpoint: ['{registry.url}'], rewrite: {rewrite}}}}}\n",
    )
    place.write(
        "planner.yaml",
        f"version: 1\n{settings}"
        "clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
    )
