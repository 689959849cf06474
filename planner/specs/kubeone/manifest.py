"""What a KubeOneCluster says once KubeOne has filled in its defaults.

Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/v1beta2/defaults.go; pkg/apis/kubeone/helpers.go ``CloudProviderName``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from planner.core.document import Node, Spec, Step

KIND = "KubeOneCluster"
GROUP = "kubeone.k8c.io"
PROVIDERS = (
    "aws",
    "azure",
    "digitalocean",
    "gce",
    "hetzner",
    "kubevirt",
    "nutanix",
    "openstack",
    "equinixmetal",
    "vmwareCloudDirector",
    "vsphere",
    "none",
)
TERRAFORM = "terraform"
CNIS = ("canal", "cilium", "weaveNet", "external")


class Switch(NamedTuple):
    """Whether something is deployed, the place in the spec that decides it, and why."""

    is_on: bool
    node: Node
    why: str


class Addon(NamedTuple):
    """An addon that the manifest lists."""

    name: str
    node: Node


class Manifest(NamedTuple):
    """The effective values. ``provider`` is empty when the manifest leaves it to terraform output."""

    root: Node
    kubernetes: str
    provider: str
    cni: str
    metrics_server: Switch
    node_local_dns: Switch
    machine_controller: Switch
    operating_system_manager: Switch
    overwrite_registry: str
    coredns_repository: str
    sandbox_image: str
    addons: tuple[Addon, ...]

    @property
    def external(self) -> bool:
        """Whether a cloud controller manager is deployed. Source: defaults.go:86-94 (``external: false`` has no effect)."""
        forced = self.provider not in ("none", "vmwareCloudDirector")
        return forced or self.root.get("cloudProvider", "external").is_true()

    @property
    def has_csi(self) -> bool:
        """Whether the provider's CSI driver is deployed."""
        disabled = self.root.get("cloudProvider", "disableBundledCSIDrivers").is_true()
        return not disabled and self.provider not in ("", "none", "equinixmetal")

    @property
    def cilium(self) -> Node:
        """The settings of cilium when it is the CNI, else an absent node."""
        return self.root.get("clusterNetwork", "cni", "cilium")

    @property
    def has_kube_proxy(self) -> bool:
        """Whether kubeadm installs kube-proxy."""
        return not self.root.get("clusterNetwork", "kubeProxy", "skipInstallation").is_true()


@lru_cache(maxsize=64)
def cluster(spec: Spec) -> Node:
    """The KubeOneCluster document, or the first document of a file that has none."""
    return spec.document(KIND) or spec.root


@lru_cache(maxsize=64)
def read_manifest(spec: Spec) -> Manifest:
    """The effective values of the manifest in ``spec``."""
    root = cluster(spec)
    provider = next(iter(set_keys(root.get("cloudProvider"), PROVIDERS)), "")
    machine_controller = _switch(root, "machineController", "deploy", default=provider != "none")
    return Manifest(
        root=root,
        kubernetes=kubernetes_version(root),
        provider=provider,
        cni=_cni(root),
        metrics_server=_switch(root, "features", "metricsServer", "enable", default=True),
        node_local_dns=_switch(root, "features", "nodeLocalDNS", "deploy", default=True),
        machine_controller=machine_controller,
        operating_system_manager=_switch(
            root, "operatingSystemManager", "deploy", default=machine_controller.is_on
        ),
        overwrite_registry=root.get("registryConfiguration", "overwriteRegistry").string(),
        coredns_repository=root.get("features", "coreDNS", "imageRepository").string(),
        sandbox_image=root.get("containerRuntime", "containerd", "sandboxImage").string(),
        addons=tuple(_addons(root)),
    )


def kubernetes_version(root: Node) -> str:
    """The Kubernetes version. KubeOne takes off one leading ``v`` each time it sets defaults, which is twice."""
    return root.get("versions", "kubernetes").string().removeprefix("v").removeprefix("v")


def set_keys(node: Node, keys: tuple[str, ...]) -> list[str]:
    """Those of ``keys`` that are set: a null leaves a pointer empty in Go."""
    return [key for key in keys if not node.get(key).is_null()]


def nearest(root: Node, *steps: Step) -> Node:
    """The node at ``steps``, or the closest one above it that is there."""
    node = root
    for step in steps:
        below = node.get(step)
        if not below:
            break
        node = below
    return node


def _cni(root: Node) -> str:
    cni = root.get("clusterNetwork", "cni")
    return "canal" if cni.is_null() else next(iter(set_keys(cni, CNIS)), "")


def _switch(root: Node, *steps: str, default: bool) -> Switch:
    """A pointer to a struct with one boolean: absent means the default, and an empty mapping means off."""
    *path, field = steps
    node = root.get(*path)
    name = path[-1]
    if node.is_null():
        return Switch(
            default, nearest(root, *path), f"{name} is {'on' if default else 'off'} by default"
        )
    is_on = node.get(field).is_true()
    return Switch(is_on, nearest(root, *steps), f"{name}.{field} is {'on' if is_on else 'off'}")


def _addons(root: Node) -> Iterator[Addon]:
    for node in root.get("addons", "addons").items:
        if not node.get("delete").is_true():
            yield Addon(node.get("name").string(), node)
