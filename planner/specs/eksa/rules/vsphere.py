"""VSphereDatacenterConfig and its failure domains."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.documents import datacenter, provider
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.reading import (
    blank_fields,
    deepest,
    is_blank,
    reached,
    title,
    worker_groups,
)

_DOMAIN = ("name", "computeCluster", "resourcePool", "datastore", "folder", "network")


@rule("EKS140")
def incomplete_vsphere_datacenter(spec: Spec) -> Iterator[Hit]:
    """A VSphereDatacenterConfig lacks its server, its datacenter or its network.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/vspheredatacenterconfig_types.go:127-138.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          server: ""  # <- EKS140
          datacenter: dc
          network: /dc/network/vms

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          server: vcenter.example.com
          datacenter: dc
          network: /dc/network/vms
    """
    for document in reached(spec, "VSphereDatacenterConfig"):
        for name in ("server", "datacenter", "network"):
            if is_blank(document.get("spec", name)):
                message = f"{title(document)} has no {name}: EKS Anywhere refuses the file"
                yield Hit(deepest(document, "spec", name), message, f"add {name}")


@rule("EKS141")
def misplaced_vsphere_network(spec: Spec) -> Iterator[Hit]:
    """A network is not below the network folder of the datacenter.

    A path that does not begin with ``/DATACENTER`` is taken as relative to ``/DATACENTER/network`` (only of the
    datacenter, not of its failure domains); any other must begin with ``/DATACENTER/network``.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/vspheredatacenterconfig.go:56-79,
    vspheredatacenterconfig_types.go:118,140,170.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          server: vcenter.example.com
          datacenter: dc
          network: /dc/vm/vms  # <- EKS141

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          server: vcenter.example.com
          datacenter: dc
          network: vms
    """
    for document in reached(spec, "VSphereDatacenterConfig"):
        own = document.get("spec")
        name, network = own.get("datacenter").string(), own.get("network")
        folder, path = f"/{name}/network", network.string()
        if not name:
            continue
        if path.startswith(f"/{name}") and not path.startswith(folder):
            message = f"the network {path!r} is not below {folder}: EKS Anywhere refuses it"
            yield Hit(network, message, f"write {folder}/NAME, or the name alone")
        elif path.startswith("/") and not path.startswith(folder):
            message = f"EKS Anywhere looks for this network as {folder}/{path}"
            hint = f"write {folder}/NAME, or the name alone"
            yield Hit(network, message, hint, severity=Severity.WARNING)
        for domain in own.get("failureDomains").items:
            node = domain.get("network")
            if node.string() and not node.string().startswith(folder):
                message = f"the network {node.string()!r} of a failure domain is not below {folder}: EKS Anywhere refuses it"
                fix = None if "/" in node.string() else renamed(node, f"{folder}/{node.string()}")
                yield Hit(node, message, f"write {folder}/NAME", fix=fix)


@rule("EKS142")
def incomplete_failure_domain(spec: Spec) -> Iterator[Hit]:
    """A failure domain of vSphere lacks one of its six fields.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/vspheredatacenterconfig_types.go:144-173.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          server: vcenter.example.com
          datacenter: dc
          network: vms
          failureDomains:
          - name: north
            computeCluster: ""  # <- EKS142
            resourcePool: /dc/host/c1/Resources
            datastore: /dc/datastore/ds
            folder: /dc/vm/eksa
            network: /dc/network/vms

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          server: vcenter.example.com
          datacenter: dc
          network: vms
          failureDomains:
          - name: north
            computeCluster: c1
            resourcePool: /dc/host/c1/Resources
            datastore: /dc/datastore/ds
            folder: /dc/vm/eksa
            network: /dc/network/vms
    """
    for document in reached(spec, "VSphereDatacenterConfig"):
        for domain in document.get("spec", "failureDomains").items:
            name = domain.get("name").string()
            whose = f"failure domain {name!r}" if name else "this failure domain"
            yield from blank_fields(domain, _DOMAIN, whose)


@rule("EKS143")
def unknown_failure_domain(spec: Spec) -> Iterator[Hit]:
    """A worker group names a failure domain that the datacenter does not have, or more than one.

    When the datacenter has no failure domains at all nobody looks, and the machines wait for one that never comes.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/vsphere/validator.go:94-142, template.go:118-120.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          workerNodeGroupConfigurations:
          - name: md-0
            failureDomains:
            - nort  # <- EKS143
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          failureDomains:
          - name: north

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          workerNodeGroupConfigurations:
          - name: md-0
            failureDomains:
            - north
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec:
          failureDomains:
          - name: north
    """
    document = datacenter(spec)
    if provider(spec) != "VSphere" or not document:
        return
    domains = document.get("spec", "failureDomains")
    names = [each.get("name").string() for each in domains.items]
    for group in worker_groups(spec):
        wanted = group.get("failureDomains")
        if len(wanted.items) > 1:
            message = "the vSphere provider refuses more than one failure domain for a worker group"
            yield Hit(wanted, message, "keep one, and make a worker group for each other")
        for each in wanted.items[:1]:
            if each.string() not in names:
                yield _unknown_domain(each, names, deepest(document, "spec", "failureDomains"))


def _unknown_domain(each: Node, names: list[str], there: Node) -> Hit:
    about = ((there, "the datacenter's failure domains"),)
    if not names:
        message = f"the datacenter has no failure domain {each.string()!r}: nobody checks that, and the machines wait for it"
        return Hit(each, message, "add it to failureDomains of the datacenter", related=about)
    near = closest(each.string(), names)
    message = (
        f"the datacenter has no failure domain {each.string()!r}: the vSphere provider refuses it"
    )
    hint = f"did you mean {near!r}?" if near else f"one of {', '.join(names)}"
    return Hit(each, message, hint, related=about, fix=renamed(each, near))
