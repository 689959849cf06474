"""Every kind of content that registries hold passes byte for byte, or is refused with what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.core.content import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    digest_of,
)
from planner.core.errors import RegistryError
from planner.core.plan import Change
from planner.stores.layout import Layout, LayoutFolder
from planner.ui.plan_text import Detail, plan_text
from planner.ui.style import Style
from tests.fakes import FakeRegistry, Fault, Status
from tests.making import MIRROR, World, ending, make_registry, make_world

EMPTY = "application/vnd.oci.empty.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
HELM = "application/vnd.cncf.helm.config.v1+json"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
LAYER = "application/vnd.oci.image.layer.v1.tar"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        yield world


def descriptor(media_type: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


def add(
    fake: FakeRegistry, reference: str, document: dict[str, Any], kind: str = OCI_MANIFEST
) -> bytes:
    """Keep a manifest with odd white space, which has to stay."""
    data = json.dumps({"schemaVersion": 2, "mediaType": kind, **document}, indent=3).encode()
    fake.add_manifest("a/one", reference, data, kind)
    return data


def add_artifact(
    fake: FakeRegistry, reference: str, config: str, *layers: tuple[str, bytes]
) -> bytes:
    fake.add_blob("a/one", b"{}")
    for _, data in layers:
        fake.add_blob("a/one", data)
    listed = [descriptor(kind, data) for kind, data in layers]
    return add(fake, reference, {"config": descriptor(config, b"{}"), "layers": listed})


def only(world: World) -> Change:
    (change,) = world.plan("a/one:1").changes
    return change


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        pytest.param(EMPTY, ((EMPTY, b"{}"),), id="empty"),
        pytest.param(EMPTY, (), id="no-layers"),
        pytest.param(HELM, ((CHART, b"chart"),), id="helm"),
        pytest.param(CONFIG, ((ZSTD, b"zstd"), (LAYER, b"tar")), id="zstd"),
        pytest.param(
            "application/vnd.wasm.config.v0+json", (("application/wasm", b"\0asm"),), id="wasm"
        ),
    ],
)
def test_artifacts_of_any_type_pass(world: World, config: str, layers: Any) -> None:
    data = add_artifact(world.upstream, "1", config, *layers)
    assert world.sync("a/one:1").done == 1
    assert world.mirror.manifest("a/one", "1").body == data
    assert {each.op for each in world.plan("a/one:1").changes} == {"same"}


@pytest.mark.parametrize("layers", [{}, {"layers": None}], ids=["left-out", "null"])
def test_a_manifest_without_a_list_of_layers_has_none(world: World, layers: Any) -> None:
    add_artifact(world.upstream, "odd", EMPTY)
    add(world.upstream, "1", {"config": descriptor(EMPTY, b"{}"), **layers})
    plan = world.plan("a/one:1")
    assert [each.op for each in plan.changes] == ["create"]
    assert plan.blobs(plan.changes[0]).keys() == {digest_of(b"{}")}


@pytest.mark.parametrize(
    ("kind", "child"),
    [(OCI_INDEX, OCI_MANIFEST), (DOCKER_LIST, DOCKER_MANIFEST)],
    ids=["oci", "docker"],
)
def test_an_index_in_an_index_passes_with_all_below(world: World, kind: str, child: str) -> None:
    world.upstream.add_blob("a/one", b"{}")
    leaf = add(world.upstream, "leaf", {"config": descriptor(CONFIG, b"{}"), "layers": []}, child)
    inner = add(world.upstream, "inner", {"manifests": [descriptor(child, leaf)]}, kind)
    outer = add(world.upstream, "1", {"manifests": [descriptor(kind, inner)]}, kind)
    assert world.sync("a/one:1").done == 1
    for data in (leaf, inner, outer):
        assert world.mirror.manifest("a/one", digest_of(data)).body == data
    assert only(world).op == "same"


def test_a_part_deep_in_a_nested_index_that_is_gone_is_repaired(world: World) -> None:
    leaf = world.upstream.add_image("a/one", "leaf", [b"layer"])
    inner = world.upstream.add_index("a/one", "inner", [leaf])
    data = world.upstream.manifest("a/one", inner).body
    add(world.upstream, "1", {"manifests": [descriptor(OCI_INDEX, data)]}, OCI_INDEX)
    world.sync("a/one:1")
    world.mirror._storage.delete_manifest("a/one", leaf)
    assert only(world).op == "repair"
    assert world.sync("a/one:1").done == 1
    assert only(world).op == "same"


@pytest.mark.parametrize("kind", [FOREIGN, NONDISTRIBUTABLE])
def test_layers_that_must_not_be_distributed_stay_where_they_are(world: World, kind: str) -> None:
    world.upstream.add_blob("a/one", b"{}")
    layer = descriptor(kind, b"windows", urls=["https://example.com/layer"])
    manifest = {"config": descriptor(CONFIG, b"{}"), "layers": [layer]}
    data = add(world.upstream, "1", manifest, DOCKER_MANIFEST)
    text = plan_text(world.plan("a/one:1"), Style(), Detail())
    assert "1 image has layers that must not be distributed: nodes get these" in text
    assert world.sync("a/one:1").done == 1
    assert world.mirror.manifest("a/one", "1").body == data
    assert world.upstream.count("GET|HEAD", digest_of(b"windows")) == 0


def test_other_plans_say_nothing_of_such_layers(world: World) -> None:
    world.upstream.add_image("a/one", "1", [b"layer"])
    assert "distributed" not in plan_text(world.plan("a/one:1"), Style(), Detail())


def test_attestations_in_an_index_are_parts_and_no_platform(world: World) -> None:
    image = world.upstream.add_image("a/one", "image", [b"layer"])
    attestation = add_artifact(
        world.upstream, "attestation", CONFIG, ("application/vnd.in-toto+json", b"x")
    )
    index = {
        "manifests": [
            descriptor(
                OCI_MANIFEST,
                world.upstream.manifest("a/one", image).body,
                platform={"os": "linux", "architecture": "amd64"},
            ),
            descriptor(
                OCI_MANIFEST,
                attestation,
                platform={"os": "unknown", "architecture": "unknown"},
                annotations={"vnd.docker.reference.type": "attestation-manifest"},
            ),
        ]
    }
    add(world.upstream, "1", index, OCI_INDEX)
    assert only(world).platforms == ("linux/amd64",)
    assert world.sync("a/one:1").done == 1
    assert world.mirror.manifest("a/one", digest_of(attestation)).body == attestation


def test_dockers_schema_1_blocks_with_what_to_do(world: World) -> None:
    """Its digest is that of the payload, so that the bytes look damaged."""
    signed = b'{"schemaVersion": 1, "name": "a/one", "tag": "1", "fsLayers": [], "signatures": []}'
    headers = {"Content-Type": SCHEMA_1, "Docker-Content-Digest": digest_of(b"the payload")}
    world.upstream.faults.add(Fault("GET|HEAD", "manifests", Status(200, signed, headers), times=9))
    change = only(world)
    assert change.op == "blocked"
    assert "Docker's schema 1" in change.reason
    assert "push the image again" in change.reason


def test_blobs_with_sha512_digests_pass(world: World, tmp_path: Path) -> None:
    """Registries of tests know sha256 alone; a layout takes both."""
    layer = b"layer"
    folder = LayoutFolder(tmp_path / "layout")
    source, target = Layout(folder, "docker.io"), Layout(LayoutFolder(tmp_path / "other"), MIRROR)
    digest = digest_of(layer, "sha512")
    folder.write(digest, iter((layer,)))
    with source.open_blob("a/one", digest) as chunks:
        assert b"".join(map(bytes, chunks)) == layer
    assert not target.has_blob("a/one", digest)


def test_a_manifest_with_a_sha512_digest_blocks_and_says_why(world: World) -> None:
    data = add_artifact(world.upstream, "1", CONFIG)
    digest = digest_of(data, "sha512")
    answer = Status(200, data, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digest})
    world.upstream.faults.add(Fault("GET|HEAD", "manifests/sha512:", answer, times=9))
    (change,) = world.plan(f"a/one@{digest}").changes
    assert change.op == "blocked"
    assert "registries store manifests by sha256 alone" in change.reason
    assert "name it by its tag" in change.reason


def test_a_manifest_is_read_by_its_sha512_digest(world: World) -> None:
    data = add_artifact(world.upstream, "1", CONFIG)
    digest = digest_of(data, "sha512")
    answer = Status(200, data, {"Content-Type": OCI_MANIFEST})
    world.upstream.faults.add(Fault("GET", "manifests/sha512:", answer))
    assert make_registry(world.upstream).manifest("a/one", digest).data == data


def test_a_manifest_with_another_sha512_digest_is_refused(world: World) -> None:
    data = add_artifact(world.upstream, "1", CONFIG)
    answer = Status(200, data + b" ", {"Content-Type": OCI_MANIFEST})
    world.upstream.faults.add(Fault("GET", "manifests/sha512:", answer))
    with pytest.raises(RegistryError, match="asked for sha512:"):
        make_registry(world.upstream).manifest("a/one", digest_of(data, "sha512"))


def test_an_unknown_type_blocks_its_image_alone(world: World) -> None:
    kind = "application/vnd.oci.artifact.manifest.v1+json"
    body = json.dumps({"mediaType": kind, "blobs": []}).encode()
    world.upstream.add_manifest("a/one", "1", body, kind)
    headers = {"Content-Type": kind, "Docker-Content-Digest": digest_of(body)}
    world.upstream.faults.add(
        Fault("GET|HEAD", "a/one/manifests", Status(200, body, headers), times=9)
    )
    world.upstream.add_image("a/two", "1", [b"layer"])
    changes = world.plan("a/one:1", "a/two:1").changes
    assert [each.op for each in changes] == ["blocked", "create"]
    assert f"manifests of type '{kind}' cannot be copied" in changes[0].reason
    assert ending(world.apply(world.plan("a/one:1", "a/two:1"))).done == 1
