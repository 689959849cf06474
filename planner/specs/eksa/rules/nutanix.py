"""NutanixDatacenterConfig, and what identifies things in Prism."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.documents import cluster
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.pem import pem_mistake
from planner.specs.eksa.rules.reading import (
    address,
    blank_fields,
    deepest,
    is_blank,
    network,
    ordered,
    reached,
    title,
    whole,
    worker_groups,
)

_DATACENTER, _MACHINE = "NutanixDatacenterConfig", "NutanixMachineConfig"
_DOMAIN_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_MOST_PORTS = 65535


@rule("EKS150")
def incomplete_prism_central(spec: Spec) -> Iterator[Hit]:
    """A NutanixDatacenterConfig lacks the endpoint or the port of Prism Central, or the port cannot be one.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/nutanixdatacenterconfig_types.go:147-154,
    pkg/providers/nutanix/validator.go:280.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 0  # <- EKS150

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 9440
    """
    for document in reached(spec, _DATACENTER):
        own = document.get("spec")
        if is_blank(own.get("endpoint")):
            message = f"{title(document)} has no endpoint: EKS Anywhere refuses the file"
            hint = "write the host of Prism Central"
            yield Hit(deepest(document, "spec", "endpoint"), message, hint)
        port = whole(own.get("port"))
        if port is not None and not 1 <= port <= _MOST_PORTS:
            said = f"the port {port} is none" if port else f"{title(document)} has no port"
            message = f"{said}: EKS Anywhere refuses the file"
            yield Hit(deepest(document, "spec", "port"), message, "Prism Central listens on 9440")


@rule("EKS151")
def invalid_trust_bundle(spec: Spec) -> Iterator[Hit]:
    """The additionalTrustBundle of Prism Central does not begin with a certificate.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/nutanixdatacenterconfig_types.go:156-165.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 9440
          additionalTrustBundle: ca.pem  # <- EKS151

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 9440
    """
    for document in reached(spec, _DATACENTER):
        bundle = document.get("spec", "additionalTrustBundle")
        mistake = pem_mistake(bundle.string(), first_only=True) if bundle.string() else ""
        if mistake:
            hint = "write the certificate as a -----BEGIN CERTIFICATE----- block"
            yield Hit(bundle, f"additionalTrustBundle {mistake}: EKS Anywhere refuses it", hint)


@rule("EKS152")
def credentials_not_a_secret(spec: Spec) -> Iterator[Hit]:
    """The credentials of Nutanix or Snow are not a reference to a Secret.

    The kind must be ``Secret`` and the name must be given; the Secret itself is in the cluster, not in this file.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/nutanixdatacenterconfig_types.go:167-175,
    snowdatacenterconfig_types.go:60-73, pkg/cluster/snow.go:259-271.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 9440
          credentialRef:
            kind: ConfigMap  # <- EKS152
            name: nutanix-credentials

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 9440
          credentialRef:
            kind: Secret
            name: nutanix-credentials
    """
    for kind, key in ((_DATACENTER, "credentialRef"), ("SnowDatacenterConfig", "identityRef")):
        for document in reached(spec, kind):
            ref = document.get("spec", key)
            if ref.kind != "mapping":
                continue
            is_defaulted = (
                kind != _DATACENTER and is_blank(ref.get("kind")) and is_blank(ref.get("name"))
            )
            if not is_defaulted:
                yield from _secret(ref, key)


@rule("EKS153")
def invalid_nutanix_identifier(spec: Spec) -> Iterator[Hit]:
    """A resource of Prism is identified neither by name nor by UUID.

    ``type`` says which of ``name`` and ``uuid`` counts, and that one must be there. Those of failure domains are
    checked at once, those of machine configs when Prism Central is asked, and by the webhook.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/nutanixdatacenterconfig_types.go:197-211,
    nutanixmachineconfig.go:244-258, pkg/providers/nutanix/validator.go:404-516.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          image:
            type: name
            uuid: 2d166190-7759-4dc6-b835-923262d6b497  # <- EKS153
          cluster: {type: name, name: pe1}
          subnet: {type: id, name: net1}  # <- EKS153

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          image: {type: name, name: ubuntu-1-33}
          cluster: {type: name, name: pe1}
          subnet: {type: uuid, uuid: 2d166190-7759-4dc6-b835-923262d6b497}
    """
    for document in reached(spec, _DATACENTER):
        for domain in document.get("spec", "failureDomains").items:
            yield from _identifier(domain, "cluster", domain.get("cluster"))
            for subnet in domain.get("subnets").items:
                yield from _identifier(domain, "subnet", subnet)
    for document in reached(spec, _MACHINE):
        own = deepest(document, "spec")
        for name in ("image", "cluster", "subnet"):
            yield from _identifier(own, name, document.get("spec", name))
        if not document.get("spec", "project").is_null():
            yield from _identifier(own, "project", document.get("spec", "project"))


@rule("EKS154")
def inconsistent_nutanix_domains(spec: Spec) -> Iterator[Hit]:
    """A failure domain of Nutanix has a name that is refused, or names worker groups that do not fit.

    The provider checks it after it has reached Prism Central. It looks for each of workerMachineGroups among the
    *machine configs* of the worker groups, and wants no group to have more machines than there are failure domains;
    machines are then spread over the domains that list the *name* of their group. So both names should be the same.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/nutanix/validator.go:210-258 and ``getWorkerMachineGroups``,
    template.go:422.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          workerNodeGroupConfigurations:
          - name: md-0
            count: 1
            machineGroupRef: {kind: NutanixMachineConfig, name: md-0}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          failureDomains:
          - name: PE1  # <- EKS154
            cluster: {type: name, name: pe1}
            subnets: [{type: name, name: net1}]
            workerMachineGroups: [md-9]  # <- EKS154

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          workerNodeGroupConfigurations:
          - name: md-0
            count: 1
            machineGroupRef: {kind: NutanixMachineConfig, name: md-0}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          failureDomains:
          - name: pe1
            cluster: {type: name, name: pe1}
            subnets: [{type: name, name: net1}]
            workerMachineGroups: [md-0]
    """
    for document in reached(spec, _DATACENTER):
        domains = document.get("spec", "failureDomains").items
        for domain in domains:
            name = domain.get("name")
            if name.kind != "mapping" and not _DOMAIN_NAME.fullmatch(name.string()):
                message = f"the Nutanix provider refuses the failure domain name {name.string()!r}"
                hint = "use small letters, digits and inner dashes"
                yield Hit(deepest(domain, "name"), message, hint)
            if cluster(spec):
                for group in domain.get("workerMachineGroups").items:
                    yield from _member(spec, group, len(domains))


@rule("EKS158")
def invalid_excluded_address(spec: Spec) -> Iterator[Hit]:
    """An entry of ccmExcludeNodeIPs is no address, no range and no network.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/nutanix/validator.go:164-208.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 9440
          ccmExcludeNodeIPs:
          - 192.0.2.9-192.0.2.1  # <- EKS158

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixDatacenterConfig
        metadata: {name: prod}
        spec:
          endpoint: prism.example.com
          port: 9440
          ccmExcludeNodeIPs:
          - 192.0.2.1-192.0.2.9
          - 198.51.100.0/28
    """
    for document in reached(spec, _DATACENTER):
        for each in document.get("spec", "ccmExcludeNodeIPs").items:
            if each.kind == "scalar" and not _is_excludable(each.string()):
                message = f"the Nutanix provider refuses {each.string()!r}"
                yield Hit(each, message, "write an address, FIRST-LAST, or a network as CIDR")


def _secret(ref: Node, key: str) -> Iterator[Hit]:
    kind = ref.get("kind")
    if kind.string() != "Secret" and kind.kind not in ("mapping", "sequence"):
        message = f"{key} must be of kind Secret: EKS Anywhere refuses any other"
        yield Hit(deepest(ref, "kind"), message, "write kind: Secret", fix=renamed(kind, "Secret"))
    yield from blank_fields(ref, ("name",), key)


def _identifier(owner: Node, name: str, node: Node) -> Iterator[Hit]:
    what = "EKS Anywhere refuses it"
    if node.is_null():
        yield Hit(
            deepest(owner, name), f"there is no {name}: {what}", f"add {name}: a type and a name"
        )
        return
    kind = node.get("type")
    if node.kind != "mapping" or kind.kind in ("mapping", "sequence"):
        return
    if kind.string() not in ("name", "uuid"):
        said = (
            f"the {name} is identified by {kind.string()!r}"
            if kind.string()
            else f"the {name} has no type"
        )
        yield Hit(deepest(node, "type"), f"{said}: {what}", "write type: name or type: uuid")
    elif is_blank(node.get(kind.string())):
        other = node.get("uuid" if kind.string() == "name" else "name")
        message = f"the {name} is of type {kind.string()}, but has no {kind.string()}: {what}"
        place = node.get(kind.string()) or other or node
        yield Hit(place, message, f"add {kind.string()}, or write another type")


def _member(spec: Spec, node: Node, domains: int) -> Iterator[Hit]:
    """What is wrong with the name of a worker group in a failure domain."""
    groups = {each.get("machineGroupRef", "name").string(): each for each in worker_groups(spec)}
    name = node.string()
    if node.kind != "scalar":
        return
    if name not in groups:
        near = closest(name, groups)
        message = f"no worker group has a machine config {name!r}: the Nutanix provider refuses it"
        hint = f"did you mean {near!r}?" if near else f"one of {', '.join(groups)}"
        yield Hit(node, message, hint, fix=renamed(node, near))
        return
    count = groups[name].get("count")
    if (whole(count) or 0) > domains:
        message = f"{name!r} has {count.string()} machines for {domains} failure domains: the Nutanix provider refuses that"
        hint = "add failure domains, or take machines away"
        about = ((count, "its machines"),)
        yield Hit(node, message, hint, severity=Severity.WARNING, related=about)
    if name not in {each.get("name").string() or "md-0" for each in worker_groups(spec)}:
        message = f"no worker group is named {name!r}, so no machine is placed in this failure domain for it"
        about = ((groups[name].get("name") or groups[name], "its name"),)
        hint = "give the worker group and its machine config the same name"
        yield Hit(node, message, hint, severity=Severity.WARNING, related=about)


def _is_excludable(text: str) -> bool:
    if "/" in text:
        return network(text.strip()) is not None
    if "-" not in text:
        return address(text.strip()) is not None
    ends = [address(each.strip()) for each in text.split("-")]
    found = [ordered(each) for each in ends if each]
    return len(ends) == len(found) == 2 and found[0] <= found[1]
