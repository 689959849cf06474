"""What the tests of faults share: a real source and a real target, and a proxy before each where things go wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from planner.config import Config, RegistrySettings
from planner.core.errors import RegistryError
from planner.core.refs import ImageRef, parse_image
from planner.stores import opening, sending
from planner.stores.opening import Places, Stores
from planner.stores.patience import Patience
from planner.stores.store import Store
from tests.fakes.messages import Call, Reply
from tests.real.conftest import MakeRegistry
from tests.real.story import endpoints, fill
from tests.support.fault_proxy import FaultProxy
from tests.support.registry_server import RegistryServer

# The first is an index; the first two share their base layers, which are so large that they go in chunks.
IMAGES = APP, TOOL, EXTRA = tuple(
    map(parse_image, ("docker.io/team/app:1", "docker.io/team/tool:1", "docker.io/kit/extra:1"))
)
KIB = 1024
LAYER_KIB = 128
WHOLE, CHUNK, SMALLEST = 300 * KIB, 200 * KIB, 20 * KIB


class Site:
    """A real source and a real target, with a proxy before each, and planner's folder.

    ``witness`` is another server over the target's data, for a target that does not let everybody in; ``original`` the same of
    the source.
    """

    def __init__(
        self,
        folder: Path,
        upstream: RegistryServer,
        mirror: RegistryServer,
        witness: RegistryServer | None = None,
        original: RegistryServer | None = None,
    ) -> None:
        self.mirror = mirror
        self.upstream = upstream
        self.incomplete: list[str] = []
        self.source = FaultProxy(upstream.url)
        self.target = FaultProxy(mirror.url, self._look)
        self._store = store_at((witness or mirror).url)
        self._original = store_at(f"{(original or upstream).url}/docker.io")
        self._folder = folder

    def describe(self, source: str = "") -> None:
        """Write the files: nodes of K3s go to the target. ``source`` is where their images come from, if not the source."""
        spec = f"mirrors: {{docker.io: {{endpoint: ['{self.target.url}']}}}}\n"
        (self._folder / "registries.yaml").write_text(spec, "utf-8")
        (self._folder / "images.txt").write_text("".join(f"{each}\n" for each in IMAGES), "utf-8")
        (self._folder / "planner.yaml").write_text(
            f"version: 1\n{endpoints(source or self.source.url, ['docker.io'])}"
            "clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]\n",
            "utf-8",
        )

    def assert_has(self, *images: ImageRef) -> None:
        """Exactly these are there, and all that they name, as it is at the source."""
        for image in IMAGES:
            found = self._store.head(image.repository, image.tag)
            wanted = self._original.head(image.repository, image.tag)
            assert (found and found.digest) == (
                wanted and wanted.digest if image in images else None
            )
            if found:
                assert is_whole(self._store, image.repository, image.tag)
        data = self.mirror.data / "docker/registry/v2/blobs/sha256"
        for blob in data.glob("??/*/data"):
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.parent.name
        assert self.incomplete == []

    def assert_complete(self) -> None:
        """All is there, and nothing else."""
        self.assert_has(*IMAGES)
        assert self.mirror.blob_digests_on_disk() == self.upstream.blob_digests_on_disk()

    def _look(self, call: Call, reply: Reply) -> None:
        """Whatever the registry has taken names nothing that is not there."""
        if call.method == "PUT" and "/manifests/" in call.path and reply.status == 201:
            repository, _, reference = call.path.removeprefix("/v2/").partition("/manifests/")
            if not is_whole(self._store, repository, reference):
                self.incomplete.append(call.path)


def store_at(url: str) -> Store:
    settings = {"docker.io": RegistrySettings(endpoint=url)}
    return Stores(Places(Config(registries=settings))).target("docker.io")


def is_whole(store: Store, repository: str, reference: str) -> bool:
    try:
        root = store.manifest(repository, reference)
        children = [store.manifest(repository, child.digest) for child in root.children]
    except RegistryError:
        return False
    manifests = (root, *children)
    return all(store.has_blob(repository, blob.digest) for each in manifests for blob in each.blobs)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """The images, for all tests: nobody writes here."""
    with RegistryServer(tmp_path_factory.mktemp("upstream")) as registry:
        fill(registry.url, IMAGES, LAYER_KIB)
        yield registry


@pytest.fixture
def waits() -> list[float]:
    """The pauses that were made, in seconds."""
    return []


@pytest.fixture
def site(
    tmp_path: Path,
    filled: RegistryServer,
    make_registry: MakeRegistry,
    monkeypatch: pytest.MonkeyPatch,
    waits: list[float],
) -> Iterator[Site]:
    for name, size in (("_WHOLE", WHOLE), ("_CHUNK", CHUNK), ("_SMALLEST", SMALLEST)):
        monkeypatch.setattr(sending, name, size)
    impatient = partial(Patience, sleep=waits.append)
    monkeypatch.setattr(opening, "Patience", impatient)
    monkeypatch.chdir(tmp_path)
    site = Site(tmp_path, filled, make_registry())
    with site.source, site.target:
        site.describe()
        yield site


@pytest.fixture(scope="module")
def base(filled: RegistryServer) -> str:
    """The layer that the first two images share: more than a chunk."""
    tool = store_at(f"{filled.url}/docker.io").manifest(TOOL.repository, TOOL.tag)
    return max(tool.blobs, key=lambda blob: blob.size).digest
