"""Machines that KubeOne manages over SSH, and how the API is reached."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import removed, rewritten
from planner.specs.kubeone.manifest import cluster

_HIGHEST_PORT = 65535
_MASTER = "node-role.kubernetes.io/master"
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_IDENTITIES = ("hostname", "privateAddress", "publicAddress")


@rule("KUB020")
def invalid_api_port(spec: Spec) -> Iterator[Hit]:
    """The port of the API endpoint is not a port.

    0 stands for the default, 6443.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:200-205.

    Bad:
        apiEndpoint: {host: api.example.com, port: 65536}  # <- KUB020

    Good:
        apiEndpoint: {host: api.example.com, port: 6443}
    """
    node = cluster(spec).get("apiEndpoint", "port")
    if isinstance(node.value, int) and not 0 <= node.value <= _HIGHEST_PORT:
        yield Hit(node, f"{node.text} is not a port: 1 to {_HIGHEST_PORT}")


@rule("KUB021")
def repeated_alternative_name(spec: Spec) -> Iterator[Hit]:
    """An alternative name of the API stands in the list twice.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:207-215.

    Bad:
        apiEndpoint:
          alternativeNames:
            - api.example.com
            - api.example.com  # <- KUB021

    Good:
        apiEndpoint:
          alternativeNames:
            - api.example.com
            - api.corp

    Fixed:
        apiEndpoint:
          alternativeNames:
            - api.example.com
    """
    seen: dict[str, Node] = {}
    names = cluster(spec).get("apiEndpoint", "alternativeNames")
    for node in names.items:
        if node.string() in seen:
            related = ((seen[node.string()], "first here"),)
            message = f"{node.text!r} is in the list already"
            yield Hit(node, message, related=related, fix=removed(spec, names, node))
        seen.setdefault(node.string(), node)


@rule("KUB022")
def host_without_address(spec: Spec) -> Iterator[Hit]:
    """A host has no address, or lacks what KubeOne would not fill in.

    One of the two addresses is enough: the other is taken from it. Not so for static workers beside a control plane of node
    sets: then KubeOne sets no defaults for them, and they need both addresses, a user, and a key or an agent.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:946-961, v1beta2/defaults.go:96-100.

    Bad:
        controlPlane:
          hosts:
            - hostname: cp-1  # <- KUB022

    Good:
        controlPlane:
          hosts:
            - hostname: cp-1
              privateAddress: 192.0.2.1
    """
    root = cluster(spec)
    plane = root.get("controlPlane")
    for node in (*plane.get("hosts").items, *root.get("staticWorkers", "hosts").items):
        if not any(node.get(key).string() for key in ("publicAddress", "privateAddress")):
            yield Hit(node, "the host has neither publicAddress nor privateAddress")
    if plane.get("nodeSets").items and not plane.get("hosts").items:
        for node in root.get("staticWorkers", "hosts").items:
            yield from _not_defaulted(node)


def _not_defaulted(node: Node) -> Iterator[Hit]:
    missing = [
        key
        for key in ("publicAddress", "privateAddress", "sshUsername")
        if not node.get(key).string()
    ]
    if not any(node.get(key).string() for key in ("sshPrivateKeyFile", "sshAgentSocket")):
        missing.append("sshPrivateKeyFile or sshAgentSocket")
    if missing:
        names = ", ".join(missing)
        yield Hit(node, f"beside node sets, static workers get no defaults: {names} missing")


@rule("KUB023")
def several_leaders(spec: Spec) -> Iterator[Hit]:
    """More than one host of a list is the leader.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:940-945.

    Bad:
        controlPlane:
          hosts:
            - {publicAddress: 192.0.2.1, isLeader: true}
            - {publicAddress: 192.0.2.2, isLeader: true}  # <- KUB023

    Good:
        controlPlane:
          hosts:
            - {publicAddress: 192.0.2.1, isLeader: true}
            - {publicAddress: 192.0.2.2}
    """
    for hosts in _lists(spec):
        leaders = [each.get("isLeader") for each in hosts if each.get("isLeader").is_true()]
        for other in leaders[1:]:
            yield Hit(other, "a list of hosts has one leader", related=((leaders[0], "the first"),))


@rule("KUB024")
def host_without_ipv6(spec: Spec) -> Iterator[Hit]:
    """The cluster has IPv6, and a host has no IPv6 address.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:949-951.

    Bad:
        clusterNetwork: {ipFamily: IPv4+IPv6}
        controlPlane:
          hosts:
            - publicAddress: 192.0.2.1  # <- KUB024

    Good:
        clusterNetwork: {ipFamily: IPv4+IPv6}
        controlPlane:
          hosts:
            - publicAddress: 192.0.2.1
              ipv6Addresses: ["2001:db8::1"]
    """
    if "IPv6" not in cluster(spec).get("clusterNetwork", "ipFamily").string():
        return
    for hosts in _lists(spec):
        for node in hosts:
            if not node.get("ipv6Addresses").items:
                yield Hit(node, "the cluster has IPv6, and this host has no ipv6Addresses")


@rule("KUB025")
def repeated_host(spec: Spec) -> Iterator[Hit]:
    """Two hosts have the same name or address.

    KubeOne refuses a static worker that has a name or address of the control plane. It does not look at hosts of one list, of
    which two with one address are the same machine, set up twice: planner warns.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:682-713.

    Bad:
        controlPlane:
          hosts:
            - {publicAddress: 192.0.2.1}
        staticWorkers:
          hosts:
            - {publicAddress: 192.0.2.1}  # <- KUB025

    Good:
        controlPlane:
          hosts:
            - {publicAddress: 192.0.2.1}
        staticWorkers:
          hosts:
            - {publicAddress: 192.0.2.2}
    """
    plane, workers = _lists(spec)
    for worker in workers:
        yield from _same((node, worker) for node in plane)
    for hosts in (plane, workers):
        for hit in _same(combinations(hosts, 2)):
            yield Hit(hit.node, hit.message, severity=Severity.WARNING, related=hit.related)


def _same(pairs: Iterator[tuple[Node, Node]]) -> Iterator[Hit]:
    for one, other in pairs:
        shared = [key for key in _IDENTITIES if _identity(one, key) == _identity(other, key) != ""]
        if shared:
            key = shared[0]
            node = other.get(key) or other
            yield Hit(
                node,
                f"{key} {_identity(other, key)} is another host's",
                related=((one, "this one's"),),
            )


def _identity(host: Node, key: str) -> str:
    """The value after defaulting: either address stands in for the other."""
    other = {"privateAddress": "publicAddress", "publicAddress": "privateAddress"}.get(key, key)
    return host.get(key).string() or host.get(other).string()


@rule("KUB026")
def removal_with_value(spec: Spec) -> Iterator[Hit]:
    """A label or annotation that is to be removed has a value.

    A key that ends in a hyphen removes the label; its value must be empty.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:966-967,978-987.

    Bad:
        controlPlane:
          hosts:
            - publicAddress: 192.0.2.1
              labels:
                "team-": blue  # <- KUB026

    Good:
        controlPlane:
          hosts:
            - publicAddress: 192.0.2.1
              labels:
                "team-": ""
    """
    for host in _all(spec):
        for field in ("labels", "annotations"):
            for key, node in host.get(field).fields():
                if key.endswith("-") and node.string():
                    message = f"{key!r} removes {key[:-1]!r}, so its value must be empty"
                    yield Hit(node, message, f"write {key[:-1]!r} to set it")


@rule("KUB027")
def master_taint(spec: Spec) -> Iterator[Hit]:
    """A host has the old taint of control planes.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:968-972.

    Bad:
        controlPlane:
          hosts:
            - publicAddress: 192.0.2.1
              taints:
                - {key: node-role.kubernetes.io/master, effect: NoSchedule}  # <- KUB027

    Good:
        controlPlane:
          hosts:
            - publicAddress: 192.0.2.1
              taints:
                - {key: node-role.kubernetes.io/control-plane, effect: NoSchedule}

    Fixed:
        controlPlane:
          hosts:
            - publicAddress: 192.0.2.1
              taints:
                - {key: node-role.kubernetes.io/control-plane, effect: NoSchedule}
    """
    for host in _all(spec):
        for taint in host.get("taints").items:
            key = taint.get("key")
            if key.string() == _MASTER:
                fix = rewritten(spec, key, _CONTROL_PLANE)
                yield Hit(key, f"KubeOne refuses the taint {_MASTER}", _CONTROL_PLANE, fix=fix)


@rule("KUB028", Severity.WARNING)
def even_control_plane(spec: Spec) -> Iterator[Hit]:
    """The control plane has an even number of hosts.

    KubeOne accepts it, but etcd does not gain by it: two members survive no failure, four survive as many as three do.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:171-186 (counts node sets only).

    Bad:
        controlPlane:
          hosts:  # <- KUB028
            - {publicAddress: 192.0.2.1}
            - {publicAddress: 192.0.2.2}

    Good:
        controlPlane:
          hosts:
            - {publicAddress: 192.0.2.1}
    """
    hosts = cluster(spec).get("controlPlane", "hosts")
    if hosts.items and len(hosts.items) % 2 == 0:
        count = len(hosts.items)
        yield Hit(
            hosts,
            f"{count} hosts survive no more failures than {count - 1} do: etcd needs a majority",
        )


def _lists(spec: Spec) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The hosts of the control plane, and the static workers."""
    root = cluster(spec)
    return root.get("controlPlane", "hosts").items, root.get("staticWorkers", "hosts").items


def _all(spec: Spec) -> tuple[Node, ...]:
    plane, workers = _lists(spec)
    return plane + workers
