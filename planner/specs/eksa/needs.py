"""Which images and charts an EKS Anywhere cluster needs: those of the Bundles manifest of its release.

Source: aws/eks-anywhere aebd9a0 pkg/cluster/fetch.go:43-66,117-124, pkg/cluster/spec.go:175-185,
cmd/eksctl-anywhere/cmd/common.go:20-42, pkg/validations/cluster.go:121-143 (what eksaVersion means).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from planner.core.document import ABSENT, Node, Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import (
    ArtifactKind,
    Because,
    Consumer,
    Manifests,
    Need,
    Selection,
    because,
)
from planner.core.refs import ImageRef, parse_image
from planner.core.resolution import Attempt, Resolution, Rewrite, default_endpoint
from planner.specs.eksa import bundle as bundles
from planner.specs.eksa.bundle import PROVIDERS, Artifact
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.mirror import CORE_REGISTRY, Mirror, configuration, host_of, mirror_of
from planner.specs.eksa.nodes import by_node
from planner.specs.eksa.packages import check_bundle, parts
from planner.specs.eksa.written import action_images, package_images

_RELEASE = re.compile(r"v?(\d+\.\d+\.\d+)")
_WHERE = "https://anywhere-assets.eks.amazonaws.com/releases/eks-a/manifest.yaml"


class _Ask(NamedTuple):
    """One consumer that asks for ``address``: a node, or (``renamed``) somebody who asks one registry alone, by that name."""

    address: str
    kind: ArtifactKind = "image"
    renamed: str = ""

    @property
    def consumer(self) -> Consumer:
        """Helm takes charts; else EKS Anywhere's command line, a machine's installer or the package controller."""
        if not self.renamed:
            return "kubelet"
        return "helm" if self.kind == "chart" else "eks-anywhere"


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """What this cluster takes from the bundle and the PackageBundles, what its file names, and the listed images.

    The entries of the Kubernetes versions in use are taken for the cluster's provider, the management components from the
    first entry, and with them the images of each EKS-D release. ``selection.everything`` takes all entries for all
    providers, as ``eksctl anywhere download images`` does.

    Raises:
        UsageError: there is neither a bundle of either kind nor a list.
        InputError: there is no cluster, or the bundle does not fit it, or lacks what it refers to.
    """
    if not cluster(spec):
        raise InputError(
            f"{spec.file}: no document of kind Cluster",
            "name the cluster file; a Bundles manifest is given with --bundle",
        )
    if not (selection.bundle or selection.images or selection.packages):
        raise UsageError(
            f"{spec.file}: a cluster file does not say which images its release brings",
            f"give the Bundles manifest of the release (--bundle FILE; {_WHERE} tells where it is) or a list (--images FILE)",
        )
    found: dict[_Ask, dict[Because, None]] = {}
    for ask, reason in _asked(spec, selection):
        found.setdefault(ask, {})[reason] = None
    for ask, reasons in found.items():
        yield _need(spec, ask, tuple(reasons))


def _asked(spec: Spec, selection: Selection) -> Iterator[tuple[_Ask, Because]]:
    mirror = mirror_of(spec)
    for artifact, reason in _from_bundle(spec, selection):
        is_renamed = artifact.kind == "chart" or bundles.is_asked_by_cli(artifact)
        renamed = _renamed(mirror, artifact.address) if is_renamed else ""
        yield _Ask(artifact.address, artifact.kind, renamed), reason
    for artifact in action_images(spec):
        core = mirror.places.get(CORE_REGISTRY, "") if mirror else ""
        renamed = artifact.address.replace(CORE_REGISTRY, core or CORE_REGISTRY)
        yield _Ask(artifact.address, renamed=renamed), because(spec, artifact.node, "action")
    for artifact in package_images(spec, _entry_of_cluster(spec, selection.bundle)):
        yield _Ask(artifact.address), because(spec, artifact.node, "packages controller")
    yield from _from_packages(spec, selection)
    for listed in selection.images:
        yield _Ask(str(listed.image)), listed.because


def _from_packages(spec: Spec, selection: Selection) -> Iterator[tuple[_Ask, Because]]:
    """Of the Kubernetes version of the control plane, by which the package controller chooses."""
    version = cluster(spec).get("spec", "kubernetesVersion").string()
    for bundle in selection.packages:
        check_bundle(bundle, "" if selection.everything else version)
        for part in parts(bundle, mirror_of(spec)):
            reason = because(bundle, part.node, part.text)
            yield _Ask(part.address, part.kind, part.renamed), reason


def _renamed(mirror: Mirror | None, address: str) -> str:
    return mirror.replaced(address) if mirror else address


def _entry_of_cluster(spec: Spec, bundle: Manifests | None) -> Node:
    version = cluster(spec).get("spec", "kubernetesVersion").string()
    return bundles.entry_for(bundle.manifest, version) if bundle else ABSENT


def _from_bundle(spec: Spec, selection: Selection) -> Iterator[tuple[Artifact, Because]]:
    if selection.bundle is None:
        return
    bundle = selection.bundle.manifest
    _check_shape(spec, bundle)
    _check_release(spec, bundle)
    providers = _providers(spec, everything=selection.everything)
    for entry in _entries(spec, bundle, everything=selection.everything):
        version = entry.get("kubeVersion").string()
        for artifact in (
            *bundles.artifacts(entry, providers),
            *bundles.pulled_too(entry, providers),
        ):
            yield artifact, because(bundle, artifact.node, f"Kubernetes {version}")
        yield from _from_distribution(selection.bundle, entry, version)
    for artifact in bundles.management_artifacts(bundle, providers):
        yield artifact, because(bundle, artifact.node, "management components")


def _from_distribution(
    bundle: Manifests, entry: Node, version: str
) -> Iterator[tuple[Artifact, Because]]:
    url = bundles.distribution_url(entry)
    if not url.string():
        where = f"{bundle.manifest.file}:{entry.place.line}"
        raise InputError(
            f"{where}: the entry of Kubernetes {version} names no EKS-D release",
            "its images would be missing: get the manifest anew",
        )
    release = bundle.referred(url.string())
    images = tuple(bundles.distribution_artifacts(release))
    if not images:
        raise InputError(
            f"{release.file}: no EKS-D release: it has no image below status.components",
            f"get it from {url.string()}: Kubernetes {version} runs its images",
        )
    for artifact in images:
        yield artifact, because(release, artifact.node, f"EKS-D of Kubernetes {version}")


def _entries(spec: Spec, bundle: Spec, *, everything: bool) -> Iterable[Node]:
    """Those of the Kubernetes versions of the control plane and of the worker groups, each once; or all of them."""
    if everything:
        return bundles.entries(bundle)
    own = cluster(spec).get("spec")
    nodes = (
        own.get("kubernetesVersion"),
        *(each.get("kubernetesVersion") for each in own.get("workerNodeGroupConfigurations").items),
    )
    wanted = {node.string(): node for node in nodes if node.string()}
    if not wanted:
        raise InputError(f"{spec.file}: no kubernetesVersion", "write it: it chooses the images")
    known = [each for each in bundles.versions(bundle) if each]
    for version, node in wanted.items():
        if version not in known:
            raise InputError(
                f"{_place(spec, node)}: Kubernetes {version} is not in {bundle.file}, which has {', '.join(known) or 'none'}",
                "take the Bundles manifest of a release that has it, or another version",
            )
    return [bundles.entry_for(bundle, version) for version in wanted]


def _check_shape(spec: Spec, bundle: Spec) -> None:
    """Of whatever kind it says it is, as EKS Anywhere reads it."""
    if bundles.entries(bundle):
        return
    if not bundle.root.get("spec", "releases").items:
        raise InputError(
            f"{bundle.file}: no Bundles manifest: it has no spec.versionsBundles",
            f"{_WHERE} tells where it is",
        )
    version = cluster(spec).get("spec", "eksaVersion").string()
    url = bundles.bundle_url(bundle, version)
    raise InputError(
        f"{bundle.file}: this is the list of releases, not the Bundles manifest of one",
        f"give the bundleManifestUrl of {version}: --bundle {url}"
        if url
        else "give the bundleManifestUrl of your release as --bundle",
    )


def _check_release(spec: Spec, bundle: Spec) -> None:
    """A release refuses a cluster file that says another one, so its images would be the wrong ones."""
    node = cluster(spec).get("spec", "eksaVersion")
    oldest = bundle.root.get("spec", "cliMinVersion").string()
    newest = bundle.root.get("spec", "cliMaxVersion").string()
    limits = [_RELEASE.match(each) for each in (oldest, node.string(), newest)]
    orders = [_order(each[1]) for each in limits if each]
    if len(orders) == len(limits) and orders != sorted(orders):
        raise InputError(
            f"{_place(spec, node)}: eksaVersion {node.string()} does not use {bundle.file}, "
            f"which is for {oldest if oldest == newest else f'{oldest} to {newest}'}",
            "take the Bundles manifest of that release",
        )


def _place(spec: Spec, node: Node) -> str:
    return f"{spec.file}:{node.place.line}:{node.place.column}"


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _providers(spec: Spec, *, everything: bool) -> Iterable[str]:
    """Those whose images count; all of them when the file names none."""
    name = provider(spec)
    return PROVIDERS if everything or not name else (name,)


def _need(spec: Spec, ask: _Ask, reasons: tuple[Because, ...]) -> Need:
    try:
        source = parse_image(ask.address)
        resolution = _asked_once(spec, source, ask) if ask.renamed else by_node(spec, ask.address)
    except InputError as error:
        first = reasons[0]
        place = f"{first.file}:{first.line}:{first.column}"
        raise InputError(f"{place}: {error.message}", error.hint) from error
    need = Need(source, resolution, reasons, ask.kind, ask.consumer)
    if not need.home:
        return need
    return need._replace(because=(*reasons, *_redirection(spec, ask.address)))


def _asked_once(spec: Spec, source: ImageRef, ask: _Ask) -> Resolution:
    """Helm, docker, HookOS and packages ask one registry only: it stands in the name that EKS Anywhere gives them."""
    mirror, asked = mirror_of(spec), parse_image(ask.renamed)
    is_renamed = asked.name != source.name
    attempt = Attempt(
        default_endpoint(asked.registry),
        asked.repository,
        asked.reference,
        asked.registry,
        default=not is_renamed,
        auth=bool(mirror and mirror.has_auth and is_renamed),
    )
    return Resolution(
        source, (attempt,), (Rewrite("eks-anywhere", ask.renamed),) if is_renamed else ()
    )


def _redirection(spec: Spec, address: str) -> Iterator[Because]:
    """The entry of the mirror configuration that a registry goes through."""
    mirror, node = mirror_of(spec), configuration(spec)
    host = host_of(address)
    if mirror is None or host not in mirror.places:
        return
    entries = [
        each for each in node.get("ociNamespaces").items if each.get("registry").string() == host
    ]
    yield because(spec, entries[-1] if entries else node, f"mirrored for {host}")
