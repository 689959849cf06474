"""How values and the Secret let nodes and Palette itself reach registries, and what in a file redirects images."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.family import Trust, trust
from planner.specs.palette.blocks import PACKS, blocks
from planner.specs.palette.certificates import pem_of
from planner.specs.palette.configtoml import with_scheme
from planner.specs.palette.nodes import image_change
from planner.specs.palette.settings import settings_of


def trusts(spec: Spec) -> Iterator[Trust]:
    """The endpoint of each registry of images or packs that the file describes."""
    for settings in settings_of(spec):
        if settings.endpoint.text:
            skips = settings.skips_verification
            yield trust(
                with_scheme(settings.endpoint.text),
                settings.insecure.node if skips else settings.endpoint.node,
                is_verified=not skips,
                ca=pem_of(settings.authority.text),
            )
    for block in blocks(spec):
        if block.name in PACKS and block.endpoint:
            skip = block.node.get("insecureSkipVerify")
            yield trust(
                with_scheme(block.endpoint.strip()),
                skip if skip.is_true() else block.node.get("endpoint"),
                is_verified=not skip.is_true(),
                ca=pem_of(block.node.get("caCert").string()),
            )


def mirror_map(spec: Spec) -> Node:
    """The list of mirrors, or the map file of a cluster."""
    return next((each.mirrors.node for each in settings_of(spec)), image_change(spec))
