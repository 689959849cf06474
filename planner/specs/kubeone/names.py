"""Under which names a KubeOne cluster asks for the images that KubeOne and kubeadm deploy."""

from __future__ import annotations

from planner.core.errors import InputError
from planner.core.refs import ImageRef, parse_image
from planner.specs.kubeone.manifest import Manifest
from planner.specs.kubeone.tables import KUBERNETES_REGISTRY, deployed_images, deployed_names

COREDNS = f"{KUBERNETES_REGISTRY}/coredns/coredns"
# Everybody runs these images, so only the very tags of KubeOne's tables are taken for KubeOne's own.
_COMMON = "library/"


def moved(manifest: Manifest, image: ImageRef) -> ImageRef:
    """``image`` under ``overwriteRegistry``: the registry is replaced, the whole path stays, a digest goes.

    Source: kubermatic/kubeone v1.14.2 pkg/templates/images/images.go:564-590 (addons),
    pkg/templates/kubeadm/v1beta4/kubeadm.go:178-217 (kubeadm).

    Raises:
        InputError: the result is no image name.
    """
    if not manifest.overwrite_registry:
        return image
    return _below(manifest.overwrite_registry, image.repository, image)


def coredns_names(manifest: Manifest, image: ImageRef) -> tuple[ImageRef, ...]:
    """The names for CoreDNS: what kubeadm asks for first, then what ``kubeone mirror-images`` writes besides.

    kubeadm drops one path level as soon as a repository is configured, and the feature's wins over ``overwriteRegistry``.
    Source: kubermatic/kubeone v1.14.2 pkg/templates/kubeadm/v1beta4/kubeadm.go:212-216, pkg/images/util.go:195-261.
    """
    repository = manifest.coredns_repository or manifest.overwrite_registry
    if not repository:
        return (image,)
    first = _below(repository, "coredns", image)
    return (first, moved(manifest, image)) if manifest.overwrite_registry else (first,)


def asked_name(manifest: Manifest, image: ImageRef) -> ImageRef:
    """What a cluster makes of ``image``: KubeOne's own components are renamed, the user's images are not."""
    if image.name == COREDNS:
        return coredns_names(manifest, image)[0]
    return moved(manifest, image) if is_deployed(image) else image


def is_deployed(image: ImageRef) -> bool:
    """Whether KubeOne or kubeadm deploys this image, in whatever version."""
    if image.repository.startswith(_COMMON):
        return image._replace(digest="") in deployed_images()
    return image.name in deployed_names()


def _below(registry: str, repository: str, image: ImageRef) -> ImageRef:
    reference = f":{image.tag}" if image.tag else f"@{image.digest}"
    try:
        return parse_image(f"{registry}/{repository}{reference}")
    except InputError as error:
        raise InputError(
            f"the registry {registry!r} makes no image name: {error.message}",
            "write overwriteRegistry and imageRepository as HOST[:PORT][/PATH], without a scheme and a slash at the end",
        ) from error
