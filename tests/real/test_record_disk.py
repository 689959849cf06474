"""The record of applies on disks that take nothing: the apply is done all the same, and nothing half is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from tests.real.story import Workplace
from tests.support.programs import require

IMAGE = parse_image("docker.io/rancher/mirrored-pause:3.6")

# In a mount namespace of its own; what is left on the small file system is listed from there.
SCRIPT = """
set -u
mount -t tmpfs -o size=8k tmpfs .planner || exit 99
head -c "$1" /dev/zero > .planner/filler
mount -o "remount,$2" .planner || exit 99
"$3" -m planner apply registries.yaml --images images.txt --from oci:upstream --to oci:out --auto-approve
code=$?
ls -A .planner > left
exit $code
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    place = Workplace(tmp_path)
    place.write("registries.yaml", "mirrors: {docker.io: {endpoint: ['https://registry.corp']}}\n")
    place.write("images.txt", f"{IMAGE}\n")
    upstream = LayoutFolder(tmp_path / "upstream")
    write_samples([IMAGE], lambda registry: Layout(upstream, registry), kib=4)
    (tmp_path / ".planner").mkdir()
    return place


@pytest.mark.parametrize(
    ("taken", "mode", "said"),
    [
        pytest.param(8192, "rw", "No space left on device", id="full"),
        pytest.param(0, "ro", "Read-only file system", id="read-only"),
    ],
)
def test_an_apply_is_none_the_worse(place: Workplace, taken: int, mode: str, said: str) -> None:
    namespace = (str(require("unshare")), "--map-root-user", "--mount")
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this kernel does not let a user make a mount namespace")
    done = subprocess.run(
        [*namespace, "sh", "-c", SCRIPT, "sh", str(taken), mode, sys.executable],
        cwd=place.folder,
        env=place.environment,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 image done" in done.stdout
    assert "note: what was applied could not be recorded: " in done.stderr
    assert said in done.stderr
    assert set((place.folder / "left").read_text().split()) <= {"filler", "record.lock"}
