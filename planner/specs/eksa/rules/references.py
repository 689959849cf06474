"""References of the Cluster that EKS Anywhere follows, or refuses the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.core.document import Spec
from planner.core.lint import Hit, Peer, Severity, rule, rule_across
from planner.core.text import closest
from planner.specs.eksa.documents import (
    SIBLINGS,
    cluster,
    datacenter,
    machine_config,
    machine_refs,
    provider,
)
from planner.specs.eksa.rules.missing import missing, renamed
from planner.specs.eksa.rules.reading import deepest, is_blank

_DATACENTERS = tuple(each for each in SIBLINGS if each.endswith("DatacenterConfig"))
_MACHINES = tuple(each for each in SIBLINGS if each.endswith("MachineConfig"))


@rule("EKS100")
def unknown_provider(spec: Spec) -> Iterator[Hit]:
    """The kind in datacenterRef is of no provider.

    The kind decides which provider creates the cluster; without it EKS Anywhere stops before it looks at anything
    else.

    Source: aws/eks-anywhere aebd9a0, pkg/dependencies/factory.go:581.

    Bad:
        kind: Cluster
        spec:
          datacenterRef:
            kind: VSphereDatacenter  # <- EKS100
            name: prod

    Good:
        kind: Cluster
        spec:
          datacenterRef:
            kind: VSphereDatacenterConfig
            name: prod
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereDatacenterConfig
        metadata: {name: prod}
        spec: {server: vcenter.example.com, datacenter: dc, network: /dc/network/vms}
    """
    kind = cluster(spec).get("spec", "datacenterRef", "kind")
    if not cluster(spec) or provider(spec) or kind.kind in ("mapping", "sequence"):
        return
    place = deepest(cluster(spec), "spec", "datacenterRef", "kind")
    if is_blank(kind):
        yield Hit(
            place, "datacenterRef has no kind: it chooses the provider", _one_of(_DATACENTERS)
        )
        return
    near = closest(kind.string(), _DATACENTERS)
    message = f"there is no provider for a datacenter of kind {kind.string()!r}"
    hint = f"did you mean {near}?" if near else _one_of(_DATACENTERS)
    yield Hit(place, message, hint, fix=renamed(kind, near))


@rule_across("EKS101")
def missing_datacenter(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The datacenter document that the Cluster names is not in the file.

    EKS Anywhere reads one file, finds a document by kind and ``metadata.name``, and refuses the file when it is not
    there. For Snow nobody looks: the CLI crashes when it comes to the credentials.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/vsphere.go:45, docker.go:26, tinkerbell.go:38, nutanix.go:30,
    cloudstack.go:44; pkg/cluster/snow.go:83-90 and pkg/providers/snow/defaults.go:142.

    Bad:
        kind: Cluster
        spec:
          datacenterRef:
            kind: DockerDatacenterConfig
            name: dev  # <- EKS101
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: dev-1}
        spec: {}

    Good:
        kind: Cluster
        spec:
          datacenterRef:
            kind: DockerDatacenterConfig
            name: dev
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: dev}
        spec: {}
    """
    if provider(spec) and not datacenter(spec):
        what = "EKS Anywhere refuses the file"
        if provider(spec) == "Snow":
            what = "EKS Anywhere does not look for it, and crashes when it needs it"
        ref = cluster(spec).get("spec", "datacenterRef")
        yield missing(spec, peers, ref, what, _DATACENTERS)


@rule_across("EKS102")
def missing_machine_config(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """A machine config that the Cluster names is not in the file.

    A document is found by kind and ``metadata.name``, in this one file. A misspelt kind of a document makes it
    invisible.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/vsphere.go:54, tinkerbell.go:47, nutanix.go:46, cloudstack.go:53,
    snow.go:274-281.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: prod-cp}
          workerNodeGroupConfigurations:
          - machineGroupRef:
              kind: VSphereMachineConfig
              name: prod-worker  # <- EKS102
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: prod-cp}
        spec: {datastore: ds, resourcePool: pool}

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: prod-cp}
          workerNodeGroupConfigurations:
          - machineGroupRef: {kind: VSphereMachineConfig, name: prod-cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: prod-cp}
        spec: {datastore: ds, resourcePool: pool}
    """
    for ref in machine_refs(spec):
        if ref.get("kind").string() in _read_kinds(spec) and not machine_config(spec, ref):
            yield missing(spec, peers, ref, "EKS Anywhere refuses the file", _MACHINES)


@rule("EKS103")
def foreign_machine_kind(spec: Spec) -> Iterator[Hit]:
    """A machineGroupRef is of another kind than the machines of the cluster's provider.

    As soon as one reference has a kind, all must be found under that kind; one of an unknown kind is not read at all,
    and the provider misses it later.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/vsphere.go:49-63,96-118 (likewise for the other providers),
    pkg/providers/vsphere/validator.go:199.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef:
              kind: VSphereMachineConfig  # <- EKS103
              name: prod

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef:
              kind: NutanixMachineConfig
              name: prod
    """
    name = provider(spec)
    if name in ("", "Docker"):
        return
    wanted = f"{name}MachineConfig"
    for ref in machine_refs(spec):
        kind = ref.get("kind")
        if kind.string() == wanted or kind.kind in ("mapping", "sequence"):
            continue
        said = f"is of kind {kind.string()!r}" if kind.string() else "has no kind"
        message = (
            f"this machineGroupRef {said}, but machines of this cluster are read from {wanted}"
        )
        yield Hit(deepest(ref, "kind"), message, f"write {wanted}", fix=renamed(kind, wanted))


@rule("EKS107", Severity.WARNING)
def machines_on_docker(spec: Spec) -> Iterator[Hit]:
    """A Docker cluster names machine configs.

    Its nodes are containers: there is no kind of machine config for them, and the reference changes nothing.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cluster.go:449-465, pkg/cluster/docker.go.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
          controlPlaneConfiguration:
            machineGroupRef: {kind: DockerMachineConfig, name: dev}  # <- EKS107

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: DockerDatacenterConfig, name: dev}
          controlPlaneConfiguration: {count: 1}
    """
    if provider(spec) == "Docker":
        for ref in machine_refs(spec):
            yield Hit(ref, "a Docker cluster has no machine configs", "remove machineGroupRef")


def _read_kinds(spec: Spec) -> tuple[str, ...]:
    """The kinds of machine configs to look for: the provider's; any, when the provider does not say."""
    name = provider(spec)
    return _MACHINES if name in ("", "Docker") else (f"{name}MachineConfig",)


def _one_of(kinds: Sequence[str]) -> str:
    return f"one of {', '.join(kinds)}"
