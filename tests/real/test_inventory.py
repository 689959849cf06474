"""What a real registry holds, and plans that such a file answers for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.core.refs import parse_image
from tests.real.conftest import MakeRegistry
from tests.real.story import WRITES, Workplace, endpoints, fill
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

IMAGES = tuple(parse_image(f"docker.io/team/app-{number}:v{number}") for number in range(7))


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer, registry: RegistryServer) -> Workplace:
    """A cluster whose nodes go to ``registry``, and an upstream that stands in for Docker Hub."""
    fill(upstream.url, IMAGES)
    place = Workplace(tmp_path)
    place.write("images.txt", "".join(f"{image}\n" for image in IMAGES))
    place.write(
        "registries.yaml",
        f"mirrors:\n  docker.io:\n    endpoint: ['{registry.url}']\n    rewrite: {{'^(.*)$': 'hub/$1'}}\n",
    )
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
        "clusters:\n  - {name: edge, spec: registries.yaml, images: [images.txt]}\n",
    )
    return place


def holdings(place: Workplace, file: str, registry: str) -> dict[str, object]:
    document: dict[str, dict[str, dict[str, object]]] = json.loads(
        (place.folder / file).read_text()
    )
    return document["registries"][registry]


def test_what_skopeo_sees_is_what_is_listed(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    assert place.planner("apply", "--auto-approve").returncode == 0
    skopeo.copy(
        f"docker://{upstream.host}/docker.io/team/app-0:v0",
        f"docker://{registry.host}/elsewhere/by-hand:latest",
    )
    before = registry.mark()
    done = place.planner("inventory", "-o", "inventory.json")
    assert (done.returncode, done.stderr) == (0, "")
    asked = registry.requests_since(before)
    assert not [each for each in asked if each.method in WRITES]
    assert not [each for each in asked if each.method == "GET" and "/manifests/" in each.path]
    found = holdings(place, "inventory.json", registry.host)
    assert (found["listed_by"], found["complete"], found["errors"]) == ("catalog", True, {})
    names = {f"hub/{each.repository}": each.tag for each in IMAGES} | {
        "elsewhere/by-hand": "latest"
    }
    assert found["repositories"] == {
        name: {tag: skopeo.digest(f"docker://{registry.host}/{name}:{tag}")}
        for name, tag in names.items()
    }


def test_a_plan_is_made_while_both_registries_are_down_and_carried_out_later(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer
) -> None:
    assert place.planner("plan").returncode == 0  # fetches the manifests
    assert place.planner("inventory", "-o", "target.json").returncode == 0
    assert place.planner("inventory", "docker.io", "-o", "source.json").returncode == 0
    against = ("--against", "target.json", "--against", "source.json")
    upstream.stop()
    registry.stop()
    assert place.planner("plan").returncode == 69
    done = place.planner("plan", *against, "-o", "plan.json")
    assert (done.returncode, done.stderr) == (0, "")
    upstream.start()
    registry.start()
    assert place.planner("apply", "plan.json").returncode == 0
    assert place.planner("plan", "--detailed-exitcode").returncode == 0


def test_a_repository_without_tags_is_listed_without(
    place: Workplace, registry: RegistryServer
) -> None:
    """distribution 2.8 goes on listing it, with tags that are null."""
    assert place.planner("apply", "--auto-approve", "--target", "*app-0*").returncode == 0
    (registry.data / "docker/registry/v2/repositories/hub/team/app-0/_manifests/tags/v0").rename(
        place.folder / "v0"
    )
    assert place.planner("inventory", "-o", "inventory.json").returncode == 0
    found = holdings(place, "inventory.json", registry.host)
    assert found["repositories"] == {"hub/team/app-0": {}}


def test_a_proxy_lists_nothing_so_the_specs_name_what_it_has(
    place: Workplace, upstream: RegistryServer, make_registry: MakeRegistry
) -> None:
    proxy = make_registry(proxy=upstream.url)
    place.write(
        "registries.yaml",
        f"mirrors:\n  docker.io:\n    endpoint: ['{proxy.url}']\n"
        "    rewrite: {'^(.*)$': 'docker.io/$1'}\n",
    )
    done = place.planner("inventory", "-o", "inventory.json")
    assert (done.returncode, done.stderr) == (0, "")
    found = holdings(place, "inventory.json", proxy.host)
    assert (found["listed_by"], found["complete"]) == ("specs", False)
    assert found["repositories"] == holdings_of_upstream(place)


def holdings_of_upstream(place: Workplace) -> dict[str, object]:
    assert place.planner("inventory", "docker.io", "-o", "source.json").returncode == 0
    listed = holdings(place, "source.json", "docker.io")["repositories"]
    assert isinstance(listed, dict)
    return {f"docker.io/{name}": tags for name, tags in listed.items()}
