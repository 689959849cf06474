"""Which images a KubeOneCluster needs: what kubeadm and the addons of this very manifest deploy, each with its reason.

Source: kubermatic/kubeone v1.14.2 pkg/addons/ensure.go (``collectAddons``, ``EnsureUserAddons``), pkg/images/util.go:69-94,
pkg/containerruntime/containerd_config.go:124-135, pkg/tasks/kubeadm_config.go:44-56.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from planner.core.document import ABSENT, Node, Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Because, Need, Selection, because
from planner.core.refs import ImageRef, parse_image
from planner.specs.kubeone.addons import Deployed, deployed_addons
from planner.specs.kubeone.manifest import Manifest, nearest, read_manifest
from planner.specs.kubeone.names import asked_name, coredns_names, moved
from planner.specs.kubeone.registries import entries, mirror_host, mirrors
from planner.specs.kubeone.render import resolution
from planner.specs.kubeone.semver import Version, parse_version
from planner.specs.kubeone.tables import (
    BASE,
    CONTROL_PLANE,
    CONTROL_PLANE_GROUP,
    GROUPS,
    KUBE_PROXY,
    KUBERNETES_REGISTRY,
    OPTIONAL,
    KubeadmTags,
    Release,
    components,
    kubeadm_tags,
    newest_release,
    release_named,
)

_AUTOSCALER_IMAGE = "CLUSTER_AUTOSCALER_IMAGE"
_DOTS = 2


class _Ask(NamedTuple):
    """One consumer that asks for ``source`` under the name ``asked``; what the user lists is in no ``group``."""

    source: ImageRef
    asked: ImageRef
    reason: Because
    group: str = ""


class _Cluster(NamedTuple):
    """A manifest with everything that decides about its images; ``place`` is where its Kubernetes version is written."""

    spec: Spec
    manifest: Manifest
    release: Release
    version: Version
    tags: KubeadmTags
    place: Node


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Every image that the cluster asks for, once under each name, and the listed ones.

    With a list, what the manifest does not say is left to it: the provider's images when terraform names the provider, and
    everything when the Kubernetes version is not one that is packaged. ``everything`` adds the whole table of the release, as
    ``kubeone mirror-images`` copies it; the groups are those of its ``--filter``, each taken by its own name.

    Raises:
        UsageError: the KubeOne release is not packaged, there is no such group, or no release deploys all the versions.
        InputError: the manifest does not say enough, and no list was given instead.
    """
    for group in selection.groups:
        if group not in GROUPS:
            raise UsageError(
                f"KubeOne has no group {group!r} of images", f"its groups are {', '.join(GROUPS)}"
            )
    found: dict[tuple[ImageRef, ImageRef], dict[Because, None]] = {}
    for ask in _asks(spec, selection):
        if not selection.groups or ask.group in ("", *selection.groups):
            found.setdefault((ask.source, ask.asked), {})[ask.reason] = None
    for (source, asked), reasons in found.items():
        yield Need(source, resolution(spec, source, asked, selection.flags), tuple(reasons))


def _asks(spec: Spec, selection: Selection) -> Iterator[_Ask]:
    manifest = read_manifest(spec)
    if not (manifest.provider or selection.images or selection.everything):
        message = "cloudProvider names no provider, so the images of its controllers are not known"
        raise _insufficient(
            spec, message, "write the provider that terraform supplies (aws: {}), or "
        )
    try:
        clusters = tuple(_clusters(spec, manifest, selection))
    except InputError:
        if not selection.images:
            raise
        clusters = ()
    for cluster in clusters:
        yield from _kubernetes(cluster)
        yield from _sandbox(cluster)
        for deployed in deployed_addons(manifest):
            yield from _addon(cluster, deployed)
        if selection.everything:
            yield from _table(cluster)
    for image, reason in selection.images:
        yield _Ask(image, asked_name(manifest, image), reason)


def _clusters(spec: Spec, manifest: Manifest, selection: Selection) -> Iterator[_Cluster]:
    """The cluster at each of its Kubernetes versions: the manifest's, or those that stand in its place.

    Source: kubermatic/kubeone v1.14.2 pkg/cmd/mirror-images.go:100-105,131-144 (a version may lack its patch, which is 0 then).
    """
    place = nearest(manifest.root, "versions", "kubernetes")
    if selection.kubernetes_versions:
        manifests = [
            manifest._replace(kubernetes=_completed(each)) for each in selection.kubernetes_versions
        ]
        place = ABSENT
    else:
        manifests = [manifest]
    versions = [_version(spec, each) for each in manifests]
    name = selection.release
    release = release_named(name) if name else newest_release(versions)
    if len(versions) > 1 and not name and not all(map(release.accepts, versions)):
        listed = ", ".join(each.kubernetes for each in manifests)
        raise UsageError(
            f"no packaged KubeOne release deploys all of {listed}",
            "an upgrade over several KubeOne releases takes a run for each, with --release",
        )
    for each, version in zip(manifests, versions, strict=True):
        yield _Cluster(spec, each, release, version, _tags(spec, each, release, version), place)


def _completed(text: str) -> str:
    """A version of a list, with the patch that it may lack: ``1.35`` is 1.35.0."""
    version = parse_version(text.strip())
    is_short = version is not None and text.count(".") < _DOTS
    return ".".join(map(str, version.numbers)) if version and is_short else text.removeprefix("v")


def _version(spec: Spec, manifest: Manifest) -> Version:
    version = parse_version(manifest.kubernetes)
    if version is None:
        written = f", not {manifest.kubernetes!r}" if manifest.kubernetes else " (1.35.2)"
        raise _insufficient(spec, f"versions.kubernetes must be a version{written}")
    return version


def _tags(spec: Spec, manifest: Manifest, release: Release, version: Version) -> KubeadmTags:
    """The tags of kubeadm, when the release deploys this version at all."""
    tags = kubeadm_tags(version)
    if tags is None or not release.accepts(version):
        first, last = release.kubernetes
        accepted = f"KubeOne {release.name} deploys Kubernetes {first} to {last}"
        known = accepted if tags else f"{accepted}, and kubeadm's tags are packaged from 1.32 on"
        raise _insufficient(
            spec, f"no images are known for Kubernetes {manifest.kubernetes}: {known}"
        )
    return tags


def _insufficient(spec: Spec, message: str, hint: str = "") -> InputError:
    return InputError(
        f"{spec.file}: {message}", f"{hint}give all images in a list with --images FILE"
    )


def _kubernetes(cluster: _Cluster) -> Iterator[_Ask]:
    """What kubeadm deploys."""
    text = f"kubeadm of Kubernetes {cluster.manifest.kubernetes}"
    reason = because(cluster.spec, cluster.place, text)
    tag = _kubernetes_tag(cluster.manifest)
    for name in (*CONTROL_PLANE, *([KUBE_PROXY] if cluster.manifest.has_kube_proxy else [])):
        yield _moved(cluster, _kubernetes_image(name, tag), reason)
    reason = reason._replace(text=reason.text + _estimate(cluster))
    yield _moved(cluster, _kubernetes_image("etcd", cluster.tags.etcd), reason)
    yield from _coredns(cluster, reason)


def _coredns(cluster: _Cluster, reason: Because) -> Iterator[_Ask]:
    image = _kubernetes_image("coredns/coredns", cluster.tags.coredns)
    first, *others = coredns_names(cluster.manifest, image)
    yield _Ask(image, first, reason, CONTROL_PLANE_GROUP)
    node = nearest(cluster.manifest.root, "registryConfiguration", "overwriteRegistry")
    for name in others:
        text = "the name under which kubeone mirror-images writes CoreDNS for containerd mirrors"
        yield _Ask(image, name, because(cluster.spec, node, text), CONTROL_PLANE_GROUP)


def _sandbox(cluster: _Cluster) -> Iterator[_Ask]:
    """The pause image: pinned by KubeOne where it manages nodes over SSH, kubeadm's on nodes of the machine-controller."""
    manifest = cluster.manifest
    pinned = _kubernetes_image("pause", cluster.release.pause_tag(cluster.version))
    text = f"sandbox image that KubeOne {cluster.release.name} pins"
    if manifest.sandbox_image:
        node = nearest(manifest.root, "containerRuntime", "containerd", "sandboxImage")
        asked = parse_image(manifest.sandbox_image)
        reason = because(cluster.spec, node, "sandboxImage")
        yield _Ask(_published(manifest, asked), asked, reason, CONTROL_PLANE_GROUP)
    else:
        yield _moved(cluster, pinned, because(cluster.spec, cluster.place, text))
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
        yield _Ask(replacement, replacement, reason, OPTIONAL)
        return
    yield from _of_components(cluster, _components(deployed), reason)
    for literal in map(parse_image, cluster.release.literal.get(deployed.addon, ())):
        ignores = reason._replace(text=f"{text}; it ignores overwriteRegistry")
        yield _Ask(literal, literal, ignores, OPTIONAL)


def _table(cluster: _Cluster) -> Iterator[_Ask]:
    """What ``kubeone mirror-images`` copies, whatever the manifest says.

    Source: kubermatic/kubeone v1.14.2 pkg/images/util.go:319-360.
    """
    text = f"image table of KubeOne {cluster.release.name} at Kubernetes {cluster.version.series}"
    reason = because(cluster.spec, ABSENT, text)
    for group in (BASE, OPTIONAL):
        yield from _of_components(cluster, cluster.release.groups[group], reason)
    proxy = _kubernetes_image(KUBE_PROXY, _kubernetes_tag(cluster.manifest))
    yield _moved(cluster, proxy, reason)


def _of_components(cluster: _Cluster, names: Iterable[str], reason: Because) -> Iterator[_Ask]:
    for name in names:
        image = cluster.release.image(name, cluster.version)
        if image:
            yield _moved(cluster, image, reason, cluster.release.group(name))


def _components(deployed: Deployed) -> Iterable[str]:
    return (each for each in components(deployed.addon) if each not in deployed.without)


def _replacement(deployed: Deployed) -> ImageRef | None:
    """The image that a parameter of the cluster-autoscaler puts in place of KubeOne's.

    Source: addons/cluster-autoscaler/cluster-autoscaler.yaml:366. ``env:NAME`` is read where KubeOne runs, so it is unknown.
    """
    param: Node = deployed.node.get("params", _AUTOSCALER_IMAGE)
    text = param.string() if deployed.addon == "cluster-autoscaler" else ""
    return parse_image(text) if text and not text.startswith("env:") else None


def _moved(
    cluster: _Cluster, image: ImageRef, reason: Because, group: str = CONTROL_PLANE_GROUP
) -> _Ask:
    return _Ask(image, moved(cluster.manifest, image), reason, group)


def _kubernetes_tag(manifest: Manifest) -> str:
    return "v" + manifest.kubernetes.replace("+", "_")


def _kubernetes_image(name: str, tag: str) -> ImageRef:
    return ImageRef(KUBERNETES_REGISTRY, name, tag)


def _estimate(cluster: _Cluster) -> str:
    """A remark when the tags are those of another patch than the manifest's."""
    numbers = parse_version(cluster.tags.of)
    is_same = numbers is not None and numbers.numbers == cluster.version.numbers
    return "" if is_same else f"; tag of {cluster.tags.of}, the nearest patch that is known"
