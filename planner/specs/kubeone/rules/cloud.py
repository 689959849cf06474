"""The provider, its controllers, and a control plane that KubeOne creates."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import removed
from planner.specs.kubeone.manifest import (
    PROVIDERS,
    TERRAFORM,
    cluster,
    nearest,
    read_manifest,
    set_keys,
)

_WITH_CLOUD_CONFIG = ("azure", "openstack", "vsphere")
_WITH_NODE_SETS = ("hetzner", "openstack", "kubevirt")
_NOT_FORCED = ("none", "vmwareCloudDirector")


@rule("KUB010")
def several_providers(spec: Spec) -> Iterator[Hit]:
    """More than one cloud provider is set.

    A key with ``null`` does not count; a key with ``{}`` does.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:235-326.

    Bad:
        cloudProvider:
          aws: {}
          gce: {}  # <- KUB010

    Good:
        cloudProvider:
          aws: {}
    """
    cloud = cluster(spec).get("cloudProvider")
    first, *others = set_keys(cloud, PROVIDERS) or [""]
    for other in others:
        related = ((cloud.get(first), "the first one"),)
        yield Hit(
            cloud.get(other),
            f"a cluster has one provider, and {first} is set already",
            related=related,
        )


@rule("KUB011", Severity.WARNING)
def ignored_external(spec: Spec) -> Iterator[Hit]:
    """``external: false`` changes nothing: the cloud controller manager is deployed all the same.

    KubeOne sets the field to true for every provider but none and vmwareCloudDirector, so the images of the controller manager
    are always needed, and vsphere always needs a csiConfig.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/v1beta2/defaults.go:86-94.

    Bad:
        cloudProvider:
          hetzner: {}
          external: false  # <- KUB011

    Good:
        cloudProvider:
          hetzner: {}
          external: true

    Fixed:
        cloudProvider:
          hetzner: {}
    """
    cloud = cluster(spec).get("cloudProvider")
    node = cloud.get("external")
    if node.value is False and not set_keys(cloud, _NOT_FORCED):
        message = "KubeOne sets external to true whatever stands here"
        yield Hit(node, message, "remove the line", fix=removed(spec, cloud, node, is_safe=True))


@rule("KUB012")
def external_cloud_director(spec: Spec) -> Iterator[Hit]:
    """``external: true`` with VMware Cloud Director, which has no cloud controller manager.

    Nodes would wait for ever for a controller manager to initialise them.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:308-310.

    Bad:
        cloudProvider:
          vmwareCloudDirector: {}
          external: true  # <- KUB012

    Good:
        cloudProvider:
          vmwareCloudDirector: {}

    Fixed:
        cloudProvider:
          vmwareCloudDirector: {}
    """
    cloud = cluster(spec).get("cloudProvider")
    node = cloud.get("external")
    if node.is_true() and set_keys(cloud, ("vmwareCloudDirector",)):
        message = "vmwareCloudDirector has no external cloud provider"
        yield Hit(node, message, "remove the line", fix=removed(spec, cloud, node))


@rule("KUB013", Severity.WARNING)
def missing_cloud_config(spec: Spec) -> Iterator[Hit]:
    """The provider needs a cloudConfig or csiConfig, and the manifest has none.

    azure, openstack and vsphere need a cloudConfig; vsphere also a csiConfig, unless the CSI drivers are disabled. Both may
    stand in the credentials file (``-c``) instead, under the same names.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:239-241,291-293,316-321,
    pkg/apis/kubeone/config/config.go:282-313.

    Bad:
        cloudProvider:
          openstack: {}  # <- KUB013

    Good:
        cloudProvider:
          openstack: {}
          cloudConfig: |
            [Global]
            auth-url = https://keystone.example.com/v3
    """
    cloud = cluster(spec).get("cloudProvider")
    hint = "put it here, or into the credentials file (kubeone -c)"
    for provider in set_keys(cloud, _WITH_CLOUD_CONFIG):
        if not cloud.get("cloudConfig").string():
            yield Hit(cloud.get(provider), f"{provider} needs a cloudConfig", hint)
    has_driver = not cloud.get("disableBundledCSIDrivers").is_true()
    if set_keys(cloud, ("vsphere",)) and has_driver and not cloud.get("csiConfig").string():
        yield Hit(
            cloud.get("vsphere"),
            "vsphere needs a csiConfig",
            f"{hint}; or set disableBundledCSIDrivers: true",
        )


@rule("KUB014")
def misplaced_csi_config(spec: Spec) -> Iterator[Hit]:
    """A csiConfig stands where no CSI driver reads one.

    Only vsphere has one, and only while its CSI driver is not disabled.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:341-347.

    Bad:
        cloudProvider:
          aws: {}
          csiConfig: "[Global]"  # <- KUB014

    Good:
        cloudProvider:
          vsphere: {}
          cloudConfig: "[Global]"
          csiConfig: "[Global]"
    """
    cloud = cluster(spec).get("cloudProvider")
    node = cloud.get("csiConfig")
    if not node.string():
        return
    providers = set_keys(cloud, PROVIDERS)
    if providers and "vsphere" not in providers:
        yield Hit(node, f"csiConfig is for vsphere, not for {providers[0]}", on_key=True)
    if cloud.get("disableBundledCSIDrivers").is_true():
        yield Hit(node, "csiConfig and disableBundledCSIDrivers exclude each other", on_key=True)


@rule("KUB015")
def missing_infra_namespace(spec: Spec) -> Iterator[Hit]:
    """KubeVirt without the namespace of its machines.

    What ``kubeone init`` writes for KubeVirt lacks it, too.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:380-382.

    Bad:
        cloudProvider:
          kubevirt: {}  # <- KUB015

    Good:
        cloudProvider:
          kubevirt: {infraNamespace: machines}
    """
    node = cluster(spec).get("cloudProvider", "kubevirt")
    if not node.is_null() and not node.get("infraNamespace").string():
        yield Hit(node, "kubevirt needs infraNamespace, the namespace of the machines")


@rule("KUB016")
def unsupported_node_sets(spec: Spec) -> Iterator[Hit]:
    """Node sets on a provider where KubeOne creates no control plane, or an even number of them.

    KubeOne creates control planes on hetzner, openstack and kubevirt. It counts sets, not replicas, and only when no hosts are
    listed, which win.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/config/config.go:318-336,
    pkg/apis/kubeone/validation/validation.go:184-186.

    Bad:
        cloudProvider: {aws: {}}
        controlPlane:
          nodeSets:  # <- KUB016
            - {name: a, replicas: 3}

    Good:
        cloudProvider: {hetzner: {networkID: "1"}}
        controlPlane:
          nodeSets:
            - {name: a, replicas: 3}
    """
    root = cluster(spec)
    sets = root.get("controlPlane", "nodeSets")
    if sets.is_null():
        return
    provider = read_manifest(spec).provider
    if provider and provider not in _WITH_NODE_SETS:
        known = ", ".join(_WITH_NODE_SETS)
        yield Hit(
            sets,
            f"KubeOne creates no control plane on {provider}",
            f"list hosts; node sets are for {known}",
        )
    if sets.items and not root.get("controlPlane", "hosts").items and len(sets.items) % 2 == 0:
        yield Hit(sets, f"{len(sets.items)} node sets: etcd needs an odd number of sets")


@rule("KUB017")
def incomplete_managed_control_plane(spec: Spec) -> Iterator[Hit]:
    """The API of a control plane that KubeOne creates cannot be reached as written.

    hetzner needs the private network, openstack without node sets the name of its load balancer, and kubevirt with node sets
    either a load balancer or a host for the API. Terraform output may supply the network and the host.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:275-278,355-372,
    pkg/terraform/v1beta2/config.go:33-230.

    Bad:
        cloudProvider:
          openstack:
            controlPlane: {}  # <- KUB017

    Good:
        cloudProvider:
          openstack:
            controlPlane: {loadBalancer: {name: api}}
    """
    root = cluster(spec)
    cloud = root.get("cloudProvider")
    has_sets = not root.get("controlPlane", "nodeSets").is_null()
    yield from _hetzner(cloud.get("hetzner"), has_sets=has_sets)
    openstack = cloud.get("openstack", "controlPlane")
    if (
        not openstack.is_null()
        and not has_sets
        and not openstack.get("loadBalancer", "name").string()
    ):
        yield Hit(openstack, "openstack.controlPlane without node sets needs loadBalancer.name")
    kubevirt = cloud.get("kubevirt")
    reachable = (
        root.get("apiEndpoint", "host").string() or not kubevirt.get("controlPlane").is_null()
    )
    if has_sets and not kubevirt.is_null() and not reachable:
        yield Hit(
            nearest(root, "apiEndpoint", "host") if root.get("apiEndpoint") else kubevirt,
            "kubevirt with node sets needs kubevirt.controlPlane.loadBalancer or apiEndpoint.host",
            supplier=TERRAFORM,
        )


def _hetzner(node: Node, *, has_sets: bool) -> Iterator[Hit]:
    managed = has_sets or not node.get("controlPlane").is_null()
    if not node.is_null() and managed and not node.get("networkID").string():
        message = "hetzner needs networkID for a managed control plane, unless terraform output supplies it"
        yield Hit(node, message, severity=Severity.WARNING, supplier=TERRAFORM)
