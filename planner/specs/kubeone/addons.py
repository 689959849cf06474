"""Which built-in addons KubeOne deploys for a manifest, and what in it is the reason.

Source: kubermatic/kubeone v1.14.2 pkg/addons/ensure.go (``collectAddons``, ``ensureCSIAddons``, ``ensureCCMAddons``,
``EnsureUserAddons``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.core.document import Node
from planner.specs.kubeone.manifest import Manifest, Switch, nearest

_CNI = {"canal": "cni-canal", "cilium": "cni-cilium", "weaveNet": "cni-weavenet"}
_HUBBLE = frozenset({"HubbleRelay", "HubbleUI", "HubbleUIBackend", "CiliumCertGen"})
# vmwareCloudDirector and none have no controller manager.
_CCM = {
    "aws": "ccm-aws",
    "azure": "ccm-azure",
    "digitalocean": "ccm-digitalocean",
    "gce": "ccm-gcp",
    "hetzner": "ccm-hetzner",
    "kubevirt": "ccm-kubevirt",
    "nutanix": "ccm-nutanix",
    "openstack": "ccm-openstack",
    "equinixmetal": "ccm-equinixmetal",
    "vsphere": "ccm-vsphere",
}
_CSI = {
    "aws": ("csi-aws-ebs",),
    "azure": ("csi-azuredisk", "csi-azurefile"),
    "digitalocean": ("csi-digitalocean",),
    "gce": ("csi-gcp-compute-persistent",),
    "hetzner": ("csi-hetzner",),
    "kubevirt": ("csi-kubevirt",),
    "nutanix": ("csi-nutanix",),
    "openstack": ("csi-openstack-cinder",),
    "vmwareCloudDirector": ("csi-vmware-cloud-director",),
    "vsphere": ("csi-vsphere",),
}
_SNAPSHOTTER = "csi-external-snapshotter"
# Listing one of these has no effect: KubeOne decides about them by other settings.
_DECIDED_ELSEWHERE = frozenset(
    {
        *_CNI.values(),
        *(_CCM[each] for each in _CCM if each not in ("kubevirt", "nutanix")),
        *(addon for addons in _CSI.values() for addon in addons),
        _SNAPSHOTTER,
        "metrics-server",
        "nodelocaldns",
        "nodelocaldns-cilium",
    }
)


class Deployed(NamedTuple):
    """An addon that KubeOne deploys; ``without`` are the components of it that this manifest leaves out."""

    addon: str
    node: Node
    why: str
    without: frozenset[str] = frozenset()


def deployed_addons(manifest: Manifest) -> Iterator[Deployed]:
    """The built-in addons of the manifest; user addons from ``addons.path`` are not known here."""
    yield from _cni(manifest)
    yield from _switched(manifest)
    if manifest.provider:
        yield from _cloud(manifest)
    for addon in manifest.addons:
        if addon.name not in _DECIDED_ELSEWHERE:
            yield Deployed(addon.name, addon.node, f"addons list {addon.name}")


def _cni(manifest: Manifest) -> Iterator[Deployed]:
    if manifest.cni in _CNI:
        node = nearest(manifest.root, "clusterNetwork", "cni", manifest.cni)
        is_chosen = bool(manifest.root.get("clusterNetwork", "cni", manifest.cni))
        why = f"{manifest.cni} is the {'CNI' if is_chosen else 'default CNI'}"
        without = frozenset() if manifest.cilium.get("enableHubble").is_true() else _HUBBLE
        yield Deployed(_CNI[manifest.cni], node, why, without)
    if manifest.cilium.get("enableLocalRedirectPolicy").is_true():
        node = manifest.cilium.get("enableLocalRedirectPolicy")
        yield Deployed("nodelocaldns-cilium", node, "cilium.enableLocalRedirectPolicy is on")


def _switched(manifest: Manifest) -> Iterator[Deployed]:
    switches: dict[str, Switch] = {
        "metrics-server": manifest.metrics_server,
        "nodelocaldns": manifest.node_local_dns,
        "machinecontroller": manifest.machine_controller,
        "operating-system-manager": manifest.operating_system_manager,
    }
    for addon, switch in switches.items():
        if switch.is_on:
            yield Deployed(addon, switch.node, switch.why)


def _cloud(manifest: Manifest) -> Iterator[Deployed]:
    provider = manifest.provider
    node = nearest(manifest.root, "cloudProvider", provider)
    if manifest.external and provider in _CCM:
        yield Deployed(_CCM[provider], node, f"controller manager of {provider}")
    if manifest.has_csi:
        for addon in (*_CSI[provider], _SNAPSHOTTER):
            yield Deployed(addon, node, f"CSI driver of {provider}")
