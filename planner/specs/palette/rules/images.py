"""Images that are given by their complete names, because nothing can rewrite them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.core.document import Node, Spec
from planner.core.errors import InputError
from planner.core.lint import Hit, Severity, rule
from planner.core.refs import ImageRef, looks_like_registry, parse_image
from planner.specs.palette.documents import (
    CERT_MANAGER_IMAGES,
    WEBHOOK_IMAGES,
    dotted,
    image_registry,
    values,
)
from planner.specs.palette.hosts import address_problem, is_upstream
from planner.specs.palette.mirrors import host_of, located, plain_target, shown
from planner.specs.palette.placeholders import is_unfilled


@dataclass(frozen=True, slots=True)
class _Pinned:
    """One of these images; ``image`` is None when the text is none."""

    node: Node
    image: ImageRef | None

    @property
    def name(self) -> str:
        return dotted(self.node.path)

    @property
    def text(self) -> str:
        return self.node.string()


@rule("PAL040")
def invalid_image_reference(spec: Spec) -> Iterator[Hit]:
    """The text is no image reference.

    The pods with it are refused, or stay in InvalidImageName.

    Source: distribution/reference reference.go (grammar); kubernetes/kubernetes pkg/kubelet/images/image_manager.go.

    Bad:
        image:
          cainjectorImage: https://harbor.example.org/spectro-images/cert-manager-cainjector:v1.19.3  # <- PAL040
          controllerImage: harbor.example.org/spectro-images/cert-manager-controller:v1.19.3
          webhookImage: harbor.example.org/spectro-images/cert-manager-webhook:v1.19.3
          amceResolverImage: harbor.example.org/spectro-images/cert-manager-acmesolver:v1.19.3

    Good:
        image:
          cainjectorImage: harbor.example.org/spectro-images/cert-manager-cainjector:v1.19.3
          controllerImage: harbor.example.org/spectro-images/cert-manager-controller:v1.19.3
          webhookImage: harbor.example.org/spectro-images/cert-manager-webhook:v1.19.3
          amceResolverImage: harbor.example.org/spectro-images/cert-manager-acmesolver:v1.19.3
    """
    for each in _pinned(spec):
        try:
            parse_image(each.text)
        except InputError as error:
            yield Hit(each.node, f"{each.name}: {shown(error.message)}", "HOST/PATH/NAME:TAG")


@rule("PAL041")
def image_without_tag(spec: Spec) -> Iterator[Hit]:
    """An image has neither tag nor digest.

    The runtime asks for ``latest``, and no release of Palette has such a tag.

    Source: distribution/reference normalize.go ``TagNameOnly``; spectrocloud/librarium 02df8c8
    .../eks-ecr-airgap-install.md (all tags end in ``-spectro-RELEASE``).

    Bad:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init  # <- PAL041
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3

    Good:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.3
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3
    """
    for each in _pinned(spec):
        if each.image and "@" not in each.text and ":" not in each.text.rpartition("/")[2]:
            yield Hit(each.node, f"{each.name} has no tag, so nodes ask for latest", "add the tag")


@rule("PAL042", Severity.WARNING)
def image_not_private(spec: Spec) -> Iterator[Hit]:
    """An image that nothing rewrites is taken from a public registry.

    cert-manager starts before the webhook does, and the webhook does not rewrite its own pods. Behind an air gap they stay in
    ImagePullBackOff, and nothing that comes after them is installed. With a connection, the image comes from outside.

    Source: spectrocloud/librarium 02df8c8 .../airgap-install/eks-ecr-airgap-install.md (why both are given in full).

    Bad:
        config:
          imageSwapImages:
            imageSwapInitImage: us-docker.pkg.dev/palette-images/third-party/thewebroot/imageswap-init:v1.5.3  # <- PAL042
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3

    Good:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.3
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3
    """
    own = host_of(image_registry(spec).get("endpoint").string().strip())
    for each in _pinned(spec):
        host = each.image.registry if each.image else own
        if host != own and is_upstream(host):
            message = f"{each.name} comes from {host}: nothing sends it to the private registry"
            yield Hit(each.node, message, f"put the private registry and its path before {host}/…")


@rule("PAL043", Severity.WARNING)
def image_registry_mismatch(spec: Spec) -> Iterator[Hit]:
    """An image lies on another registry than the one that the file configures, or beside its base path.

    Without one in the file, the images are compared with each other: all are copies on one registry.

    The copies go to ``endpoint/baseContentPath``; credentials and certificate authority are those of the endpoint.

    Source: spectrocloud/librarium 02df8c8 .../airgap-install/eks-ecr-airgap-install.md (where the copies go).

    Bad:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.com/spectro-images/thewebroot/imageswap-init:v1.5.3  # <- PAL043
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3
          ociImageRegistry:
            endpoint: harbor.example.org
            baseContentPath: spectro-images

    Good:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.3
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3
          ociImageRegistry:
            endpoint: harbor.example.org
            baseContentPath: spectro-images
    """
    endpoint, home = _home(spec)
    for each in _pinned(spec):
        if each.image is None or _lies_below(each.image, home):
            continue
        if each.image.registry == host_of(home) or not is_upstream(each.image.registry):
            message = f"{each.name} is not below {home}, where the images are"
            yield Hit(each.node, message, related=((endpoint, "the registry"),))


@rule("PAL044", Severity.WARNING)
def image_tag_mismatch(spec: Spec) -> Iterator[Hit]:
    """The webhook and its init container have different tags.

    In all examples of Palette they have the same, so other pairs are untested, as far as is known. (The tags of
    cert-manager's four images may differ.)

    Source: spectrocloud/librarium 0f4d328 _partials/self-hosted/kubernetes-install/_kubernetes-install-image-swap.mdx.

    Bad:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.2
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3  # <- PAL044

    Good:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.3
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3
    """
    found = [each for each in _pinned(spec) if each.node.path[-1] in WEBHOOK_IMAGES and each.image]
    tags = [each.image.tag for each in found if each.image and each.image.tag]
    if len(set(tags)) > 1:
        message = f"the tags {tags[0]} and {tags[1]} differ, but the two images belong together"
        yield Hit(
            found[1].node, message, "give both the same tag", related=((found[0].node, "here"),)
        )


@rule("PAL045", Severity.WARNING)
def pinned_image_outside_mirror_target(spec: Spec) -> Iterator[Hit]:
    """An image is expected at another place than where the list sends its registry.

    The path of the image repeats the host that it was copied from, and the list of mirrors has another target for this host.
    One copy cannot be at both places. An example of Palette's guide has this mistake.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (us-docker.pkg.dev is sent to the bare base path, and ``image.*`` are below …/us-docker.pkg.dev/).

    Bad:
        image:
          webhookImage: harbor.example.org/images/us-docker.pkg.dev/palette-images/cert-manager-webhook:v1.19.3  # <- PAL045
        config:
          ociImageRegistry:
            mirrorRegistries: us-docker.pkg.dev::harbor.example.org/images

    Good:
        image:
          webhookImage: harbor.example.org/images/us-docker.pkg.dev/palette-images/cert-manager-webhook:v1.19.3
        config:
          ociImageRegistry:
            mirrorRegistries: us-docker.pkg.dev::harbor.example.org/images/us-docker.pkg.dev
    """
    entries = located(spec, image_registry(spec).get("mirrorRegistries"))
    targets = {each.entry.source: each for each in entries if each.entry.is_pair}
    for each in _pinned(spec):
        steps = each.image.name.split("/")[1:] if each.image else []
        source = next((step for step in steps if step in targets), "")
        if not each.image or not source:
            continue
        mirror, rest = targets[source], steps[steps.index(source) + 1 :]
        expected = "/".join([mirror.entry.plain_target, *rest])
        if each.image.name != expected:
            message = f"{each.name} is not {expected}, which the list makes of its original"
            yield Hit(each.node, message, related=((mirror.node, "the mirror"),))


def _pinned(spec: Spec) -> Iterator[_Pinned]:
    """Each image that is filled in."""
    root = values(spec)
    nodes = [root.get("image", name) for name in CERT_MANAGER_IMAGES]
    nodes.extend(root.get("config", "imageSwapImages", name) for name in WEBHOOK_IMAGES)
    for node in nodes:
        if node.string() and not is_unfilled(node.string()):
            yield _Pinned(node, _image(node.string()))


def _image(text: str) -> ImageRef | None:
    try:
        image = parse_image(text)
    except InputError:
        return None
    return image if looks_like_registry(image.registry) else None


def _home(spec: Spec) -> tuple[Node, str]:
    """Where the images should be, and what says so: the registry, else the first of them that is on a private one."""
    registry = image_registry(spec)
    endpoint, base = registry.get("endpoint"), registry.get("baseContentPath").string()
    if endpoint.string().strip():
        home = plain_target(f"{endpoint.string().strip()}/{base}")
        is_known = not is_unfilled(f"{endpoint.string()} {base}")
        # What can be no address is a mistake of its own.
        return endpoint, home if is_known and not address_problem(home.lower()) else ""
    for each in _pinned(spec):
        if each.image and not is_upstream(each.image.registry):
            return each.node, each.image.registry
    return registry, ""


def _lies_below(image: ImageRef, place: str) -> bool:
    """Case does not count: it has a rule of its own."""
    return not place or f"{image.name}/".startswith(f"{place}/".lower())
