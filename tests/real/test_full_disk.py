"""A layout on a disk that fills up: a clear message, and nothing that looks whole and is not."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from tests.real.story import Workplace
from tests.support.programs import require

IMAGES = tuple(
    map(
        parse_image,
        ("docker.io/rancher/mirrored-pause:3.6", "docker.io/rancher/klipper-lb:v0.4.13"),
    )
)
ROOM = "700k"  # for one image of the two

# In a mount namespace of its own, planner writes to a tiny file system; what it left is copied out for inspection.
SCRIPT = """
set -u
mount -t tmpfs -o size="$1" tmpfs small || exit 99
shift
"$@" -m planner apply registries.yaml --images images.txt --from oci:upstream --to oci:small/layout --auto-approve
code=$?
cp -r small left
exit $code
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    place = Workplace(tmp_path)
    place.write(
        "registries.yaml", "mirrors: {docker.io: {endpoint: ['https://registry.corp:5000']}}\n"
    )
    place.write("images.txt", "".join(f"{image}\n" for image in IMAGES))
    upstream = LayoutFolder(tmp_path / "upstream")
    write_samples(IMAGES, lambda registry: Layout(upstream, registry), kib=80)
    (tmp_path / "small").mkdir()
    return place


def fill_the_disk(place: Workplace) -> subprocess.CompletedProcess[str]:
    unshare = str(require("unshare"))
    namespace = (unshare, "--map-root-user", "--mount")
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this kernel does not let a user make a mount namespace")
    return subprocess.run(
        [*namespace, "sh", "-c", SCRIPT, "sh", ROOM, sys.executable],
        cwd=place.folder,
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_said_and_leaves_nothing_half_written(place: Workplace) -> None:
    done = fill_the_disk(place)
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "free some space and run it again" in done.stderr
    left = place.folder / "left/layout"
    blobs = list((left / "blobs/sha256").iterdir())
    assert blobs
    assert all(hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name for blob in blobs)


def test_no_name_points_at_an_image_that_did_not_fit(place: Workplace) -> None:
    fill_the_disk(place)
    left = place.folder / "left/layout"
    index = left / "index.json"
    named = json.loads(index.read_text("utf-8"))["manifests"] if index.exists() else []
    folder = LayoutFolder(left)
    for each in named:
        name = each["annotations"]["org.opencontainers.image.ref.name"]
        image = parse_image(name)
        store = Layout(folder, image.registry)
        root = store.manifest(image.repository, image.tag)
        for child in root.children or ():
            assert store.has_blob(image.repository, child.digest)
        assert all(store.has_blob(image.repository, blob.digest) for blob in root.blobs)
    assert len(named) < len(IMAGES)
