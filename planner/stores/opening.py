"""From a registry's name to the store that is really contacted, by planner.yaml and the options ``--from`` and ``--to``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from planner.config import Config, RegistrySettings, Tls
from planner.core.errors import RegistryError, UsageError
from planner.core.refs import DOCKER_HUB
from planner.core.resolution import default_scheme
from planner.stores.auth import Authorizer
from planner.stores.credentials import find_credentials
from planner.stores.http import Connection, Patience
from planner.stores.layout import Layout, LayoutFolder
from planner.stores.registry import Registry
from planner.stores.store import Store

_LAYOUT = "oci:"
_ARCHIVE = "oci-archive:"
_PARALLELISM = 32


@dataclass(frozen=True, slots=True)
class Places:
    """Where bytes are read and written. ``read_from`` and ``write_to`` override every registry of their side.

    ``schemes`` says with which one a spec itself sends its nodes to a registry: ``http`` or ``https``.
    """

    config: Config = field(default_factory=Config)
    read_from: str = ""
    write_to: str = ""
    schemes: Mapping[str, str] = field(default_factory=dict)

    def endpoint(self, registry: str, override: str = "") -> str:
        """The URL that is contacted for a registry, or ``oci:DIR``."""
        if override:
            return self._with_scheme(override)
        settings = self.settings(registry)
        if settings.endpoint:
            return self._with_scheme(settings.endpoint, plain=settings.plain_http)
        return self._with_scheme("registry-1.docker.io" if registry == DOCKER_HUB else registry)

    def settings(self, registry: str) -> RegistrySettings:
        """What planner.yaml says about a registry."""
        return self.config.registries.get(registry, RegistrySettings())

    def _with_scheme(self, place: str, *, plain: bool = False) -> str:
        if place.startswith(_LAYOUT) or "://" in place:
            return place
        host = place.partition("/")[0]
        if plain or self.settings(host).plain_http:
            return f"http://{place}"
        return f"{self.schemes.get(host) or default_scheme(host)}://{place}"

    def contacted(self, sources: frozenset[str], targets: frozenset[str]) -> dict[str, str]:
        """What is contacted for each registry, as far as it is not its own address."""
        own = Places()
        found = {name: self.endpoint(name, self.read_from) for name in sources}
        found |= {name: self.endpoint(name, self.write_to) for name in targets}
        return {name: url for name, url in sorted(found.items()) if url != own.endpoint(name)}


class Stores:
    """Opens each store once. Threads may share it."""

    def __init__(self, places: Places, patience: Patience | None = None) -> None:
        self.places = places
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._opened: dict[tuple[str, str], Store] = {}
        self._folders: dict[str, LayoutFolder] = {}
        configured = (each.endpoint for each in places.config.registries.values())
        for text in (places.read_from, places.write_to, *configured):
            _check(text)

    def source(self, registry: str) -> Store:
        """The store that is read for ``registry``."""
        endpoint = self.places.endpoint(registry, self.places.read_from)
        if endpoint.startswith(_LAYOUT):
            _check_layout(Path(endpoint.removeprefix(_LAYOUT)))
        return self._get(registry, endpoint)

    def target(self, registry: str) -> Store:
        """The store that is written, and compared with, for ``registry``."""
        return self._get(registry, self.places.endpoint(registry, self.places.write_to))

    def _get(self, registry: str, endpoint: str) -> Store:
        with self._lock:
            key = (registry, endpoint)
            if key not in self._opened:
                opener: Callable[[str, str], Store] = (
                    self._layout if endpoint.startswith(_LAYOUT) else self._registry
                )
                self._opened[key] = opener(registry, endpoint)
            return self._opened[key]

    def _layout(self, registry: str, endpoint: str) -> Store:
        folder = self._folders.setdefault(
            endpoint, LayoutFolder(Path(endpoint.removeprefix(_LAYOUT)))
        )
        return Layout(folder, registry)

    def _registry(self, registry: str, endpoint: str) -> Store:
        parts = urlsplit(endpoint)
        is_own = endpoint == self.places.endpoint(registry)
        settings = self.places.settings(registry if is_own else parts.netloc)
        if settings.tls == Tls():  # an entry for the machine itself serves every registry behind it
            settings = settings._replace(tls=self.places.settings(parts.netloc).tls)
        parallelism = settings.parallelism or _PARALLELISM
        base = f"{parts.scheme}://{parts.netloc}"
        connection = Connection(base, settings.tls, parallelism, self._patience)
        host = registry if parts.netloc == "registry-1.docker.io" else parts.netloc
        authorizer = Authorizer(
            connection, lambda: find_credentials(host, settings.credential_helper)
        )
        return Registry(registry, connection, authorizer, parts.path)


def _check(text: str) -> None:
    if text.startswith(_ARCHIVE):
        raise UsageError(
            f"{text}: archives cannot be read or written yet",
            "use a folder, oci:DIR; skopeo copy turns one into the other",
        )
    if text.startswith(_LAYOUT) and not text.removeprefix(_LAYOUT):
        raise UsageError(f"{text}: the folder is missing", "write oci:DIR")
    if not text or text.startswith(_LAYOUT):
        return
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError as error:
        raise UsageError(f"{text}: {error}", "write https://HOST[:PORT][/PATH]") from error
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        message = f"{parts.scheme}://… is not the address of a registry"
        raise UsageError(message, "write https://HOST[:PORT][/PATH], without credentials")


def _check_layout(folder: Path) -> None:
    if not (folder / "index.json").is_file():
        what = "this is not an OCI layout" if folder.exists() else "there is no such folder"
        raise RegistryError(f"oci:{folder}: {what}", "check the path of what is to be read")
