"""VSphereMachineConfig."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.reading import (
    BOTTLEROCKET,
    deepest,
    group_holders,
    is_blank,
    machines_of,
    os_family,
    reached,
    title,
    worker_groups,
)

_USER = "ec2-user"
_CLONE_MODES = ("linkedClone", "fullClone")
_MOST_NETWORKS = 2


@rule("EKS144")
def incomplete_vsphere_machine(spec: Spec) -> Iterator[Hit]:
    """A VSphereMachineConfig lacks its datastore or its resourcePool.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/vspheremachineconfig.go:80-86.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          datastore: ""  # <- EKS144
          resourcePool: /dc/host/c1/Resources

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          datastore: /dc/datastore/ds
          resourcePool: /dc/host/c1/Resources
    """
    for document in reached(spec, "VSphereMachineConfig"):
        for name in ("datastore", "resourcePool"):
            if is_blank(document.get("spec", name)):
                message = f"{title(document)} has no {name}: EKS Anywhere refuses the file"
                yield Hit(deepest(document, "spec", name), message, f"add {name}")


@rule("EKS145")
def wrong_bottlerocket_user(spec: Spec) -> Iterator[Hit]:
    """The first user of a Bottlerocket machine is not ec2-user.

    Bottlerocket's admin container knows no other. A VSphereMachineConfig without osFamily is Bottlerocket too.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/vspheremachineconfig_types.go:187-195.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: bottlerocket
          users:
          - name: capv  # <- EKS145

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: bottlerocket
          users:
          - name: ec2-user
    """
    for document in reached(spec, "VSphereMachineConfig"):
        user = document.get("spec", "users", 0, "name")
        if os_family(document) == BOTTLEROCKET and user.string() not in ("", _USER):
            message = f"the user {user.string()!r} is refused: on Bottlerocket it must be {_USER}"
            yield Hit(user, message, f"write {_USER}", fix=renamed(user, _USER))


@rule("EKS146")
def missing_vsphere_template(spec: Spec) -> Iterator[Hit]:
    """A machine config has no template, and is not of Bottlerocket.

    EKS Anywhere imports an image for Bottlerocket only; the others must be built and named.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/vsphere/defaults.go:92-115.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:  # <- EKS146
          osFamily: ubuntu

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          template: /dc/vm/Templates/ubuntu-2204-kube-v1-33
    """
    for document in reached(spec, "VSphereMachineConfig"):
        family = os_family(document)
        if family in ("ubuntu", "redhat") and is_blank(document.get("spec", "template")):
            message = f"{title(document)} has no template: EKS Anywhere imports none for {family}, and stops"
            yield Hit(deepest(document, "spec", "template"), message, "add template")


@rule("EKS147")
def mixed_vsphere_families(spec: Spec) -> Iterator[Hit]:
    """With external etcd, machine configs of one vSphere cluster differ in their osFamily.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/vsphere/validator.go:203-205.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: cp}
          externalEtcdConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: etcd}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec: {osFamily: ubuntu}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: etcd}
        spec: {osFamily: bottlerocket}  # <- EKS147

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: VSphereDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: cp}
          externalEtcdConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: etcd}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec: {osFamily: ubuntu}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: etcd}
        spec: {osFamily: ubuntu}
    """
    if (
        provider(spec) != "VSphere"
        or cluster(spec).get("spec", "externalEtcdConfiguration").is_null()
    ):
        return
    documents = reached(spec, "VSphereMachineConfig")
    for document in documents[1:]:
        if os_family(document) != os_family(documents[0]):
            first = deepest(documents[0], "spec", "osFamily")
            message = f"{title(document)} is {os_family(document)}, but with external etcd all machines need one osFamily"
            about = ((first, f"{title(documents[0])} is {os_family(documents[0])}"),)
            yield Hit(deepest(document, "spec", "osFamily"), message, "use one", related=about)


@rule("EKS148")
def networks_outside_workers(spec: Spec) -> Iterator[Hit]:
    """The machine config of the control plane or of etcd has networks.

    Only workers can have their own; the others are in the datacenter's network.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/vsphere/validator.go:400-427.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          networks: [/dc/network/storage]  # <- EKS148

    Good:
        kind: Cluster
        spec:
          workerNodeGroupConfigurations:
          - machineGroupRef: {kind: VSphereMachineConfig, name: md}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: md}
        spec:
          networks: [/dc/network/storage]
    """
    workers = [id(each) for each in worker_groups(spec)]
    for what, holder in group_holders(spec):
        document = machines_of(spec, holder)
        networks = document.get("spec", "networks")
        if id(holder) in workers or document.get("kind").string() != "VSphereMachineConfig":
            continue
        if networks.items:
            message = f"{what} cannot have networks of its own: the vSphere provider refuses that"
            about = ((holder.get("machineGroupRef"), "refers to it"),)
            hint = "remove networks, or give the workers a machine config of their own"
            yield Hit(networks, message, hint, related=about)


@rule("EKS149")
def unsupported_vsphere_setting(spec: Spec) -> Iterator[Hit]:
    """The cloneMode of a VSphereMachineConfig does not exist, or it has more than two networks.

    The provider refuses the first after it has looked at the template, the API server the second.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/vsphere/defaults.go:171,
    pkg/api/v1alpha1/vspheremachineconfig_types.go:24-27.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: md}
        spec:
          cloneMode: linked  # <- EKS149

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: md}
        spec:
          cloneMode: linkedClone
    """
    for document in reached(spec, "VSphereMachineConfig"):
        mode, networks = document.get("spec", "cloneMode"), document.get("spec", "networks")
        if mode.string() not in ("", *_CLONE_MODES):
            near = next((each for each in _CLONE_MODES if each.startswith(mode.string())), "")
            message = f"the vSphere provider refuses the cloneMode {mode.string()!r}"
            yield Hit(mode, message, f"one of {', '.join(_CLONE_MODES)}", fix=renamed(mode, near))
        if len(networks.items) > _MOST_NETWORKS:
            message = f"more than {_MOST_NETWORKS} networks: the API server refuses them"
            yield Hit(networks, message, "keep two", severity=Severity.WARNING)
