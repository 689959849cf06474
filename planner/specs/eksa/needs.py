"""Which images and charts an EKS Anywhere cluster needs: those of the Bundles manifest of its release.

Source: aws/eks-anywhere aebd9a0 pkg/cluster/fetch.go:43-66,117-124, pkg/cluster/spec.go:175-185,
cmd/eksctl-anywhere/cmd/common.go:20-42, pkg/validations/cluster.go:121-143 (what eksaVersion means).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from planner.core.document import Node, Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import ArtifactKind, Because, Manifests, Need, Selection, because
from planner.core.refs import ImageRef, parse_image
from planner.core.resolution import Attempt, Resolution, default_endpoint
from planner.specs.eksa import bundle as bundles
from planner.specs.eksa.bundle import PROVIDERS, Artifact
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.mirror import configuration, host_of, mirror_of
from planner.specs.eksa.nodes import resolve

_RELEASE = re.compile(r"v?(\d+\.\d+\.\d+)")
_WHERE = "https://anywhere-assets.eks.amazonaws.com/releases/eks-a/manifest.yaml"


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Every image and chart that this cluster takes from the bundle, and the listed images.

    The entries of the Kubernetes versions in use are taken for the cluster's provider, the management components from the
    first entry, and with them the images of each EKS-D release. ``selection.everything`` takes what ``eksctl anywhere
    download images`` takes: all entries, for all providers.

    Raises:
        UsageError: there is neither a bundle nor a list.
        InputError: the bundle does not fit the cluster, or lacks what it refers to.
    """
    if selection.bundle is None and not selection.images:
        raise UsageError(
            f"{spec.file}: a cluster file does not say which images its release brings",
            f"give the Bundles manifest of the release (--bundle FILE; {_WHERE} tells where it is) or a list (--images FILE)",
        )
    found: dict[tuple[str, ArtifactKind], dict[Because, None]] = {}
    for artifact, reason in _from_bundle(spec, selection):
        found.setdefault((artifact.address, artifact.kind), {})[reason] = None
    for listed in selection.images:
        found.setdefault((str(listed.image), "image"), {})[listed.because] = None
    for (address, kind), reasons in found.items():
        yield _need(spec, address, kind, (*reasons, *_redirection(spec, address)), selection)


def _from_bundle(spec: Spec, selection: Selection) -> Iterator[tuple[Artifact, Because]]:
    if selection.bundle is None:
        return
    bundle = selection.bundle.manifest
    if not bundles.entries(bundle):
        raise InputError(
            f"{bundle.file}: no Bundles manifest: it has no spec.versionsBundles",
            f"{_WHERE} tells where it is",
        )
    _check_release(spec, bundle)
    versions = bundles.versions(bundle) if selection.everything else _versions(spec, bundle)
    providers = _providers(spec, everything=selection.everything)
    for version in versions:
        entry = bundles.entry_for(bundle, version)
        for artifact in bundles.artifacts(entry, providers):
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
    for artifact in bundles.distribution_artifacts(release):
        yield artifact, because(release, artifact.node, f"EKS-D of Kubernetes {version}")


def _versions(spec: Spec, bundle: Spec) -> list[str]:
    """The Kubernetes versions of the control plane and of the worker groups, each once."""
    own = cluster(spec).get("spec")
    nodes = (
        own.get("kubernetesVersion"),
        *(each.get("kubernetesVersion") for each in own.get("workerNodeGroupConfigurations").items),
    )
    wanted = {node.string(): node for node in nodes if node.string()}
    if not wanted:
        raise InputError(f"{spec.file}: no kubernetesVersion", "write it: it chooses the images")
    known = bundles.versions(bundle)
    for version, node in wanted.items():
        if version not in known:
            raise InputError(
                f"{spec.file}:{node.place.line}:{node.place.column}: Kubernetes {version} is not in {bundle.file}, "
                f"which has {', '.join(known)}",
                "take the Bundles manifest of a release that has it, or another version",
            )
    return list(wanted)


def _check_release(spec: Spec, bundle: Spec) -> None:
    """A release refuses a cluster file that says another one, so its images would be the wrong ones."""
    node = cluster(spec).get("spec", "eksaVersion")
    wanted = _RELEASE.match(node.string())
    newest = bundle.root.get("spec", "cliMaxVersion").string()
    oldest = bundle.root.get("spec", "cliMinVersion").string()
    limits = [_RELEASE.match(each) for each in (oldest, newest)]
    if not wanted or not limits[0] or not limits[1]:
        return
    if not _order(limits[0][1]) <= _order(wanted[1]) <= _order(limits[1][1]):
        raise InputError(
            f"{spec.file}:{node.place.line}:{node.place.column}: eksaVersion {node.string()} does not use {bundle.file}, "
            f"which is for {oldest} to {newest}",
            "take the Bundles manifest of that release",
        )


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _providers(spec: Spec, *, everything: bool) -> Iterable[str]:
    """Those whose images count; all of them when the file names none."""
    name = provider(spec)
    return PROVIDERS if everything or not name else (name,)


def _need(
    spec: Spec, address: str, kind: ArtifactKind, reasons: tuple[Because, ...], selection: Selection
) -> Need:
    source = parse_image(address)
    if kind == "chart":
        return Need(source, _chart_resolution(spec, source, address), reasons, kind)
    return Need(source, resolve(spec, address, selection.flags), reasons, kind)


def _chart_resolution(spec: Spec, source: ImageRef, address: str) -> Resolution:
    """Helm asks one registry only: the one that stands in the address."""
    mirror = mirror_of(spec)
    asked = parse_image(mirror.replaced(address) if mirror else address)
    attempt = Attempt(
        default_endpoint(asked.registry),
        asked.repository,
        asked.reference,
        asked.registry,
        default=asked == source,
        auth=bool(mirror and mirror.has_auth and asked != source),
    )
    return Resolution(source, (attempt,))


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
