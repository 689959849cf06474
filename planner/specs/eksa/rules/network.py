"""The ranges of pods and Services, and what of them each node gets."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.lookup import is_missing
from planner.specs.eksa.rules.reading import address, deepest, network, whole

_NETWORK = ("spec", "clusterNetwork")
_PODS, _SERVICES = "pods", "services"
_BLOCKS = "cidrBlocks"
_NODE_MASK = 24
_WIDEST = 16


@rule("EKS040")
def unusable_cidr_blocks(spec: Spec) -> Iterator[Hit]:
    """Pods or Services do not have exactly one range of addresses.

    A range has its length behind a slash; numbers must not begin with 0. Bits behind the length may be set.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:742-756; Go 1.26 net/ip.go (``ParseCIDR``).

    Bad:
        kind: Cluster
        spec:
          clusterNetwork:
            pods:
              cidrBlocks:
              - 192.168.0.0  # <- EKS040
            services:
              cidrBlocks: []  # <- EKS040

    Good:
        kind: Cluster
        spec:
          clusterNetwork:
            pods: {cidrBlocks: [192.168.0.0/16]}
            services: {cidrBlocks: [10.96.0.0/12]}
    """
    root = cluster(spec)
    for what in (_PODS, _SERVICES) if root else ():
        path = (*_NETWORK, what, _BLOCKS)
        blocks = root.get(*path)
        if is_missing(root, *path) or (blocks.kind == "sequence" and not blocks.items):
            message = f"clusterNetwork.{what} has no range: EKS Anywhere refuses the file"
            yield Hit(deepest(root, *path), message, f"{what}: {{cidrBlocks: [ADDRESS/LENGTH]}}")
        for node in blocks.items[:1]:
            if node.kind == "scalar" and not network(node.string()):
                message = f"{node.text!r} is no range of addresses: EKS Anywhere refuses the file"
                yield Hit(node, message, "write ADDRESS/LENGTH, such as 10.96.0.0/12")
        for node in blocks.items[1:]:
            yield Hit(node, f"EKS Anywhere takes one range of {what}, not several", "keep one")


@rule("EKS041")
def node_mask_does_not_fit(spec: Spec) -> Iterator[Hit]:
    """The pods' range cannot be cut into the nodes' parts.

    Each node gets a part of ``nodes.cidrMaskSize`` bits, 24 by default, for IPv6 too. It must be longer than the length of
    the pods' range, by 16 at most.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:776-791.

    Bad:
        kind: Cluster
        spec:
          clusterNetwork:
            pods:
              cidrBlocks:
              - 192.168.0.0/24  # <- EKS041

    Good:
        kind: Cluster
        spec:
          clusterNetwork:
            nodes: {cidrMaskSize: 27}
            pods:
              cidrBlocks: [192.168.0.0/24]
    """
    node, pods = _block(spec, _PODS)
    mask = cluster(spec).get(*_NETWORK, "nodes", "cidrMaskSize")
    size = _NODE_MASK if mask.is_null() else whole(mask)
    if pods is None or size is None:
        return
    length, place = pods.prefixlen, node if mask.is_null() else mask
    hint = f"nodes: {{cidrMaskSize: {length + 1} to {length + _WIDEST}}}"
    if length >= size:
        yield Hit(
            place, f"a node's part (/{size}) is not smaller than the pods' range ({pods})", hint
        )
    elif size - length > _WIDEST:
        message = f"the pods' range ({pods}) has more than 2^{_WIDEST} parts of /{size}"
        yield Hit(place, message, hint)


@rule("EKS042", Severity.WARNING)
def overlapping_cluster_networks(spec: Spec) -> Iterator[Hit]:
    """The ranges of pods and Services overlap.

    EKS Anywhere does not look, and the cluster comes up; traffic to the shared addresses then goes astray.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:735-794 (each range by itself).

    Bad:
        kind: Cluster
        spec:
          clusterNetwork:
            pods:
              cidrBlocks: [10.0.0.0/8]
            services:
              cidrBlocks:
              - 10.96.0.0/12  # <- EKS042

    Good:
        kind: Cluster
        spec:
          clusterNetwork:
            pods:
              cidrBlocks: [192.168.0.0/16]
            services:
              cidrBlocks: [10.96.0.0/12]
    """
    (other, pods), (node, services) = _block(spec, _PODS), _block(spec, _SERVICES)
    if pods and services and pods.overlaps(services):
        message = f"pods ({pods}) and Services ({services}) share addresses"
        yield Hit(node, message, "choose ranges apart", related=((other, "the pods' range"),))


@rule("EKS043", Severity.WARNING)
def endpoint_in_cluster_network(spec: Spec) -> Iterator[Hit]:
    """The control plane endpoint lies in the range of pods or Services.

    Inside the cluster such an address is a pod's or a Service's, so that nodes and pods cannot reach the API server. Snow
    refuses it; elsewhere nobody looks.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:763-774.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            endpoint:
              host: 10.96.0.10  # <- EKS043
          clusterNetwork:
            services: {cidrBlocks: [10.96.0.0/12]}

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            endpoint:
              host: 198.51.100.10
          clusterNetwork:
            services: {cidrBlocks: [10.96.0.0/12]}
    """
    host = cluster(spec).get("spec", "controlPlaneConfiguration", "endpoint", "host")
    endpoint = address(host.string())
    for what in (_PODS, _SERVICES):
        node, block = _block(spec, what)
        if endpoint and block and endpoint in block:
            message = f"the endpoint {endpoint} lies in the range of {what} ({block})"
            severity = Severity.ERROR if provider(spec) == "Snow" else None
            related = ((node, f"the range of {what}"),)
            yield Hit(host, message, "move one of them", severity=severity, related=related)


def _block(spec: Spec, what: str) -> tuple[Node, IPv4Network | IPv6Network | None]:
    """The range that EKS Anywhere takes, and where it stands."""
    node = cluster(spec).get(*_NETWORK, what, _BLOCKS, 0)
    return node, network(node.string())
