"""What the providers make of the Cluster's own settings."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import parse_url
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.reading import (
    address,
    blank_fields,
    deepest,
    is_blank,
    worker_groups,
)

_ENDPOINT = ("spec", "controlPlaneConfiguration", "endpoint")
_WITH_ENCRYPTION = frozenset({"CloudStack", "VSphere", "Nutanix"})


@rule("EKS120")
def endpoint_on_docker(spec: Spec) -> Iterator[Hit]:
    """A Docker cluster has a control plane endpoint.

    Docker chooses the address itself, and the provider refuses one.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/docker/validator.go:10-15.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
          controlPlaneConfiguration:
            endpoint: {host: 198.51.100.10}  # <- EKS120

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
          controlPlaneConfiguration: {count: 1}
    """
    node = cluster(spec).get(*_ENDPOINT)
    if provider(spec) == "Docker" and not node.is_null():
        yield Hit(node, "the Docker provider refuses an endpoint", "remove endpoint")


@rule("EKS121")
def endpoint_not_an_address(spec: Spec) -> Iterator[Hit]:
    """The control plane endpoint of a vSphere or Nutanix cluster is not an IP address.

    kube-vip claims that address on the nodes' network; a name is refused.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/vsphere/validator.go:246-253,
    pkg/providers/nutanix/validator.go:53-60.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            endpoint: {host: api.example.com}  # <- EKS121

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            endpoint: {host: 198.51.100.10}
    """
    host = cluster(spec).get(*_ENDPOINT, "host")
    if provider(spec) in ("VSphere", "Nutanix") and host.string() and not address(host.string()):
        message = f"the endpoint {host.string()!r} is not an IP address: the {provider(spec)} provider refuses it"
        yield Hit(host, message, "write a free address of the nodes' network")


@rule("EKS122")
def rollout_strategy_on_nutanix(spec: Spec) -> Iterator[Hit]:
    """A Nutanix cluster sets an upgrade rollout strategy.

    The provider refuses any, even the default one.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/nutanix/validator.go (``validateUpgradeRolloutStrategy``),
    provider.go:165.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            upgradeRolloutStrategy: {type: RollingUpdate}  # <- EKS122

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          controlPlaneConfiguration: {count: 3}
    """
    if provider(spec) != "Nutanix":
        return
    control_plane = cluster(spec).get("spec", "controlPlaneConfiguration")
    for holder in (control_plane, *worker_groups(spec)):
        strategy = holder.get("upgradeRolloutStrategy")
        if not strategy.is_null():
            message = "the Nutanix provider refuses any upgradeRolloutStrategy"
            yield Hit(strategy, message, "remove upgradeRolloutStrategy")


@rule("EKS123", Severity.WARNING)
def encryption_at_creation(spec: Spec) -> Iterator[Hit]:
    """The cluster file has etcdEncryption, which no cluster can be created with.

    It can only be added to a cluster that runs, and only on CloudStack, vSphere and Nutanix.

    Source: aws/eks-anywhere aebd9a0, cmd/eksctl-anywhere/cmd/createcluster.go:123-125,
    pkg/api/v1alpha1/cluster_webhook.go:83,624-645.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          etcdEncryption:  # <- EKS123
          - providers:
            - kms: {name: vault, socketListenAddress: "unix:///var/run/kms.socket"}
            resources: [secrets]

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
    """
    node = cluster(spec).get("spec", "etcdEncryption")
    if node.is_null():
        return
    name = provider(spec)
    if name and name not in _WITH_ENCRYPTION:
        message = f"the {name} provider does not support etcdEncryption"
        yield Hit(node, message, "remove etcdEncryption", severity=Severity.ERROR)
    else:
        message = "create refuses a file with etcdEncryption; only upgrade takes it"
        yield Hit(node, message, "create the cluster without it, and add it with an upgrade")


@rule("EKS124")
def unusable_encryption(spec: Spec) -> Iterator[Hit]:
    """An etcdEncryption is not one that EKS Anywhere can apply.

    There must be exactly one configuration with one provider, a KMS plugin with a name and a ``unix:`` socket, and
    resources.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/etcdencryption.go:21-76.

    Bad:
        kind: Cluster
        spec:
          etcdEncryption:
          - providers:
            - kms: {name: vault, socketListenAddress: "/var/run/kms.socket"}  # <- EKS124
            resources: []  # <- EKS124

    Good:
        kind: Cluster
        spec:
          etcdEncryption:
          - providers:
            - kms: {name: vault, socketListenAddress: "unix:///var/run/kms.socket"}
            resources: [secrets]
    """
    configs = cluster(spec).get("spec", "etcdEncryption")
    if configs.kind == "sequence":
        yield from _exactly_one(configs, configs, "etcdEncryption", "configuration")
    for config in configs.items:
        yield from _exactly_one(config, config.get("providers"), "etcdEncryption", "provider")
        for each in config.get("providers").items:
            yield from _plugin(each)
        if config.kind == "mapping" and _is_empty(config.get("resources")):
            place = deepest(config, "resources")
            yield Hit(place, "etcdEncryption without resources encrypts nothing", "add secrets")


def _plugin(each: Node) -> Iterator[Hit]:
    kms = each.get("kms")
    if kms.is_null():
        yield Hit(deepest(each, "kms"), "this encryption provider has no kms", "add kms")
        return
    yield from blank_fields(kms, ("name", "socketListenAddress"), "kms")
    socket = kms.get("socketListenAddress")
    url = parse_url(socket.string())
    if not is_blank(socket) and socket.kind == "scalar" and (not url or url.scheme != "unix"):
        message = f"the KMS socket {socket.string()!r} is refused: it must be a unix: URL"
        yield Hit(socket, message, "write unix:///PATH")


def _exactly_one(owner: Node, node: Node, whose: str, what: str) -> Iterator[Hit]:
    if _is_empty(node):
        place = node or owner
        yield Hit(place, f"{whose} has no {what}: EKS Anywhere refuses that", f"add one {what}")
    elif len(node.items) > 1:
        yield Hit(node, f"{whose} has more than one {what}: EKS Anywhere refuses that", "keep one")


def _is_empty(node: Node) -> bool:
    return node.is_null() or (node.kind == "sequence" and not node.items)
