"""Packs of Palette on real registries: from their makers' to that of the values of the palette chart, which has TLS."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from planner.core.refs import ImageRef
from tests.real.conftest import MakeRegistry
from tests.real.story import WRITES, Workplace, fill_chart, trusted
from tests.support.certificates import Certificates
from tests.support.chart import Chart, digest_of
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

VENDOR = "vendor.example.com"
RELEASE = "4.8.37"
ARCHIVE = "spectro-packs/archive"
NAMES = (
    (f"{ARCHIVE}/cni-calico", "3.25.1"),
    (f"{ARCHIVE}/ubuntu-aws", "22.04"),
    ("spectro-manifests/manifest", RELEASE),
)
VALUES = """\
config:
  installationMode: airgap
  ociPackRegistry: {{endpoint: "https://{host}", name: Packs, baseContentPath: packs}}
"""


def make_pack(name: str, tag: str) -> Chart:
    """A pack as oras 1.0 pushes its archive: one layer with a title, and a configuration that says nothing."""
    blobs = (b"{}", gzip.compress(f"{name} {tag}".encode(), mtime=0))
    config, layer = ({"digest": digest_of(each), "size": len(each)} for each in blobs)
    title = {"org.opencontainers.image.title": f"{name}-{tag}.tar.gz"}
    kind = "application/vnd.oci.image.layer.v1.tar"
    manifest = {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.unknown.config.v1+json", **config},
        "layers": [{"mediaType": kind, **layer, "annotations": title}],
    }
    return Chart(json.dumps(manifest).encode(), blobs)


PACKS = {(name, tag): make_pack(name, tag) for name, tag in NAMES}


@pytest.fixture
def mirror(make_registry: MakeRegistry, certificates: Certificates) -> RegistryServer:
    return make_registry(tls=certificates.server)


@pytest.fixture
def place(
    tmp_path: Path, upstream: RegistryServer, mirror: RegistryServer, certificates: Certificates
) -> Workplace:
    for (name, tag), pack in PACKS.items():
        fill_chart(upstream.url, ImageRef(VENDOR, f"palette/{name}", tag), pack)
    place = Workplace(tmp_path)
    place.write("values.yaml", VALUES.format(host=mirror.host))
    place.write("packs.txt", "# from support\n\ncni-calico:3.25.1\nubuntu-aws:22.04\n")
    place.write(
        "planner.yaml",
        f"version: 1\nregistries:\n  {VENDOR}: {{endpoint: '{upstream.url}/{VENDOR}'}}\n"
        f"{trusted(mirror.host, certificates.ca.certificate)}"
        "clusters:\n"
        f"  - {{name: management, spec: values.yaml, packs: [packs.txt], packs_from: {VENDOR}/palette,"
        f" release: {RELEASE}}}\n",
    )
    return place


def applied(place: Workplace) -> None:
    planned = place.planner("plan", "-o", "plan.json")
    assert planned.returncode == 0, planned.stderr
    done = place.planner("apply", "plan.json", "--auto-approve")
    assert done.returncode == 0, done.stderr


def test_packs_and_manifest_are_copied_byte_for_byte(
    place: Workplace, mirror: RegistryServer, skopeo: Skopeo
) -> None:
    applied(place)
    for (name, tag), pack in PACKS.items():
        copied = skopeo.inspect_raw(f"docker://{mirror.host}/packs/{name}:{tag}")
        assert copied == pack.manifest
        assert {pack.digest, *pack.digests} <= mirror.blob_digests_on_disk()


def test_they_are_verified_and_a_second_plan_is_empty(
    place: Workplace, mirror: RegistryServer
) -> None:
    applied(place)
    verified = place.planner("verify", "--blobs", "--format", "json")
    assert verified.returncode == 0, verified.stdout
    images = json.loads(verified.stdout)["images"]
    assert {(each["kind"], each["consumer"], each["verdict"]) for each in images} == {
        ("artifact", "palette", "found")
    }
    assert len(images) == len(PACKS)
    mark = mirror.mark()
    planned = place.planner("plan", "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout
    assert not WRITES & {each.method for each in mirror.requests_since(mark)}


def test_verify_says_that_palette_fails_on_what_is_lost(
    place: Workplace, mirror: RegistryServer
) -> None:
    applied(place)
    lost = PACKS[NAMES[0]].digests[1]
    mirror.delete_blob_file(lost)
    verified = place.planner("verify", "--blobs")
    assert verified.returncode == 1
    assert "Palette cannot pull it: " in verified.stdout
    assert f"1 part missing, first {lost}" in verified.stdout
