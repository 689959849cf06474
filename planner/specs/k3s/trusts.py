"""How registries.yaml lets its nodes reach the registries behind its endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import ABSENT, Node, Spec
from planner.core.family import Trust, trust
from planner.specs.k3s.registries import configs, listed


def trusts(spec: Spec) -> Iterator[Trust]:
    """One for each endpoint that K3s uses. A CA is a path on the node, so its content is not known."""
    known = configs(spec)
    for each in listed(spec):
        rendered = each.rendered
        if rendered and rendered.url:
            skip = known.get(each.config_name, ABSENT).get("tls", "insecure_skip_verify")
            node = skip if skip.is_true() else each.node
            yield trust(rendered.url, node, is_verified=not skip.is_true())


def mirror_map(spec: Spec) -> Node:
    """The block of mirrors."""
    return spec.root.get("mirrors")
