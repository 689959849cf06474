"""A thousand images at once: all are right, and neither memory nor threads nor files are left behind."""

from __future__ import annotations

import gc
import json
import re
import threading
from pathlib import Path

import pytest

from planner.core.content import Descriptor, digest_of
from planner.core.refs import ImageRef, parse_image
from planner.ui.cli import main
from tests.making import make_manifest
from tests.real.story import endpoints
from tests.support.registry_server import RegistryServer

REPOSITORIES, TAGS = 40, 25
IMAGES = tuple(
    parse_image(f"docker.io/r{number}/app:{tag}")
    for number in range(REPOSITORIES)
    for tag in range(TAGS)
)
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
LAYER = bytes(range(256)) * 8
MIB = 1024 * 1024


class Storage:
    """What distribution keeps on disk. Source: distribution v2.8.2 registry/storage/paths.go."""

    def __init__(self, server: RegistryServer) -> None:
        self._root = server.data / "docker/registry/v2"

    def add(self, image: ImageRef) -> None:
        """An image with a configuration of its own, and a layer that all share."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "author": str(image)}).encode()
        manifest = make_manifest(
            (
                Descriptor(digest_of(config), len(config), CONFIG_TYPE),
                Descriptor(digest_of(LAYER), len(LAYER), LAYER_TYPE),
            )
        )
        repository = self._root / "repositories" / f"{image.registry}/{image.repository}"
        for data in (config, LAYER):
            self._link(repository / "_layers", self._keep(data))
        digest = self._keep(manifest.data)
        self._link(repository / "_manifests/revisions", digest)
        write(repository / f"_manifests/tags/{image.tag}/current/link", digest.encode())

    def tags(self, below: str = "") -> dict[str, str]:
        """The digests of all tags, by their path."""
        root = self._root / "repositories" / below
        found = root.glob("**/_manifests/tags/*/current/link")
        return {str(each.relative_to(root)): each.read_text("ascii") for each in found}

    def _keep(self, data: bytes) -> str:
        digest = digest_of(data)
        value = digest.removeprefix("sha256:")
        write(self._root / f"blobs/sha256/{value[:2]}/{value}/data", data)
        return digest

    def _link(self, folder: Path, digest: str) -> None:
        write(folder / digest.replace(":", "/") / "link", digest.encode())


def write(file: Path, data: bytes) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


@pytest.fixture
def contents(upstream: RegistryServer) -> dict[str, str]:
    """The digests by tag."""
    storage = Storage(upstream)
    for image in IMAGES:
        storage.add(image)
    return storage.tags("docker.io")


def of_this_process() -> tuple[int, int]:
    """How many threads and open files there are."""
    gc.collect()
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def resident(which: str) -> int:
    """Bytes of memory: ``VmRSS`` now, ``VmHWM`` at most."""
    found = re.search(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found
    return int(found[1]) * 1024


def test_a_thousand_images(
    tmp_path: Path,
    upstream: RegistryServer,
    registry: RegistryServer,
    contents: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images.txt").write_text("".join(f"{each}\n" for each in IMAGES), "utf-8")
    (tmp_path / "registries.yaml").write_text(
        f"mirrors: {{docker.io: {{endpoint: ['{registry.url}']}}}}\n", "utf-8"
    )
    (tmp_path / "planner.yaml").write_text(
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
        "clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
        "utf-8",
    )
    before, memory = of_this_process(), resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    assert main(["apply", "--auto-approve", "--parallelism", "64", "--progress", "none"]) == 0
    assert resident("VmHWM") < memory + 100 * MIB
    capsys.readouterr()
    assert of_this_process() == before
    assert Storage(registry).tags() == contents
    assert len(contents) == len(IMAGES)
    assert registry.blob_digests_on_disk() == upstream.blob_digests_on_disk()
