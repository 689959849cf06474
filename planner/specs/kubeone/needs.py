"""Which images a KubeOneCluster needs: what kubeadm and the addons of this very manifest deploy, each with its reason.

Source: kubermatic/kubeone v1.14.2 pkg/addons/ensure.go (``collectAddons``, ``EnsureUserAddons``), pkg/images/util.go:69-94,
pkg/containerruntime/containerd_config.go:124-135, pkg/tasks/kubeadm_config.go:44-56.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from planner.core.document import Node, Spec
from planner.core.errors import InputError
from planner.core.family import Because, Need, Selection, because
from planner.core.refs import ImageRef, parse_image
from planner.specs.kubeone.addons import Deployed, deployed_addons
from planner.specs.kubeone.manifest import Manifest, nearest, read_manifest
from planner.specs.kubeone.names import asked_name, coredns_names, moved
from planner.specs.kubeone.registries import entries, mirror_host, mirrors
from planner.specs.kubeone.render import resolution
from planner.specs.kubeone.semver import Version, parse_version
from planner.specs.kubeone.tables import (
    CONTROL_PLANE,
    KUBE_PROXY,
    KUBERNETES_REGISTRY,
    KubeadmTags,
    Release,
    components,
    kubeadm_tags,
    newest_release,
    release_named,
)

_AUTOSCALER_IMAGE = "CLUSTER_AUTOSCALER_IMAGE"


class _Ask(NamedTuple):
    """One consumer that asks for ``source`` under the name ``asked``."""

    source: ImageRef
    asked: ImageRef
    reason: Because


class _Cluster(NamedTuple):
    """A manifest with everything that decides about its images."""

    spec: Spec
    manifest: Manifest
    release: Release
    version: Version
    tags: KubeadmTags


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Every image that the cluster asks for, once under each name, and the listed ones.

    With a list, what the manifest does not say is left to it: the provider's images when terraform names the provider, and
    everything when the Kubernetes version is not one that is packaged.

    Raises:
        UsageError: the KubeOne release is not packaged.
        InputError: the manifest does not say enough, and no list was given instead.
    """
    found: dict[tuple[ImageRef, ImageRef], dict[Because, None]] = {}
    for ask in _asks(spec, selection):
        found.setdefault((ask.source, ask.asked), {})[ask.reason] = None
    for (source, asked), reasons in found.items():
        yield Need(source, resolution(spec, source, asked, selection.flags), tuple(reasons))


def _asks(spec: Spec, selection: Selection) -> Iterator[_Ask]:
    manifest = read_manifest(spec)
    if not manifest.provider and not selection.images:
        message = "cloudProvider names no provider, so the images of its controllers are not known"
        raise _insufficient(
            spec, message, "write the provider that terraform supplies (aws: {}), or "
        )
    try:
        cluster = _cluster(spec, manifest, selection.release)
    except InputError:
        if not selection.images:
            raise
    else:
        yield from _kubernetes(cluster)
        yield from _sandbox(cluster)
        for deployed in deployed_addons(manifest):
            yield from _addon(cluster, deployed)
    for image, reason in selection.images:
        yield _Ask(image, asked_name(manifest, image), reason)


def _cluster(spec: Spec, manifest: Manifest, name: str) -> _Cluster:
    version = parse_version(manifest.kubernetes)
    release = release_named(name) if name else newest_release(version)
    if version is None:
        written = f", not {manifest.kubernetes!r}" if manifest.kubernetes else " (1.35.2)"
        raise _insufficient(spec, f"versions.kubernetes must be a version{written}")
    tags = kubeadm_tags(version)
    if tags is None or not release.accepts(version):
        first, last = release.kubernetes
        accepted = f"KubeOne {release.name} deploys Kubernetes {first} to {last}"
        known = accepted if tags else f"{accepted}, and kubeadm's tags are packaged from 1.32 on"
        raise _insufficient(
            spec, f"no images are known for Kubernetes {manifest.kubernetes}: {known}"
        )
    return _Cluster(spec, manifest, release, version, tags)


def _insufficient(spec: Spec, message: str, hint: str = "") -> InputError:
    return InputError(
        f"{spec.file}: {message}", f"{hint}give all images in a list with --images FILE"
    )


def _kubernetes(cluster: _Cluster) -> Iterator[_Ask]:
    """What kubeadm deploys."""
    node = nearest(cluster.manifest.root, "versions", "kubernetes")
    reason = because(cluster.spec, node, f"kubeadm of Kubernetes {cluster.manifest.kubernetes}")
    tag = "v" + cluster.manifest.kubernetes.replace("+", "_")
    for name in (*CONTROL_PLANE, *([KUBE_PROXY] if cluster.manifest.has_kube_proxy else [])):
        yield _moved(cluster, _kubernetes_image(name, tag), reason)
    reason = reason._replace(text=reason.text + _estimate(cluster))
    yield _moved(cluster, _kubernetes_image("etcd", cluster.tags.etcd), reason)
    yield from _coredns(cluster, reason)


def _coredns(cluster: _Cluster, reason: Because) -> Iterator[_Ask]:
    image = _kubernetes_image("coredns/coredns", cluster.tags.coredns)
    first, *others = coredns_names(cluster.manifest, image)
    yield _Ask(image, first, reason)
    node = nearest(cluster.manifest.root, "registryConfiguration", "overwriteRegistry")
    for name in others:
        text = "the name under which kubeone mirror-images writes CoreDNS for containerd mirrors"
        yield _Ask(image, name, because(cluster.spec, node, text))


def _sandbox(cluster: _Cluster) -> Iterator[_Ask]:
    """The pause image: pinned by KubeOne where it manages nodes over SSH, kubeadm's on nodes of the machine-controller."""
    manifest = cluster.manifest
    pinned = _kubernetes_image("pause", cluster.release.pause_tag(cluster.version))
    text = f"sandbox image that KubeOne {cluster.release.name} pins"
    if manifest.sandbox_image:
        node = nearest(manifest.root, "containerRuntime", "containerd", "sandboxImage")
        asked = parse_image(manifest.sandbox_image)
        yield _Ask(_published(manifest, asked), asked, because(cluster.spec, node, "sandboxImage"))
    else:
        node = nearest(manifest.root, "versions", "kubernetes")
        yield _moved(cluster, pinned, because(cluster.spec, node, text))
    manager = manifest.operating_system_manager
    kubeadm = _kubernetes_image("pause", cluster.tags.pause)
    if manager.is_on and (manifest.sandbox_image or kubeadm != pinned):
        text = f"sandbox image of dynamic workers: kubeadm's, whatever KubeOne pins{_estimate(cluster)}"
        node = nearest(manifest.root, "dynamicWorkers")
        yield _moved(cluster, kubeadm, because(cluster.spec, node, text))


def _published(manifest: Manifest, asked: ImageRef) -> ImageRef:
    """Where a configured sandbox image comes from: a ``pause`` on a private registry is a copy of the Kubernetes one."""
    private = {mirror_host(each) for _, entry in entries(manifest.root) for each in mirrors(entry)}
    if manifest.overwrite_registry:
        private.add(mirror_host(manifest.overwrite_registry))
    is_copy = asked.registry in private and asked.repository.rpartition("/")[2] == "pause"
    return asked.moved_to(KUBERNETES_REGISTRY, "pause") if is_copy else asked


def _addon(cluster: _Cluster, deployed: Deployed) -> Iterator[_Ask]:
    if deployed.addon in cluster.release.absent:
        return
    text = f"{deployed.why} (addon {deployed.addon} of KubeOne {cluster.release.name})"
    reason = because(cluster.spec, deployed.node, text)
    replacement = _replacement(deployed)
    if replacement:
        yield _Ask(replacement, replacement, reason)
        return
    for component in _components(deployed):
        image = cluster.release.image(component, cluster.version)
        if image:
            yield _moved(cluster, image, reason)
    for literal in map(parse_image, cluster.release.literal.get(deployed.addon, ())):
        yield _Ask(literal, literal, reason._replace(text=f"{text}; it ignores overwriteRegistry"))


def _components(deployed: Deployed) -> Iterable[str]:
    return (each for each in components(deployed.addon) if each not in deployed.without)


def _replacement(deployed: Deployed) -> ImageRef | None:
    """The image that a parameter of the cluster-autoscaler puts in place of KubeOne's.

    Source: addons/cluster-autoscaler/cluster-autoscaler.yaml:366. ``env:NAME`` is read where KubeOne runs, so it is unknown.
    """
    param: Node = deployed.node.get("params", _AUTOSCALER_IMAGE)
    text = param.string() if deployed.addon == "cluster-autoscaler" else ""
    return parse_image(text) if text and not text.startswith("env:") else None


def _moved(cluster: _Cluster, image: ImageRef, reason: Because) -> _Ask:
    return _Ask(image, moved(cluster.manifest, image), reason)


def _kubernetes_image(name: str, tag: str) -> ImageRef:
    return ImageRef(KUBERNETES_REGISTRY, name, tag)


def _estimate(cluster: _Cluster) -> str:
    """A remark when the tags are those of another patch than the manifest's."""
    numbers = parse_version(cluster.tags.of)
    is_same = numbers is not None and numbers.numbers == cluster.version.numbers
    return "" if is_same else f"; tag of {cluster.tags.of}, the nearest patch that is known"
