"""Worker groups: that there are some, their names and their sizes."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, rule
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.lookup import (
    DEFAULT_GROUP,
    group_name,
    is_missing,
    is_self_managed,
    number,
)
from planner.specs.eksa.rules.reading import deepest, worker_groups

_GROUPS = ("spec", "workerNodeGroupConfigurations")
_PLANE_TAINTS = ("spec", "controlPlaneConfiguration", "taints")
_LAST_WITH_WORKERS = "1.21"
_REPELLING = ("NoExecute", "NoSchedule")


@rule("EKS025")
def missing_worker_groups(spec: Spec) -> Iterator[Hit]:
    """The cluster has no worker groups.

    Only bare metal can do without, from Kubernetes 1.22 on: the control plane then takes the workload. EKS Anywhere compares
    the versions as texts.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:612-619,672-674.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
          workerNodeGroupConfigurations: []  # <- EKS025

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
          workerNodeGroupConfigurations:
          - {name: md-0, count: 1}
    """
    root = cluster(spec)
    if not _has_no_groups(root):
        return
    place, version = deepest(root, *_GROUPS), root.get("spec", "kubernetesVersion")
    if provider(spec) != "Tinkerbell":
        message = "there are no worker groups: only bare metal can do without"
        yield Hit(place, message, f"- {{name: {DEFAULT_GROUP}, count: 1, …}}")
    elif version.string() <= _LAST_WITH_WORKERS and version.kind in ("scalar", "absent"):
        message = f"there are no worker groups, which needs Kubernetes above {_LAST_WITH_WORKERS}"
        yield Hit(place, message, "add a group, or write a later version")


@rule("EKS026")
def unnamed_worker_group(spec: Spec) -> Iterator[Hit]:
    """A worker group has no name.

    Only the first one has a default: md-0.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:624-626, cluster_defaults.go:50-53.

    Bad:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - count: 1
          - count: 2  # <- EKS026

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - count: 1
          - name: md-1
            count: 2
    """
    for index, group in enumerate(worker_groups(spec)):
        if index and is_missing(group, "name"):
            message = f"worker group {index + 1} has no name: EKS Anywhere refuses the file"
            yield Hit(group.get("name") or group, message, f"name: md-{index}")


@rule("EKS027")
def repeated_worker_group(spec: Spec) -> Iterator[Hit]:
    """Two worker groups have the same name.

    The first group is called md-0 when it has no name.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:642-644, cluster_defaults.go:50-53.

    Bad:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - count: 1
          - name: md-0  # <- EKS027

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
          - name: md-1
    """
    first: dict[str, Node] = {}
    for index, group in enumerate(worker_groups(spec)):
        name = group_name(group, index)
        if name in first:
            message = f"another worker group is called {name}, too: EKS Anywhere refuses the file"
            related = ((first[name], f"the first {name}"),)
            yield Hit(group.get("name") or group, message, "choose another name", related=related)
        elif name:
            first[name] = group.get("name") or group


@rule("EKS028")
def nowhere_to_schedule(spec: Spec) -> Iterator[Hit]:
    """Taints keep the workload off every node.

    A cluster that manages itself runs EKS Anywhere's controllers, so one worker group must be without ``NoSchedule`` and
    ``NoExecute``. Without workers, the control plane must not be tainted.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:646-670.

    Bad:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            taints:
            - {key: dedicated, effect: NoSchedule}  # <- EKS028

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            taints:
            - {key: dedicated, effect: PreferNoSchedule}
    """
    root, groups = cluster(spec), worker_groups(spec)
    repelling = [_repelling(group) for group in groups]
    if groups and all(repelling) and is_self_managed(spec):
        message = "all worker groups have NoSchedule or NoExecute taints: EKS Anywhere refuses that"
        hint = "leave one group without, or use PreferNoSchedule"
        yield Hit(repelling[0][0], message, hint)
    taints = root.get(*_PLANE_TAINTS)
    if _has_no_groups(root) and taints.items:
        message = (
            "the control plane is tainted, and there are no workers: EKS Anywhere refuses that"
        )
        yield Hit(taints, message, "remove the taints, or add a worker group")


@rule("EKS029")
def inconsistent_autoscaling(spec: Spec) -> Iterator[Hit]:
    """A worker group's size is negative, or does not lie within the bounds of its autoscaling.

    0 <= minCount <= count <= maxCount. Without a count, the group begins with minCount nodes.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:679-703, cluster_defaults.go:55-62.

    Bad:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            count: 6  # <- EKS029
            autoscalingConfiguration: {minCount: 1, maxCount: 5}

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            count: 3
            autoscalingConfiguration: {minCount: 1, maxCount: 5}
    """
    for group in worker_groups(spec):
        bounds, node = group.get("autoscalingConfiguration"), group.get("count")
        count = number(group, "count")
        if bounds.is_null():
            if count is not None and count < 0:
                message = f"a worker group of {count} nodes: EKS Anywhere refuses the file"
                yield Hit(node, message, "count: 0 or more")
        elif bounds.kind == "mapping":
            low, high = number(bounds, "minCount"), number(bounds, "maxCount")
            if low is not None and high is not None:
                yield from _out_of_bounds(bounds, low, high)
                if (
                    low <= high
                    and not node.is_null()
                    and count is not None
                    and not low <= count <= high
                ):
                    message = f"count {count} is not within minCount {low} and maxCount {high}"
                    yield Hit(node, message, "leave count out, or move the bounds")


def _out_of_bounds(bounds: Node, low: int, high: int) -> Iterator[Hit]:
    if low < 0:
        message = f"minCount is {low}: EKS Anywhere refuses the file"
        yield Hit(bounds.get("minCount"), message, "minCount: 0 or more")
    if low > high:
        place = bounds.get("maxCount") or bounds
        yield Hit(place, f"minCount {low} is above maxCount {high}", f"maxCount: {low} or more")


def _has_no_groups(root: Node) -> bool:
    groups = root.get(*_GROUPS)
    is_empty = groups.kind == "sequence" and not groups.items
    return bool(root) and (is_empty or is_missing(root, *_GROUPS))


def _repelling(group: Node) -> list[Node]:
    return [
        taint for taint in group.get("taints").items if taint.get("effect").string() in _REPELLING
    ]
