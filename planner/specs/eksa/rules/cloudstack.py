"""CloudStackDatacenterConfig."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import parse_url
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.rules.reading import deepest, is_blank, reached, title

_DATACENTER = "CloudStackDatacenterConfig"
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_OLD = ("zones", "account", "domain", "managementApiEndpoint")


@rule("EKS160")
def missing_availability_zones(spec: Spec) -> Iterator[Hit]:
    """A CloudStackDatacenterConfig has no zones, or names them in the old and the new way.

    ``zones``, ``account``, ``domain`` and ``managementApiEndpoint`` beside the spec are the old way: they become
    availability zones when there are none, and are dropped when there are.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackdatacenterconfig_types.go:197,223-242.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones: []  # <- EKS160

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones:
          - name: az-1
            zone: {name: z1, network: {name: net1}}
    """
    for document in reached(spec, _DATACENTER):
        zones = document.get("spec", "availabilityZones")
        old = [each for each in (document.get("spec", key) for key in _OLD) if not _is_unset(each)]
        if zones.items:
            for each in old:
                message = f"{each.path[-1]} is dropped: availabilityZones stand beside it"
                yield Hit(each, message, "remove it", on_key=True, severity=Severity.WARNING)
        elif not document.get("spec", "zones").items and (
            zones.kind == "sequence" or zones.is_null()
        ):
            message = f"{title(document)} has no availabilityZones: EKS Anywhere refuses the file"
            yield Hit(deepest(document, "spec", "availabilityZones"), message, "add one")


@rule("EKS161")
def unusable_zone_name(spec: Spec) -> Iterator[Hit]:
    """The name of an availability zone is no label value, or is used twice.

    Nodes are labelled with it: at most 63 letters, digits, ``-``, ``_`` and ``.``, with a letter or digit at both
    ends.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackdatacenterconfig_types.go:200-210.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones:
          - name: "zone 1"  # <- EKS161
            zone: {name: z1, network: {name: net1}}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones:
          - name: zone-1
            zone: {name: z1, network: {name: net1}}
    """
    for document in reached(spec, _DATACENTER):
        first: dict[str, Node] = {}
        for zone in document.get("spec", "availabilityZones").items:
            name = zone.get("name")
            if name.kind in ("mapping", "sequence"):
                continue
            if not _LABEL_VALUE.fullmatch(name.string()):
                message = (
                    f"the zone name {name.string()!r} is no label value: EKS Anywhere refuses it"
                )
                yield Hit(name, message, "use letters, digits and inner '-', '_' and '.'")
            place = deepest(zone, "name")
            earlier = first.setdefault(name.string(), place)
            if earlier is not place:
                message = f"two zones have the name {name.string()!r}: EKS Anywhere refuses that"
                yield Hit(place, message, "rename one of them", related=((earlier, "the first"),))


@rule("EKS162")
def unusable_management_endpoint(spec: Spec) -> Iterator[Hit]:
    """The managementApiEndpoint of a zone is no URL.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackdatacenterconfig.go:58-70,
    cloudstackdatacenterconfig_types.go:211-214.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones:
          - name: az-1
            managementApiEndpoint: ":8080/client/api"  # <- EKS162
            zone: {name: z1, network: {name: net1}}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones:
          - name: az-1
            managementApiEndpoint: https://cloudstack.example.com:8080/client/api
            zone: {name: z1, network: {name: net1}}
    """
    for document in reached(spec, _DATACENTER):
        own = document.get("spec")
        zones = own.get("availabilityZones").items
        holders = zones or ([own] if own.get("zones").items else [])
        for holder in holders:
            node = holder.get("managementApiEndpoint")
            url = parse_url(node.string())
            if node.string() and url is None:
                message = f"the managementApiEndpoint {node.string()!r} is no URL: EKS Anywhere refuses it"
                yield Hit(node, message, "write https://HOST/client/api")
            elif node.string() and url and not url.host:
                message = f"the managementApiEndpoint {node.string()!r} names no host"
                hint = "write https://HOST/client/api"
                yield Hit(node, message, hint, severity=Severity.WARNING)


@rule("EKS163")
def zone_without_network(spec: Spec) -> Iterator[Hit]:
    """A zone has no network.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackdatacenterconfig_types.go:215-217.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones:
          - name: az-1
            zone: {name: z1, network: {}}  # <- EKS163

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackDatacenterConfig
        metadata: {name: prod}
        spec:
          availabilityZones:
          - name: az-1
            zone: {name: z1, network: {name: net1}}
    """
    for document in reached(spec, _DATACENTER):
        own = document.get("spec")
        zones = own.get("availabilityZones").items
        for zone in [deepest(each, "zone") for each in zones] if zones else own.get("zones").items:
            network = zone.get("network")
            if has_no_identity(network):
                message = "this zone has no network: EKS Anywhere refuses the file"
                yield Hit(deepest(zone, "network"), message, "add network with a name or an id")


def has_no_identity(node: Node) -> bool:
    """Whether neither the name nor the id of something in CloudStack is given."""
    if node.kind in ("scalar", "sequence") and not node.is_null():
        return False
    return is_blank(node.get("id")) and is_blank(node.get("name"))


def _is_unset(node: Node) -> bool:
    return is_blank(node) or (node.kind == "sequence" and not node.items)
