"""TinkerbellMachineConfig: which hardware, and for whom."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.rules.reading import (
    deepest,
    reached,
    title,
    whole,
)

_MACHINE = "TinkerbellMachineConfig"


@rule("EKS183")
def unusable_hardware_selection(spec: Spec) -> Iterator[Hit]:
    """A TinkerbellMachineConfig does not choose its hardware in exactly one way.

    It is a hardwareSelector with exactly one pair, or a hardwareAffinity.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/tinkerbellmachineconfig.go:111-147.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          hardwareSelector: {type: cp, rack: north}  # <- EKS183
          users: [{name: ec2-user}]

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          hardwareSelector: {type: cp}
          users: [{name: ec2-user}]
    """
    for document in reached(spec, _MACHINE):
        selector = document.get("spec", "hardwareSelector")
        affinity = document.get("spec", "hardwareAffinity")
        pairs = len(dict(selector.fields()))
        if selector.kind == "sequence" or (selector.kind == "scalar" and not selector.is_null()):
            continue
        if pairs and not affinity.is_null():
            message = (
                "hardwareSelector and hardwareAffinity stand together: EKS Anywhere refuses that"
            )
            yield Hit(affinity, message, "keep one", related=((selector, "the other one"),))
        elif not pairs and affinity.is_null():
            message = f"{title(document)} selects no hardware: EKS Anywhere refuses the file"
            place = deepest(document, "spec", "hardwareSelector")
            yield Hit(place, message, "write hardwareSelector with one label of the machines")
        elif pairs > 1:
            message = f"hardwareSelector has {pairs} pairs: EKS Anywhere takes exactly one"
            yield Hit(selector, message, "keep one, or write hardwareAffinity")


@rule("EKS184")
def invalid_hardware_affinity(spec: Spec) -> Iterator[Hit]:
    """A hardwareAffinity requires nothing, or has a term that cannot match.

    At least one term must be required, weights are from 1 to 100, and an expression has one of the operators In and
    NotIn (with values) or Exists and DoesNotExist (without).

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/tinkerbellmachineconfig.go:149-212.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          users: [{name: ec2-user}]
          hardwareAffinity:
            required:
            - labelSelector:
                matchExpressions:
                - {key: rack, operator: Exists, values: [north]}  # <- EKS184
            preferred:
            - weight: 0  # <- EKS184
              hardwareAffinityTerm: {labelSelector: {matchLabels: {type: cp}}}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          users: [{name: ec2-user}]
          hardwareAffinity:
            required:
            - labelSelector:
                matchExpressions:
                - {key: rack, operator: In, values: [north]}
            preferred:
            - weight: 10
              hardwareAffinityTerm: {labelSelector: {matchLabels: {type: cp}}}
    """
    for document in reached(spec, _MACHINE):
        affinity = document.get("spec", "hardwareAffinity")
        if affinity.kind != "mapping":
            continue
        required = affinity.get("required")
        if not required.items and required.kind in ("sequence", "absent"):
            message = "hardwareAffinity requires nothing: EKS Anywhere refuses that"
            yield Hit(deepest(affinity, "required"), message, "add a term to required")
        for term in required.items:
            yield from _expressions(term.get("labelSelector"))
        for weighted in affinity.get("preferred").items:
            yield from _weight(weighted)
            yield from _expressions(weighted.get("hardwareAffinityTerm", "labelSelector"))


@rule("EKS185", Severity.WARNING)
def missing_machine_user(spec: Spec) -> Iterator[Hit]:
    """A TinkerbellMachineConfig has no users.

    The CLI adds one with a key that it makes; the webhook refuses the document when it comes from kubectl or GitOps.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/tinkerbellmachineconfig.go:100-102,
    pkg/providers/tinkerbell/create.go:129-149, ssh.go:53-72.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          hardwareSelector: {type: cp}
          users: []  # <- EKS185

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          hardwareSelector: {type: cp}
          users:
          - name: ec2-user
            sshAuthorizedKeys: [ssh-ed25519 AAAA]
    """
    for document in reached(spec, _MACHINE):
        users = document.get("spec", "users")
        if users.is_null() or (users.kind == "sequence" and not users.items):
            message = f"{title(document)} has no users: the CLI adds one with a new key, and the webhook refuses it"
            yield Hit(deepest(document, "spec", "users"), message, "add a user with your key")


def _weight(weighted: Node) -> Iterator[Hit]:
    weight = weighted.get("weight")
    value = whole(weight)
    if value is not None and not 1 <= value <= 100:
        message = f"the weight {value} is not from 1 to 100: EKS Anywhere refuses it"
        yield Hit(deepest(weighted, "weight"), message, "write a weight from 1 to 100")


def _expressions(selector: Node) -> Iterator[Hit]:
    for each in selector.get("matchExpressions").items:
        operator, values = each.get("operator"), each.get("values")
        if operator.kind in ("mapping", "sequence"):
            continue
        place, message = values or each, ""
        match operator.string():
            case "In" | "NotIn" if not values.items:
                message = f"operator {operator.string()} needs values"
            case "Exists" | "DoesNotExist" if values.items:
                message = f"operator {operator.string()} takes no values"
            case "In" | "NotIn" | "Exists" | "DoesNotExist":
                continue
            case other:
                place, message = deepest(each, "operator"), f"there is no operator {other!r}"
        hint = "In or NotIn with values, Exists or DoesNotExist without"
        yield Hit(place, f"{message}: EKS Anywhere refuses that", hint)
