"""The Cluster's head: its name, its versions, and the documents that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Edit, Fix, Hit, Severity, rule
from planner.specs.eksa.documents import cluster
from planner.specs.eksa.rules.lookup import DEFAULT_GROUP, is_missing
from planner.specs.eksa.rules.reading import deepest

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]+")
_OBJECT_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 35
_MINOR = re.compile(r"1\.([0-9]+)")
_MEANT = re.compile(r"v?(1\.[0-9]{2,})(?![0-9])")
_FIRST_MINOR, _LAST_MINOR = 20, 36
_MOST_MINORS_BEHIND = 2
_SEMVER = re.compile(
    r"v?(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)"
    r"(?:-(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
    r"(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
_GITOPS_KINDS = ("FluxConfig", "GitOpsConfig")
_IDENTITY_KINDS = ("OIDCConfig", "AWSIamConfig")


@rule("EKS001")
def unusable_cluster_name(spec: Spec) -> Iterator[Hit]:
    """The cluster's name is not one that EKS Anywhere accepts, or that Kubernetes does.

    It begins with a letter, has letters, digits and dashes, and is 2 to 35 characters long, because longer names do not fit
    the bootstrap cluster's containers. EKS Anywhere takes capitals and a dash at the end, too; Kubernetes refuses the objects
    that are then named so.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:395-414,427-437; kubernetes/apimachinery v0.36.2
    pkg/util/validation/validation.go (``IsDNS1123Subdomain``).

    Bad:
        kind: Cluster
        metadata:
          name: prod.example  # <- EKS001

    Good:
        kind: Cluster
        metadata:
          name: prod-example
    """
    root = cluster(spec)
    node = deepest(root, "metadata", "name")
    name = root.get("metadata", "name").string()
    hint = f"begin with a small letter; small letters, digits, dashes; at most {_LONGEST_NAME}"
    if root and is_missing(root, "metadata", "name"):
        yield Hit(node, "the cluster has no name, and EKS Anywhere refuses the file", hint)
    elif name and not _NAME.fullmatch(name):
        yield Hit(node, f"EKS Anywhere refuses the cluster name {name!r}", hint)
    elif len(name) > _LONGEST_NAME:
        message = (
            f"the cluster name has {len(name)} characters: EKS Anywhere allows {_LONGEST_NAME}"
        )
        yield Hit(node, message, hint)
    elif name and not _OBJECT_NAME.fullmatch(name):
        message = f"EKS Anywhere takes the name {name!r}, but Kubernetes refuses objects named so"
        yield Hit(node, message, hint, severity=Severity.WARNING)


@rule("EKS002")
def unknown_kubernetes_version(spec: Spec) -> Iterator[Hit]:
    """The Kubernetes version is in no bundle of EKS Anywhere.

    The version is looked up in the release's bundle as it is written: a minor version such as 1.33, without ``v`` and without a
    patch. A version that no release has had so far is a warning.

    Source: aws/eks-anywhere aebd9a0 pkg/cluster/fetch.go:117-124, pkg/api/v1alpha1/cluster.go:416-425;
    the bundles of releases 0.10 to 0.26.

    Bad:
        kind: Cluster
        spec:
          kubernetesVersion: v1.33  # <- EKS002

    Good:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"

    Fixed:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
    """
    root = cluster(spec)
    if root and is_missing(root, "spec", "kubernetesVersion"):
        message = "kubernetesVersion is missing, and no bundle has an empty version"
        yield Hit(deepest(root, "spec", "kubernetesVersion"), message, 'kubernetesVersion: "1.33"')
    for node in _versions(root):
        yield from _unknown_version(node)


def _unknown_version(node: Node) -> Iterator[Hit]:
    text = node.string()
    match = _MINOR.fullmatch(text)
    if match and not _FIRST_MINOR <= int(match[1][:9]) <= _LAST_MINOR:
        message = f"no release of EKS Anywhere up to 0.26 has Kubernetes {text}"
        hint = f"they have 1.{_FIRST_MINOR} to 1.{_LAST_MINOR}; a newer release may have more"
        yield Hit(node, message, hint, severity=Severity.WARNING)
    elif text and not match and not _is_requoted(node):
        meant = _MEANT.match(text)
        minor = meant[1] if meant else "1.33"
        message = f"kubernetesVersion {text!r} is no version of a bundle: EKS Anywhere finds none"
        fix = Fix(f"write {minor}", (Edit(node.span, f'"{minor}"'),)) if meant else None
        yield Hit(node, message, f'write a minor version, such as "{minor}"', fix=fix)


def _is_requoted(node: Node) -> bool:
    """Whether EKS Anywhere's own quoting breaks the file before the version is looked up, which is another rule's."""
    key = node.key
    is_bare = key is not None and key.end_column - key.column == len("kubernetesVersion")
    return is_bare and bool(re.match(r"1\.[0-9]{2}", node.text))


def _versions(root: Node) -> Iterator[Node]:
    """Every ``kubernetesVersion`` that is written."""
    below = root.get("spec")
    for holder in (below, *below.get("workerNodeGroupConfigurations").items):
        node = holder.get("kubernetesVersion")
        if node.kind == "scalar":
            yield node


@rule("EKS003", Severity.WARNING)
def worker_version_skew(spec: Spec) -> Iterator[Hit]:
    """A worker group's Kubernetes version does not go with that of the control plane.

    Workers may be two minor versions behind, and never ahead. Creation does not look; each later update does, and a kubelet
    that is newer than its API server is not supported by Kubernetes.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster_webhook.go:464-622.

    Bad:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
          workerNodeGroupConfigurations:
          - kubernetesVersion: "1.34"  # <- EKS003

    Good:
        kind: Cluster
        spec:
          kubernetesVersion: "1.33"
          workerNodeGroupConfigurations:
          - kubernetesVersion: "1.31"
    """
    below = cluster(spec).get("spec")
    node = below.get("kubernetesVersion")
    of_cluster = _MINOR.fullmatch(node.string())
    for index, group in enumerate(below.get("workerNodeGroupConfigurations").items):
        own = group.get("kubernetesVersion")
        of_group = _MINOR.fullmatch(own.string())
        if not of_cluster or not of_group:
            continue
        behind = int(of_cluster[1][:9]) - int(of_group[1][:9])
        if not 0 <= behind <= _MOST_MINORS_BEHIND:
            name = group.get("name").string() or (DEFAULT_GROUP if not index else "")
            where = "ahead of" if behind < 0 else f"{behind} minor versions behind"
            message = (
                f"worker group {name!r} ({own.text}) is {where} the control plane ({node.text})"
            )
            hint = f"at most {_MOST_MINORS_BEHIND} behind, and never ahead"
            yield Hit(own, message, hint, related=((node, "the control plane's version"),))


@rule("EKS004")
def contradicting_release(spec: Spec) -> Iterator[Hit]:
    """The release of EKS Anywhere is given twice, or not as a version.

    ``eksaVersion`` is a semantic version, with or without ``v``; ``bundlesRef`` is the older way to say the same, and both
    together are refused.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:1078-1091, pkg/semver/semver.go:10.

    Bad:
        kind: Cluster
        spec:
          eksaVersion: "0.22"  # <- EKS004

    Good:
        kind: Cluster
        spec:
          eksaVersion: v0.22.3
    """
    below = cluster(spec).get("spec")
    version, bundles = below.get("eksaVersion"), below.get("bundlesRef")
    if version.kind != "scalar" or version.is_null():
        return
    if not bundles.is_null():
        message = "eksaVersion is given, too: EKS Anywhere refuses both together"
        yield Hit(bundles, message, "remove bundlesRef", related=((version, "eksaVersion"),))
    if not _SEMVER.fullmatch(version.string()):
        message = (
            f"eksaVersion {version.text!r} is not a version, and EKS Anywhere refuses the file"
        )
        yield Hit(version, message, "write MAJOR.MINOR.PATCH, such as v0.22.3")


@rule("EKS005")
def incomplete_gitops_ref(spec: Spec) -> Iterator[Hit]:
    """The reference to the GitOps document has no name, or not a kind that EKS Anywhere knows.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:959-975.

    Bad:
        kind: Cluster
        spec:
          gitOpsRef:
            kind: ArgoConfig  # <- EKS005
            name: prod

    Good:
        kind: Cluster
        spec:
          gitOpsRef:
            kind: FluxConfig
            name: prod
    """
    yield from _incomplete(cluster(spec).get("spec", "gitOpsRef"), "gitOpsRef", _GITOPS_KINDS)


@rule("EKS006")
def incomplete_identity_ref(spec: Spec) -> Iterator[Hit]:
    """A reference to an identity provider has no name, or not a kind that EKS Anywhere knows.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:943-957.

    Bad:
        kind: Cluster
        spec:
          identityProviderRefs:
          - kind: OIDCConfig  # <- EKS006

    Good:
        kind: Cluster
        spec:
          identityProviderRefs:
          - kind: OIDCConfig
            name: corp
    """
    for ref in cluster(spec).get("spec", "identityProviderRefs").items:
        yield from _incomplete(ref, "identityProviderRefs", _IDENTITY_KINDS, is_item=True)


def _incomplete(
    ref: Node, what: str, kinds: tuple[str, ...], *, is_item: bool = False
) -> Iterator[Hit]:
    """Hits for a reference; a null is no reference at all, but as an item of a list it is an empty one."""
    if ref.kind == "mapping" or (is_item and ref.is_null()):
        kind, known = ref.get("kind"), " or ".join(kinds)
        if is_missing(ref, "kind"):
            yield Hit(kind or ref, f"{what} has no kind: EKS Anywhere refuses it", f"kind: {known}")
        elif kind.kind == "scalar" and kind.string() not in kinds:
            yield Hit(kind, f"EKS Anywhere refuses a {kind.text!r} in {what}", f"kind: {known}")
        if is_missing(ref, "name"):
            message = f"{what} has no name: EKS Anywhere refuses it"
            yield Hit(ref.get("name") or ref, message, "name the document")


@rule("EKS007")
def missing_service_account_issuer(spec: Spec) -> Iterator[Hit]:
    """``podIamConfig`` is given without the issuer of its tokens.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:977-985.

    Bad:
        kind: Cluster
        spec:
          podIamConfig: {}  # <- EKS007

    Good:
        kind: Cluster
        spec:
          podIamConfig:
            serviceAccountIssuer: https://s3.eu-central-1.amazonaws.com/oidc-prod
    """
    node = cluster(spec).get("spec", "podIamConfig")
    if not node.is_null() and is_missing(node, "serviceAccountIssuer"):
        yield Hit(
            deepest(node, "serviceAccountIssuer"),
            "podIamConfig has no serviceAccountIssuer: EKS Anywhere refuses the file",
            "serviceAccountIssuer: https://…",
        )
