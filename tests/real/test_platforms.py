"""``--platform`` against real registries: what skopeo and containerd's registry find is an image like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.core.content import digest_of
from planner.core.refs import parse_image
from tests.real.story import WRITES, Workplace, endpoints, fill
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

MULTI, SINGLE = IMAGES = tuple(parse_image(f"docker.io/team/{each}:1") for each in ("multi", "one"))


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer, registry: RegistryServer) -> Workplace:
    """A cluster of amd64 nodes; the first of its two images is for arm64, too."""
    fill(upstream.url, IMAGES)
    place = Workplace(tmp_path)
    place.write("images.txt", "".join(f"{each}\n" for each in IMAGES))
    place.write("registries.yaml", f"mirrors:\n  docker.io:\n    endpoint: ['{registry.url}']\n")
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
        "clusters:\n  - {name: edge, spec: registries.yaml, images: [images.txt], platforms: [linux/amd64]}\n",
    )
    return place


def test_what_is_copied_is_an_image_for_the_platforms_alone(
    place: Workplace,
    upstream: RegistryServer,
    registry: RegistryServer,
    skopeo: Skopeo,
    tmp_path: Path,
) -> None:
    source = skopeo.inspect_raw(f"docker://{upstream.host}/docker.io/{MULTI.repository}:1")
    target = f"docker://{registry.host}/{MULTI.repository}:1"
    planned = json.loads(place.planner("plan", "--format", "json").stdout)["changes"]
    done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    written = skopeo.inspect_raw(target)
    amd, arm = json.loads(source)["manifests"]
    assert json.loads(written) == json.loads(source) | {"manifests": [amd]}
    assert (planned[0]["digest"], planned[0]["source_digest"]) == (
        digest_of(written),
        digest_of(source),
    )
    left_out = skopeo.inspect_raw(
        f"docker://{upstream.host}/docker.io/{MULTI.repository}@{arm['digest']}"
    )
    assert json.loads(left_out)["layers"][1]["digest"] not in registry.blob_digests_on_disk()
    skopeo.copy(target, f"oci:{tmp_path}/copy:1")  # with all that the index names


def test_it_is_in_sync_afterwards_and_verified(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    assert place.planner("apply", "--auto-approve").returncode == 0
    marks = upstream.mark(), registry.mark()
    again = place.planner("plan", "--detailed-exitcode")
    assert (again.returncode, "2 images in sync" in again.stdout) == (0, True), again.stdout
    for server, mark in zip((upstream, registry), marks, strict=True):
        asked = [each.method for each in server.requests_since(mark) if "/manifests/" in each.path]
        assert asked == ["HEAD", "HEAD"]
    deep = place.planner("verify", "--deep")
    assert deep.returncode == 0, deep.stdout
    wider = place.planner("verify", "--platform", "linux/amd64,linux/arm64")
    assert wider.returncode == 1
    assert "1 part missing, first an image for linux/arm64" in wider.stdout
    assert not WRITES.intersection(each.method for each in registry.requests_since(marks[1]))


def test_other_platforms_are_a_move_and_no_drift(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    assert place.planner("apply", "--auto-approve").returncode == 0
    (change, _) = json.loads(place.planner("plan", "--platform", "all", "--format", "json").stdout)[
        "changes"
    ]
    assert (change["op"], change["drift"]) == ("move", "")
    assert place.planner("apply", "--platform", "all", "--auto-approve").returncode == 0
    whole = f"docker://{upstream.host}/docker.io/{MULTI.repository}:1"
    assert skopeo.digest(f"docker://{registry.host}/{MULTI.repository}:1") == skopeo.digest(whole)
