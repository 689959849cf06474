"""EKS Anywhere: the cluster file (a Cluster and its sibling documents)."""

from __future__ import annotations

from planner.core.document import Spec
from planner.core.family import Family, Images
from planner.specs.eksa.documents import is_ours
from planner.specs.eksa.layers import layers
from planner.specs.eksa.rules import RULES


def matches(spec: Spec) -> bool:
    """Whether any document is of EKS Anywhere's API group."""
    return any(map(is_ours, spec.documents))


def _images() -> Images:
    from planner.specs.eksa.images import IMAGES  # noqa: PLC0415 - lint does without

    return IMAGES


FAMILY = Family(
    name="eksa",
    title="EKS Anywhere cluster file",
    layers=layers,
    matches=matches,
    rules=RULES,
    images=_images,
)
