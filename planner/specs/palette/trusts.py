"""How values and the Secret let nodes reach the image registry."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import ABSENT, Node, Spec
from planner.core.family import Trust, trust
from planner.specs.palette.certificates import pem_of
from planner.specs.palette.mirrors import host_of
from planner.specs.palette.settings import settings_of


def trusts(spec: Spec) -> Iterator[Trust]:
    """The endpoint of each image registry that the file describes."""
    for settings in settings_of(spec):
        endpoint = settings.endpoint
        if endpoint.text:
            skips = settings.skips_verification
            scheme = "http" if endpoint.text.startswith("http://") else "https"
            yield trust(
                f"{scheme}://{host_of(endpoint.text)}",
                settings.insecure.node if skips else endpoint.node,
                is_verified=not skips,
                ca=pem_of(settings.authority.text),
            )


def mirror_map(spec: Spec) -> Node:
    """The list of mirrors."""
    return next((each.mirrors.node for each in settings_of(spec)), ABSENT)
