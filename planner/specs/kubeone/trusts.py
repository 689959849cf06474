"""How a manifest lets its nodes reach private registries."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.family import Trust, trust
from planner.core.resolution import default_scheme
from planner.specs.kubeone.manifest import cluster
from planner.specs.kubeone.registries import entries, host_of, mirror_host


def trusts(spec: Spec) -> Iterator[Trust]:
    """One for the registry that takes the place of all others, and one for each mirror."""
    root = cluster(spec)
    configuration = root.get("registryConfiguration")
    overwrite = configuration.get("overwriteRegistry")
    if overwrite.string():
        skip = configuration.get("insecureRegistry")
        url = f"https://{host_of(overwrite.string())}"
        yield trust(url, skip if skip.is_true() else overwrite, is_verified=not skip.is_true())
    for _, entry in entries(root):
        skip = entry.get("tlsConfig", "insecureSkipVerify")
        for mirror in entry.get("mirrors").items:
            node = skip if skip.is_true() else mirror
            yield trust(_url(mirror.string()), node, is_verified=not skip.is_true())


def mirror_map(spec: Spec) -> Node:
    """The registries of containerd, or else the settings of the one registry."""
    root = cluster(spec)
    return root.get("containerRuntime", "containerd", "registries") or root.get(
        "registryConfiguration"
    )


def _url(mirror: str) -> str:
    """A mirror without a scheme is asked as containerd asks a host."""
    host = mirror_host(mirror)
    return mirror if "://" in mirror else f"{default_scheme(host)}://{host}"
