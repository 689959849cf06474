"""The files that KubeOne writes for containerd on nodes that it manages over SSH, and how a node then looks for an image.

Source: kubermatic/kubeone v1.14.2 pkg/containerruntime/containerd_config.go ``marshalContainerdConfigs`` (BurntSushi/toml
without indentation; the mirrors stand in a map, which its encoder sorts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.containerd import attempts
from planner.core.document import Spec
from planner.core.family import NodeFlags
from planner.core.refs import DOCKER_HUB, ImageRef, parse_image
from planner.core.resolution import Resolution, Rewrite
from planner.specs.kubeone.manifest import cluster, read_manifest
from planner.specs.kubeone.names import asked_name
from planner.specs.kubeone.registries import (
    DEFAULT_KEY,
    HUB_URL,
    Registry,
    host_of,
    hosts_with_auth,
    registries,
)

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "\r": r"\r"})


def render(spec: Spec, _flags: NodeFlags) -> dict[str, str]:
    """``certs.d/<host>/hosts.toml`` for each registry that gets one; of two keys on one host the later, sorted, wins."""
    return {
        f"certs.d/{host_of(name)}/hosts.toml": _hosts_toml(name, registry)
        for name, registry in sorted(registries(cluster(spec)).items())
        if registry.carries_something
    }


def resolve(spec: Spec, written: str, flags: NodeFlags) -> Resolution:
    """Where a node looks for an image, after KubeOne has given its own components another name."""
    image = parse_image(written)
    return resolution(spec, image, asked_name(read_manifest(spec), image), flags)


def resolution(spec: Spec, image: ImageRef, asked: ImageRef, flags: NodeFlags) -> Resolution:
    """Where a node looks for ``image`` when it asks for it under the name ``asked``."""
    credentials = frozenset(hosts_with_auth(cluster(spec)))
    tried = attempts(render(spec, flags), asked, credentials=credentials)
    rewrites = (Rewrite("kubeone", str(asked)),) if asked != image else ()
    return Resolution(image, tried, rewrites)


def _hosts_toml(name: str, registry: Registry) -> str:
    server = _server(name)
    top = [f"server = {_quoted(server)}", ""] if server else []
    return "".join(f"{line}\n" for line in (*top, *_host_lines(name, server, registry)))


def _server(name: str) -> str:
    """The upstream registry; none for the fallback folder, where containerd takes the one that the image names."""
    host = host_of(name)
    if host == DEFAULT_KEY:
        return ""
    return HUB_URL if host == DOCKER_HUB else name


def _host_lines(name: str, server: str, registry: Registry) -> Iterator[str]:
    itself = (name if registry.override_path else server,) if server else ()
    for url in sorted(set(registry.mirrors)) or itself:
        yield f"[host.{_key(url)}]"
        yield 'capabilities = ["pull", "resolve"]'
        if registry.insecure:
            yield "skip_verify = true"
        if registry.override_path:
            yield "override_path = true"


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'
