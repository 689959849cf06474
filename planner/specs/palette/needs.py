"""Which images Palette needs, and under which names its two consumers ask for them; packs come on top (``packs``).

Palette's makers publish no list: support gives ``images.txt`` with each release, one image per line. An image is wanted
under the name that the webhook gives it and under the one that a node makes of it. They differ for official images
(``nginx`` and ``library/nginx``), and wherever only one of the two finds an entry.

Source: spectrocloud/librarium 02df8c88 docs/docs-content (eks-ecr-airgap-install.md, the list).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import NamedTuple

from planner.core.document import Node, Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import ListedImage, Need, Selection, because
from planner.core.refs import DOCKER_HUB, ImageRef
from planner.core.resolution import Resolution
from planner.specs.palette.mirrors import shown
from planner.specs.palette.nodes import (
    by_node,
    directly,
    image_change,
    through_map,
    through_webhook,
)
from planner.specs.palette.packs import pack_needs
from planner.specs.palette.pins import pins
from planner.specs.palette.settings import Settings, settings_of

_OFFICIAL = "library/"
_PACKS = "packs.txt"
_POD = "the image-swap webhook"
_NODE = "the nodes' containerd"


class _Asked(NamedTuple):
    """How one consumer asks for an image: ``node`` is what in the file makes it do so."""

    node: Node
    text: str
    resolution: Resolution


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Each listed image under each name that a consumer asks for, the images that the values name themselves, and packs.

    Raises:
        UsageError: there is no list, one of images is one of packs, or it is not said where packs come from or go.
        InputError: the file makes a configuration that containerd refuses, or names what is no image.
    """
    named = list(pins(spec))
    redirects = bool(settings_of(spec)) or bool(image_change(spec))
    _check(spec, selection, is_wanted=redirects or not named)
    found: dict[tuple[ImageRef, ImageRef | None], Need] = {}
    packs = pack_needs(spec, selection)
    for need in (*_listed(spec, selection.images), *named, *packs):
        first = found.setdefault((need.source, need.target), need)
        reasons = dict.fromkeys((*first.because, *need.because))
        found[need.source, need.target] = first._replace(because=tuple(reasons))
    yield from found.values()


def _check(spec: Spec, selection: Selection, *, is_wanted: bool) -> None:
    if is_wanted and not (selection.images or selection.packs or selection.packs_from):
        raise UsageError(
            f"{spec.file}: this file does not say which images a release brings",
            "give the list that comes with it (--images images.txt); it may stand in planner.yaml",
        )
    for listed in selection.images:
        if PurePath(listed.because.file).name == _PACKS:
            raise UsageError(
                f"{listed.because.file}: these are packs, not images",
                f"give them as such: --packs {listed.because.file} --packs-from REGISTRY/BASE",
            )


def _listed(spec: Spec, images: Iterable[ListedImage]) -> Iterator[Need]:
    for listed in images:
        for asked in _asked(spec, listed.image):
            reasons = (listed.because, because(spec, asked.node, asked.text))
            yield Need(listed.image, asked.resolution, reasons)


def _asked(spec: Spec, image: ImageRef) -> Iterator[_Asked]:
    """Who asks for an image, and where."""
    for settings in settings_of(spec):
        try:
            yield from _where_any_is(image, _of_settings(settings, image))
        except InputError as error:
            raise InputError(f"{spec.file}: {error.message}", error.hint) from error
    if change := image_change(spec):
        ways = (through_map(change, each) for each in _spellings(image))
        yield from _where_any_is(image, (_Asked(change, _of_pod(each), each) for each in ways))
    elif not settings_of(spec):
        text = "nothing in this file redirects it"
        yield _Asked(spec.root, text, directly(str(image)))


def _of_settings(settings: Settings, image: ImageRef) -> Iterator[_Asked]:
    node = settings.mirrors.node
    if settings.feeds_webhook:
        for written in _spellings(image):
            resolution = through_webhook(settings, written)
            yield _Asked(node, _of_pod(resolution), resolution)
    resolution = by_node(settings, str(image))
    yield _Asked(node, _of_node(resolution), resolution)


def _where_any_is(image: ImageRef, asked: Iterable[_Asked]) -> list[_Asked]:
    """Those who ask a private registry; the first when there is none, since an image is never left out.

    A list that is right for the webhook leads containerd nowhere (``/v2``), and a pattern may be made for one spelling: that
    is not held against an image that its pods will find.
    """
    found = list(asked)
    placed = [each for each in found if Need(image, each.resolution, ()).target]
    return placed or found[:1]


def _spellings(image: ImageRef) -> Iterator[str]:
    """How pods may write an image: one of Docker Hub without the host, an official one by its last part alone."""
    text = str(image)
    yield text
    if image.registry == DOCKER_HUB:
        yield text.removeprefix(f"{DOCKER_HUB}/")
        if image.repository.startswith(_OFFICIAL):
            yield text.removeprefix(f"{DOCKER_HUB}/{_OFFICIAL}")


def _of_pod(resolution: Resolution) -> str:
    name = next((each.image for each in resolution.rewrites), None)
    if name is None:
        return f"left as it is by {_POD}"
    if not name:
        return f"{_POD} fails on it: the pod is refused"
    if not resolution.attempts:
        return f"{_POD} makes it {shown(name)}, which no node can pull"
    return f"renamed by {_POD} in a pod"


def _of_node(resolution: Resolution) -> str:
    need = Need(resolution.image, resolution, ())
    if need.home and not need.target:
        return f"asked for by {_NODE} at {need.home.url}, which is not below /v2 of a host"
    return f"asked for by {_NODE}, which no webhook changes"
