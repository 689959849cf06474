"""Manifests of registries, which may hold anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from planner.core.content import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    digest_of,
    parse_manifest,
)
from planner.core.errors import RegistryError

ONE, TWO = digest_of(b"1"), digest_of(b"2")
CONFIG = {"mediaType": "c", "digest": ONE, "size": 1}
LAYER = {"mediaType": "l", "digest": TWO, "size": 2}
IMAGE = {"schemaVersion": 2, "config": CONFIG, "layers": [LAYER]}
CHILD = {"mediaType": OCI_MANIFEST, "digest": TWO, "size": 2}
INDEX = {"schemaVersion": 2, "manifests": [CHILD]}


def parse(document: Any, media_type: str = "") -> Manifest:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_manifest(data, media_type, "r/a:1")


@pytest.mark.parametrize(
    ("document", "said", "expected"),
    [
        pytest.param(IMAGE, OCI_MANIFEST, OCI_MANIFEST, id="header"),
        pytest.param(IMAGE, f"{OCI_MANIFEST}; charset=utf-8", OCI_MANIFEST, id="parameter"),
        pytest.param(
            {**IMAGE, "mediaType": DOCKER_MANIFEST}, OCI_MANIFEST, DOCKER_MANIFEST, id="own-word"
        ),
        pytest.param(IMAGE, "", OCI_MANIFEST, id="guessed-image"),
        pytest.param(INDEX, "", OCI_INDEX, id="guessed-index"),
        pytest.param(INDEX, "application/json", OCI_INDEX, id="guessed-from-json"),
        pytest.param(INDEX, DOCKER_LIST, DOCKER_LIST, id="docker-list"),
    ],
)
def test_the_type_of_a_manifest(document: Any, said: str, expected: str) -> None:
    assert parse(document, said).media_type == expected


def test_an_image_names_its_blobs() -> None:
    manifest = parse(IMAGE)
    assert manifest.blobs == (Descriptor(ONE, 1, "c"), Descriptor(TWO, 2, "l"))
    assert (manifest.children, manifest.is_index) == ((), False)


def test_an_index_names_its_children() -> None:
    platform = {"os": "linux", "architecture": "arm", "variant": "v7", "os.version": "1"}
    manifest = parse({**INDEX, "manifests": [{**CHILD, "platform": platform}, CHILD]})
    assert [each.platform for each in manifest.children] == ["linux/arm/v7", ""]
    assert (manifest.blobs, manifest.is_index) == ((), True)


def test_layers_that_must_not_be_distributed_stay_at_home() -> None:
    kinds = (
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    )
    document = {**IMAGE, "layers": [{**LAYER, "mediaType": each} for each in kinds]}
    assert [each.media_type for each in parse(document).blobs] == ["c", kinds[2]]


@pytest.mark.parametrize("layers", [None, []])
def test_an_image_may_have_no_layers(layers: Any) -> None:
    assert len(parse({**IMAGE, "layers": layers}).blobs) == 1


def test_a_manifest_keeps_its_bytes_and_their_digest() -> None:
    data = b'{ "schemaVersion":2,"config":%b }\n\n' % json.dumps(CONFIG).encode()
    manifest = parse(data)
    assert (manifest.data, manifest.digest) == (data, digest_of(data))
    assert "schemaVersion" not in repr(manifest)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b"9" * 5000, id="huge-number"),
        pytest.param(json.dumps(IMAGE).encode("utf-16"), id="utf-16"),
        pytest.param(b'{"schemaVersion": 2, "config": "\xed\xa0\x80"}', id="surrogate"),
        pytest.param("text", id="text"),
        pytest.param(7, id="number"),
        pytest.param(None, id="null"),
        pytest.param([IMAGE], id="list"),
        pytest.param({**IMAGE, "layers": 7}, id="layers-number"),
        pytest.param({**IMAGE, "layers": [7]}, id="layer-number"),
        pytest.param({**IMAGE, "layers": [{}]}, id="layer-empty"),
        pytest.param({**IMAGE, "config": []}, id="config-list"),
        pytest.param({**IMAGE, "config": {**CONFIG, "size": -1}}, id="size-negative"),
        pytest.param({**IMAGE, "config": {**CONFIG, "size": "1"}}, id="size-text"),
        pytest.param({**IMAGE, "config": {**CONFIG, "size": 1.5}}, id="size-fraction"),
        pytest.param({**IMAGE, "config": {**CONFIG, "digest": "sha256:../x"}}, id="digest-path"),
        pytest.param({**IMAGE, "config": {**CONFIG, "digest": "md5:00"}}, id="digest-weak"),
        pytest.param({**IMAGE, "config": {**CONFIG, "digest": 7}}, id="digest-number"),
        pytest.param({**INDEX, "manifests": {"a": 1}}, id="manifests-mapping"),
        pytest.param({**INDEX, "manifests": [{**CHILD, "platform": "linux"}]}, id="platform-text"),
    ],
)
def test_what_is_no_manifest_is_refused(document: Any) -> None:
    with pytest.raises(RegistryError, match="r/a:1: this is not an image manifest"):
        parse(document)


@pytest.mark.parametrize(
    ("document", "said", "shown"),
    [
        pytest.param({"schemaVersion": 1}, "", "'unknown'", id="nothing-said"),
        pytest.param(
            {"schemaVersion": 1, "fsLayers": []}, "x/schema1", "'x/schema1'", id="schema1"
        ),
        pytest.param({"schemaVersion": 2, "mediaType": "x/y"}, "", "'x/y'", id="unknown"),
        pytest.param({}, "", "'unknown'", id="empty"),
    ],
)
def test_what_cannot_be_copied_is_refused(document: Any, said: str, shown: str) -> None:
    with pytest.raises(RegistryError, match=f"manifests of type {shown} cannot be copied"):
        parse(document, said)


_LEAF: some.SearchStrategy[Any] = some.sampled_from(
    [None, True, -1, 1, 1.5, "", "x", ONE, [], [None], {}, OCI_INDEX]
)
_KEYS = some.sampled_from(
    ["schemaVersion", "mediaType", "config", "layers", "manifests", "digest", "size", "platform"]
)
_INNER = some.dictionaries(_KEYS, _LEAF, max_size=4)


@given(
    document=some.dictionaries(_KEYS, _LEAF | _INNER | some.lists(_INNER, max_size=2)),
    media_type=some.sampled_from(["", OCI_INDEX, OCI_MANIFEST, "x"]),
)
def test_no_document_does_more_than_be_refused(document: Any, media_type: str) -> None:
    try:
        manifest = parse(document, media_type)
    except RegistryError:
        return
    assert all(each.size >= 0 for each in (*manifest.blobs, *manifest.children))
