"""The network plug-in."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Edit, Fix, Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.lookup import is_missing
from planner.specs.eksa.rules.reading import deepest, is_blank

_NETWORK = ("spec", "clusterNetwork")
_CONFIG = (*_NETWORK, "cniConfig")
_PLUGINS = ("cilium", "kindnetd")
_WORDS = ("cilium", "cilium-enterprise", "kindnetd")
_MODES = ("default", "always", "never")
_ROUTING = ("overlay", "direct")
_REPLACED_BY_VALUES = (
    "policyEnforcementMode egressMasqueradeInterfaces routingMode ipv4NativeRoutingCIDR"
    " ipv6NativeRoutingCIDR cniExclusive"
).split()


@rule("EKS045")
def not_one_network_plugin(spec: Spec) -> Iterator[Hit]:
    """The cluster does not have exactly one network plug-in.

    It stands in ``cniConfig``, as a mapping that may be empty: ``cilium:`` without ``{}`` is null, and null is none. The old
    ``cni`` still works with the words cilium, cilium-enterprise and kindnetd, but not together with ``cniConfig``.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:796-841, cluster_defaults.go:67-84.

    Bad:
        kind: Cluster
        spec:
          clusterNetwork:
            cniConfig:
              cilium:  # <- EKS045

    Good:
        kind: Cluster
        spec:
          clusterNetwork:
            cniConfig:
              cilium: {}

    Fixed:
        kind: Cluster
        spec:
          clusterNetwork:
            cniConfig:
              cilium: {}
    """
    root = cluster(spec)
    word, config = root.get(*_NETWORK, "cni"), root.get(*_CONFIG)
    if word.string():
        yield from _old_word(word, config)
    elif root and is_missing(root, *_CONFIG):
        message = "clusterNetwork has no network plug-in: EKS Anywhere refuses the file"
        yield Hit(deepest(root, *_CONFIG), message, "cniConfig: {cilium: {}}")
    elif config.kind == "mapping":
        yield from _not_one(config)


def _old_word(word: Node, config: Node) -> Iterator[Hit]:
    if not config.is_null():
        message = "cni and cniConfig are both given: EKS Anywhere refuses the file"
        yield Hit(word, message, "remove cni", related=((config, "cniConfig"),))
    elif word.string() not in _WORDS:
        near = closest(word.string(), _WORDS)
        hint = f"did you mean {near}?" if near else "cniConfig: {cilium: {}}"
        yield Hit(word, f"EKS Anywhere knows no network plug-in {word.text!r}", hint)


def _not_one(config: Node) -> Iterator[Hit]:
    given = [each for each in _PLUGINS if not config.get(each).is_null()]
    if len(given) > 1:
        message = "cniConfig has two network plug-ins: EKS Anywhere refuses the file"
        yield Hit(config.get(given[1]), message, "keep one", on_key=True)
    if given:
        return
    null = next((each for each in _PLUGINS if config.get(each)), "")
    if null:
        node = config.get(null)
        message = f"{null} is null, which is no network plug-in: EKS Anywhere refuses the file"
        fix = Fix(f"make {null} an empty mapping", (Edit(node.span, "{}" if node.text else " {}"),))
        yield Hit(node, message, f"{null}: {{}}", on_key=True, fix=fix)
    else:
        message = "cniConfig has no network plug-in: EKS Anywhere refuses the file"
        yield Hit(config, message, "cilium: {}")


@rule("EKS046")
def kindnetd_outside_docker(spec: Spec) -> Iterator[Hit]:
    """A cluster outside Docker has kindnetd for its network plug-in.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:737-741.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          clusterNetwork:
            cniConfig:
              kindnetd: {}  # <- EKS046

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
          clusterNetwork:
            cniConfig:
              kindnetd: {}
    """
    if provider(spec) == "Docker":
        return
    root = cluster(spec)
    word, node = root.get(*_NETWORK, "cni"), root.get(*_CONFIG, "kindnetd")
    message = "kindnetd is for Docker only: EKS Anywhere refuses the file"
    if word.string() == "kindnetd":
        yield Hit(word, message, "cniConfig: {cilium: {}}")
    if not node.is_null():
        yield Hit(node, message, "cilium: {}", on_key=True)


@rule("EKS047")
def inconsistent_cilium_settings(spec: Spec) -> Iterator[Hit]:
    """Settings of Cilium that EKS Anywhere does not know, or not together.

    ``skipUpgrade`` excludes a policy mode; direct routing needs ``ipv4NativeRoutingCIDR``; the policy mode is default, always
    or never. Any other routing mode than direct means overlay, whatever the word.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:843-867, pkg/networking/cilium/templater.go:266,318.

    Bad:
        kind: Cluster
        spec:
          clusterNetwork:
            cniConfig:
              cilium:
                policyEnforcementMode: sometimes  # <- EKS047
                routingMode: direct  # <- EKS047

    Good:
        kind: Cluster
        spec:
          clusterNetwork:
            cniConfig:
              cilium:
                policyEnforcementMode: always
                routingMode: direct
                ipv4NativeRoutingCIDR: 192.168.0.0/16
    """
    cilium = cluster(spec).get(*_CONFIG, "cilium")
    mode, routing = cilium.get("policyEnforcementMode"), cilium.get("routingMode")
    if mode.string() and cilium.get("skipUpgrade").is_true():
        message = "EKS Anywhere refuses policyEnforcementMode together with skipUpgrade"
        yield Hit(mode, message, "remove one of them")
    elif mode.string() and mode.string() not in _MODES:
        message = f"EKS Anywhere knows no policyEnforcementMode {mode.text!r}"
        yield Hit(mode, message, f"one of {', '.join(_MODES)}")
    if routing.string() == "direct" and is_blank(cilium.get("ipv4NativeRoutingCIDR")):
        message = "direct routing needs ipv4NativeRoutingCIDR: EKS Anywhere refuses the file"
        yield Hit(routing, message, "ipv4NativeRoutingCIDR: the pods' range")
    elif routing.string() and routing.string() not in _ROUTING:
        message = f"EKS Anywhere knows no routingMode {routing.text!r} and takes overlay"
        hint = f"one of {', '.join(_ROUTING)}"
        yield Hit(routing, message, hint, severity=Severity.WARNING)


@rule("EKS048", Severity.WARNING)
def ignored_cilium_setting(spec: Spec) -> Iterator[Hit]:
    """A setting of Cilium is ignored, because there are ``helmValues``.

    They are taken as they are, instead of the values that EKS Anywhere makes of the other settings.

    Source: aws/eks-anywhere aebd9a0 pkg/networking/cilium/templater.go:157-166,245-250.

    Bad:
        kind: Cluster
        spec:
          clusterNetwork:
            cniConfig:
              cilium:
                policyEnforcementMode: always  # <- EKS048
                helmValues: {ipam: {mode: kubernetes}}

    Good:
        kind: Cluster
        spec:
          clusterNetwork:
            cniConfig:
              cilium:
                helmValues: {policyEnforcementMode: always, ipam: {mode: kubernetes}}
    """
    cilium = cluster(spec).get(*_CONFIG, "cilium")
    values = cilium.get("helmValues")
    for key in _REPLACED_BY_VALUES if values.kind == "mapping" else ():
        if not cilium.get(key).is_null():
            message = f"EKS Anywhere ignores {key}, since there are helmValues"
            related = ((values, "helmValues"),)
            yield Hit(cilium.get(key), message, "move it to helmValues", related=related)
