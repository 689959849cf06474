"""Address ranges, the network plug-in and kube-proxy."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.kubeone.manifest import CNIS, cluster, read_manifest, set_keys

_DUAL = "IPv4+IPv6"
_REFUSED = ("IPv6", "IPv6+IPv4")
_DUAL_PROVIDERS = ("aws", "vsphere", "none")
_POD = {"IPv4": "10.244.0.0/16", "IPv6": "fd01::/48"}
_SERVICE = {"IPv4": "10.96.0.0/12", "IPv6": "fd02::/120"}
_MASK = {"IPv4": 24, "IPv6": 64}
_Network = IPv4Network | IPv6Network


@rule("KUB030")
def unsupported_ip_family(spec: Spec) -> Iterator[Hit]:
    """The IP family is not one that KubeOne sets up.

    IPv4, or IPv4+IPv6 on aws, vsphere and none. The types know IPv6 and IPv6+IPv4, too, but validation refuses both. The words
    are case-sensitive.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:524-530,608-610,731-733.

    Bad:
        clusterNetwork:
          ipFamily: IPv6  # <- KUB030

    Good:
        clusterNetwork:
          ipFamily: IPv4
    """
    root = cluster(spec)
    node = root.get("clusterNetwork", "ipFamily")
    if node.string() not in ("", "IPv4", _DUAL, *_REFUSED):
        yield Hit(node, f"{node.text!r} is no IP family: IPv4 or {_DUAL}")
    networks = [each.get("providerSpec", "network") for each in root.get("dynamicWorkers").items]
    for each in (node, *(network.get("ipFamily") for network in networks)):
        yield from _refused(each, read_manifest(spec).provider)


def _refused(node: Node, provider: str) -> Iterator[Hit]:
    if node.string() in _REFUSED:
        yield Hit(
            node, f"KubeOne refuses {node.text}, although its types have it", f"IPv4 or {_DUAL}"
        )
    if node.string() in (_DUAL, "IPv6+IPv4") and provider not in ("", *_DUAL_PROVIDERS):
        known = ", ".join(_DUAL_PROVIDERS)
        yield Hit(node, f"KubeOne has no {_DUAL} on {provider}", f"it works on {known}")


@rule("KUB031")
def invalid_subnet(spec: Spec) -> Iterator[Hit]:
    """A subnet is not a range of its IP family.

    Only the ranges of the cluster's IP family are looked at. Bits behind the mask may be set.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:577-607.

    Bad:
        clusterNetwork:
          podSubnet: 10.0.0.0  # <- KUB031

    Good:
        clusterNetwork:
          podSubnet: 10.0.0.0/16
    """
    network = cluster(spec).get("clusterNetwork")
    for family, suffix in _families(network):
        for key in (f"podSubnet{suffix}", f"serviceSubnet{suffix}"):
            node = network.get(key)
            if node.string() and _parse(node.string(), family) is None:
                yield Hit(
                    node, f"{node.text!r} is not an {family} range", "write it as ADDRESS/LENGTH"
                )


@rule("KUB032")
def node_mask_too_short(spec: Spec) -> Iterator[Hit]:
    """Nodes cannot have a part of the pod subnet, because the part is not smaller than the subnet.

    The mask of a node must be longer than that of the pod subnet. The default is 24 (IPv6: 64), which a pod subnet of /24
    does not leave room for.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:553-558.

    Bad:
        clusterNetwork:
          podSubnet: 10.0.0.0/24  # <- KUB032

    Good:
        clusterNetwork:
          podSubnet: 10.0.0.0/24
          nodeCIDRMaskSizeIPv4: 26
    """
    network = cluster(spec).get("clusterNetwork")
    for family, suffix in _families(network):
        node = network.get(f"podSubnet{suffix}")
        mask = network.get(f"nodeCIDRMaskSize{family}")
        size = mask.value if isinstance(mask.value, int) else _MASK[family]
        subnet = _parse(node.string() or _POD[family], family)
        if subnet and subnet.prefixlen >= size:
            message = (
                f"a node's part (/{size}) is not smaller than the pod subnet (/{subnet.prefixlen})"
            )
            yield Hit(
                mask or node or network,
                message,
                f"nodeCIDRMaskSize{family}: {subnet.prefixlen + 8}",
            )


@rule("KUB033", Severity.WARNING)
def overlapping_subnets(spec: Spec) -> Iterator[Hit]:
    """The ranges of pods and Services overlap.

    KubeOne does not look, and the cluster comes up; traffic to the shared addresses then goes astray.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:577-607 (each range by itself).

    Bad:
        clusterNetwork:
          podSubnet: 10.96.0.0/16  # <- KUB033

    Good:
        clusterNetwork:
          podSubnet: 10.244.0.0/16
    """
    network = cluster(spec).get("clusterNetwork")
    for family, suffix in _families(network):
        pods, services = network.get(f"podSubnet{suffix}"), network.get(f"serviceSubnet{suffix}")
        one = _parse(pods.string() or _POD[family], family)
        other = _parse(services.string() or _SERVICE[family], family)
        if one and other and one.overlaps(other):
            yield Hit(
                pods or services or network, f"pods ({one}) and Services ({other}) share addresses"
            )


@rule("KUB034")
def not_exactly_one_cni(spec: Spec) -> Iterator[Hit]:
    """Several network plug-ins are set, or an empty ``cni``.

    Without the key, canal is the default; with an empty mapping there is none, and KubeOne stops.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:646-667.

    Bad:
        clusterNetwork:
          cni:
            canal: {}
            cilium: {}  # <- KUB034

    Good:
        clusterNetwork:
          cni:
            cilium: {}
    """
    cni = cluster(spec).get("clusterNetwork", "cni")
    plugins = set_keys(cni, CNIS)
    if not cni.is_null() and not plugins:
        yield Hit(
            cni, "cni is empty: no network plug-in", "remove it for canal, or set external: {}"
        )
    for other in plugins[1:]:
        yield Hit(
            cni.get(other), f"a cluster has one network plug-in, and {plugins[0]} is set already"
        )


@rule("KUB035")
def two_kube_proxy_modes(spec: Spec) -> Iterator[Hit]:
    """kube-proxy is set to both of its modes.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:621-629.

    Bad:
        clusterNetwork:
          kubeProxy:
            ipvs: {}
            iptables: {}  # <- KUB035

    Good:
        clusterNetwork:
          kubeProxy:
            ipvs: {}
    """
    proxy = cluster(spec).get("clusterNetwork", "kubeProxy")
    if len(set_keys(proxy, ("ipvs", "iptables"))) == 2:
        yield Hit(proxy.get("iptables"), "kube-proxy has one mode, and ipvs is set, too")


@rule("KUB036")
def inconsistent_cilium(spec: Spec) -> Iterator[Hit]:
    """Options of cilium that need others.

    Replacing kube-proxy needs ``kubeProxy.skipInstallation``. The gateway API and the local redirect policy need the
    replacement, and the policy brings its own DNS cache, so that ``features.nodeLocalDNS`` must be off.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:98-142.

    Bad:
        clusterNetwork:
          cni:
            cilium:
              enableGatewayAPI: true  # <- KUB036

    Good:
        clusterNetwork:
          kubeProxy: {skipInstallation: true}
          cni:
            cilium:
              kubeProxyReplacement: strict
              enableGatewayAPI: true
    """
    manifest = read_manifest(spec)
    replacement = manifest.cilium.get("kubeProxyReplacement")
    replaces = replacement.string() == "strict"
    if replaces and manifest.has_kube_proxy:
        yield Hit(
            replacement,
            "replacing kube-proxy needs clusterNetwork.kubeProxy.skipInstallation: true",
        )
    for key in ("enableGatewayAPI", "enableLocalRedirectPolicy"):
        node = manifest.cilium.get(key)
        if node.is_true() and not replaces:
            yield Hit(node, f"{key} needs kubeProxyReplacement: strict")
    policy = manifest.cilium.get("enableLocalRedirectPolicy")
    if policy.is_true() and manifest.node_local_dns.is_on:
        message = (
            "enableLocalRedirectPolicy brings its own DNS cache, and features.nodeLocalDNS is on"
        )
        yield Hit(policy, message, "features: {nodeLocalDNS: {deploy: false}}")


@rule("KUB037", Severity.WARNING)
def unknown_kube_proxy_replacement(spec: Spec) -> Iterator[Hit]:
    """A word for cilium's kube-proxy replacement that means nothing.

    In v1beta2 only ``strict`` turns it on. KubeOne takes every other word for off, ``partial`` and a quoted ``true`` too.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/v1beta2/conversion.go:89.

    Bad:
        clusterNetwork:
          cni:
            cilium:
              kubeProxyReplacement: partial  # <- KUB037

    Good:
        clusterNetwork:
          cni:
            cilium:
              kubeProxyReplacement: disabled
    """
    node = read_manifest(spec).cilium.get("kubeProxyReplacement")
    if node.string() not in ("", "strict", "disabled") and isinstance(node.value, str):
        yield Hit(node, f"{node.text!r} means disabled: KubeOne knows strict and disabled")


def _families(network: Node) -> tuple[tuple[str, str], ...]:
    """The cluster's IP families, each with the ending of its field names."""
    four, six = ("IPv4", ""), ("IPv6", "IPv6")
    chosen = {"IPv6": (six,), _DUAL: (four, six), "IPv6+IPv4": (four, six)}
    written = network.get("ipFamily").string()
    return (four,) if written in ("", "IPv4") else chosen.get(written, ())


def _parse(text: str, family: str) -> _Network | None:
    """The range, as Go's ``net.ParseCIDR`` reads it: with a length in digits."""
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or "%" in address:
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return network if network.version == (4 if family == "IPv4" else 6) else None
