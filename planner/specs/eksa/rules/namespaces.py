"""Below which path of the mirror a registry is found."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Edit, Fix, Hit, Severity, rule
from planner.specs.eksa.documents import provider
from planner.specs.eksa.mirror import CORE_REGISTRY, configuration
from planner.specs.eksa.rules.mirror import bottlerocket_machine
from planner.specs.eksa.rules.upstreams import entries_of, meant_registry

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_UP = ".."


@rule("EKS075")
def unusable_mirror_namespace(spec: Spec) -> Iterator[Hit]:
    """A namespace of ociNamespaces is not the path of a repository.

    EKS Anywhere joins it to the mirror's address as a path: ``..`` takes the address away, and a capital, a blank, a scheme or
    a port makes names that no registry accepts. Slashes too many are dropped.

    Source: aws/eks-anywhere aebd9a0 pkg/registrymirror/registrymirror.go:42-45; distribution/reference v0.6.0 reference.go.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: public.ecr.aws
              namespace: ../eks  # <- EKS075

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: public.ecr.aws
              namespace: team/eks
    """
    endpoint = configuration(spec).get("endpoint").string()
    for entry in entries_of(spec):
        node = entry.get("namespace")
        parts = [part for part in node.string().split("/") if part not in ("", ".")]
        if _UP in parts:
            message = f"namespace {node.text!r}: {_UP} takes away what stands before it, the mirror's address too"
            yield Hit(node, message, "write the path from the registry's root")
        elif parts and "." in parts[0] and parts[0].partition(":")[0] == endpoint:
            message = f"namespace {node.text!r} begins with the endpoint, which then stands twice"
            yield Hit(node, message, f"write {'/'.join(parts[1:])!r}")
        elif not all(map(_COMPONENT.fullmatch, parts)):
            message = f"namespace {node.text!r} makes names that no registry accepts"
            hint = "small letters and digits, between them '.', '_' or '-'; parts by '/'"
            yield Hit(node, message, hint)
        elif node.string() != "/".join(parts):
            yield _uncleaned(node)


def _uncleaned(node: Node) -> Hit:
    clean = posixpath.normpath(f"/{node.string()}").lstrip("/")
    message = f"EKS Anywhere makes {clean!r} of namespace {node.text!r}"
    is_simple = node.span.line == node.span.end_line
    fix = Fix(f"write {clean!r}", (Edit(node.span, f'"{clean}"'),), is_safe=True)
    return Hit(
        node, message, f"write {clean!r}", severity=Severity.INFO, fix=fix if is_simple else None
    )


@rule("EKS076", Severity.WARNING)
def missing_mirror_namespace(spec: Spec) -> Iterator[Hit]:
    """An entry of ociNamespaces has no namespace.

    For the CLI this is the registry's root, like an empty text. The API server demands the key: ``kubectl apply`` and GitOps
    refuse the same file.

    Source: aws/eks-anywhere aebd9a0 config/crd/bases/anywhere.eks.amazonaws.com_clusters.yaml (``ociNamespaces``, required).

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: public.ecr.aws  # <- EKS076

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: public.ecr.aws
              namespace: ""
    """
    for entry in entries_of(spec):
        node = entry.get("namespace")
        if entry.kind == "mapping" and node.is_null():
            message = "the CLI takes the registry's root, but kubectl apply and GitOps refuse an entry without namespace"
            yield Hit(node or entry, message, 'namespace: ""')


@rule("EKS077", Severity.WARNING)
def namespaces_on_bottlerocket(spec: Spec) -> Iterator[Hit]:
    """Bottlerocket nodes do not use a mirror for other registries than public.ecr.aws.

    The documentation rules it out. In fact only vSphere passes the others on to its control plane and workers; elsewhere, and
    for etcd machines, the entry has no effect.

    Source: aws/eks-anywhere aebd9a0 docs/content/en/docs/getting-started/optional/registrymirror.md,
    pkg/clusterapi/registry_mirror.go:62-82, pkg/providers/vsphere/template.go:271-275.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: cp}
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - {registry: public.ecr.aws, namespace: eks}
            - {registry: docker.io, namespace: hub}  # <- EKS077
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec: {osFamily: bottlerocket}

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: cp}
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - {registry: public.ecr.aws, namespace: eks}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec: {osFamily: bottlerocket}
    """
    if not bottlerocket_machine(spec):
        return
    what = "is not supported with" if provider(spec) == "VSphere" else "has no effect on"
    for entry in entries_of(spec):
        node = entry.get("registry")
        if node.string() and meant_registry(node.string()) != CORE_REGISTRY:
            message = f"a mirror of {meant_registry(node.string())} {what} Bottlerocket"
            yield Hit(node, message, f"only {CORE_REGISTRY} is; or run these nodes on Ubuntu")
