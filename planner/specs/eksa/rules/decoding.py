"""Mistakes about keys and scalars that EKS Anywhere's decoder takes for something else than a reader does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.edits import Fix
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import quoted, renamed, rewritten
from planner.core.schema import load
from planner.specs.eksa.documents import cluster, is_ours, kind_of, schema_of
from planner.specs.eksa.folding import Respelt, respelt
from planner.specs.eksa.texts import VERSION, Text, text_in_go, unquoted_texts

_REQUOTED = re.compile(rf"{VERSION}:\s*['\"]?(1\.[0-9]{{2,}})['\"]?(.*)$", re.MULTILINE)
_HARMLESS = re.compile(r"\s*$|\s+#|\s*[,}\]]")


@rule("EKS220", Severity.WARNING)
def key_in_other_case(spec: Spec) -> Iterator[Hit]:
    """A key is written in another case than the field's name.

    The CLI decodes with Go's JSON package, which takes ``CACertContent`` for ``caCertContent``. The API server does not: with
    ``kubectl apply`` or GitOps the key is dropped, or the object refused. Of two keys for one field, the CLI takes the one
    that comes last in the order of its letters.

    Source: sigs.k8s.io/yaml v1.6.0, golang/go encoding/json/decode.go ``object``; aws/eks-anywhere#5232.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          registryMirrorConfiguration:
            endPoint: registry.example.com  # <- EKS220

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com

    Fixed:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
    """
    for document in spec.documents:
        schema = schema_of(kind_of(document)) if is_ours(document) else ""
        for each in respelt(document, load(schema)) if schema else ():
            yield _other_case(spec, each)


def _other_case(spec: Spec, each: Respelt) -> Hit:
    key = each.entry.key
    if not each.is_alone:
        message = f"{key.text!r} and another key both fill {each.field!r}: the CLI loses one of the two values"
        return Hit(key, message, f"write {each.field}, once", severity=Severity.ERROR)
    return Hit(
        key,
        f"the CLI takes {key.text!r} for {each.field!r}, but kubectl apply and GitOps drop or refuse it",
        f"write {each.field}",
        fix=_safe(renamed(spec, key.span, each.field)),
    )


@rule("EKS221")
def broken_kubernetes_version(spec: Spec) -> Iterator[Hit]:
    """The Kubernetes version is broken by EKS Anywhere's own quoting, or escapes it.

    Before the YAML is parsed, a regular expression puts every ``1.`` and two or more digits behind ``kubernetesVersion:`` into
    quotes, so that 1.30 does not become the number 1.3. What follows the digits stays behind the closing quote: a patch
    version, quoted or not, makes the file invalid YAML. A key in quotes or in another case, an anchor or an alias is not
    matched, and 1.30 becomes 1.3.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cluster.go:420-425 (``NormalizeKubernetesVersion``).

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          kubernetesVersion: "1.33.1"  # <- EKS221
          workerNodeGroupConfigurations:
            - "kubernetesVersion": 1.30  # <- EKS221

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          kubernetesVersion: "1.33"
          workerNodeGroupConfigurations:
            - kubernetesVersion: 1.30

    Fixed:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          kubernetesVersion: "1.33"
          workerNodeGroupConfigurations:
            - "kubernetesVersion": "1.30"
    """
    lines = spec.text.removeprefix("\ufeff").split("\n")
    for node in _versions(spec):
        if not node.key or node.is_null():
            continue
        below = [lines[node.key.line - 1][node.key.column - 1 :], *lines[node.key.line :]]
        match = _REQUOTED.match("\n".join(below[:3]))
        if match and not _HARMLESS.match(match[2]):
            yield Hit(
                node,
                f"EKS Anywhere puts the {match[1]} of {node.text!r} into quotes of its own and makes the file invalid YAML",
                f'write the minor version: "{match[1]}"',
                fix=rewritten(spec, node, match[1]),
            )
        elif not match and text_in_go(node.value) != node.text and not isinstance(node.value, str):
            yield _changed(spec, Text(node))


@rule("EKS222", Severity.WARNING)
def changed_text(spec: Spec) -> Iterator[Hit]:
    """A value without quotes becomes another text.

    Where EKS Anywhere expects a text, a number or boolean is read as such and then written out anew: 1.10 becomes "1.1",
    0443 becomes "291" (it is octal), and yes becomes "true".

    Source: sigs.k8s.io/yaml v1.6.0, yaml.go ``convertToJSONableObject``; gopkg.in/yaml.v2 v2.4.0, resolve.go.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          controlPlaneConfiguration:
            labels:
              release: 1.10  # <- EKS222

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          controlPlaneConfiguration:
            labels:
              release: "1.10"

    Fixed:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          controlPlaneConfiguration:
            labels:
              release: "1.10"
    """
    for text in unquoted_texts(spec):
        if text_in_go(text.node.value) != text.node.text:
            yield _changed(spec, text)


@rule("EKS223", Severity.WARNING)
def unquoted_text(spec: Spec) -> Iterator[Hit]:
    """A number or a boolean stands where a text is expected.

    The CLI turns it into a text. The API server does not: ``kubectl apply`` and GitOps refuse the same file.

    Source: sigs.k8s.io/yaml v1.6.0, yaml.go ``convertToJSONableObject``; aws/eks-anywhere aebd9a0,
    config/crd/bases/anywhere.eks.amazonaws.com_clusters.yaml (type string).

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            port: 5000  # <- EKS223

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            port: "5000"

    Fixed:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            port: "5000"
    """
    for node, is_secret in unquoted_texts(spec):
        if text_in_go(node.value) == node.text:
            what = "this" if is_secret else node.text
            message = f"the CLI makes a text of {what}, but kubectl apply and GitOps refuse it"
            yield Hit(node, message, "put it in quotes", fix=_safe(quoted(spec, node)))


@rule("EKS224")
def kubelet_without_kind(spec: Spec) -> Iterator[Hit]:
    """A kubeletConfiguration does not say its kind.

    EKS Anywhere decodes it as a Kubernetes object of any kind, which must have one: without it the file is refused.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cluster_types.go:324 and 490; k8s.io/apimachinery
    pkg/apis/meta/v1/unstructured/helpers.go (``Object 'Kind' is missing``).

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          controlPlaneConfiguration:
            kubeletConfiguration:  # <- EKS224
              maxPods: 50

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec:
          controlPlaneConfiguration:
            kubeletConfiguration:
              kind: KubeletConfiguration
              maxPods: 50
    """
    below = cluster(spec).get("spec")
    groups = below.get("workerNodeGroupConfigurations").items
    for holder in (below.get("controlPlaneConfiguration"), *groups):
        node = holder.get("kubeletConfiguration")
        kind = node.get("kind")
        if node.kind == "mapping" and not (isinstance(kind.value, str) and kind.value):
            message = "kubeletConfiguration has no kind, so EKS Anywhere refuses the file"
            yield Hit(node, message, "add kind: KubeletConfiguration", on_key=True)


def _versions(spec: Spec) -> Iterator[Node]:
    below = cluster(spec).get("spec")
    for holder in (below, *below.get("workerNodeGroupConfigurations").items):
        if node := holder.get(VERSION):
            yield node


def _changed(spec: Spec, text: Text) -> Hit:
    node = text.node
    message = f"without quotes EKS Anywhere makes {text_in_go(node.value)!r} of {node.text!r}"
    if text.is_secret:
        message = "without quotes EKS Anywhere makes another text of this"
    return Hit(node, message, "put it in quotes", fix=quoted(spec, node))


def _safe(fix: Fix | None) -> Fix | None:
    """The same fix, which changes nothing for the CLI."""
    return fix._replace(is_safe=True) if fix else None
