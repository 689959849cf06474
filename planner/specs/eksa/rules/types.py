"""Mistakes about apiVersion and kind, by which EKS Anywhere tells documents."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import rewritten
from planner.core.text import closest
from planner.specs.eksa.documents import (
    API_VERSION,
    CLUSTER,
    GROUP,
    SIBLINGS,
    head,
    is_ours,
    kind_of,
)

_READ = (CLUSTER, *SIBLINGS)
_ONLY_IN_CLUSTER = frozenset(
    "AWSDatacenterConfig Bundles EKSARelease ControlPlaneUpgrade MachineDeploymentUpgrade NodeUpgrade".split()
)


def meant_kind(kind: str) -> str:
    """The kind that a misspelt one was probably meant to be; empty for every kind that exists."""
    return "" if kind in _READ or kind in _ONLY_IN_CLUSTER else closest(kind, _READ)


@rule("EKS201")
def skipped_kind(spec: Spec) -> Iterator[Hit]:
    """A document of EKS Anywhere's group has a kind that EKS Anywhere does not know.

    Documents of unknown kinds are skipped without a message. What refers to them is reported as not found, or is not
    reported at all: a missing identity provider or GitOps document passes in silence.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/config_manager.go:143-155, pkg/cluster/flux.go:29-42.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VsphereMachineConfigs  # <- EKS201
        metadata: {name: prod}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: prod}

    Fixed:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: prod}
    """
    for document in filter(is_ours, spec.documents):
        node = head(document).get("kind")
        kind = node.string()
        if not kind or kind in _READ or kind in _ONLY_IN_CLUSTER:
            continue
        near = meant_kind(kind)
        yield Hit(
            node,
            f"EKS Anywhere knows no kind {kind!r} and skips the document without a message",
            f"did you mean {near}?" if near else f"one of {', '.join(_READ)}",
            severity=Severity.ERROR if near else Severity.WARNING,
            fix=rewritten(spec, node, near) if near else None,
        )


@rule("EKS204")
def document_without_type(spec: Spec) -> Iterator[Hit]:
    """A document lacks its apiVersion or its kind.

    With a kind and no apiVersion EKS Anywhere refuses the file, whatever the kind. A document without a kind is skipped
    without a message.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/config_manager.go:125-155.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        kind: DockerDatacenterConfig  # <- EKS204
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1  # <- EKS204
        metadata: {name: prod}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}
    """
    for document in map(head, spec.documents):
        version, kind = document.get("apiVersion"), document.get("kind")
        if kind.string() and not version.string():
            message = "a document with a kind and no apiVersion makes EKS Anywhere refuse the file"
            yield Hit(kind, message, f"add apiVersion: {API_VERSION}")
        elif is_ours(document) and not kind.string():
            message = "EKS Anywhere skips a document without a kind, without a message"
            yield Hit(version, message, f"add its kind, one of {', '.join(_READ)}")


@rule("EKS205")
def wrong_api_version(spec: Spec) -> Iterator[Hit]:
    """A document that belongs to the cluster has another apiVersion than EKS Anywhere's.

    References are looked up by the apiVersion of the Cluster, a kind and a name, so a document of another version or group
    is not found. A Cluster of another version passes the CLI's own checks, and the API server then knows no such object.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/apiobject.go:20-39, pkg/cluster/docker.go:46-53.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1  # <- EKS205
        kind: DockerDatacenterConfig
        metadata: {name: prod}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}

    Fixed:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}
    """
    kinds = [kind_of(each) for each in spec.documents]
    for document, kind in zip(map(head, spec.documents), kinds, strict=True):
        node = document.get("apiVersion")
        if kind not in _READ or node.string() in ("", API_VERSION):
            continue
        if kind == CLUSTER and kinds.count(CLUSTER) > 1 and not _is_near(node.string()):
            continue  # there are other groups with this kind: it is one Cluster too many
        message = (
            f"EKS Anywhere finds documents of apiVersion {API_VERSION} only, not {node.string()!r}"
        )
        yield Hit(node, message, f"write {API_VERSION}", fix=rewritten(spec, node, API_VERSION))


def _is_near(version: str) -> bool:
    """Whether an apiVersion was evidently meant to be EKS Anywhere's: several groups have a kind Cluster."""
    group = version.partition("/")[0]
    return group == GROUP or bool(closest(group, [GROUP]))
