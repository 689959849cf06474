"""KubeOne: the KubeOneCluster manifest (v1beta2), and the images of its releases."""

from __future__ import annotations

from planner.core.document import Spec
from planner.core.family import Family, Images
from planner.core.lint import Structure, first_document
from planner.specs.kubeone.manifest import GROUP, KIND
from planner.specs.kubeone.rules import RULES


def matches(spec: Spec) -> bool:
    """Whether any document has KubeOne's API group or kind."""
    return any(
        each.get("apiVersion").string().startswith(f"{GROUP}/") or each.get("kind").string() == KIND
        for each in spec.documents
    )


def _images() -> Images:
    from planner.specs.kubeone.images import IMAGES  # noqa: PLC0415 - lint does without

    return IMAGES


FAMILY = Family(
    name="kubeone",
    title="KubeOne manifest (KubeOneCluster)",
    layers=first_document(
        Structure(
            schema="kubeone/kubeonecluster",
            unknown_key="KubeOne decodes strictly and refuses the manifest",
            wrong_type="KubeOne cannot decode it and refuses the manifest",
            duplicate_key="KubeOne refuses the manifest",
        )
    ),
    matches=matches,
    rules=RULES,
    images=_images,
)
