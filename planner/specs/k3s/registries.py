"""registries.yaml as the K3s agent understands it.

Source: rancher/wharfie bb7080c pkg/registries/types.go:4-60 (fields) and k3s-io/k3s 06ea261
pkg/agent/containerd/config.go ~211-364 (``getHostConfigs``, endpoint normalisation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from planner.core.document import ABSENT, Node, Spec
from planner.core.family import NodeFlags
from planner.core.gourl import GoUrl, parse_url
from planner.core.refs import DOCKER_HUB
from planner.core.resolution import default_scheme
from planner.specs.k3s.releases import MARCH_2024, bare_endpoints_work, release_of

_KEPT = 64  # specs: every rule asks for the same of one, and compares it with the same peers
WILDCARD = "*"
HUB_API = "registry-1.docker.io"
HUB_ALIASES = frozenset({HUB_API, "index.docker.io", "registry.hub.docker.com"})
PUBLIC = HUB_ALIASES | frozenset(
    "docker.io ghcr.io quay.io gcr.io registry.k8s.io k8s.gcr.io mcr.microsoft.com public.ecr.aws".split()
)


class Tls(NamedTuple):
    """TLS settings as written; all empty is not the same as none."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure_skip_verify: bool = False


class Endpoint(NamedTuple):
    """One URL that a node may ask. ``url`` is empty for "the image's own registry", None when nothing is to be written."""

    url: str | None
    override_path: bool = False
    tls: Tls | None = None
    has_auth: bool = False
    rewrites: tuple[tuple[str, str], ...] = ()

    @property
    def carries_something(self) -> bool:
        """Whether a file is worth writing for it."""
        return bool(self.override_path or self.tls or self.has_auth or self.rewrites)


class Listed(NamedTuple):
    """One item of a mirror's ``endpoint``. ``url`` is what Go reads in ``text``, None where it reports an error."""

    mirror: str
    node: Node
    text: str
    url: GoUrl | None

    @property
    def rendered(self) -> Endpoint | None:
        """The endpoint as K3s writes it."""
        return normalise(self.text)

    @property
    def config_name(self) -> str:
        """The name under which ``configs`` is searched; empty when K3s ignores the endpoint."""
        return endpoint_name(self.text) or ""


class Host(NamedTuple):
    """What containerd will read about one registry. No ``default`` means: never fall back to the registry itself."""

    default: Endpoint | None
    endpoints: tuple[Endpoint, ...] = ()


@lru_cache(maxsize=_KEPT)
def mirrors(spec: Spec) -> Mapping[str, Node]:
    """The mirrors by registry name. Two ``mirrors:`` keys are merged, as yaml.v2 decodes both into one map."""
    return _merged(spec, "mirrors")


@lru_cache(maxsize=_KEPT)
def configs(spec: Spec) -> Mapping[str, Node]:
    """The configs by endpoint host."""
    return _merged(spec, "configs")


@lru_cache(maxsize=_KEPT)
def listed(spec: Spec) -> tuple[Listed, ...]:
    """Every endpoint of every mirror, in the order of the file."""
    return tuple(
        Listed(name, node, node.string(), parse_endpoint(node.string()))
        for name, mirror in mirrors(spec).items()
        for node in mirror.get("endpoint").items
    )


def rewrites(mirror: Node) -> tuple[tuple[str, str], ...]:
    """Pattern and replacement of each rewrite of a mirror, sorted by pattern as K3s writes them."""
    return tuple(
        sorted((pattern, node.string()) for pattern, node in mirror.get("rewrite").fields())
    )


def hosts(spec: Spec, flags: NodeFlags) -> dict[str, Host]:
    """The registries for which K3s writes a hosts.toml, by name (``*`` included)."""
    return _HostBuilder(spec, flags).build()


def parse_endpoint(text: str) -> GoUrl | None:
    """An endpoint as K3s takes it apart; the scheme is empty where none is written. Source: config.go ~301."""
    return parse_url(text if "://" in text else f"//{text}")


def endpoint_name(text: str) -> str | None:
    """The name under which ``configs`` is searched for an endpoint; None when K3s ignores the endpoint."""
    url = parse_endpoint(text)
    if url is None:
        return None
    return DOCKER_HUB if url.host == HUB_API else url.host


@lru_cache(maxsize=4096)
def normalise(text: str, embedded: str = "") -> Endpoint | None:
    """The endpoint ``text`` as K3s renders it; None where it logs a warning and ignores it.

    Source: config.go ~301-336. An absent path and ``/v2`` are the same; any other path is kept as it is, and then nothing
    puts ``/v2`` in front of it.
    """
    url = parse_endpoint(text)
    if url is None:
        return None
    host = HUB_API if url.host == DOCKER_HUB else url.host
    scheme = url.scheme or ("https" if host == embedded else default_scheme(host))
    overrides = url.path not in ("", "/", "/v2")
    path = url.path if overrides else "/v2"
    return Endpoint(str(url._replace(scheme=scheme, host=host, path=path)), overrides)


def _merged(spec: Spec, name: str) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for entry in spec.root.entries:
        if entry.key.text == name:
            found.update(entry.value.fields())
    return found


class _HostBuilder:
    """The two passes of ``getHostConfigs``. Lives for one spec."""

    def __init__(self, spec: Spec, flags: NodeFlags) -> None:
        self._configs = dict(configs(spec))
        self._mirrors = dict(mirrors(spec))
        self._flags = flags
        self._release = release_of(flags)
        self._is_complete = MARCH_2024.holds(self._release)
        self._embedded = flags.embedded_registry
        self._hosts: dict[str, Host] = {}

    def build(self) -> dict[str, Host]:
        if self._embedded and self._mirrors:
            self._mirrors.setdefault(self._embedded, ABSENT)
        for name in (
            *self._configs,
            *([self._embedded] if self._embedded in self._mirrors else []),
        ):
            self._add_config(name)
        for name, mirror in self._mirrors.items():
            self._add_mirror(name, mirror)
        return {
            name: host
            for name, host in self._hosts.items()
            if host.endpoints or (host.default and host.default.carries_something)
        }

    def _add_config(self, name: str) -> None:
        if name == WILDCARD:
            if self._is_complete:
                self._hosts[name] = Host(self._with_config(Endpoint(None), name))
        elif endpoint := normalise(name, self._embedded):
            self._hosts[name] = Host(self._with_config(endpoint, name))

    def _add_mirror(self, name: str, mirror: Node) -> None:
        default = self._default_of(name)
        endpoints: list[Endpoint] = []
        listed = self._listed(name, mirror)
        for index, endpoint in enumerate(listed):
            if self._is_complete and any(endpoint.url == each.url for each in endpoints):
                continue
            if index == len(listed) - 1 and default and endpoint.url == default.url:
                if not self._is_complete:
                    self._hosts[name] = Host(None)
                    return
                default = endpoint
            else:
                endpoints.append(endpoint)
        self._hosts[name] = Host(default, tuple(endpoints))

    def _default_of(self, name: str) -> Endpoint | None:
        # A configs entry of the same name wins over --disable-default-registry-endpoint, but "*" never finds its own.
        if name in self._hosts and name != WILDCARD:
            return self._hosts[name].default
        if self._flags.disable_default_endpoint:
            return None
        wildcard = Endpoint("" if self._is_complete else None)
        endpoint = wildcard if name == WILDCARD else normalise(name, self._embedded)
        return self._with_config(endpoint, name) if endpoint and name != WILDCARD else endpoint

    def _listed(self, name: str, mirror: Node) -> list[Endpoint]:
        texts = [
            text
            for text in (node.string() for node in mirror.get("endpoint").items)
            if "://" in text or bare_endpoints_work(self._release)
        ]
        takes_part = self._embedded and name != self._embedded and not _is_loopback(name)
        found = [self._embedded_endpoint()] if takes_part else []
        table = rewrites(mirror)
        for text in texts:
            if endpoint := normalise(text, self._embedded):
                configured = self._with_config(endpoint, endpoint_name(text) or "")
                found.append(configured._replace(rewrites=table))
        return found

    def _embedded_endpoint(self) -> Endpoint:
        return self._with_config(Endpoint(f"https://{self._embedded}/v2"), self._embedded)

    def _with_config(self, endpoint: Endpoint, name: str) -> Endpoint:
        if self._embedded and name == self._embedded:
            return endpoint._replace(tls=_EMBEDDED_TLS)
        node = self._configs.get(name)
        if name == DOCKER_HUB and HUB_API in self._configs:
            node = self._configs[HUB_API]
        if node is None:
            return endpoint
        tls, auth = node.get("tls"), node.get("auth")
        return endpoint._replace(
            tls=None if tls.is_null() else _tls(tls), has_auth=not auth.is_null()
        )


# K3s puts its own files here (pkg/spegel/registry.go: the cluster CA and a client certificate); their paths depend on the
# node, so the rendered files carry these names instead.
_EMBEDDED_TLS = Tls("server-ca", "client-cert", "client-key")


def _tls(node: Node) -> Tls:
    return Tls(
        node.get("ca_file").string(),
        node.get("cert_file").string(),
        node.get("key_file").string(),
        node.get("insecure_skip_verify").is_true(),
    )


def _is_loopback(name: str) -> bool:
    return default_scheme(name) == "http"


def hosts_with_auth(spec: Spec) -> Iterator[str]:
    """The hosts for which credentials reach containerd. ``*`` is rendered but never looked up (k3s-io/k3s#11352)."""
    for name, node in configs(spec).items():
        if name != WILDCARD and not node.get("auth").is_null():
            yield name
