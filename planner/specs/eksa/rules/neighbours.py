"""Sibling documents that EKS Anywhere takes only one of, ignores, or finds in the wrong namespace."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.documents import (
    SIBLINGS,
    cluster,
    machine_config,
    machine_refs,
    sibling,
    siblings,
)
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.reading import deepest, identity_refs, pool_refs, reached, title

_TEMPLATED, _TEMPLATE = "TinkerbellMachineConfig", "TinkerbellTemplateConfig"
_UNCHECKED = frozenset({"NutanixMachineConfig", "SnowIPPool", _TEMPLATE})


@rule("EKS110", Severity.WARNING)
def unused_document(spec: Spec) -> Iterator[Hit]:
    """No reference leads to a document.

    EKS Anywhere decodes it, and then neither validates nor applies it.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/config_manager.go:183-189 and the processors of each kind in
    pkg/cluster.

    Bad:
        kind: Cluster
        metadata: {name: dev}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata:
          name: flux  # <- EKS110
        spec:
          git: {repositoryUrl: ssh://git@git.example.com/fleet.git}

    Good:
        kind: Cluster
        metadata: {name: dev}
        spec:
          gitOpsRef: {kind: FluxConfig, name: flux}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata:
          name: flux
        spec:
          git: {repositoryUrl: ssh://git@git.example.com/fleet.git}
    """
    if not cluster(spec):
        return
    sought = frozenset(map(_role, _dangling(spec)))
    for kind in SIBLINGS:
        used = {id(each) for each in reached(spec, kind)}
        for document in siblings(spec, kind):
            name = document.get("metadata", "name")
            is_repeated = sibling(spec, kind, name.string()) is not document
            if id(document) in used or is_repeated or _role(kind) in sought:
                continue
            message = f"nothing refers to {title(document)}: it is neither validated nor applied"
            place = deepest(document, "metadata", "name")
            yield Hit(place, message, "refer to it, or remove it")


@rule("EKS111")
def other_namespace(spec: Spec) -> Iterator[Hit]:
    """A document has another namespace than the Cluster.

    The texts are compared, so an absent namespace is not the same as ``default``. Machine configs of Nutanix, pools
    and workflow templates are not compared, but looked for in the Cluster's namespace once it runs.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/validate.go:18-24; pkg/cluster/nutanix.go:106-123 (``client.Get``).

    Bad:
        kind: Cluster
        metadata: {name: dev, namespace: default}
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata:  # <- EKS111
          name: dev
        spec: {}

    Good:
        kind: Cluster
        metadata: {name: dev, namespace: default}
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata:
          name: dev
          namespace: default
        spec: {}
    """
    own = cluster(spec).get("metadata", "namespace")
    if not cluster(spec) or own.kind in ("mapping", "sequence"):
        return
    for kind in SIBLINGS:
        for document in reached(spec, kind):
            other = document.get("metadata", "namespace")
            if other.string() == own.string() or other.kind in ("mapping", "sequence"):
                continue
            is_checked = kind not in _UNCHECKED
            what = "EKS Anywhere refuses that" if is_checked else "the controllers will not find it"
            message = f"{title(document)} is in {_said(other)}, the Cluster in {_said(own)}: {what}"
            hint = f"write namespace: {own.string()}" if own.string() else "remove namespace"
            about = ((deepest(cluster(spec), "metadata", "namespace"), "the Cluster's"),)
            place = deepest(document, "metadata", "namespace")
            severity = None if is_checked else Severity.WARNING
            fix = renamed(other, own.string())
            yield Hit(place, message, hint, severity=severity, related=about, fix=fix)


@rule("EKS112")
def repeated_document(spec: Spec) -> Iterator[Hit]:
    """Two documents have the same kind and name.

    EKS Anywhere keeps documents by kind and name, whatever their namespace: the last one is taken, and the others are
    dropped without a message. Of two datacenters the provider is even made from the first, while the last is
    validated.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/apiobject.go:24-39, pkg/api/v1alpha1/cluster.go:268-293.

    Bad:
        kind: Cluster
        metadata: {name: dev}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: staff}  # <- EKS112
        spec: {clientId: a, issuerUrl: "https://a.example.com"}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: staff}
        spec: {clientId: b, issuerUrl: "https://b.example.com"}

    Good:
        kind: Cluster
        metadata: {name: dev}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: staff}
        spec: {clientId: a, issuerUrl: "https://a.example.com"}
    """
    for document in siblings(spec):
        kind, name = document.get("kind").string(), document.get("metadata", "name")
        taken = sibling(spec, kind, name.string())
        if name.string() and taken is not document:
            message = f"{title(document)} is dropped: a later document has the same kind and name"
            about = ((taken.get("metadata", "name"), "this one is taken"),)
            yield Hit(name, message, "rename or remove one of them", related=about)


def _dangling(spec: Spec) -> Iterator[str]:
    """The kinds in references that find nothing: an unused document may be what one of them means."""
    below = cluster(spec).get("spec")
    refs = [below.get("datacenterRef"), below.get("gitOpsRef"), *machine_refs(spec)]
    refs.extend(identity_refs(spec))
    for machine in reached(spec, "SnowMachineConfig"):
        refs.extend(pool_refs(machine))
    for ref in refs:
        if ref.get("name").string() and not machine_config(spec, ref):
            yield ref.get("kind").string()
    for machine in reached(spec, _TEMPLATED):
        name = machine.get("spec", "templateRef", "name").string()
        if name and not sibling(spec, _TEMPLATE, name):
            yield _TEMPLATE


def _role(kind: str) -> str:
    """What a document of this kind is for: datacenters are alike, and so are machine configs."""
    roles = ("DatacenterConfig", "MachineConfig")
    return next((each for each in roles if kind.endswith(each)), kind)


def _said(namespace: Node) -> str:
    return f"namespace {namespace.string()!r}" if namespace.string() else "no namespace"
