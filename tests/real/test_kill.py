"""Killed at any moment and run again: the registry ends up as if nothing had happened, and no tag was ever incomplete.

``PLANNER_KILLS`` says how often; ``make torture`` kills fifty times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planner.config import Config, RegistrySettings
from planner.core.content import Manifest
from planner.core.errors import RegistryError
from planner.core.refs import ImageRef, parse_image
from planner.stores.opening import Places, Stores
from planner.stores.store import Store
from tests.real.conftest import MakeRegistry
from tests.real.story import Workplace, endpoints, fill
from tests.support.registry_server import RegistryServer

KILLS = int(os.environ.get("PLANNER_KILLS", "8"))
EACH = 4
IMAGES = tuple(parse_image(f"k{number % 4}/image{number}:1") for number in range(12))
KIB = 1024
SOONEST, LATEST = 0.15, 1.2


@pytest.fixture
def mirror(make_registry: MakeRegistry) -> RegistryServer:
    """Where the images are to be."""
    return make_registry()


@pytest.fixture
def place(tmp_path: Path, upstream: RegistryServer) -> Workplace:
    """Twelve images upstream, four of them indexes, that share large layers by origin."""
    fill(upstream.url, IMAGES, KIB)
    place = Workplace(tmp_path)
    place.write("images.txt", "".join(f"{each}\n" for each in IMAGES))
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, ['docker.io'])}"
        "clusters:\n  - {name: edge, spec: registries.yaml, images: [images.txt]}\n",
    )
    return place


@pytest.mark.parametrize("number", range(max(1, KILLS // EACH)))
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    place: Workplace, upstream: RegistryServer, mirror: RegistryServer, number: int
) -> None:
    chance = random.Random(number)
    place.write("registries.yaml", f"mirrors: {{docker.io: {{endpoint: ['{mirror.url}']}}}}\n")
    with watched(mirror) as incomplete:
        for _ in range(EACH):
            with nothing_twice(upstream, mirror):
                killed_at(place, chance.uniform(SOONEST, LATEST))
        with nothing_twice(upstream, mirror):
            done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert incomplete == []
    assert mirror.blob_digests_on_disk() == upstream.blob_digests_on_disk()
    assert {each: digest(mirror.url, each) for each in IMAGES} == {
        each: digest(f"{upstream.url}/docker.io", each) for each in IMAGES
    }
    proved = place.planner("verify", "--blobs")
    assert proved.returncode == 0, proved.stdout + proved.stderr


def killed_at(place: Workplace, seconds: float) -> None:
    """Start a run and kill it after so long, unless it was over before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "planner", "apply", "--auto-approve"],
        cwd=place.folder,
        env=place.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def nothing_twice(upstream: RegistryServer, mirror: RegistryServer) -> Iterator[None]:
    """What arrived whole, wherever, is not fetched again: what a killed run costs is what was on its way."""
    complete, mark = mirror.blob_digests_on_disk(), upstream.mark()
    yield
    asked = (each for each in upstream.requests_since(mark) if each.method == "GET")
    fetched = {each.path.rpartition("/")[2] for each in asked if "/blobs/" in each.path}
    assert not fetched & complete


@contextmanager
def watched(mirror: RegistryServer) -> Iterator[list[str]]:
    """Look at all tags all the time; the list gets the names whose content was not there."""
    found: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            found.extend(str(each) for each in IMAGES if not is_whole(store, each))
            time.sleep(0.02)

    store = store_at(mirror.url)
    store.greet()
    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def is_whole(store: Store, image: ImageRef) -> bool:
    """Whether a tag that is there has all of its content."""
    try:
        root = store.manifest(image.repository, image.tag)
    except RegistryError:
        return True
    try:
        manifests = (root, *children(store, image, root))
    except RegistryError:
        return False
    blobs = (blob.digest for manifest in manifests for blob in manifest.blobs)
    return all(store.has_blob(image.repository, each) for each in blobs)


def children(store: Store, image: ImageRef, root: Manifest) -> Iterator[Manifest]:
    for child in root.children:
        yield store.manifest(image.repository, child.digest)


def digest(url: str, image: ImageRef) -> str:
    found = store_at(url).head(image.repository, image.tag)
    assert found is not None
    return found.digest


def store_at(url: str) -> Store:
    settings = {"docker.io": RegistrySettings(endpoint=url)}
    return Stores(Places(Config(registries=settings))).target("docker.io")
