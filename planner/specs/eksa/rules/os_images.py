"""Images of nodes that are named by a release other than the cluster's."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.documents import provider
from planner.specs.eksa.rules.reading import (
    deepest,
    group_holders,
    has_version,
    kubernetes_version,
    machines_of,
)

_IMAGE = {"CloudStack": "template", "Nutanix": "image"}


@rule("EKS169", Severity.WARNING)
def image_without_version(spec: Spec) -> Iterator[Hit]:
    """The name of a node's image does not contain the Kubernetes version that the node runs.

    The providers for CloudStack and Nutanix refuse it, after they have reached the infrastructure. They drop ``-``,
    ``.`` and ``_`` from the name: for 1.33 it must contain ``133`` then. CloudStack needs the name even when an id is
    given. An image of Nutanix that is given by UUID is judged by its name in Prism.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/cloudstack/validator.go:132-158,213-227,
    pkg/providers/nutanix/validator.go:91-124.

    Bad:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
          datacenterRef: {kind: CloudStackDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: CloudStackMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-32}  # <- EKS169

    Good:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
          datacenterRef: {kind: CloudStackDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: CloudStackMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
    """
    name = provider(spec)
    if name not in _IMAGE:
        return
    seen = set()
    for what, holder in group_holders(spec):
        image = machines_of(spec, holder).get("spec", _IMAGE[name])
        version, written = kubernetes_version(spec, holder), image.get("name").string()
        place = deepest(image, "name") if written else image
        by_uuid = name == "Nutanix" and (not written or image.get("type").string() != "name")
        is_said = (id(place), version) in seen
        if not image or by_uuid or is_said or has_version(written, version):
            continue
        seen.add((id(place), version))
        said = f"name {written!r}" if written else "empty name"
        message = f"the {said} of the {_IMAGE[name]} lacks {version}, the version of {what}: the {name} provider refuses it"
        about = ((holder.get("machineGroupRef"), f"{what} uses it"),)
        hint = f"use an image with {version} in its name"
        yield Hit(place, message, hint, related=about)
