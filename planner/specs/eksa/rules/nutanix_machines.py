"""NutanixMachineConfig."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.documents import cluster, machine_config
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.reading import (
    blank_fields,
    deepest,
    quantity,
    reached,
    whole,
)

_MACHINE = "NutanixMachineConfig"
_MI, _GI = 1024**2, 1024**3
_SIZES = {
    "memorySize": (2048 * _MI, 4 * _GI, "4Gi"),
    "systemDiskSize": (20 * _GI, 40 * _GI, "40Gi"),
}
_COUNTS = {"vcpuSockets": (1, 2, "2"), "vcpusPerSocket": (1, 1, "1")}


@rule("EKS155")
def small_nutanix_machine(spec: Spec) -> Iterator[Hit]:
    """A NutanixMachineConfig asks for less than a node can do with.

    The provider wants 1 socket, 1 CPU per socket, 2048Mi of memory and 20Gi of disk. The webhook, which sees the
    document later, wants 2 sockets, 4Gi and 40Gi.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/nutanix/validator.go:26-29,316-350,
    pkg/api/v1alpha1/nutanixmachineconfig.go:201-219.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          vcpuSockets: 1  # <- EKS155
          vcpusPerSocket: 1
          memorySize: 1Gi  # <- EKS155
          systemDiskSize: 40Gi

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          vcpuSockets: 2
          vcpusPerSocket: 1
          memorySize: 4Gi
          systemDiskSize: 40Gi
    """
    for document in reached(spec, _MACHINE):
        for names, read in ((_COUNTS, whole), (_SIZES, quantity)):
            for name, (least, wanted, text) in names.items():
                amount = read(document.get("spec", name))
                if amount is None or amount >= wanted:
                    continue
                who = "the Nutanix provider" if amount < least else "the webhook"
                severity = None if amount < least else Severity.WARNING
                written = document.get("spec", name).string()
                said = f"{name} {written} is too little" if written else f"there is no {name}"
                place = deepest(document, "spec", name)
                yield Hit(place, f"{said}: {who} refuses it", f"write {text}", severity=severity)


@rule("EKS156")
def incomplete_nutanix_category(spec: Spec) -> Iterator[Hit]:
    """An additional category of a NutanixMachineConfig has no key or no value.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/nutanix/validator.go (``validateAdditionalCategories``),
    pkg/api/v1alpha1/nutanixmachineconfig.go:260-272.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          additionalCategories:
          - {key: Environment, value: ""}  # <- EKS156

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          additionalCategories:
          - {key: Environment, value: prod}
    """
    for document in reached(spec, _MACHINE):
        for each in document.get("spec", "additionalCategories").items:
            what = "the Nutanix provider refuses it"
            yield from blank_fields(each, ("key", "value"), "this category", what)


@rule("EKS157")
def unusable_gpu(spec: Spec) -> Iterator[Hit]:
    """A GPU is not identified, or belongs to the control plane or to etcd.

    ``type`` says which of ``deviceID`` and ``name`` counts. Only worker groups can have GPUs.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/nutanix/validator.go (``validateGPUInMachineConfig``,
    ``validateGPUConfig``, ``checkMachineConfigIsForWorker``).

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            machineGroupRef: {kind: NutanixMachineConfig, name: cp}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          gpus:  # <- EKS157
          - {type: name}  # <- EKS157

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: NutanixDatacenterConfig, name: prod}
          workerNodeGroupConfigurations:
          - machineGroupRef: {kind: NutanixMachineConfig, name: md}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: md}
        spec:
          gpus:
          - {type: name, name: Ampere 40}
    """
    below = cluster(spec).get("spec")
    for document in reached(spec, _MACHINE):
        gpus = document.get("spec", "gpus")
        for part, what in (
            ("controlPlaneConfiguration", "the control plane"),
            ("externalEtcdConfiguration", "external etcd"),
        ):
            ref = below.get(part, "machineGroupRef")
            if gpus.kind == "sequence" and machine_config(spec, ref) is document:
                message = f"the Nutanix provider refuses GPUs for {what}"
                hint = "remove gpus, or give the workers a machine config of their own"
                yield Hit(gpus, message, hint, related=((ref, "refers to it"),))
        for gpu in gpus.items:
            yield from _gpu(gpu)


@rule("EKS159")
def unknown_boot_type(spec: Spec) -> Iterator[Hit]:
    """The bootType of a NutanixMachineConfig is neither legacy nor uefi.

    The provider refuses it, after it has reached Prism Central.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/nutanix/validator.go:344-346.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          bootType: UEFI  # <- EKS159

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: NutanixMachineConfig
        metadata: {name: cp}
        spec:
          bootType: uefi
    """
    for document in reached(spec, _MACHINE):
        node = document.get("spec", "bootType")
        if node.string() not in ("", "legacy", "uefi"):
            near = closest(node.string(), ("legacy", "uefi"))
            message = f"the Nutanix provider refuses the bootType {node.string()!r}"
            yield Hit(node, message, "legacy or uefi", fix=renamed(node, near))


def _gpu(gpu: Node) -> Iterator[Hit]:
    kind = gpu.get("type")
    if gpu.kind != "mapping" or kind.kind in ("mapping", "sequence"):
        return
    if kind.string() not in ("deviceID", "name"):
        message = "a GPU is identified by type deviceID or name: the Nutanix provider refuses it"
        yield Hit(deepest(gpu, "type"), message, "write type: deviceID or type: name")
    elif kind.string() == "name":
        yield from blank_fields(gpu, ("name",), "this GPU", "the Nutanix provider refuses it")
    elif gpu.get("deviceID").is_null():
        message = "this GPU has no deviceID: the Nutanix provider refuses it"
        yield Hit(deepest(gpu, "deviceID"), message, "add deviceID")
