"""``registryMirrorConfiguration``, and what EKS Anywhere makes of an address with it.

Source: aws/eks-anywhere aebd9a0 pkg/registrymirror/registrymirror.go:34-85, pkg/registrymirror/containerd/utils.go:12-23,
pkg/api/v1alpha1/cluster_defaults.go:32.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from planner.core.document import Node, Spec
from planner.specs.eksa.documents import cluster

CORE_REGISTRY = "public.ecr.aws"
DEFAULT_PORT = "443"
CURATED_REGISTRY = re.compile(r"783794618700\.dkr\.ecr\..*\.amazonaws\.com")
_API = "v2"


class Mirror(NamedTuple):
    """Where artifacts are found instead of at their makers'.

    ``base`` is host:port. ``places`` maps each mirrored registry to base and namespace. As soon as one registry is named,
    only those that are named are mirrored.
    """

    base: str
    places: Mapping[str, str]
    is_verified: bool = True
    ca: str = ""
    has_auth: bool = False

    def replaced(self, address: str) -> str:
        """``address`` (an image, a chart's ``oci://`` URL) with its registry replaced; the path stays as it is."""
        host = host_of(address)
        place = self.places.get(host, "")
        return address.replace(host, place, 1) if host and place else address


def mirror_of(spec: Spec) -> Mirror | None:
    """The mirror of a cluster file; None without one."""
    node = configuration(spec)
    if node.is_null():
        return None
    base = _joined(node.get("endpoint").string(), node.get("port").string() or DEFAULT_PORT)
    return Mirror(
        base,
        _places(base, node.get("ociNamespaces")),
        not node.get("insecureSkipVerify").is_true(),
        node.get("caCertContent").string(),
        node.get("authenticate").is_true(),
    )


def configuration(spec: Spec) -> Node:
    """The block itself."""
    return cluster(spec).get("spec", "registryMirrorConfiguration")


def node_endpoint(place: str) -> str:
    """The API root of a place, as the nodes' configuration has it: ``/v2`` stands right behind the host."""
    if "//" in place:
        return (
            f"https://{place}"  # an endpoint with a scheme, which Go cannot parse and leaves alone
        )
    host, _, path = place.partition("/")
    return f"https://{'/'.join(filter(None, (host, _API, path)))}"


def host_of(address: str) -> str:
    """What EKS Anywhere takes for the registry: what stands before the first slash, without ``oci://`` or ``https://``."""
    if "://" in address:
        return urlsplit(address).netloc
    host, slash, _ = address.partition("/")
    return host if slash else ""


def _places(base: str, namespaces: Node) -> dict[str, str]:
    """Of several entries for one registry the last one counts."""
    if not namespaces.items:
        return {CORE_REGISTRY: base}
    return {
        each.get("registry").string(): posixpath.normpath(
            f"{base}/{each.get('namespace').string()}"
        )
        for each in namespaces.items
    }


def _joined(host: str, port: str) -> str:
    """Go's ``net.JoinHostPort``."""
    return f"[{host}]:{port}" if ":" in host or "%" in host else f"{host}:{port}"
