"""The whole story for K3s, against real registries: plan, apply, plan again, verify, damage, repair."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from planner.core.refs import ImageRef, parse_image
from tests.real.story import WRITES, Workplace, endpoints, fill
from tests.support.containerd_server import ContainerdServer
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

RELEASE = "v1.35.0+k3s1"
IMAGES = tuple(
    map(
        parse_image,
        (
            "docker.io/rancher/klipper-helm:v0.9.12-build20251215",
            "docker.io/rancher/klipper-lb:v0.4.13",
            "docker.io/rancher/local-path-provisioner:v0.0.32",
            "docker.io/rancher/mirrored-coredns-coredns:1.13.1",
            "docker.io/rancher/mirrored-library-busybox:1.37.0",
            "docker.io/rancher/mirrored-library-traefik:3.5.1",
            "docker.io/rancher/mirrored-metrics-server:v0.8.0",
            "docker.io/rancher/mirrored-pause:3.6",
        ),
    )
)
PAUSE = IMAGES[-1]


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer, registry: RegistryServer) -> Workplace:
    """A cluster whose nodes go to ``registry``, and an upstream that stands in for Docker Hub."""
    fill(upstream.url, IMAGES)
    place = Workplace(tmp_path)
    place.write(
        "registries.yaml",
        f"mirrors:\n  docker.io:\n    endpoint: ['{registry.url}']\n    rewrite: {{'^(.*)$': 'hub/$1'}}\n",
    )
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
        f"clusters:\n  - {{name: edge, spec: registries.yaml, release: {RELEASE}}}\n",
    )
    return place


def on_target(image: ImageRef, registry: RegistryServer) -> str:
    return f"docker://{registry.host}/hub/{image.repository}:{image.tag}"


def on_upstream(image: ImageRef, upstream: RegistryServer) -> str:
    return f"docker://{upstream.host}/{image.registry}/{image.repository}:{image.tag}"


def applied(place: Workplace, *options: str) -> None:
    done = place.planner("apply", "--auto-approve", *options)
    assert done.returncode == 0, done.stderr


def test_every_tag_gets_the_bytes_of_its_source(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    planned = place.planner("plan", "-o", "plan.json", "--detailed-exitcode")
    assert planned.returncode == 2, planned.stderr
    done = place.planner("apply", "plan.json")
    assert done.returncode == 0, done.stderr
    for image in IMAGES:
        source = skopeo.inspect_raw(on_upstream(image, upstream))
        assert skopeo.inspect_raw(on_target(image, registry)) == source


def test_planning_writes_nothing_and_asks_for_nothing_twice(
    place: Workplace, registry: RegistryServer
) -> None:
    place.planner("plan")
    requests = registry.requests()
    assert {each.method for each in requests} <= {"GET", "HEAD"}
    assert len(requests) == len({(each.method, each.path) for each in requests})


def test_each_shared_blob_is_uploaded_once(place: Workplace, registry: RegistryServer) -> None:
    applied(place)
    uploads = [
        each
        for each in registry.requests()
        if each.method == "PUT" and "/blobs/uploads/" in each.path
    ]
    digests = [each.path.partition("digest=")[2] for each in uploads]
    assert len(digests) == len(set(digests))
    assert len(digests) + len(IMAGES) + 6 == len(
        registry.blob_digests_on_disk()
    )  # and 8 tags, 6 children


def test_a_second_plan_is_empty_and_its_apply_writes_nothing(
    place: Workplace, registry: RegistryServer
) -> None:
    applied(place)
    mark = registry.mark()
    planned = place.planner("plan", "-o", "plan.json", "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout
    assert place.planner("apply", "plan.json").returncode == 0
    assert not WRITES & {each.method for each in registry.requests_since(mark)}


def test_applying_a_plan_again_costs_one_look_for_each_tag(
    place: Workplace, registry: RegistryServer
) -> None:
    place.planner("plan", "-o", "plan.json")
    assert place.planner("apply", "plan.json").returncode == 0
    mark = registry.mark()
    again = place.planner("apply", "plan.json")
    assert "Nothing to do" in again.stdout
    assert [each.method for each in registry.requests_since(mark)] == ["HEAD"] * len(IMAGES)


def test_verify_passes_when_all_is_there(place: Workplace, registry: RegistryServer) -> None:
    applied(place)
    verified = place.planner("verify", "--blobs", "--format", "json")
    assert verified.returncode == 0, verified.stdout
    assert {each["endpoint"] for each in json.loads(verified.stdout)["images"]} == {
        f"{registry.url}/v2"
    }


def test_verify_names_the_internet_when_the_mirror_is_empty(place: Workplace) -> None:
    verified = place.planner("verify")
    assert verified.returncode == 1
    assert "https://registry-1.docker.io/v2" in verified.stdout


def lose_a_tag_and_a_blob(registry: RegistryServer) -> tuple[ImageRef, ImageRef]:
    """Remove a tag, and a layer of another image, behind the registry's back."""
    untagged, damaged = IMAGES[1], PAUSE
    repository = registry.data / "docker/registry/v2/repositories/hub" / untagged.repository
    shutil.rmtree(repository / "_manifests/tags" / untagged.tag)
    return untagged, damaged


def test_plan_and_verify_tell_what_was_lost_and_apply_repairs_it(
    place: Workplace, registry: RegistryServer, skopeo: Skopeo
) -> None:
    applied(place)
    untagged, damaged = lose_a_tag_and_a_blob(registry)
    manifest = json.loads(skopeo.inspect_raw(on_target(damaged, registry)))
    registry.delete_blob_file(manifest["layers"][-1]["digest"])

    changes = {each["target"]: each["op"] for each in planned_changes(place)}
    assert changes[f"{registry.host}/hub/{untagged.repository}:{untagged.tag}"] == "create"
    assert changes[f"{registry.host}/hub/{damaged.repository}:{damaged.tag}"] == "repair"
    assert sorted(changes.values()) == ["create", "repair", *["same"] * 6]

    verdicts = [each["verdict"] for each in json.loads(verify_blobs(place))["images"]]
    assert sorted(verdicts) == [*["found"] * 6, "incomplete", "upstream"]

    applied(place, "--deep")
    assert place.planner("verify", "--blobs").returncode == 0


def planned_changes(place: Workplace) -> list[dict[str, str]]:
    changes: list[dict[str, str]] = json.loads(
        place.planner("plan", "--deep", "--format", "json").stdout
    )["changes"]
    return changes


def verify_blobs(place: Workplace) -> str:
    return place.planner("verify", "--blobs", "--format", "json").stdout


def test_a_tag_that_moved_meanwhile_makes_the_plan_stale(
    place: Workplace, registry: RegistryServer, skopeo: Skopeo
) -> None:
    place.planner("plan", "-o", "plan.json")
    fill(f"{registry.url}/hub", [PAUSE])  # below docker.io/, so the plan's own names stay empty …
    name = f"docker://{registry.host}/hub"
    skopeo.copy(
        f"{name}/docker.io/{PAUSE.repository}:{PAUSE.tag}", f"{name}/{PAUSE.repository}:{PAUSE.tag}"
    )
    skopeo.copy(
        f"{name}/docker.io/{PAUSE.repository}:{PAUSE.tag}",
        f"{name}/{IMAGES[0].repository}:{IMAGES[0].tag}",
    )
    stale = place.planner("apply", "plan.json")
    assert stale.returncode == 75
    assert IMAGES[0].repository in stale.stderr


def test_a_changed_spec_makes_the_plan_stale(place: Workplace, registry: RegistryServer) -> None:
    place.planner("plan", "-o", "plan.json")
    with (place.folder / "registries.yaml").open("a") as spec:
        spec.write("# edited\n")
    stale = place.planner("apply", "plan.json")
    assert (stale.returncode, registry.blob_digests_on_disk()) == (75, frozenset())
    assert "registries.yaml changed" in stale.stderr


def test_containerd_pulls_through_the_rendered_files(
    place: Workplace, registry: RegistryServer, containerd: ContainerdServer, skopeo: Skopeo
) -> None:
    """Without a rewrite, which only the containerd inside K3s knows."""
    place.write("registries.yaml", f"mirrors:\n  docker.io:\n    endpoint: ['{registry.url}']\n")
    applied(place)
    assert place.planner("render", "registries.yaml", "-o", "node").returncode == 0
    fetched = containerd.fetch(str(PAUSE), place.folder / "node/certs.d")
    assert fetched.returncode == 0, fetched.stderr
    digest = skopeo.digest(f"docker://{registry.host}/{PAUSE.repository}:{PAUSE.tag}")
    assert digest in containerd.content()


def test_skopeo_reads_what_was_written_to_a_layout(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    done = place.planner("apply", "--auto-approve", "--to", "oci:carried")
    assert done.returncode == 0, done.stderr
    name = f"oci:{place.folder}/carried:{registry.host}/hub/{PAUSE.repository}:{PAUSE.tag}"
    assert skopeo.inspect_raw(name) == skopeo.inspect_raw(on_upstream(PAUSE, upstream))


def test_a_layout_written_by_skopeo_can_be_the_source(
    place: Workplace, upstream: RegistryServer, registry: RegistryServer, skopeo: Skopeo
) -> None:
    place.write("pause.txt", f"{PAUSE}\n")
    place.write("planner.yaml", "version: 1\n")
    skopeo.copy(on_upstream(PAUSE, upstream), f"oci:{place.folder}/brought:{PAUSE}")
    command = (
        "apply",
        "registries.yaml",
        "--images",
        "pause.txt",
        "--from",
        "oci:brought",
        "--auto-approve",
    )
    done = place.planner(*command)
    assert done.returncode == 0, done.stderr
    source = skopeo.inspect_raw(on_upstream(PAUSE, upstream))
    assert skopeo.inspect_raw(on_target(PAUSE, registry)) == source


def test_a_plan_is_not_carried_to_other_machines_by_another_configuration(
    place: Workplace, registry: RegistryServer
) -> None:
    place.planner("plan", "-o", "plan.json")
    (place.folder / "planner.yaml").unlink()
    refused = place.planner("apply", "plan.json")
    assert (refused.returncode, registry.blob_digests_on_disk()) == (75, frozenset())
    assert "reached docker.io at" in refused.stderr
