"""Mistakes in the names of mirrors, which are looked up by the registry that stands in an image's name."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import parse_url
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import renamed
from planner.core.refs import DOCKER_HUB, looks_like_registry, name_problem
from planner.specs.k3s.registries import HUB_ALIASES, WILDCARD, configs, mirrors
from planner.specs.k3s.rules.files import placeholder

_LITERAL_DEFAULT = "_default"
_HUB_NAMES = frozenset({"docker", "dockerhub", "hub"})
_HOST_HINT = (
    "name it as in the image: host.domain or host:port; namespaces of Docker Hub go under docker.io"
)


@rule("K3S021")
def mirror_name_with_url_parts(spec: Spec) -> Iterator[Hit]:
    """A mirror is named by a URL or with a path, and no image is looked up under it.

    containerd looks for the host that stands in the image's name, with its port, and for nothing more. With the registry's own
    address as the endpoint K3s does not even write a file.

    Source: k3s-io/k3s#13255; containerd 301026e core/remotes/docker/config/config_unix.go:25-37.

    Bad:
        mirrors:
          https://quay.io:  # <- K3S021
            endpoint: [https://registry.example.com]
          ghcr.io/team:  # <- K3S021
            endpoint: [https://registry.example.com]

    Good:
        mirrors:
          quay.io:
            endpoint: [https://registry.example.com]
          ghcr.io:
            endpoint: [https://registry.example.com]

    Fixed:
        mirrors:
          quay.io:
            endpoint: [https://registry.example.com]
          ghcr.io/team:
            endpoint: [https://registry.example.com]
    """
    for name, mirror in _named(spec):
        if "/" in name:
            what = "a URL" if "://" in name else "a name with a path"
            message = f"the mirror {name!r} is never used: images are looked up by host, and this is {what}"
            host = bare_host(name)
            fix = renamed(spec, mirror.key, host, mirrors(spec)) if is_address(name) else None
            yield Hit(mirror, message, f"name it {host!r}", on_key=True, fix=fix)


@rule("K3S022")
def mirror_name_without_registry(spec: Spec) -> Iterator[Hit]:
    """A mirror is named like nothing that can stand as the registry of an image.

    The first part of an image's name is a registry when it has a dot or a colon, or is ``localhost``. Everything else
    is a namespace of Docker Hub: ``rancher/pause`` is looked up under ``docker.io``.

    Source: distribution/reference normalize.go ``splitDockerDomain``, reference.go (``domain``).

    Bad:
        mirrors:
          rancher:  # <- K3S022
            endpoint: [https://registry.example.com]
          dockerhub:  # <- K3S022
            endpoint: [https://registry.example.com]

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]

    Fixed:
        mirrors:
          rancher:
            endpoint: [https://registry.example.com]
          docker.io:
            endpoint: [https://registry.example.com]
    """
    for name, mirror in _named(spec):
        if "/" in name or "*" in name or name == _LITERAL_DEFAULT:
            continue
        if not looks_like_registry(name):
            message = f"the mirror {name!r} is never used: without dot, colon or port it is no registry to containerd"
            is_hub = name.lower() in _HUB_NAMES
            fix = renamed(spec, mirror.key, DOCKER_HUB, mirrors(spec)) if is_hub else None
            hint = "name it docker.io" if is_hub else _HOST_HINT
            yield Hit(mirror, message, hint, on_key=True, fix=fix)
        elif name_problem(name, "image"):
            message = f"the mirror {name!r} is never used: no image can name such a registry"
            trimmed = name.strip()
            is_name = trimmed != name and not name_problem(trimmed, "image")
            fix = renamed(spec, mirror.key, trimmed, mirrors(spec)) if is_name else None
            yield Hit(
                mirror, message, f"name it as in the image, {trimmed!r}", on_key=True, fix=fix
            )


@rule("K3S023")
def mirror_name_with_glob(spec: Spec) -> Iterator[Hit]:
    """A mirror is named by a glob, which K3s takes literally.

    Only ``*`` alone is special. ``*.example.com`` is looked up for images of a registry of exactly this name.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~211-294.

    Bad:
        mirrors:
          "*.example.com":  # <- K3S023
            endpoint: [https://registry.corp]

    Good:
        mirrors:
          a.example.com:
            endpoint: [https://registry.corp]
    """
    for name, mirror in _named(spec):
        if "*" in name and "/" not in name:
            message = f"the mirror {name!r} is never used: there are no globs, and only '*' alone means every other registry"
            yield Hit(mirror, message, "list each registry, or use '*'", on_key=True)


@rule("K3S024", Severity.WARNING)
def literal_default_mirror(spec: Spec) -> Iterator[Hit]:
    """A mirror is named ``_default``, which happens to be containerd's folder for every other registry.

    It works as a wildcard, but K3s believes in a registry of that name and makes ``https://_default/v2`` the address
    that is asked last: images that the mirror lacks are found nowhere.

    Source: k3s-io/k3s#13526; k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~211-294.

    Bad:
        mirrors:
          _default:  # <- K3S024
            endpoint: [https://registry.example.com]

    Good:
        mirrors:
          "*":
            endpoint: [https://registry.example.com]

    Fixed:
        mirrors:
          "*":
            endpoint: [https://registry.example.com]
    """
    for name, mirror in mirrors(spec).items():
        if name == _LITERAL_DEFAULT:
            message = "K3s takes '_default' for a registry and sends what the mirror lacks to https://_default/v2"
            fix = renamed(spec, mirror.key, WILDCARD, mirrors(spec))
            yield Hit(mirror, message, 'name it "*"', on_key=True, fix=fix)


@rule("K3S025")
def docker_hub_mirror_alias(spec: Spec) -> Iterator[Hit]:
    """A mirror for Docker Hub has the name of one of its hosts instead of ``docker.io``.

    Images of Docker Hub are looked up under ``docker.io``, however they are written. The entry matches nothing, and
    the images come from Docker Hub.

    Source: distribution/reference normalize.go (``docker.io``); containerd 301026e core/remotes/docker/config/hosts.go:102.

    Bad:
        mirrors:
          index.docker.io:  # <- K3S025
            endpoint: [https://registry.example.com]

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]

    Fixed:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
    """
    severity = Severity.WARNING if DOCKER_HUB in mirrors(spec) else None
    for name, mirror in mirrors(spec).items():
        if name in HUB_ALIASES:
            message = f"the mirror {name!r} is not used for images of Docker Hub: they are looked up under 'docker.io'"
            fix = renamed(spec, mirror.key, DOCKER_HUB, mirrors(spec))
            yield Hit(mirror, message, "name it docker.io", on_key=True, severity=severity, fix=fix)


@rule("K3S026", Severity.WARNING)
def upper_case_host(spec: Spec) -> Iterator[Hit]:
    """The name of a mirror or of a config has upper-case letters.

    Names are compared letter by letter: ``Registry.example.com`` does not serve images that say ``registry.example.com``.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~211-364; containerd 301026e
    core/remotes/docker/config/config_unix.go:25-37.

    Bad:
        mirrors:
          Registry.example.com:  # <- K3S026
            endpoint: [https://registry.corp]

    Good:
        mirrors:
          registry.example.com:
            endpoint: [https://registry.corp]

    Fixed:
        mirrors:
          registry.example.com:
            endpoint: [https://registry.corp]
    """
    known = mirrors(spec)
    for name, node in (*mirrors(spec).items(), *configs(spec).items()):
        if name != name.lower() and "/" not in name and not placeholder(name):
            message = f"{name!r} is compared letter by letter and serves no name in lower case"
            hint = f"write {name.lower()!r}, here and in the images"
            # The name of a config follows the endpoint, not the images.
            is_mirror = node is known.get(name)
            fix = renamed(spec, node.key, name.lower(), known) if is_mirror else None
            yield Hit(node, message, hint, on_key=True, fix=fix)


@rule("K3S027", Severity.WARNING)
def mirror_without_endpoint(spec: Spec) -> Iterator[Hit]:
    """A mirror has no endpoint, which means something to the embedded registry only.

    With ``--embedded-registry`` the nodes share images of that registry. Without it K3s writes nothing for the entry
    and images are pulled from the registry itself, also under ``--disable-default-registry-endpoint``.

    Source: K3s documentation, Embedded Registry Mirror; k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~290;
    k3s-io/k3s#13526
    (``*`` since February 2026).

    Bad:
        mirrors:
          docker.io:  # <- K3S027

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
    """
    for name, mirror in mirrors(spec).items():
        keys = {key for key, _ in mirror.fields()}
        is_empty = mirror.is_null() or (mirror.kind == "mapping" and keys <= {"endpoint"})
        if is_empty and _has_no_endpoint(mirror):
            message = (
                f"the mirror {name!r} has no endpoint: without --embedded-registry it does nothing"
            )
            severity = Severity.INFO if name == WILDCARD else None
            hint = "write endpoint: [https://HOST], unless the embedded registry is on"
            yield Hit(mirror, message, hint, on_key=True, severity=severity)


def bare_host(name: str) -> str:
    """The host that somebody meant who wrote a URL or a path."""
    url = parse_url(name if "://" in name else f"//{name}")
    return url.host if url and url.host else name


def is_address(name: str) -> bool:
    """Whether a name is the URL of a registry, with nothing of importance behind the host."""
    url = parse_url(name) if "://" in name else None
    if url is None or url.user_info or url.tail or url.path not in ("", "/", "/v2", "/v2/"):
        return False
    return looks_like_registry(url.host) and not name_problem(url.host, "image")


def _named(spec: Spec) -> Iterator[tuple[str, Node]]:
    for name, mirror in mirrors(spec).items():
        if name != WILDCARD and not placeholder(name):
            yield name, mirror


def _has_no_endpoint(mirror: Node) -> bool:
    endpoint = mirror.get("endpoint")
    return endpoint.is_null() or (endpoint.kind == "sequence" and not endpoint.items)
