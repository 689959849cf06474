"""The Bundles manifest of an EKS Anywhere release: which images and charts it holds for which Kubernetes version.

Source: aws/eks-anywhere aebd9a0 release/api/v1alpha1/bundle_types.go:22-401 (fields), artifacts.go:99-254 (which of them are
downloaded), pkg/manifests/eksd/images.go:7-17 (EKS-D), pkg/cluster/fetch.go:43-66,117-124 (which entry is chosen).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from planner.core.document import Node, Spec
from planner.core.family import ArtifactKind

# Below an entry of versionsBundles, by the field that holds them: what ``download images`` takes.
_SHARED = {
    "bootstrap": "controller kubeProxy",
    "bottlerocketHostContainers": "admin control kubeadmBootstrap",
    "certManager": "acmesolver cainjector controller startupapicheck webhook",
    "cilium": "cilium operator",
    "clusterAPI": "controller kubeProxy",
    "controlPlane": "controller kubeProxy",
    "eksD": "kindNode",
    "eksa": "cliTools clusterController diagnosticCollector",
    "flux": "helmController kustomizeController notificationController sourceController",
    "etcdadmBootstrap": "controller kubeProxy",
    "etcdadmController": "controller kubeProxy",
    "haproxy": "image",
    "packageController": "packageController tokenRefresher",
    "upgrader": "upgrader",
    "bottlerocketBootstrapContainers": "multiNetworkBootstrap",
}
_BY_PROVIDER = {
    "Docker": {"docker": "kubeProxy manager"},
    "VSphere": {"vSphere": "clusterAPIController kubeProxy kubeVip manager"},
    "CloudStack": {"cloudStack": "clusterAPIController kubeRbacProxy kubeVip"},
    "Snow": {"snow": "kubeVip manager bottlerocketBootstrapSnow"},
    "Tinkerbell": {
        "tinkerbell": "clusterAPIController kubeVip envoy tinkerbellStack.actions.cexec "
        "tinkerbellStack.actions.kexec tinkerbellStack.actions.imageToDisk "
        "tinkerbellStack.actions.ociToDisk tinkerbellStack.actions.writeFile "
        "tinkerbellStack.actions.reboot tinkerbellStack.boots tinkerbellStack.hook.bootkit "
        "tinkerbellStack.hook.docker tinkerbellStack.hook.kernel "
        "tinkerbellStack.tink.tinkRelayInit"
    },
    "Nutanix": {"nutanix": "clusterAPIController cloudProvider"},
}
PROVIDERS = tuple(_BY_PROVIDER)
# What clusters pull all the same. kube-vip of Nutanix was never in the list, and comes along with that of vSphere
# (pkg/providers/nutanix/template.go:210). The others were, as long as a release deployed them: #10612 (2026-02), #8812
# (2024-09), #6066 (2023-06); newer bundles leave them empty.
_PULLED_TOO = {
    "": {"certManager": "ctl"},
    "VSphere": {"vSphere": "driver syncer"},
    "Tinkerbell": {
        "tinkerbell": "tinkerbellStack.hegel tinkerbellStack.rufio tinkerbellStack.tink.tinkRelay "
        "tinkerbellStack.tink.tinkController tinkerbellStack.tink.tinkServer "
        "tinkerbellStack.tink.tinkWorker tinkerbellStack.tink.nginx"
    },
    "Nutanix": {"nutanix": "kubeVip"},
}
_CHARTS = {"cilium": "helmChart", "packageController": "helmChart"}
_PROVIDER_CHARTS = {
    "Tinkerbell": {
        "tinkerbell": "tinkerbellStack.tinkerbellChart tinkerbellStack.tinkerbellCrds tinkerbellStack.stack"
    }
}
# What runs once per management cluster, whatever the Kubernetes versions: it is taken from the first entry.
_MANAGEMENT = frozenset(
    "bootstrap certManager clusterAPI controlPlane eksa flux etcdadmBootstrap etcdadmController "
    "docker vSphere cloudStack snow tinkerbell nutanix".split()
)
# What the machine that runs eksctl anywhere asks for itself, by its name on the mirror: pkg/executables/kind.go:248,
# pkg/dependencies/factory.go:360-363.
_ASKED_BY_CLI = frozenset({("eksD", "kindNode", "uri"), ("eksa", "cliTools", "uri")})
_PLACEHOLDER = "<placeholder>"


class Artifact(NamedTuple):
    """One image or chart of a manifest: its address as written, and the node that says so."""

    address: str
    node: Node
    kind: ArtifactKind = "image"


def entries(bundle: Spec) -> tuple[Node, ...]:
    """The versionsBundles of a manifest, in its order; of whatever kind it says it is, as EKS Anywhere reads it."""
    return bundle.root.get("spec", "versionsBundles").items


def entry_for(bundle: Spec, version: str) -> Node:
    """The entry of a Kubernetes version, by its text; absent when there is none."""
    found = (each for each in entries(bundle) if each.get("kubeVersion").string() == version)
    return next(found, bundle.root.get("spec", "no such entry"))


def artifacts(entry: Node, providers: Iterable[str]) -> Iterator[Artifact]:
    """The images and charts that ``download images`` takes of one entry, for these providers: each slot that is filled."""
    chosen = tuple(providers)
    for table in (_SHARED, *(_BY_PROVIDER[each] for each in chosen)):
        yield from _slots(entry, table, "image")
    for table in (_CHARTS, *(_PROVIDER_CHARTS.get(each, {}) for each in chosen)):
        yield from _slots(entry, table, "chart")


def pulled_too(entry: Node, providers: Iterable[str]) -> Iterator[Artifact]:
    """The images of one entry that clusters pull although ``download images`` does not take them, or no longer."""
    for each in ("", *providers):
        yield from _slots(entry, _PULLED_TOO.get(each, {}), "image")


def management_artifacts(bundle: Spec, providers: Iterable[str]) -> Iterator[Artifact]:
    """What the management components take from the first entry."""
    chosen = tuple(providers)
    for entry in entries(bundle)[:1]:
        for each in (*artifacts(entry, chosen), *pulled_too(entry, chosen)):
            if each.node.path[len(entry.path)] in _MANAGEMENT:
                yield each


def is_asked_by_cli(artifact: Artifact) -> bool:
    """Whether ``eksctl anywhere`` asks for it where it runs, and not a node."""
    return artifact.node.path[-3:] in _ASKED_BY_CLI


def packages_slot(entry: Node, name: str) -> str:
    """The address of an image of the packages controller; empty when the entry has none."""
    return entry.get("packageController", name, "uri").string()


def bundle_url(releases: Spec, version: str) -> str:
    """Where the list of releases says that the Bundles manifest of ``version`` is; empty when it does not."""
    for each in releases.root.get("spec", "releases").items:
        if version and each.get("version").string().removeprefix("v") == version.removeprefix("v"):
            return each.get("bundleManifestUrl").string()
    return ""


def distribution_url(entry: Node) -> Node:
    """Where the EKS-D release of an entry is described."""
    return entry.get("eksD", "manifestUrl")


def distribution_artifacts(release: Spec) -> Iterator[Artifact]:
    """The images of an EKS-D release: of each asset that has one, whatever type it says it is."""
    for component in release.root.get("status", "components").items:
        for asset in component.get("assets").items:
            uri = asset.get("image", "uri")
            if uri.string():
                yield Artifact(uri.string(), uri)


def _slots(entry: Node, table: Mapping[str, str], kind: ArtifactKind) -> Iterator[Artifact]:
    for field, names in table.items():
        for name in names.split():
            uri = entry.get(field, *name.split("."), "uri")
            if uri.string() and uri.string() != _PLACEHOLDER:
                yield Artifact(uri.string(), uri, kind)


def versions(bundle: Spec) -> Sequence[str]:
    """The Kubernetes versions of a manifest, in its order."""
    return [each.get("kubeVersion").string() for each in entries(bundle)]
