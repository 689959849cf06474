"""How values and the Secret let nodes reach the image registry, and what in a file redirects images."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.family import Trust, trust
from planner.specs.palette.certificates import pem_of
from planner.specs.palette.configtoml import with_scheme
from planner.specs.palette.nodes import image_change
from planner.specs.palette.settings import settings_of


def trusts(spec: Spec) -> Iterator[Trust]:
    """The endpoint of each image registry that the file describes."""
    for settings in settings_of(spec):
        if settings.endpoint.text:
            skips = settings.skips_verification
            yield trust(
                with_scheme(settings.endpoint.text),
                settings.insecure.node if skips else settings.endpoint.node,
                is_verified=not skips,
                ca=pem_of(settings.authority.text),
            )


def mirror_map(spec: Spec) -> Node:
    """The list of mirrors, or the map file of a cluster."""
    return next((each.mirrors.node for each in settings_of(spec)), image_change(spec))
