"""What the kubelet of each node is told."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Edit, Fix, Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.documents import cluster
from planner.specs.eksa.kubelet import FIELDS, Misfit, misfits

_RENAMED = {name.casefold(): name for name in FIELDS}


@rule("EKS085")
def unknown_kubelet_setting(spec: Spec) -> Iterator[Hit]:
    """A kubeletConfiguration has a field that EKS Anywhere does not know.

    It is checked against the fields of Kubernetes 1.29, whatever the cluster's version, so newer fields are refused, too. The
    check takes a field in any case of letters; the kubelet, which gets it as it is written, does not.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:551-602, go.mod:206 (k8s.io/kubelet v0.29.5).

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            kubeletConfiguration:
              kind: KubeletConfiguration
              maxPodss: 50  # <- EKS085

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            kubeletConfiguration:
              kind: KubeletConfiguration
              maxPods: 50

    Fixed:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            kubeletConfiguration:
              kind: KubeletConfiguration
              maxPods: 50
    """
    for config in _configurations(spec):
        for misfit in misfits(config):
            if misfit.key:
                yield _unknown(misfit)
        for key, node in config.fields():
            name = _RENAMED.get(key.casefold(), key)
            if name != key:
                message = f"EKS Anywhere takes {key!r}, but the kubelet knows it as {name!r} only"
                yield Hit(
                    node,
                    message,
                    f"write {name}",
                    on_key=True,
                    severity=Severity.WARNING,
                    fix=_rename(node, name),
                )


def _unknown(misfit: Misfit) -> Hit:
    near = closest(misfit.key, misfit.known)
    message = f"EKS Anywhere knows no kubelet setting {misfit.key!r} and refuses the file"
    hint = f"did you mean {near}?" if near else "it knows those of Kubernetes 1.29"
    fix = _rename(misfit.node, near) if near else None
    return Hit(misfit.node, message, hint, on_key=True, fix=fix)


def _rename(node: Node, name: str) -> Fix | None:
    return Fix(f"rename it to {name}", (Edit(node.key, name),)) if node.key else None


@rule("EKS086")
def unreadable_kubelet_setting(spec: Spec) -> Iterator[Hit]:
    """A field of a kubeletConfiguration has a value of another type.

    The numbers must not be in quotes; durations are texts such as 10s.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:594-600; k8s.io/kubelet v0.29.5 config/v1beta1/types.go.

    Bad:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            kubeletConfiguration:
              kind: KubeletConfiguration
              maxPods: "50"  # <- EKS086

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            kubeletConfiguration:
              kind: KubeletConfiguration
              maxPods: 50
    """
    for config in _configurations(spec):
        for misfit in misfits(config):
            if not misfit.key:
                message = "EKS Anywhere cannot decode this kubelet setting and refuses the file"
                yield Hit(misfit.node, message, f"it must be {misfit.wanted}")


@rule("EKS087")
def overridden_provider_id(spec: Spec) -> Iterator[Hit]:
    """A kubeletConfiguration sets the node's provider ID, which EKS Anywhere sets itself.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:604-606.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            kubeletConfiguration:
              kind: KubeletConfiguration
              providerID: vsphere://1  # <- EKS087

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            kubeletConfiguration:
              kind: KubeletConfiguration
    """
    for config in _configurations(spec):
        node = config.get("providerID")
        if node:
            message = "EKS Anywhere sets providerID itself and refuses the file"
            yield Hit(node, message, "remove providerID", on_key=True)


def _configurations(spec: Spec) -> Iterator[Node]:
    below = cluster(spec).get("spec")
    groups = below.get("workerNodeGroupConfigurations").items
    for holder in (below.get("controlPlaneConfiguration"), *groups):
        node = holder.get("kubeletConfiguration")
        if node.kind == "mapping":
            yield node
