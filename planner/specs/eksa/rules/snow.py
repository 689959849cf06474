"""SnowMachineConfig."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.reading import (
    BOTTLEROCKET,
    deepest,
    is_blank,
    os_family,
    reached,
    title,
    whole,
)

_MACHINE = "SnowMachineConfig"
_INSTANCE = re.compile(r"sbe-[cg]\.[0-9]*x?large")
_CONNECTORS = ("SFP_PLUS", "QSFP", "RJ45")
_VOLUME_TYPES = ("sbp1", "sbg1")
_SMALLEST_VOLUME = 8
_SMALLEST_ON_BOTTLEROCKET = 25
_ROOT_DEVICE = "/dev/sda"


@rule("EKS170")
def unsupported_snow_hardware(spec: Spec) -> Iterator[Hit]:
    """The instance type or the network connector of a Snow machine does not exist.

    Without them ``sbe-c.large`` and ``SFP_PLUS`` are taken.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/snowmachineconfig.go:27,71-78,108-114.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          instanceType: m5.large  # <- EKS170
          physicalNetworkConnector: SFP  # <- EKS170

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          instanceType: sbe-c.2xlarge
          physicalNetworkConnector: QSFP
    """
    for document in reached(spec, _MACHINE):
        instance = document.get("spec", "instanceType")
        if instance.string() and not _INSTANCE.fullmatch(instance.string()):
            message = f"EKS Anywhere refuses the instanceType {instance.string()!r}"
            yield Hit(instance, message, "write sbe-c.SIZE or sbe-g.SIZE, such as sbe-c.2xlarge")
        connector = document.get("spec", "physicalNetworkConnector")
        if connector.string() and connector.string() not in _CONNECTORS:
            near = closest(connector.string(), _CONNECTORS)
            message = f"EKS Anywhere refuses the physicalNetworkConnector {connector.string()!r}"
            yield Hit(
                connector, message, "one of SFP_PLUS, QSFP, RJ45", fix=renamed(connector, near)
            )


@rule("EKS171")
def missing_snow_devices(spec: Spec) -> Iterator[Hit]:
    """A SnowMachineConfig names no device.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/snowmachineconfig.go:80-82.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          devices: []  # <- EKS171

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          devices: [198.51.100.31]
    """
    for document in reached(spec, _MACHINE):
        devices = document.get("spec", "devices")
        if devices.is_null() or (devices.kind == "sequence" and not devices.items):
            message = f"{title(document)} has no devices: EKS Anywhere refuses the file"
            yield Hit(deepest(document, "spec", "devices"), message, "list the devices' addresses")


@rule("EKS173")
def small_containers_volume(spec: Spec) -> Iterator[Hit]:
    """The volume for containers is too small, or missing on Bottlerocket.

    On Ubuntu it may be left out, and needs 8 GiB otherwise; Bottlerocket's own data volume has only 2 GiB, so it
    needs one of 25.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/snowmachineconfig.go:116-133.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: bottlerocket
          containersVolume:
            size: 8  # <- EKS173

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: bottlerocket
          containersVolume:
            size: 25
    """
    for document in reached(spec, _MACHINE):
        family, volume = os_family(document), document.get("spec", "containersVolume")
        if volume.is_null():
            if family == BOTTLEROCKET:
                message = f"{title(document)} has no containersVolume, which Bottlerocket needs: EKS Anywhere refuses the file"
                place = deepest(document, "spec", "containersVolume")
                yield Hit(place, message, "add containersVolume with a size of 25 or more")
            continue
        least = _SMALLEST_ON_BOTTLEROCKET if family == BOTTLEROCKET else _SMALLEST_VOLUME
        size = whole(volume.get("size"))
        if family in (BOTTLEROCKET, "ubuntu") and size is not None and size < least:
            message = f"containersVolume has {size} GiB: EKS Anywhere wants {least} on {family}"
            yield Hit(deepest(volume, "size"), message, f"write size: {least}")
        yield from _volume_type(volume)


@rule("EKS174")
def unusable_volume(spec: Spec) -> Iterator[Hit]:
    """An additional volume has no device name, one that is taken, or too small a size.

    ``/dev/sda*`` is reserved for the root volume and the containers volume; 8 GiB are the least.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/snowmachineconfig.go:135-154.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          nonRootVolumes:
          - deviceName: /dev/sda3  # <- EKS174
            size: 4  # <- EKS174

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: SnowMachineConfig
        metadata: {name: cp}
        spec:
          nonRootVolumes:
          - deviceName: /dev/sdb
            size: 8
    """
    for document in reached(spec, _MACHINE):
        for volume in document.get("spec", "nonRootVolumes").items:
            if volume.kind != "mapping":
                continue
            device, size = volume.get("deviceName"), whole(volume.get("size"))
            if is_blank(device):
                message = "this volume has no deviceName: EKS Anywhere refuses it"
                yield Hit(deepest(volume, "deviceName"), message, "write /dev/sdb or the like")
            elif device.string().startswith(_ROOT_DEVICE):
                message = f"the device {device.string()!r} is taken by the root or containers volume: EKS Anywhere refuses it"
                yield Hit(device, message, "write /dev/sdb or the like")
            if size is not None and size < _SMALLEST_VOLUME:
                message = f"this volume has {size} GiB: EKS Anywhere wants {_SMALLEST_VOLUME}"
                yield Hit(deepest(volume, "size"), message, f"write size: {_SMALLEST_VOLUME}")
            yield from _volume_type(volume)


def _volume_type(volume: Node) -> Iterator[Hit]:
    kind = volume.get("type")
    if kind.string() and kind.string() not in _VOLUME_TYPES:
        message = f"the API server refuses the volume type {kind.string()!r}"
        near = closest(kind.string(), _VOLUME_TYPES)
        fix = renamed(kind, near)
        yield Hit(kind, message, "sbp1 or sbg1", severity=Severity.WARNING, fix=fix)
