"""Labels and taints of nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.documents import cluster

_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME, _LONGEST_PREFIX = 63, 253
_LETTERS = "letters, digits, '-', '_' and '.', a letter or digit at both ends"
_KEY_HINT = f"[PREFIX/]NAME: at most {_LONGEST_NAME} {_LETTERS}"
_VALUE_HINT = f"at most {_LONGEST_NAME} {_LETTERS}; or nothing"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@rule("EKS020")
def invalid_node_label(spec: Spec) -> Iterator[Hit]:
    """A label of nodes is not one that Kubernetes accepts.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:486-491,705-711; kubernetes/apimachinery v0.36.2
    pkg/apis/meta/v1/validation/validation.go (``ValidateLabels``).

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            labels:
              tier: front end  # <- EKS020
              -zone: a  # <- EKS020

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            labels:
              example.com/tier: front-end
    """
    for holder in _holders(spec):
        for key, node in holder.get("labels").fields():
            if not _is_key(key):
                message = f"{key[:80]!r} is no key of a label: EKS Anywhere refuses the file"
                yield Hit(node, message, _KEY_HINT, on_key=True)
            if node.kind == "scalar" and not _is_value(node.string()):
                message = (
                    f"{node.text[:80]!r} is no value of a label: EKS Anywhere refuses the file"
                )
                yield Hit(node, message, _VALUE_HINT)


@rule("EKS021", Severity.WARNING)
def invalid_taint(spec: Spec) -> Iterator[Hit]:
    """A taint is not one that Kubernetes accepts.

    EKS Anywhere does not look. The kubelet is started with the taint, the API server refuses the node, and the cluster never
    comes up.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:611-677 (no check); kubernetes/kubernetes v1.36.0
    pkg/apis/core/validation/validation.go (``validateTaintEffect``, ``validateNodeTaints``).

    Bad:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            taints:
            - key: dedicated
              value: database
              effect: NoShedule  # <- EKS021

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - name: md-0
            taints:
            - key: dedicated
              value: database
              effect: NoSchedule
    """
    for holder in _holders(spec):
        for taint in holder.get("taints").items:
            if taint.kind == "mapping":
                yield from _taint(taint)


def _taint(taint: Node) -> Iterator[Hit]:
    key, value, effect = (taint.get(each) for each in ("key", "value", "effect"))
    if _is_text(key) and not _is_key(key.string()):
        what = f"{key.text[:80]!r} is no key of a taint" if key.string() else "the taint has no key"
        yield Hit(key or taint, f"{what}: the nodes cannot register", _KEY_HINT)
    if _is_text(value) and not _is_value(value.string()):
        message = f"{value.text[:80]!r} is no value of a taint: the nodes cannot register"
        yield Hit(value, message, _VALUE_HINT)
    if _is_text(effect) and effect.string() not in _EFFECTS:
        text = effect.string()
        what = f"{text!r} is no effect of a taint" if text else "the taint has no effect"
        near = closest(text, _EFFECTS)
        hint = f"did you mean {near}?" if near else f"one of {', '.join(_EFFECTS)}"
        yield Hit(effect or taint, f"{what}: the nodes cannot register", hint)


def _holders(spec: Spec) -> tuple[Node, ...]:
    below = cluster(spec).get("spec")
    groups = below.get("workerNodeGroupConfigurations").items
    return (below.get("controlPlaneConfiguration"), *groups)


def _is_text(node: Node) -> bool:
    return node.kind in ("scalar", "absent")


def _is_key(text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    is_named = len(name) <= _LONGEST_NAME and bool(_NAME.fullmatch(name))
    is_prefixed = len(prefix) <= _LONGEST_PREFIX and bool(_SUBDOMAIN.fullmatch(prefix))
    return is_named and (is_prefixed or not slash)


def _is_value(text: str) -> bool:
    return not text or (len(text) <= _LONGEST_NAME and bool(_NAME.fullmatch(text)))
