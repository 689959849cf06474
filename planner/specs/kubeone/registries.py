"""The registries of a KubeOneCluster as its containerd will see them.

Source: kubermatic/kubeone v1.14.2 pkg/containerruntime/containerd_config.go (``buildRegistryHostConfigs``,
``marshalContainerdConfigToml``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from planner.core.document import Node
from planner.core.gourl import parse_url
from planner.core.refs import DOCKER_HUB

WILDCARD = "*"
DEFAULT_KEY = "_default"
HUB_URL = "https://registry-1.docker.io"


class Registry(NamedTuple):
    """What is configured for one registry. ``mirrors`` are as written, in the order of the manifest."""

    mirrors: tuple[str, ...] = ()
    insecure: bool = False
    override_path: bool = False

    @property
    def carries_something(self) -> bool:
        """Whether a file is written for it."""
        return bool(self.mirrors or self.insecure or self.override_path)


def entries(root: Node) -> Iterator[tuple[str, Node]]:
    """Key and value of each entry of ``containerRuntime.containerd.registries``."""
    return root.get("containerRuntime", "containerd", "registries").fields()


def mirrors(entry: Node) -> tuple[str, ...]:
    """The mirrors of an entry, as written."""
    return tuple(node.string() for node in entry.get("mirrors").items)


def registries(root: Node) -> Mapping[str, Registry]:
    """The effective configuration by registry; docker.io is always there, and ``*`` is called ``_default``."""
    found = {DOCKER_HUB: Registry((HUB_URL,))}
    configuration = root.get("registryConfiguration")
    overwrite = configuration.get("overwriteRegistry").string()
    if overwrite and configuration.get("insecureRegistry").is_true():
        found[overwrite] = found.get(overwrite, Registry())._replace(insecure=True)
    for key, entry in entries(root):
        name = DEFAULT_KEY if key == WILDCARD else key
        found[name] = _with_entry(found.get(name, Registry()), entry)
    return found


def hosts_with_auth(root: Node) -> Iterator[str]:
    """The hosts whose credentials reach containerd: the key's and those of its mirrors.

    Credentials under ``*`` are left out. Source: containerd_config.go:147-149.
    """
    for key, entry in entries(root):
        if key != WILDCARD and not entry.get("auth").is_null():
            yield host_of(key)
            yield from map(mirror_host, mirrors(entry))


def host_of(name: str) -> str:
    """What stands before the first slash. Source: containerd_config.go ``RegistryHost``."""
    return name.partition("/")[0]


def mirror_host(mirror: str) -> str:
    """The host of a mirror, which may be a URL or a name."""
    url = parse_url(mirror)
    return url.host if url and url.host else host_of(mirror)


def _with_entry(registry: Registry, entry: Node) -> Registry:
    tls = entry.get("tlsConfig")
    return Registry(
        mirrors(entry) or registry.mirrors,
        # A tlsConfig, even an empty one, wins over registryConfiguration.insecureRegistry.
        registry.insecure if tls.is_null() else tls.get("insecureSkipVerify").is_true(),
        entry.get("overridePath").is_true(),
    )
