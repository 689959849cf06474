"""What the machine configs of a cluster on bare metal must have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, rule
from planner.specs.eksa.documents import cluster, datacenter, provider
from planner.specs.eksa.rules.reading import (
    BOTTLEROCKET,
    deepest,
    group_holders,
    has_version,
    is_blank,
    kubernetes_version,
    machines_of,
    os_family,
    title,
)

_MACHINE = "TinkerbellMachineConfig"
_MINOR = re.compile(r"1\.([0-9]+)")
_LAST_BOTTLEROCKET = 28
_ROLLING, _IN_PLACE = "RollingUpdate", "InPlace"


@rule("EKS186")
def mixed_bare_metal_families(spec: Spec) -> Iterator[Hit]:
    """Machine configs of one cluster on bare metal differ in their osFamily.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/validate.go:17-45.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
          workerNodeGroupConfigurations:
          - machineGroupRef: {kind: TinkerbellMachineConfig, name: md}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: ubuntu}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: md}
        spec: {osFamily: redhat}  # <- EKS186

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
          workerNodeGroupConfigurations:
          - machineGroupRef: {kind: TinkerbellMachineConfig, name: md}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: redhat}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: md}
        spec: {osFamily: redhat}
    """
    machines = _machines(spec)
    if not machines:
        return
    first = machines[0][2]
    for document in dict.fromkeys(each for _, _, each in machines[1:]):
        families = os_family(first), os_family(document)
        if all(families) and len(set(families)) > 1:
            message = f"{title(document)} is {families[1]}, but the control plane is {families[0]}: EKS Anywhere refuses that"
            about = ((deepest(first, "spec", "osFamily"), "the control plane's"),)
            place = deepest(document, "spec", "osFamily")
            yield Hit(place, message, "use one osFamily", related=about)


@rule("EKS187")
def bottlerocket_too_new(spec: Spec) -> Iterator[Hit]:
    """Bottlerocket is asked for on bare metal with Kubernetes 1.29 or newer.

    There are no such images any more.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/validate.go:28-32,39-43,53-65.

    Bad:
        kind: Cluster
        spec:
          kubernetesVersion: "1.29"  # <- EKS187
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: bottlerocket}

    Good:
        kind: Cluster
        spec:
          kubernetesVersion: "1.28"
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: bottlerocket}
    """
    seen = set()
    for _, holder, document in _machines(spec):
        version = holder.get("kubernetesVersion")
        node = version if version.string() else cluster(spec).get("spec", "kubernetesVersion")
        minor = _MINOR.fullmatch(node.string())
        is_new = minor is not None and int(minor[1]) > _LAST_BOTTLEROCKET
        if is_new and os_family(document) == BOTTLEROCKET and id(node) not in seen:
            seen.add(id(node))
            message = f"on bare metal there is no Bottlerocket for Kubernetes {node.string()}: EKS Anywhere refuses it"
            hint = f"use ubuntu or redhat, or Kubernetes up to 1.{_LAST_BOTTLEROCKET}"
            about = ((deepest(document, "spec", "osFamily"), "its operating system"),)
            yield Hit(node, message, hint, related=about)


@rule("EKS188")
def misplaced_os_image(spec: Spec) -> Iterator[Hit]:
    """The osImageURL is given neither by the datacenter nor by a machine config, or by both.

    Only for Bottlerocket EKS Anywhere knows images itself.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/validate.go:46-48,112-123.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec: {tinkerbellIP: 198.51.100.20}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: ubuntu}  # <- EKS188

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec: {tinkerbellIP: 198.51.100.20}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: ubuntu, osImageURL: "https://images.example.com/ubuntu.gz"}
    """
    center = datacenter(spec)
    general = center.get("spec", "osImageURL")
    for document in dict.fromkeys(each for _, _, each in _machines(spec)):
        own = document.get("spec", "osImageURL")
        if own.string() and general.string():
            message = "osImageURL is given by the datacenter and by a machine config: EKS Anywhere refuses that"
            about = ((general, "the datacenter's"),)
            yield Hit(own, message, "keep it in one place", related=about)
        is_needed = os_family(document) in ("ubuntu", "redhat") and center.get("spec")
        if is_needed and is_blank(own) and is_blank(general):
            message = f"{title(document)} has no osImageURL, and neither has the datacenter: EKS Anywhere refuses the file"
            place = deepest(document, "spec", "osImageURL")
            hint = "add osImageURL here or to the datacenter"
            yield Hit(place, message, hint)


@rule("EKS189")
def os_image_without_version(spec: Spec) -> Iterator[Hit]:
    """The osImageURL does not contain the Kubernetes version that it is used for.

    ``-``, ``.`` and ``_`` do not count: for 1.33 the URL must contain ``133`` without them. The datacenter's URL must
    contain every version in use.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/validate.go:126-193.

    Bad:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
          osImageURL: https://images.example.com/ubuntu-2204.gz  # <- EKS189

    Good:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
          osImageURL: https://images.example.com/ubuntu-2204-kube-1-33.gz
    """
    if provider(spec) != "Tinkerbell":
        return
    general = datacenter(spec).get("spec", "osImageURL")
    if general.string():
        for version, what in _versions(spec).items():
            if not has_version(general.string(), version):
                yield _wrong_image(general, version, what)
        return
    seen = set()
    for what, holder, document in _machines(spec):
        node, version = document.get("spec", "osImageURL"), kubernetes_version(spec, holder)
        is_said = (id(node), version) in seen
        if what != "external etcd" and node.string() and not is_said:
            seen.add((id(node), version))
            if not has_version(node.string(), version):
                yield _wrong_image(node, version, what)


@rule("EKS191")
def bottlerocket_in_place(spec: Spec) -> Iterator[Hit]:
    """On bare metal, Bottlerocket is to be upgraded in place.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/validate.go:67-95.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
            upgradeRolloutStrategy: {type: InPlace}  # <- EKS191
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: bottlerocket}

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: TinkerbellMachineConfig, name: cp}
            upgradeRolloutStrategy: {type: InPlace}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec: {osFamily: ubuntu}
    """
    for _, holder, document in _machines(spec):
        strategy = holder.get("upgradeRolloutStrategy", "type")
        if strategy.string() == _IN_PLACE and os_family(document) == BOTTLEROCKET:
            message = "Bottlerocket cannot be upgraded in place: EKS Anywhere refuses that"
            about = ((deepest(document, "spec", "osFamily"), "its operating system"),)
            yield Hit(strategy, message, f"write {_ROLLING}", related=about)


@rule("EKS192")
def unsupported_on_bare_metal(spec: Spec) -> Iterator[Hit]:
    """A cluster on bare metal asks for Kubernetes 1.20.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/assert.go:76-82.

    Bad:
        kind: Cluster
        spec:
          kubernetesVersion: "1.20"  # <- EKS192
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}

    Good:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
    """
    version = cluster(spec).get("spec", "kubernetesVersion")
    if provider(spec) == "Tinkerbell" and version.string() == "1.20":
        message = "there is no Kubernetes 1.20 on bare metal: EKS Anywhere refuses it"
        yield Hit(version, message, "use a newer version")


def _machines(spec: Spec) -> list[tuple[str, Node, Node]]:
    """The parts of a cluster on bare metal with their machine configs, as far as those are there; the control plane first."""
    if provider(spec) != "Tinkerbell":
        return []
    holders = ((what, each, machines_of(spec, each)) for what, each in group_holders(spec))
    return [each for each in holders if each[2].get("kind").string() == _MACHINE]


def _versions(spec: Spec) -> dict[str, str]:
    """The Kubernetes versions in use, each with who uses it first."""
    used: dict[str, str] = {}
    for what, holder in group_holders(spec):
        used.setdefault(kubernetes_version(spec, holder), what)
    return used


def _wrong_image(node: Node, version: str, what: str) -> Hit:
    message = f"the osImageURL does not contain {version}, the Kubernetes version of {what}: EKS Anywhere refuses it"
    return Hit(node, message, f"name an image with {version} in its URL")
