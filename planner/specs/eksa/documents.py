"""The documents of a cluster file, as EKS Anywhere finds them.

All nodes that come from here have the keys that EKS Anywhere knows in its own spelling, whatever their case in the file.

Source: aws/eks-anywhere aebd9a0, pkg/cluster/config_manager.go:107-164, pkg/cluster/apiobject.go:20-39.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from planner.core.document import ABSENT, Node, Spec
from planner.core.schema import load
from planner.specs.eksa.folding import folded

GROUP = "anywhere.eks.amazonaws.com"
API_VERSION = f"{GROUP}/v1alpha1"
CLUSTER = "Cluster"
SIBLINGS = (
    "AWSIamConfig",
    "CloudStackDatacenterConfig",
    "CloudStackMachineConfig",
    "DockerDatacenterConfig",
    "FluxConfig",
    "GitOpsConfig",
    "NutanixDatacenterConfig",
    "NutanixMachineConfig",
    "OIDCConfig",
    "SnowDatacenterConfig",
    "SnowIPPool",
    "SnowMachineConfig",
    "TinkerbellDatacenterConfig",
    "TinkerbellMachineConfig",
    "TinkerbellTemplateConfig",
    "VSphereDatacenterConfig",
    "VSphereMachineConfig",
)
_DATACENTER = "DatacenterConfig"
_NAME: Mapping[str, Any] = {"properties": {"name": {}}}
_HEAD: Mapping[str, Any] = {"properties": {"apiVersion": {}, "kind": {}, "metadata": _NAME}}


def head(document: Node) -> Node:
    """A document with ``apiVersion``, ``kind`` and ``metadata.name`` in this spelling."""
    return folded(document, _HEAD)


def kind_of(document: Node) -> str:
    """The kind of a document; empty when it has none."""
    return head(document).get("kind").string()


def schema_of(kind: str) -> str:
    """The name of the schema of a kind that EKS Anywhere reads; empty for any other kind."""
    return f"eksa/{kind.lower()}" if kind == CLUSTER or kind in SIBLINGS else ""


def is_ours(document: Node) -> bool:
    """Whether the document is of EKS Anywhere's API group, in any version."""
    return head(document).get("apiVersion").string().startswith(f"{GROUP}/")


def cluster(spec: Spec) -> Node:
    """The first document of kind Cluster; absent when there is none."""
    return _index(spec).cluster


def siblings(spec: Spec, kind: str = "") -> tuple[Node, ...]:
    """The other documents that EKS Anywhere reads, those of one kind when it is given, in the order of the file."""
    return _index(spec).by_kind.get(kind, ())


def sibling(spec: Spec, kind: str, name: str) -> Node:
    """The document of this kind and ``metadata.name``, the last one if there are several, as EKS Anywhere takes it."""
    return _index(spec).by_name.get((kind, name), ABSENT)


def provider(spec: Spec) -> str:
    """``VSphere``, ``Docker``, ``Tinkerbell``, ``Nutanix``, ``CloudStack`` or ``Snow``; empty when unknown."""
    kind = cluster(spec).get("spec", "datacenterRef", "kind").string()
    known = kind in SIBLINGS and kind.endswith(_DATACENTER)
    return kind.removesuffix(_DATACENTER) if known else ""


def datacenter(spec: Spec) -> Node:
    """The document that ``datacenterRef`` names."""
    return machine_config(spec, cluster(spec).get("spec", "datacenterRef"))


def machine_config(spec: Spec, ref: Node) -> Node:
    """The document that ``ref``, a mapping of kind and name, names."""
    return sibling(spec, ref.get("kind").string(), ref.get("name").string())


def machine_refs(spec: Spec) -> tuple[Node, ...]:
    """Each ``machineGroupRef`` there is: of the control plane, of the worker groups, of external etcd."""
    below = cluster(spec).get("spec")
    holders = (
        below.get("controlPlaneConfiguration"),
        *below.get("workerNodeGroupConfigurations").items,
        below.get("externalEtcdConfiguration"),
    )
    refs = (each.get("machineGroupRef") for each in holders)
    return tuple(each for each in refs if not each.is_null())


class _Index(NamedTuple):
    """``by_kind`` has all siblings under the empty kind."""

    cluster: Node
    by_kind: Mapping[str, tuple[Node, ...]]
    by_name: Mapping[tuple[str, str], Node]


@lru_cache(maxsize=16)
def _index(spec: Spec) -> _Index:
    kinds = [(each, kind_of(each)) for each in spec.documents]
    first = next((each for each, kind in kinds if kind == CLUSTER), None)
    found = [
        (kind, folded(each, load(schema_of(kind))))
        for each, kind in kinds
        if kind in SIBLINGS and is_ours(each)
    ]
    by_kind = {kind: tuple(each for other, each in found if other == kind) for kind, _ in found}
    by_kind[""] = tuple(each for _, each in found)
    by_name = {(kind, each.get("metadata", "name").string()): each for kind, each in found}
    return _Index(folded(first, load(schema_of(CLUSTER))) if first else ABSENT, by_kind, by_name)
