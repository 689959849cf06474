"""What the end-to-end tests share: the command line as a user runs it, and registries filled with samples."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from planner.config import Config, RegistrySettings
from planner.core.content import Manifest, digest_of
from planner.core.refs import ImageRef
from planner.sample import write_samples
from planner.stores.opening import Places, Stores
from planner.stores.verified import VerifiedStream
from tests.support.chart import MANIFEST, Chart

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Workplace:
    """A folder with specs, and ``planner`` run in it with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def planner(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command; nothing of the developer's own configuration reaches it."""
        return subprocess.run(
            [sys.executable, "-m", "planner", *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # no controlling terminal: nobody can be asked
            timeout=120,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONWARNINGS": "error",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def fill(url: str, images: Iterable[ImageRef], kib: int = 16) -> None:
    """Put sample images on a registry, each below the name of the registry that it comes from."""
    listed = tuple(images)
    settings = {
        name: RegistrySettings(endpoint=f"{url}/{name}")
        for name in {each.registry for each in listed}
    }
    stores = Stores(Places(Config(registries=settings)))
    write_samples(listed, stores.target, kib)


def fill_chart(url: str, name: ImageRef, chart: Chart) -> None:
    """Put a chart on a registry, below the name of the registry that it comes from."""
    settings = {name.registry: RegistrySettings(endpoint=f"{url}/{name.registry}")}
    store = Stores(Places(Config(registries=settings))).target(name.registry)
    for blob in chart.blobs:
        store.write_blob(name.repository, digest_of(blob), partial(_stream_of, blob))
    store.write_manifest(name.repository, name.reference, Manifest(MANIFEST, chart.manifest))


@contextmanager
def _stream_of(blob: bytes, offset: int = 0, /) -> Iterator[VerifiedStream]:
    yield VerifiedStream(iter((blob,)), digest_of(blob), len(blob), "the test")


def trusted(registry: str, authority: Path) -> str:
    """The entry of a planner.yaml's ``registries`` for a registry with a certificate of our own authority."""
    return f"  '{registry}': {{endpoint: 'https://{registry}', tls: {{ca_file: '{authority}'}}}}\n"


def endpoints(url: str, registries: Iterable[str]) -> str:
    """The ``registries`` of a planner.yaml that reads each of them from below ``url``."""
    lines = (f"  {name}: {{endpoint: '{url}/{name}'}}\n" for name in sorted(registries))
    return f"registries:\n{''.join(lines)}"
