"""What the rules about sibling documents share: which documents count, where to point, and how Go reads their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from planner.core.document import Node, Spec, Step
from planner.core.gourl import parse_url
from planner.core.lint import Hit
from planner.specs.eksa.documents import (
    cluster,
    datacenter,
    machine_config,
    machine_refs,
    sibling,
    siblings,
)

BOTTLEROCKET = "bottlerocket"
_DEFAULT_FAMILIES = {"VSphereMachineConfig": BOTTLEROCKET, "NutanixMachineConfig": "ubuntu"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_VERSION = re.compile(r"1\.[0-9]+")
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(?P<binary>[KMGTPE])i|(?P<decimal>[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,3}))?"
)
_BINARY: dict[str, int] = {each: 1024**power for power, each in enumerate("KMGTPE", 1)}
_DECIMAL = dict(zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True))


def group_holders(spec: Spec) -> Iterator[tuple[str, Node]]:
    """The parts of the Cluster that have machines, with what they are called."""
    below = cluster(spec).get("spec")
    yield "the control plane", below.get("controlPlaneConfiguration")
    for each in below.get("workerNodeGroupConfigurations").items:
        yield f"worker group {each.get('name').string() or 'md-0'!r}", each
    etcd = below.get("externalEtcdConfiguration")
    if not etcd.is_null():
        yield "external etcd", etcd


def worker_groups(spec: Spec) -> tuple[Node, ...]:
    """The worker groups of the Cluster."""
    return cluster(spec).get("spec", "workerNodeGroupConfigurations").items


def machines_of(spec: Spec, holder: Node) -> Node:
    """The machine config of a part of the Cluster."""
    return machine_config(spec, holder.get("machineGroupRef"))


def kubernetes_version(spec: Spec, holder: Node) -> str:
    """The Kubernetes version of a part of the Cluster: its own, or the cluster's."""
    own = holder.get("kubernetesVersion").string()
    return own or cluster(spec).get("spec", "kubernetesVersion").string()


def reached(spec: Spec, kind: str) -> tuple[Node, ...]:
    """The documents of a kind that EKS Anywhere validates: those that the Cluster refers to.

    In a file without a Cluster it is all of them, since the Cluster may stand in another file.
    """
    found = siblings(spec, kind)
    if not cluster(spec):
        return found
    wanted = _wanted(spec, siblings(spec))
    return tuple(each for each in found if each in wanted)


def identity_refs(spec: Spec) -> tuple[Node, ...]:
    """The references to identity providers."""
    return cluster(spec).get("spec", "identityProviderRefs").items


def pool_refs(machine: Node) -> Iterator[Node]:
    """The references of a SnowMachineConfig to pools of addresses."""
    for interface in machine.get("spec", "network", "directNetworkInterfaces").items:
        ref = interface.get("ipPoolRef")
        if not ref.is_null():
            yield ref


def title(document: Node) -> str:
    """``VSphereMachineConfig 'cp'``."""
    kind, name = document.get("kind").string(), document.get("metadata", "name").string()
    return f"{kind} {name!r}" if name else f"the {kind}"


def os_family(document: Node) -> str:
    """The operating system of a machine config, with the default that EKS Anywhere fills in."""
    given = document.get("spec", "osFamily")
    default = _DEFAULT_FAMILIES.get(document.get("kind").string(), "")
    return given.string() or default


def deepest(node: Node, *steps: Step) -> Node:
    """The node at the end of the path, or as near to it as the file goes."""
    for step in steps:
        below = node.get(step)
        if not below:
            break
        node = below
    return node


def is_blank(node: Node) -> bool:
    """Whether Go reads an empty string: the key is missing, null, or the text is empty."""
    return node.is_null() or (node.kind == "scalar" and not node.string())


def blank_fields(node: Node, names: Iterable[str], whose: str, what: str = "") -> Iterator[Hit]:
    """A hit for each of these texts that is missing or empty. ``what`` says what EKS Anywhere does."""
    for name in names:
        if is_blank(node.get(name)):
            message = f"{whose} has no {name}: {what or 'EKS Anywhere refuses the file'}"
            yield Hit(deepest(node, name), message, f"add {name}")


def whole(node: Node) -> int | None:
    """The number in an integer field; 0 when it is not written, None when it is no integer."""
    if node.is_null():
        return 0
    value = node.value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, as ``net.ParseIP`` reads it: without a zone and without leading zeros."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def ordered(each: IPv4Address | IPv6Address) -> int:
    """A number by which Go orders addresses: it keeps those of both protocols in 16 bytes."""
    return int(each) if each.version == 6 else 0xFFFF << 32 | int(each)


def network(text: str) -> IPv4Network | IPv6Network | None:
    """The network, as ``net.ParseCIDR`` reads it: the mask must be written, as a number; host bits may be set."""
    start, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or not length.isascii() or "%" in start:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def is_request_uri(text: str) -> bool:
    """Whether ``url.ParseRequestURI`` takes the text: an absolute URL, or an absolute path.

    Source: Go 1.26 net/url/url.go, ``parse`` with ``viaRequest``.
    """
    url = parse_url(text)
    return (
        bool(text)
        and not _CONTROL.search(text)
        and url is not None
        and (bool(url.scheme) or text.startswith("/"))
    )


def quantity(node: Node) -> Fraction | None:
    """A Kubernetes quantity, in units; 0 when it is not written, None when it is none."""
    if node.is_null():
        return Fraction(0)
    match = _QUANTITY.fullmatch(node.text) if node.kind == "scalar" else None
    if not match:
        return None
    if match["binary"]:
        return Fraction(match["number"]) * _BINARY[match["binary"]]
    power = _DECIMAL[match["decimal"]] if match["decimal"] else int(match["exponent"] or 0)
    return Fraction(f"{match['number']}e{power}")


def has_version(name: str, version: str) -> bool:
    """Whether a name contains a Kubernetes version, once ``-``, ``.`` and ``_`` are gone from both.

    It is taken to contain what is no version: that has a rule of its own.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/validate.go:184-193.
    """
    return not _VERSION.fullmatch(version) or _squeezed(version) in _squeezed(name)


def _squeezed(text: str) -> str:
    return re.sub(r"[-._]", "", text)


@lru_cache(maxsize=16)
def _wanted(spec: Spec, _: tuple[Node, ...]) -> frozenset[Node]:
    """What the Cluster refers to, of these very documents: they are made anew for a spec that was not in use for long."""
    return frozenset(_referred(spec))


def _referred(spec: Spec) -> Iterator[Node]:
    """Every document that the Cluster refers to, directly or through a machine config."""
    yield datacenter(spec)
    machines = [machine_config(spec, ref) for ref in machine_refs(spec)]
    yield from machines
    for machine in machines:
        for ref in pool_refs(machine):
            yield machine_config(spec, ref)
        template = machine.get("spec", "templateRef", "name").string()
        yield sibling(spec, "TinkerbellTemplateConfig", template)
    yield machine_config(spec, cluster(spec).get("spec", "gitOpsRef"))
    for ref in identity_refs(spec):
        yield machine_config(spec, ref)
