"""Signatures and SBOMs through real registries: some list referrers, some leave that to their clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from planner.config import Config, RegistrySettings
from planner.core.content import OCI_MANIFEST, Manifest, digest_of
from planner.core.refs import parse_image
from planner.stores.opening import Places, Stores
from planner.stores.referring import put_referrer, tag_of
from planner.stores.store import Store
from planner.stores.verified import VerifiedStream
from tests.fakes import content
from tests.real.story import Workplace, fill
from tests.support.other_registries import OtherRegistry
from tests.support.registry_server import RegistryServer

IMAGE = parse_image("docker.io/rancher/mirrored-pause:3.6")
NOTATION, SPDX = "application/vnd.cncf.notary.signature", "application/spdx+json"
SERVERS = ("distribution 2.8", "distribution v3", "zot")
LISTS_REFERRERS = frozenset({"zot"})


@contextmanager
def started(name: str, folder: Path) -> Iterator[str]:
    """The address of a registry."""
    folder.mkdir()
    server: RegistryServer | OtherRegistry
    server = RegistryServer(folder) if name == SERVERS[0] else OtherRegistry(name, folder)
    with server:
        yield server.url


PAIRS = ((SERVERS[0],) * 2, (SERVERS[0], "zot"), ("zot", SERVERS[0]), (SERVERS[1],) * 2)


@pytest.fixture(params=PAIRS, ids="-to-".join)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """A source and a target, and what the target is."""
    source, target = request.param
    with ExitStack() as stack:
        one = stack.enter_context(started(source, tmp_path / "one"))
        two = stack.enter_context(started(target, tmp_path / "two"))
        yield one, two, target


def store_of(url: str, registry: str) -> Store:
    settings = {registry: RegistrySettings(endpoint=f"{url}/{registry}")}
    return Stores(Places(Config(registries=settings))).target(registry)


def add_blob(store: Store, data: bytes, digest: str) -> None:
    @contextmanager
    def opened(*_: object) -> Iterator[VerifiedStream]:
        yield VerifiedStream(iter((data,)), digest, len(data), "the test")

    store.write_blob(IMAGE.repository, digest, opened)


def attach(store: Store, subject: Manifest, kind: str) -> Manifest:
    """What an artifact tool does."""
    layer = kind.encode()
    for data in (content.EMPTY, layer):
        add_blob(store, data, digest_of(data))
    body = content.make_referrer(subject.data, kind, [layer], subject.media_type)
    made = Manifest(OCI_MANIFEST, body)
    put_referrer(store, IMAGE.repository, made)
    return made


def test_they_arrive_and_are_found(pair: tuple[str, str, str], tmp_path: Path) -> None:
    source, target, kind = pair
    fill(source, [IMAGE])
    store = store_of(source, IMAGE.registry)
    image = store.manifest(IMAGE.repository, IMAGE.tag)
    signature, sbom = attach(store, image, NOTATION), attach(store, image, SPDX)
    signed_sbom = attach(store, sbom, NOTATION)
    store.write_manifest(IMAGE.repository, f"{tag_of(image.digest)}.sig", signature)
    place = Workplace(tmp_path)
    place.write(
        "registries.yaml",
        f"mirrors:\n  docker.io:\n    endpoint: ['{target}']\n    rewrite: {{'^(.*)$': 'hub/$1'}}\n",
    )
    place.write("images.txt", f"{IMAGE}\n")
    place.write(
        "planner.yaml",
        f"version: 1\nregistries:\n  docker.io: {{endpoint: '{source}/docker.io'}}\n"
        "clusters:\n  - {name: edge, spec: registries.yaml, images: [images.txt]}\n",
    )
    assert place.planner("apply", "--auto-approve").returncode == 0
    unsigned = place.planner("verify", "--referrers")
    assert (unsigned.returncode, "UNSIGNED" in unsigned.stdout) == (1, True), unsigned.stderr

    done = place.planner("apply", "--auto-approve", "--referrers", "--deep")
    assert done.returncode == 0, done.stderr
    again = place.planner("plan", "--referrers", "--deep", "--format", "json")
    changes = json.loads(again.stdout)["changes"]
    assert {each["op"] for each in changes} == {"same"}
    assert len(changes) == 5
    verified = place.planner("verify", "--referrers", "--deep")
    assert verified.returncode == 0, verified.stdout

    repository = f"hub/{IMAGE.repository}"
    with urlopen(f"{target}/v2/{repository}/tags/list") as answer:
        tags = json.load(answer)["tags"]
    assert (tag_of(image.digest) in tags) is (kind not in LISTS_REFERRERS)
    assert f"{tag_of(image.digest)}.sig" in tags
    if kind in LISTS_REFERRERS:
        with urlopen(f"{target}/v2/{repository}/referrers/{image.digest}") as answer:
            found = {each["digest"] for each in json.load(answer)["manifests"]}
        assert found == {signature.digest, sbom.digest}
    url = f"{target}/v2/{repository}/manifests/{signed_sbom.digest}"
    with urlopen(Request(url, headers={"Accept": OCI_MANIFEST})) as answer:
        assert answer.read() == signed_sbom.data


@pytest.mark.parametrize("name", SERVERS)
def test_a_layer_with_a_sha512_digest_passes(name: str, tmp_path: Path) -> None:
    """Of manifests registries know the sha256 digest alone, of blobs both."""
    with started(name, tmp_path / "registry") as url:
        store = store_of(url, IMAGE.registry)
        add_blob(store, b"layer", digest_of(b"layer", "sha512"))
        assert store.has_blob(IMAGE.repository, digest_of(b"layer", "sha512"))
        with store.open_blob(IMAGE.repository, digest_of(b"layer", "sha512")) as chunks:
            assert b"".join(map(bytes, chunks)) == b"layer"
