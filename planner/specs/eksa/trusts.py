"""How a cluster file lets its nodes reach the mirror."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.family import Trust, trust
from planner.specs.eksa.mirror import configuration, mirror_of


def trusts(spec: Spec) -> Iterator[Trust]:
    """The mirror, which EKS Anywhere knows by https alone."""
    mirror, node = mirror_of(spec), configuration(spec)
    if mirror and node.get("endpoint"):
        says = node.get("endpoint" if mirror.is_verified else "insecureSkipVerify")
        url = f"https://{mirror.base}"
        yield trust(url, says, is_verified=mirror.is_verified, ca=mirror.ca)
