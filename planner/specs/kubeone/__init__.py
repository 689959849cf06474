"""KubeOne: the KubeOneCluster manifest (v1beta2), and the images of its releases."""

from __future__ import annotations

from planner.core.document import Spec
from planner.core.family import Family
from planner.core.lint import Structure, first_document
from planner.specs.kubeone.manifest import GROUP, KIND
from planner.specs.kubeone.needs import needs
from planner.specs.kubeone.render import render, resolve
from planner.specs.kubeone.rules import RULES
from planner.specs.kubeone.tables import releases
from planner.specs.kubeone.trusts import mirror_map, trusts


def matches(spec: Spec) -> bool:
    """Whether any document has KubeOne's API group or kind."""
    return any(
        each.get("apiVersion").string().startswith(f"{GROUP}/") or each.get("kind").string() == KIND
        for each in spec.documents
    )


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
    releases=releases,
    needs=needs,
    resolve=resolve,
    render=render,
    trusts=trusts,
    mirror_map=mirror_map,
)
