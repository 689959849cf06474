"""How nodes are replaced in an upgrade."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.lookup import is_missing, number
from planner.specs.eksa.rules.reading import deepest, group_holders, worker_groups

_ROLLING, _IN_PLACE = "RollingUpdate", "InPlace"
_TYPES = (_ROLLING, _IN_PLACE)
_SWITCH = "VSPHERE_IN_PLACE_UPGRADE"
_STRATEGY = "upgradeRolloutStrategy"


@rule("EKS030")
def unknown_rollout_strategy(spec: Spec) -> Iterator[Hit]:
    """The type of an upgrade strategy is missing, or not one that EKS Anywhere knows.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:1019-1021,1057-1059.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            upgradeRolloutStrategy:
              type: Rolling  # <- EKS030

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            upgradeRolloutStrategy:
              type: RollingUpdate
    """
    for name, strategy in _strategies(spec):
        node = strategy.get("type")
        known = " or ".join(_TYPES)
        if is_missing(strategy, "type"):
            message = f"the upgrade strategy of {name} has no type: EKS Anywhere refuses the file"
            yield Hit(node or strategy, message, f"type: {known}")
        elif node.kind == "scalar" and node.string() not in _TYPES:
            near = closest(node.text, _TYPES)
            hint = f"did you mean {near}?" if near else known
            yield Hit(node, f"EKS Anywhere knows no upgrade strategy {node.text!r}", hint)


@rule("EKS031")
def unusable_rollout_numbers(spec: Spec) -> Iterator[Hit]:
    """The numbers of a rolling upgrade are missing, negative, or leave it no room.

    The control plane may have one more machine, or none. A worker group must give the numbers, and not both may be 0: then no
    machine could be added or taken away.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:993-1002,1031-1042.

    Bad:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            upgradeRolloutStrategy:
              type: RollingUpdate
              rollingUpdate: {maxSurge: 0, maxUnavailable: 0}  # <- EKS031

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            upgradeRolloutStrategy:
              type: RollingUpdate
              rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
    """
    plane = cluster(spec).get("spec", "controlPlaneConfiguration", _STRATEGY)
    if plane.get("type").string() == _ROLLING:
        surge = number(plane, "rollingUpdate", "maxSurge")
        if surge is not None and not 0 <= surge <= 1:
            message = f"maxSurge of the control plane is {surge}: EKS Anywhere allows 0 and 1"
            yield Hit(plane.get("rollingUpdate", "maxSurge"), message, "maxSurge: 1")
    for name, strategy in _strategies(spec):
        if strategy is not plane and strategy.get("type").string() == _ROLLING:
            yield from _unusable(name, strategy)


def _unusable(name: str, strategy: Node) -> Iterator[Hit]:
    numbers = strategy.get("rollingUpdate")
    if numbers.is_null():
        message = f"{_ROLLING} of {name} needs rollingUpdate: EKS Anywhere refuses the file"
        yield Hit(numbers or strategy, message, "rollingUpdate: {maxSurge: 1, maxUnavailable: 0}")
        return
    keys = ("maxSurge", "maxUnavailable")
    found = {key: number(numbers, key) for key in keys}
    for key, value in found.items():
        if value is not None and value < 0:
            yield Hit(numbers.get(key), f"{key} of {name} is {value}", f"{key}: 0 or more")
    if all(value == 0 for value in found.values()):
        message = f"maxSurge and maxUnavailable of {name} are both 0: no machine could be replaced"
        yield Hit(numbers, message, "maxSurge: 1", on_key=True)


@rule("EKS032")
def in_place_with_rolling_update(spec: Spec) -> Iterator[Hit]:
    """An upgrade in place has the numbers of a rolling one.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:1003-1006,1044-1047.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy:
              type: InPlace
              rollingUpdate: {maxSurge: 1}  # <- EKS032

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy:
              type: InPlace
    """
    for name, strategy in _strategies(spec):
        numbers = strategy.get("rollingUpdate")
        if strategy.get("type").string() == _IN_PLACE and not numbers.is_null():
            message = f"{name} is upgraded {_IN_PLACE}, so EKS Anywhere refuses rollingUpdate"
            yield Hit(numbers, message, "remove rollingUpdate")


@rule("EKS033")
def in_place_not_supported(spec: Spec) -> Iterator[Hit]:
    """Upgrades in place are not to be had on this provider.

    Bare metal has them. vSphere has them when ``VSPHERE_IN_PLACE_UPGRADE=true`` stands in the environment of the command, and
    then not with external etcd.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:1007-1018,1048-1056.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: CloudStackDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy:
              type: InPlace  # <- EKS033

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy:
              type: InPlace
    """
    below, where = cluster(spec).get("spec"), provider(spec)
    plane = below.get("controlPlaneConfiguration", _STRATEGY)
    etcd = below.get("externalEtcdConfiguration")
    for _, strategy in _strategies(spec):
        node = strategy.get("type")
        if node.string() != _IN_PLACE or where == "Tinkerbell":
            continue
        if where != "VSphere":
            message = f"{_IN_PLACE} upgrades are for bare metal: EKS Anywhere refuses the file"
            yield Hit(node, message, f"type: {_ROLLING}")
        elif strategy is plane and not etcd.is_null():
            message = f"EKS Anywhere refuses {_IN_PLACE} upgrades together with external etcd"
            related = ((etcd, "external etcd"),)
            yield Hit(node, message, f"type: {_ROLLING}", related=related)
        else:
            message = (
                f"{_IN_PLACE} is refused on vSphere unless {_SWITCH} is true in the environment"
            )
            yield Hit(node, message, f"export {_SWITCH}=true", severity=Severity.WARNING)


@rule("EKS034")
def mixed_rollout_strategies(spec: Spec) -> Iterator[Hit]:
    """On bare metal, the control plane and a worker group are upgraded in different ways.

    Without a strategy it is RollingUpdate.

    Source: aws/eks-anywhere aebd9a0 pkg/providers/tinkerbell/validate.go:66-94.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy: {type: InPlace}
          workerNodeGroupConfigurations:
          - name: md-0  # <- EKS034

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy: {type: InPlace}
          workerNodeGroupConfigurations:
          - name: md-0
            upgradeRolloutStrategy: {type: InPlace}
    """
    plane = cluster(spec).get("spec", "controlPlaneConfiguration")
    for group in worker_groups(spec) if provider(spec) == "Tinkerbell" else ():
        one, other = _type(plane), _type(group)
        if {one, other} == set(_TYPES):
            message = f"this worker group is upgraded by {other}, the control plane by {one}: bare metal refuses that"
            yield Hit(deepest(group, _STRATEGY, "type"), message, f"type: {one}")


@rule("EKS035")
def in_place_with_autoscaling(spec: Spec) -> Iterator[Hit]:
    """On bare metal, a worker group is autoscaled although upgrades are in place.

    Source: aws/eks-anywhere aebd9a0 pkg/providers/tinkerbell/validate.go:97-110.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy: {type: InPlace}
          workerNodeGroupConfigurations:
          - name: md-0
            upgradeRolloutStrategy: {type: InPlace}
            autoscalingConfiguration: {minCount: 1, maxCount: 3}  # <- EKS035

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy: {type: InPlace}
          workerNodeGroupConfigurations:
          - name: md-0
            count: 3
            upgradeRolloutStrategy: {type: InPlace}
    """
    plane = cluster(spec).get("spec", "controlPlaneConfiguration")
    is_in_place = provider(spec) == "Tinkerbell" and _type(plane) == _IN_PLACE
    for group in worker_groups(spec) if is_in_place else ():
        bounds = group.get("autoscalingConfiguration")
        if not bounds.is_null():
            message = f"bare metal refuses autoscaling together with {_IN_PLACE} upgrades"
            yield Hit(bounds, message, "remove autoscalingConfiguration")


def _strategies(spec: Spec) -> Iterator[tuple[str, Node]]:
    """Each strategy that is written, with whose it is; external etcd has none."""
    for name, holder in group_holders(spec):
        strategy = holder.get(_STRATEGY)
        if strategy.kind == "mapping":
            yield name, strategy


def _type(holder: Node) -> str:
    strategy = holder.get(_STRATEGY)
    return _ROLLING if strategy.is_null() else strategy.get("type").string()
