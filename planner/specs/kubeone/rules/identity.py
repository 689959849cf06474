"""What KubeOne makes of the head of a manifest: type, name, version, and what it takes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.kubeone.manifest import (
    GROUP,
    KIND,
    PROVIDERS,
    TERRAFORM,
    cluster,
    kubernetes_version,
    set_keys,
)
from planner.specs.kubeone.semver import parse_version
from planner.specs.kubeone.tables import newest_release

_VERSION = f"{GROUP}/v1beta2"
_ADVICE = {
    f"{GROUP}/v1beta1": "KubeOne 1.9 dropped it: let kubeone 1.8 convert the manifest (kubeone config migrate)",
    f"{GROUP}/v1beta3": "its types exist, but no release accepts it: write v1beta2, in which charts stand under helmReleases",
}
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253


@rule("KUB001")
def unsupported_api_version(spec: Spec) -> Iterator[Hit]:
    """The API version is not one that KubeOne reads.

    Every release since 1.9 reads v1beta2 and nothing else. v1beta1 is gone; v1beta3 has types, defaults and documentation, but
    the list of accepted versions does not have it.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/config/config.go:56-60,144-146.

    Bad:
        apiVersion: kubeone.k8c.io/v1beta3  # <- KUB001
        kind: KubeOneCluster

    Good:
        apiVersion: kubeone.k8c.io/v1beta2
        kind: KubeOneCluster
    """
    node = cluster(spec).get("apiVersion")
    text = node.string()
    if text and text != _VERSION:
        advice = _ADVICE.get(text, f"write {_VERSION}")
        yield Hit(node, f"KubeOne does not read {text!r}, only {_VERSION}", advice)


@rule("KUB002")
def missing_type(spec: Spec) -> Iterator[Hit]:
    """The manifest does not say what it is: apiVersion or kind is missing, or kind is not KubeOneCluster.

    KubeOne looks at both before anything else and stops.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/config/config.go:138-143.

    Bad:
        apiVersion: kubeone.k8c.io/v1beta2
        kind: Cluster  # <- KUB002
        name: prod

    Good:
        apiVersion: kubeone.k8c.io/v1beta2
        kind: KubeOneCluster
        name: prod
    """
    root = cluster(spec)
    for key, wanted in (("apiVersion", _VERSION), ("kind", KIND)):
        if not root.get(key).string():
            yield Hit(
                root.get(key) or root,
                f"{key} is missing, and KubeOne reads nothing without it",
                f"{key}: {wanted}",
            )
    kind = root.get("kind")
    if kind.string() not in ("", KIND):
        yield Hit(
            kind, f"KubeOne reads manifests of kind {KIND}, not {kind.text!r}", f"kind: {KIND}"
        )


@rule("KUB003", Severity.WARNING)
def ignored_document(spec: Spec) -> Iterator[Hit]:
    """The file has more than one YAML document, and KubeOne reads the first.

    Whatever stands behind the second ``---`` is neither decoded nor reported.

    Source: sigs.k8s.io/yaml v1.6.0 yaml.go (``Unmarshal`` reads one document); kubermatic/kubeone v1.14.2
    pkg/apis/kubeone/config/config.go:132-209.

    Bad:
        apiVersion: kubeone.k8c.io/v1beta2
        kind: KubeOneCluster
        ---
        apiVersion: v1  # <- KUB003
        kind: ConfigMap

    Good:
        apiVersion: kubeone.k8c.io/v1beta2
        kind: KubeOneCluster
    """
    for document in spec.documents[1:]:
        yield Hit(
            document,
            "KubeOne reads the first document of a file and ignores this one",
            "move it to a file of its own",
        )


@rule("KUB004")
def unsupported_kubernetes_version(spec: Spec) -> Iterator[Hit]:
    """The Kubernetes version is not one that KubeOne installs.

    KubeOne 1.14 installs final releases of 1.34, 1.35 and 1.36. It refuses pre-releases and EKS-D versions. One or two leading
    ``v`` do no harm, because KubeOne takes one off each time it sets defaults, and it sets them twice.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:42-54,391-427, v1beta2/defaults.go:173-176.

    Bad:
        versions:
          kubernetes: 1.35.0-rc.1  # <- KUB004

    Good:
        versions:
          kubernetes: 1.35.2
    """
    root = cluster(spec)
    node = root.get("versions", "kubernetes")
    if node.is_null():
        missing = "versions.kubernetes is missing: KubeOne does not choose a version"
        yield Hit(node or root.get("versions") or root, missing, "versions: {kubernetes: 1.35.2}")
    elif isinstance(node.value, str):
        problem = _version_problem(kubernetes_version(root))
        if problem:
            yield Hit(node, f"KubeOne does not install Kubernetes {node.text!r}: {problem}")


@rule("KUB005")
def invalid_cluster_name(spec: Spec) -> Iterator[Hit]:
    """The cluster's name is not a DNS subdomain.

    Lower-case letters, digits, hyphens and dots, beginning and ending with a letter or digit, at most 253 characters.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:155-157.

    Bad:
        name: My_Cluster  # <- KUB005

    Good:
        name: my-cluster
    """
    node = cluster(spec).get("name")
    name = node.string()
    if name and not (_NAME.fullmatch(name) and len(name) <= _LONGEST_NAME):
        hint = "lower-case letters, digits, hyphens and dots, at most 253 characters"
        yield Hit(node, f"{name[:60]!r} cannot be a cluster's name", hint)


@rule("KUB006", Severity.WARNING)
def left_to_terraform(spec: Spec) -> Iterator[Hit]:
    """Something that KubeOne cannot do without is not in the manifest; terraform output may supply it.

    With ``-t``, KubeOne takes the cluster's name, the provider, the API endpoint and the hosts from terraform output. Without,
    it refuses the manifest. planner does not read terraform output: to know the provider's images, it needs the provider here.
    ``--terraform``, or ``terraform: true`` of the cluster in planner.yaml, says that the output is there.

    Source: kubermatic/kubeone v1.14.2 pkg/terraform/v1beta2/config.go:33-230,
    pkg/apis/kubeone/validation/validation.go:151-339.

    Bad:
        kind: KubeOneCluster  # <- KUB006
        name: prod
        cloudProvider: {aws: {}}

    Good:
        kind: KubeOneCluster
        name: prod
        cloudProvider: {aws: {}}
        controlPlane: {hosts: [{publicAddress: 192.0.2.1}]}
    """
    root = cluster(spec)
    hint = "write it down; or run kubeone with -t, and say so: planner lint --terraform"
    for name in _missing(spec):
        node = root.get(name.partition(".")[0]) or root
        message = f"{name} is missing, unless terraform output supplies it"
        yield Hit(node, message, hint, supplier=TERRAFORM)


def _missing(spec: Spec) -> Iterator[str]:
    root = cluster(spec)
    plane = root.get("controlPlane")
    if not root.get("name").string():
        yield "name"
    if not plane.get("hosts").items and not plane.get("nodeSets").items:
        yield "controlPlane.hosts"
    if not set_keys(root.get("cloudProvider"), PROVIDERS):
        yield "cloudProvider's provider"


def _version_problem(text: str) -> str:
    version = parse_version(text)
    newest = newest_release()
    first, last = newest.kubernetes
    if text.startswith("v"):
        return "it has more than two leading v"
    if version is None:
        return "it is not a version"
    if "-eks-" in text:
        return "versions of EKS-D are not supported any more"
    if version.pre:
        return "pre-releases are refused"
    return "" if newest.accepts(version) else f"KubeOne {newest.name} installs {first} to {last}"
