"""A map file of the image-swap webhook on its own: what it makes of an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.core.containerd import attempts
from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Images, Need, NodeFlags, Selection
from planner.core.refs import parse_image
from planner.core.resolution import Resolution, Rewrite
from planner.specs.palette.swap import SwapError, read_map, swapped


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Each listed image under the name that the webhook gives it.

    Raises:
        UsageError: there is no list.
    """
    if not selection.images:
        raise UsageError(
            f"{spec.file}: a map file does not say which images there are",
            "give a list: --images FILE",
        )
    for listed in selection.images:
        yield Need(
            listed.image, resolve(spec, str(listed.image), selection.flags), (listed.because,)
        )


def resolve(spec: Spec, written: str, _flags: NodeFlags) -> Resolution:
    """The webhook's name for the image of a pod, and where a node without mirrors looks for that."""
    image = parse_image(written)
    try:
        renamed = swapped(written, read_map(spec.text.removeprefix("\ufeff")))
    except SwapError:
        return Resolution(image, (), (Rewrite("imageswap", ""),))
    rewrites = (Rewrite("imageswap", renamed),) if renamed != written else ()
    try:
        return Resolution(image, attempts({}, parse_image(renamed)), rewrites)
    except InputError:
        return Resolution(image, (), rewrites)  # nothing can pull such a name


def render(_spec: Spec, _flags: NodeFlags) -> Mapping[str, str]:
    """Nothing: the webhook changes pods, not nodes."""
    return {}


IMAGES = Images(releases=dict, needs=needs, resolve=resolve, render=render)
