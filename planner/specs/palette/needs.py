"""Which images Palette needs, and under which names its two consumers ask for them.

Palette's makers publish no list: support gives ``images.txt`` with each release, one image per line. An image is wanted
under the name that the webhook gives it and under the one that a node makes of it. They differ for official images
(``nginx`` and ``library/nginx``), and wherever only one of the two finds an entry.

Source: spectrocloud librarium eks-ecr-airgap-install.md (the list, and the images that the charts name themselves).
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.containerd import attempts
from planner.core.document import Node, Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Because, ListedImage, Need, Selection, because
from planner.core.refs import DOCKER_HUB, ImageRef, parse_image
from planner.core.resolution import Resolution
from planner.specs.palette.documents import CERT_MANAGER_IMAGES, WEBHOOK_IMAGES, values
from planner.specs.palette.nodes import by_node, through_webhook
from planner.specs.palette.settings import Settings, settings_of

_OFFICIAL = "library/"
_NODE = "asked for by the nodes' containerd, which no webhook changes"
_POD = "renamed by the image-swap webhook in a pod"


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Each listed image under each name that a consumer asks for, and the images that the values name themselves.

    Raises:
        UsageError: there is no list.
    """
    if not selection.images:
        raise UsageError(
            f"{spec.file}: Palette's files do not say which images a release brings",
            "give the list that comes with it (--images images.txt); it may stand in planner.yaml",
        )
    found: dict[tuple[ImageRef, ImageRef | None], Need] = {}
    for need in (*_listed(spec, selection), *_named(spec)):
        first = found.setdefault((need.source, need.target), need)
        if first is not need:
            reasons = (
                *first.because,
                *(each for each in need.because if each not in first.because),
            )
            found[need.source, need.target] = first._replace(because=reasons)
    yield from found.values()


def _listed(spec: Spec, selection: Selection) -> Iterator[Need]:
    for listed in selection.images:
        for settings in settings_of(spec):
            for text, resolution in _consumers(settings, listed):
                reasons = (listed.because, because(spec, settings.mirrors.node, text))
                yield Need(listed.image, resolution, reasons)


def _consumers(settings: Settings, listed: ListedImage) -> Iterator[tuple[str, Resolution]]:
    """Who asks for an image, and where."""
    if settings.feeds_webhook:
        for written in _spellings(listed.image):
            yield _POD, through_webhook(settings, written)
    yield _NODE, by_node(settings, str(listed.image))


def _spellings(image: ImageRef) -> Iterator[str]:
    """How pods may write an image: an official one of Docker Hub also by its last part alone."""
    yield str(image)
    if image.registry == DOCKER_HUB and image.repository.startswith(_OFFICIAL):
        yield str(image).removeprefix(f"{DOCKER_HUB}/{_OFFICIAL}")


def _named(spec: Spec) -> Iterator[Need]:
    """The images that start before the webhook does: the values name them by their private address."""
    root = values(spec)
    nodes = [
        *(root.get("image", name) for name in CERT_MANAGER_IMAGES),
        *(root.get("config", "imageSwapImages", name) for name in WEBHOOK_IMAGES),
    ]
    for node in nodes:
        if need := _named_need(spec, node):
            yield need


def _named_need(spec: Spec, node: Node) -> Need | None:
    """The need behind a full private address, which ends in the public one."""
    try:
        target = parse_image(node.string())
        source = parse_image(_public_part(node.string()))
    except InputError:
        return None  # the linter says what is wrong with it
    reason: tuple[Because, ...] = (because(spec, node, f"named by {node.path[-1]}"),)
    return Need(source, Resolution(source, attempts({}, target)), reason)


def _public_part(address: str) -> str:
    """``registry/base/quay.io/a/b:1`` → ``quay.io/a/b:1``; an address without another host in it as it is."""
    head, *rest = address.split("/")
    for number, step in enumerate(rest[:-1]):
        if "." in step:
            return "/".join(rest[number:])
    return "/".join((head, *rest))
