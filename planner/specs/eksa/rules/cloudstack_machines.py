"""CloudStackMachineConfig."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.rules.cloudstack import has_no_identity
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.reading import deepest, is_blank, reached, title

_MACHINE = "CloudStackMachineConfig"
_DISK = ("mountPath", "filesystem", "device", "label")
_AFFINITIES = ("pro", "anti", "no")
_LINK = re.compile(r"/(?:[a-zA-Z0-9._/-]*[a-zA-Z0-9._-])")
_RESTRICTED = frozenset(
    """keyboard cpu.corespersocket rootdisksize boot.mode nameonhypervisor nicAdapter rootDiskController
    dataDiskController svga.vramSize nestedVirtualizationFlag ramReservation hypervisortoolsversion platform timeoffset
    kvm.vnc.port kvm.vnc.address video.hardware video.ram smc.present firmware cpuNumber cpuSpeed memory
    cpuOvercommitRatio memoryOvercommitRatio Message.ReservedCapacityFreed.Flag deployvm SSH.PublicKey SSH.KeyPairNames
    password Encrypted.Password configDriveLocation nic network ip4Address ip6Address disk diskOffering configurationId
    keypairnames controlNodeLoginUser""".split()
)


@rule("EKS164")
def incomplete_cloudstack_machine(spec: Spec) -> Iterator[Hit]:
    """A CloudStackMachineConfig has no computeOffering or no template.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackmachineconfig.go:69-75.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:  # <- EKS164
          template: {name: rhel9-kube-1-33}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
    """
    for document in reached(spec, _MACHINE):
        for name in ("computeOffering", "template"):
            if has_no_identity(document.get("spec", name)):
                message = f"{title(document)} has no {name}: EKS Anywhere refuses the file"
                yield Hit(
                    deepest(document, "spec", name), message, f"add {name} with a name or an id"
                )


@rule("EKS165")
def incomplete_disk_offering(spec: Spec) -> Iterator[Hit]:
    """A diskOffering lacks a part, or has parts and no name.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackmachineconfig_types.go:118-138.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          diskOffering:
            name: large
            mountPath: data  # <- EKS165
            device: /dev/vdb
            filesystem: ext4
            label: data

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          diskOffering:
            name: large
            mountPath: /data
            device: /dev/vdb
            filesystem: ext4
            label: data
    """
    for document in reached(spec, _MACHINE):
        disk = document.get("spec", "diskOffering")
        if disk.kind != "mapping":
            continue
        if has_no_identity(disk):
            if any(not is_blank(disk.get(name)) for name in _DISK):
                message = "this diskOffering has neither name nor id: EKS Anywhere refuses it"
                yield Hit(disk, message, "add name or id, or remove diskOffering")
            continue
        for name in _DISK:
            node = disk.get(name)
            if is_blank(node):
                message = f"this diskOffering has no {name}: EKS Anywhere refuses it"
                yield Hit(deepest(disk, name), message, f"add {name}")
        path = disk.get("mountPath")
        if path.string() and (path.string() == "/" or not path.string().startswith("/")):
            message = f"the mountPath {path.string()!r} is refused: it must be below /"
            yield Hit(path, message, "write an absolute path")


@rule("EKS166")
def restricted_detail(spec: Spec) -> Iterator[Hit]:
    """A key of userCustomDetails is one that EKS Anywhere keeps for itself.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackmachineconfig.go:17-27,79-83.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          userCustomDetails:
            memory: "8192"  # <- EKS166

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          userCustomDetails:
            team: platform
    """
    for document in reached(spec, _MACHINE):
        for key, value in document.get("spec", "userCustomDetails").fields():
            if key in _RESTRICTED:
                message = f"EKS Anywhere refuses {key!r} in userCustomDetails"
                yield Hit(value, message, "remove it", on_key=True)


@rule("EKS167")
def unusable_affinity(spec: Spec) -> Iterator[Hit]:
    """The affinity of CloudStack machines is unknown, or stands beside affinity groups.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackmachineconfig.go:84-95.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          affinity: none  # <- EKS167

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          affinity: anti
    """
    for document in reached(spec, _MACHINE):
        node, groups = document.get("spec", "affinity"), document.get("spec", "affinityGroupIds")
        if not node.string():
            continue
        if groups.items:
            message = "affinity and affinityGroupIds stand together: EKS Anywhere refuses that"
            yield Hit(node, message, "keep one of them", related=((groups, "the other one"),))
        if node.string() not in _AFFINITIES:
            near = closest(node.string(), _AFFINITIES)
            message = f"EKS Anywhere refuses the affinity {node.string()!r}"
            yield Hit(node, message, "one of pro, anti, no", fix=renamed(node, near))


@rule("EKS168", Severity.WARNING)
def unusable_symlink(spec: Spec) -> Iterator[Hit]:
    """A symbolic link is no absolute path of plain characters.

    The CLI does not look; the webhook refuses it when the document is applied.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cloudstackmachineconfig_types.go:140-159,
    cloudstackmachineconfig_webhook.go:91.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          symlinks:
            /var/log/kubernetes/: /data/log  # <- EKS168

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: CloudStackMachineConfig
        metadata: {name: cp}
        spec:
          template: {name: rhel9-kube-1-33}
          computeOffering: {name: m4-large}
          symlinks:
            /var/log/kubernetes: /data/log
    """
    for document in reached(spec, _MACHINE):
        for link, target in document.get("spec", "symlinks").fields():
            for text, on_key in ((link, True), (target.string(), False)):
                if (on_key or target.kind == "scalar") and not _LINK.fullmatch(text):
                    message = f"the webhook refuses the symbolic link {text!r}"
                    hint = "start with /, do not end with one, use letters, digits, '.', '-', '_'"
                    yield Hit(target, message, hint, on_key=on_key)
