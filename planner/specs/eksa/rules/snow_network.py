"""Network interfaces and addresses on Snow."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.reading import (
    address,
    deepest,
    is_blank,
    machines_of,
    network,
    ordered,
    reached,
    title,
    whole,
)

_MACHINE = "SnowMachineConfig"
_MOST_INTERFACES = 8
_MOST_VLAN = 4095


@rule("EKS172")
def unusable_snow_interfaces(spec: Spec) -> Iterator[Hit]:
    """A Snow machine has no network interface, or not exactly one primary.

    The API server also wants at most eight, each with an index from 1 to 8 and a VLAN up to 4095.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/snowmachineconfig.go:156-172, snowmachineconfig_types.go:62-90.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          network:
            directNetworkInterfaces:  # <- EKS172
            - {index: 1, dhcp: true}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          network:
            directNetworkInterfaces:
            - {index: 1, dhcp: true, primary: true}
    """
    for document in reached(spec, _MACHINE):
        interfaces = document.get("spec", "network", "directNetworkInterfaces")
        place = deepest(document, "spec", "network", "directNetworkInterfaces")
        primaries = [
            each.get("primary") for each in interfaces.items if each.get("primary").is_true()
        ]
        if interfaces.kind != "sequence" and not interfaces.is_null():
            continue
        if not interfaces.items:
            message = f"{title(document)} has no network interface: EKS Anywhere refuses the file"
            yield Hit(place, message, "add network.directNetworkInterfaces with a primary one")
        elif not primaries:
            message = "no network interface is primary: EKS Anywhere refuses the file"
            yield Hit(place, message, "add primary: true to one of them")
        for extra in primaries[1:]:
            message = "a second network interface is primary: EKS Anywhere refuses the file"
            about = ((primaries[0], "the first"),)
            yield Hit(extra, message, "leave one primary", related=about)
        yield from _bounds(interfaces)


@rule("EKS175")
def unusable_address_pool(spec: Spec) -> Iterator[Hit]:
    """A pool of a SnowIPPool lacks a part, has one that is no address, or begins or ends outside of its subnet.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/snowippool.go:41-93.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowIPPool
        metadata: {name: pool}
        spec:
          pools:
          - ipStart: 198.51.100.9
            ipEnd: 198.51.100.2  # <- EKS175
            subnet: 198.51.100.0/24
            gateway: ""  # <- EKS175

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowIPPool
        metadata: {name: pool}
        spec:
          pools:
          - ipStart: 198.51.100.2
            ipEnd: 198.51.100.9
            subnet: 198.51.100.0/24
            gateway: 198.51.100.1
    """
    for document in reached(spec, "SnowIPPool"):
        for pool in document.get("spec", "pools").items:
            if pool.kind == "mapping":
                yield from _pool(pool)


@rule("EKS176")
def etcd_without_static_address(spec: Spec) -> Iterator[Hit]:
    """External etcd on Snow gets its addresses by DHCP, or has no pool to take them from.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/snow.go:283-305.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: SnowDatacenterConfig, name: prod}
          externalEtcdConfiguration:
            machineGroupRef: {kind: SnowMachineConfig, name: etcd}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: etcd}
        spec:
          network:
            directNetworkInterfaces:
            - {index: 1, primary: true, dhcp: true}  # <- EKS176

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: SnowDatacenterConfig, name: prod}
          externalEtcdConfiguration:
            machineGroupRef: {kind: SnowMachineConfig, name: etcd}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: etcd}
        spec:
          network:
            directNetworkInterfaces:
            - {index: 1, primary: true, ipPoolRef: {kind: SnowIPPool, name: pool}}
    """
    holder = cluster(spec).get("spec", "externalEtcdConfiguration")
    if provider(spec) != "Snow":
        return
    for interface in (
        machines_of(spec, holder).get("spec", "network", "directNetworkInterfaces").items
    ):
        dhcp = interface.get("dhcp")
        if dhcp.is_true():
            message = "external etcd on Snow cannot use DHCP: EKS Anywhere refuses the file"
            yield Hit(dhcp, message, "write ipPoolRef instead of dhcp")
        elif interface.get("ipPoolRef").is_null():
            message = "external etcd on Snow needs ipPoolRef: EKS Anywhere refuses the file"
            yield Hit(deepest(interface, "ipPoolRef"), message, "add ipPoolRef and a SnowIPPool")


def _pool(pool: Node) -> Iterator[Hit]:
    found = {}
    for name in ("ipStart", "ipEnd", "gateway"):
        node = pool.get(name)
        found[name] = address(node.string())
        if is_blank(node):
            message = f"this pool has no {name}: EKS Anywhere refuses it"
            yield Hit(deepest(pool, name), message, f"add {name}")
        elif node.kind == "scalar" and not found[name]:
            message = f"{name} {node.string()!r} is not an IP address: EKS Anywhere refuses it"
            yield Hit(node, message, "write an IP address")
    first, last, subnet = found["ipStart"], found["ipEnd"], pool.get("subnet")
    if first and last and ordered(first) >= ordered(last):
        message = "ipEnd is not above ipStart: EKS Anywhere refuses the pool"
        yield Hit(pool.get("ipEnd"), message, "write the first address as ipStart")
    own = network(subnet.string())
    if is_blank(subnet):
        message = "this pool has no subnet: EKS Anywhere refuses it"
        yield Hit(deepest(pool, "subnet"), message, "add subnet")
    elif subnet.kind == "scalar" and own is None:
        message = f"the subnet {subnet.string()!r} is no network: EKS Anywhere refuses it"
        yield Hit(subnet, message, "write ADDRESS/LENGTH")
    for name, each in (("ipStart", first), ("ipEnd", last)):
        if own and each and each not in own:
            message = f"{name} {each} is outside of the subnet {own}: EKS Anywhere refuses it"
            yield Hit(pool.get(name), message, f"write an address of {own}")


def _bounds(interfaces: Node) -> Iterator[Hit]:
    """What only the API server refuses."""
    what = "the API server refuses it"
    if len(interfaces.items) > _MOST_INTERFACES:
        message = f"more than {_MOST_INTERFACES} network interfaces: {what}"
        yield Hit(interfaces, message, "remove some", severity=Severity.WARNING)
    for each in interfaces.items:
        index, vlan = each.get("index"), each.get("vlanID")
        for node, least, most in ((index, 1, _MOST_INTERFACES), (vlan, 0, _MOST_VLAN)):
            value = whole(node)
            if not node.is_null() and value is not None and not least <= value <= most:
                message = f"{node.path[-1]} {value} is not from {least} to {most}: {what}"
                yield Hit(node, message, "", severity=Severity.WARNING)
