"""What the rules about the Cluster share: values that Go defaults, read without stumbling over a wrong type."""

from __future__ import annotations

import re
from typing import NamedTuple

from planner.core.document import Node, Spec, Step
from planner.specs.eksa.documents import cluster
from planner.specs.eksa.rules.reading import is_blank, whole

DEFAULT_GROUP = "md-0"
_ATOI = re.compile(r"[+-]?[0-9]+")
_MISSING_PORT = "it has no port"


class HostPort(NamedTuple):
    """``host:port`` taken apart; ``problem`` says why Go does not read it."""

    host: str
    port: str
    problem: str = ""


def is_missing(node: Node, *steps: Step) -> bool:
    """Whether Go finds nothing at the end of the path: no key, null, or an empty text.

    Not so where something on the way is of another type, which is the schema's to report.
    """
    for step in steps:
        if node.is_null():
            return True
        if node.kind != "mapping":
            return False
        node = node.get(step)
    return is_blank(node)


def number(node: Node, *steps: Step) -> int | None:
    """The number at the end of the path, 0 when it is not written; None where something is of another type."""
    if is_missing(node, *steps):
        return 0
    found = node.get(*steps)
    return whole(found) if found else None


def is_self_managed(spec: Spec) -> bool:
    """Whether the cluster manages itself: it names no manager, or itself.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cluster_types.go:1523-1525.
    """
    root = cluster(spec)
    manager = root.get("spec", "managementCluster", "name").string()
    return manager in ("", root.get("metadata", "name").string())


def group_name(group: Node, index: int) -> str:
    """The name of a worker group; the first one has a default."""
    return group.get("name").string() or ("" if index else DEFAULT_GROUP)


def go_text(node: Node) -> str:
    """A scalar in a text field: a number is written anew, so that 0443 becomes 291."""
    is_integer = isinstance(node.value, int) and not isinstance(node.value, bool)
    return str(node.value) if is_integer else node.string()


def is_port(text: str) -> bool:
    """Whether the text is a port, as ``strconv.Atoi`` reads it.

    Source: aws/eks-anywhere aebd9a0, pkg/networkutils/networkutils.go:12-15.
    """
    return bool(_ATOI.fullmatch(text)) and 1 <= int(text[:20]) <= 65535


def split_host_port(text: str) -> HostPort:
    """What ``net.SplitHostPort`` makes of the text.

    Source: Go 1.26, net/ipsock.go, ``SplitHostPort``.
    """
    host, colon, port = text.rpartition(":")
    if not colon:
        return HostPort(text, "", _MISSING_PORT)
    if text.startswith("["):
        inside, bracket, behind = text[1:].partition("]")
        if not bracket:
            return HostPort("", "", "a bracket is not closed")
        if behind != f":{port}":
            problem = "it has too many colons" if behind.startswith(":") else _MISSING_PORT
            return HostPort("", "", problem)
        host = inside
    elif ":" in host:
        return HostPort("", "", "it has too many colons")
    if set("[]") & set(host + port):
        return HostPort("", "", "it has a stray bracket")
    return HostPort(host, port)
