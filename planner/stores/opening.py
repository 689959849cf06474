"""From a registry's name to the store that is really contacted, by planner.yaml and the options ``--from`` and ``--to``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from planner.config import Config, RegistrySettings, Tls
from planner.core.errors import RegistryError, UsageError
from planner.core.place import Place
from planner.core.refs import DOCKER_HUB, ImageRef
from planner.core.resolution import default_scheme, with_port
from planner.files import is_file, is_there
from planner.stores.auth import Authorizer
from planner.stores.authorities import authority_text
from planner.stores.credentials import Keyring, find_credentials
from planner.stores.greeting import Greeting
from planner.stores.http import Connection
from planner.stores.journal import Journal
from planner.stores.layout import Layout, LayoutFolder
from planner.stores.pacing import Traffic
from planner.stores.patience import Patience
from planner.stores.products.detection import detect
from planner.stores.products.implicit import Implicit
from planner.stores.products.opening import make_product
from planner.stores.products.product import Product, Site
from planner.stores.recorded import Recorded, RecordedProduct, Recordings, silent
from planner.stores.registry import Registry
from planner.stores.store import Store

_LAYOUT = "oci:"
_ARCHIVE = "oci-archive:"
_PARALLELISM = 32
_API_PARALLELISM = 8


@dataclass(frozen=True, slots=True)
class Places:
    """Where bytes are read and written. ``read_from`` and ``write_to`` override every registry of their side.

    ``schemes`` says with which one a spec itself sends its nodes to a registry: ``http`` or ``https``. ``logins`` and
    ``authorities`` are what ``core.plan.Access`` says of them; they hold for exactly the host and port that are contacted.
    """

    config: Config = field(default_factory=Config)
    read_from: str = ""
    write_to: str = ""
    schemes: Mapping[str, str] = field(default_factory=dict)
    logins: tuple[str, ...] = ()
    authorities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def endpoint(self, registry: str, override: str = "") -> str:
        """The URL that is contacted for a registry, or ``oci:DIR``."""
        if override:
            return self._with_scheme(override)
        settings = self.settings(registry)
        if settings.endpoint:
            return self._with_scheme(settings.endpoint, plain=settings.plain_http)
        return self._with_scheme("registry-1.docker.io" if registry == DOCKER_HUB else registry)

    def target_of(self, image: ImageRef) -> str:
        """Where a repository is written, by machine and path: equal for all the names that lead there."""
        return f"{self.root(image.registry, self.write_to)}{image.repository}"

    def source_of(self, image: ImageRef) -> str:
        """The same of where it is read."""
        return f"{self.root(image.registry, self.read_from)}{image.repository}"

    def root(self, registry: str, override: str = "") -> str:
        """What stands before the repositories of a registry: the machine and the path of its address."""
        endpoint = self.endpoint(registry, override)
        if endpoint.startswith(_LAYOUT):  # names stand there in full
            return f"{_LAYOUT}{os.path.realpath(endpoint.removeprefix(_LAYOUT))}/{registry}/"
        path = urlsplit(endpoint).path.strip("/")
        return f"{_address(endpoint)}/{path}/" if path else f"{_address(endpoint)}/"

    def settings(self, registry: str) -> RegistrySettings:
        """What planner.yaml says about a registry, whether the port of https stands there or not."""
        known, bare = self.config.registries, registry.removesuffix(":443")
        names = (registry, bare, f"{bare}:443")
        return next((known[name] for name in names if name in known), RegistrySettings())

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
    """Opens each store once. Threads may share it.

    ``recordings`` answer for their registries on both sides, wherever these are: then nothing can be written there. ``journal``
    remembers uploads that are not finished; without one they are forgotten with the stores.
    """

    def __init__(
        self,
        places: Places,
        patience: Patience | None = None,
        recordings: Recordings = Recordings(),  # noqa: B008 - it never changes
        journal: Journal | None = None,
    ) -> None:
        self.places = places
        self._patience = patience or Patience()
        self.traffic = Traffic(self._patience)
        self.journal = journal or Journal()
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._opened: dict[tuple[str, str], Store] = {}
        self._sources: dict[str, Store] = {}
        self._targets: dict[str, Store] = {}
        self._products: dict[str, Product] = {}
        self._folders: dict[str, LayoutFolder] = {}
        configured = (each.endpoint for each in places.config.registries.values())
        for text in (places.read_from, places.write_to, *configured):
            _check(text)
        self._recorded = {
            registry: Recorded(registry, each, self._prefix(registry))
            for registry, each in recordings.registries.items()
        }

    def source(self, registry: str) -> Store:
        """The store that is read for ``registry``."""
        if registry in self._recorded:
            return self._recorded[registry]
        if registry not in self._sources:
            endpoint = self.places.endpoint(registry, self.places.read_from)
            if endpoint.startswith(_LAYOUT):
                _check_layout(Path(endpoint.removeprefix(_LAYOUT)))
            self._sources[registry] = self._get(registry, endpoint)
        return self._sources[registry]

    def target(self, registry: str) -> Store:
        """The store that is written, and compared with, for ``registry``."""
        if registry in self._recorded:
            return self._recorded[registry]
        if registry not in self._targets:
            endpoint = self.places.endpoint(registry, self.places.write_to)
            self._targets[registry] = self._get(registry, endpoint)
        return self._targets[registry]

    def shared(self, source: Place, target: Place) -> str:
        """What ``target``'s registry calls the repository ``source``, when it is the same machine; empty when it is another."""
        places = self.places
        root = places.root(target.registry, places.write_to)
        origin = f"{places.root(source.registry, places.read_from)}{source.repository}"
        is_there = origin.startswith(root) and not root.startswith(_LAYOUT)
        return origin.removeprefix(root) if is_there else ""

    def product(self, registry: str) -> Product:
        """What the target for ``registry`` is, beyond a registry. One that was not greeted yet is greeted for it."""
        with self._asking:
            if registry not in self._products:
                self._products[registry] = self._find_product(registry)
            return self._products[registry]

    def repositories_by_product(self, registry: str) -> list[str] | None:
        """What the product's own API lists, without the path that stands in the registry's address; None: it has no list.

        Raises:
            RegistryError: it does not answer, or does not tell us.
        """
        found = self.product(registry).repositories()
        prefix = self.target(registry).path_of("")
        if found is None:
            return None
        return [each.removeprefix(prefix) for each in found if each.startswith(prefix)]

    @property
    def is_recorded(self) -> bool:
        """Whether inventories answer for some registries."""
        return bool(self._recorded)

    def inventories(self, registries: Iterable[str]) -> dict[str, str]:
        """The files that answer for registries."""
        known = self._recorded
        return {each: known[each].file for each in sorted(registries) if each in known}

    def _find_product(self, registry: str) -> Product:
        store = self.target(registry)
        if isinstance(store, Recorded):
            return self._recorded_product(registry, store)
        if not isinstance(store, Registry):
            return Implicit()
        if not store.greeting.status:
            store.greet()
        settings = self.settings(registry, self.places.endpoint(registry, self.places.write_to))
        site = Site(
            registry,
            store.base,
            store.greeting,
            lambda base: Connection(
                base, settings.tls, _API_PARALLELISM, self._patience, self.traffic
            ),
            lambda: store.credentials,
            settings.api,
        )
        return make_product(settings.product or detect(site.host, store.greeting), site)

    def _recorded_product(self, registry: str, store: Recorded) -> Product:
        endpoint = self.places.endpoint(registry, self.places.write_to)
        parts, api = urlsplit(endpoint), self.settings(registry, endpoint).api
        base = f"{parts.scheme}://{parts.netloc}"
        site = Site(registry, base, Greeting(), silent, lambda: None, api)
        return RecordedProduct(make_product(store.holdings.product, site), store)

    def _prefix(self, registry: str) -> str:
        """The path in a registry's address."""
        endpoint = self.places.endpoint(registry, self.places.write_to)
        return "" if endpoint.startswith(_LAYOUT) else urlsplit(endpoint).path

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
        settings = self.settings(registry, endpoint)
        parallelism = settings.parallelism or _PARALLELISM
        base = f"{parts.scheme}://{parts.netloc}"
        connection = Connection(base, settings.tls, parallelism, self._patience, self.traffic)
        host = registry if parts.netloc == "registry-1.docker.io" else parts.netloc
        has_login = _address(endpoint) in self.places.logins

        def find() -> Keyring:
            found = find_credentials(host, settings.credential_helper, has_login=has_login)
            return found if found.entries else _from_product(host, settings)

        authorizer = Authorizer(connection, find)
        return Registry(
            registry, connection, authorizer, parts.path, self.journal, settings.product
        )

    def settings(self, registry: str, endpoint: str) -> RegistrySettings:
        """What planner.yaml says of what answers at an endpoint."""
        host = urlsplit(endpoint).netloc
        is_own = endpoint == self.places.endpoint(registry)
        settings = self.places.settings(registry if is_own else host)
        if settings.tls == Tls():  # an entry for the machine itself serves every registry behind it
            settings = settings._replace(tls=self.places.settings(host).tls)
        if settings.tls.ca_file:
            return settings
        said = authority_text(self.places.authorities.get(_address(endpoint), ()))
        return settings._replace(tls=settings.tls._replace(ca_data=said))


def _address(endpoint: str) -> str:
    """``host:port`` of a URL."""
    parts = urlsplit(endpoint)
    return with_port(parts.netloc, is_tls=parts.scheme == "https")


def _from_product(host: str, settings: RegistrySettings) -> Keyring:
    """A login that a product hands out to those whom its cloud knows: Amazon's alone."""
    if detect(host, Greeting()) != "ecr":
        return Keyring()
    from planner.stores.products.aws import ecr_credentials  # noqa: PLC0415 - for Amazon's registries

    found = ecr_credentials(host, settings.api)
    return Keyring((("", found),)) if found else Keyring()


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
    if not is_file(folder / "index.json"):
        what = "this is not an OCI layout" if is_there(folder) else "there is no such folder"
        raise RegistryError(f"oci:{folder}: {what}", "check the path of what is to be read")
