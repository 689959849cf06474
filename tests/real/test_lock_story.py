"""Tags that move after an apply, on either side, and a lock that holds against it: against real registries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.core.refs import ImageRef, parse_image
from tests.real.story import WRITES, Workplace, endpoints, fill
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

STAYS, MOVED_HERE, MOVED_THERE = IMAGES = tuple(
    parse_image(f"docker.io/team/{name}:1") for name in ("stays", "moved-here", "moved-there")
)
OTHER = parse_image("docker.io/team/other:1")


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer, registry: RegistryServer) -> Workplace:
    """A cluster that was filled once, locked to what its images were then."""
    fill(upstream.url, [*IMAGES, OTHER])
    place = Workplace(tmp_path)
    place.write("images.txt", "".join(f"{each}\n" for each in IMAGES))
    place.write("registries.yaml", f"mirrors:\n  docker.io:\n    endpoint: ['{registry.url}']\n")
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
        "clusters:\n  - {name: edge, spec: registries.yaml, images: [images.txt]}\n",
    )
    done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    return place


def on(server: RegistryServer, image: ImageRef, below: str = "") -> str:
    return f"docker://{server.host}/{below}{image.repository}:{image.tag}"


def move(upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo) -> None:
    """Another image under the tag of one at the source, and of one at the target."""
    other = on(upstream, OTHER, "docker.io/")
    skopeo.copy(other, on(upstream, MOVED_THERE, "docker.io/"))
    skopeo.copy(other, on(registry, MOVED_HERE))


def planned(place: Workplace, *words: str) -> dict[str, tuple[str, str]]:
    done = place.planner("plan", "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    changes: list[dict[str, Any]] = json.loads(done.stdout)["changes"]
    return {
        each["target"].rpartition("/")[2].partition(":")[0]: (each["op"], each["drift"])
        for each in changes
    }


def test_moved_tags_are_marked_on_the_side_where_they_moved(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    move(upstream, registry, skopeo)
    assert planned(place) == {
        "stays": ("same", ""),
        "moved-here": ("move", "target"),
        "moved-there": ("move", "source"),
    }
    text = place.planner("plan").stdout
    assert "Note: 1 tag changed on the target, 1 tag changed at the source since" in text
    assert text.count("\n  ~* ") == 2


def test_the_lock_keeps_the_old_digest_and_puts_it_back(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    old = {each: skopeo.digest(on(registry, each)) for each in IMAGES}
    assert place.planner("plan", "--lock").returncode == 0
    move(upstream, registry, skopeo)
    mark = upstream.mark()
    assert planned(place, "--locked") == {
        "stays": ("same", ""),
        "moved-here": ("move", "target"),
        "moved-there": ("same", ""),
    }
    assert upstream.requests_since(mark) == []
    assert place.planner("apply", "--auto-approve", "--locked").returncode == 0
    assert {each: skopeo.digest(on(registry, each)) for each in IMAGES} == old


def test_an_update_of_the_lock_follows_the_source(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    place.planner("plan", "--lock")
    move(upstream, registry, skopeo)
    updated = place.planner("plan", "--lock=update")
    assert "1 moved, 3 images pinned" in updated.stderr
    assert place.planner("apply", "--auto-approve", "--locked").returncode == 0
    moved = skopeo.digest(on(registry, MOVED_THERE))
    assert moved == skopeo.digest(on(upstream, OTHER, "docker.io/"))


def test_a_copy_in_a_folder_is_recorded_apart(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    move(upstream, registry, skopeo)
    mark = registry.mark()
    done = place.planner("apply", "--auto-approve", "--to", "oci:copy")
    assert done.returncode == 0, done.stderr
    assert not WRITES & {each.method for each in registry.requests_since(mark)}
    assert planned(place)["moved-there"] == ("move", "source")
