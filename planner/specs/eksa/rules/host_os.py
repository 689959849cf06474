"""Operating systems of machine configs, and what is set on them."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import parse_url
from planner.core.lint import Hit, Severity, rule
from planner.core.text import closest
from planner.specs.eksa.rules.missing import renamed
from planner.specs.eksa.rules.pem import pem_mistake
from planner.specs.eksa.rules.reading import (
    BOTTLEROCKET,
    address,
    deepest,
    is_blank,
    os_family,
    reached,
    title,
    whole,
)

_FAMILIES = {
    "VSphereMachineConfig": ("bottlerocket", "ubuntu", "redhat"),
    "TinkerbellMachineConfig": ("ubuntu", "redhat", "bottlerocket"),
    "SnowMachineConfig": ("ubuntu", "bottlerocket"),
    "NutanixMachineConfig": ("ubuntu", "redhat"),
}
_REQUIRED = frozenset({"TinkerbellMachineConfig", "SnowMachineConfig"})
_CONFIGURABLE = ("VSphereMachineConfig", "TinkerbellMachineConfig", "SnowMachineConfig")


@rule("EKS125")
def unsupported_os_family(spec: Spec) -> Iterator[Hit]:
    """The osFamily of a machine config is not one that its provider has.

    vSphere takes bottlerocket, ubuntu and redhat, bare metal the same three, Snow bottlerocket and ubuntu, Nutanix
    ubuntu and redhat (there only the webhook looks). Where it is not written, vSphere takes bottlerocket and Nutanix
    ubuntu; the others refuse that.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/vspheremachineconfig.go:87, tinkerbellmachineconfig.go:79-92,
    snowmachineconfig.go:85-91, nutanixmachineconfig.go:196.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: rhel  # <- EKS125

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: redhat
    """
    for kind, known in _FAMILIES.items():
        for document in reached(spec, kind):
            family = document.get("spec", "osFamily")
            place = deepest(document, "spec", "osFamily")
            hint = f"one of {', '.join(known)}"
            severity = Severity.WARNING if kind == "NutanixMachineConfig" else None
            what = "the webhook refuses it" if severity else "EKS Anywhere refuses it"
            if is_blank(family) and kind in _REQUIRED:
                yield Hit(place, f"{title(document)} has no osFamily: {what}", hint)
            elif family.string() and family.string() not in known:
                message = f"{title(document)} cannot run the osFamily {family.string()!r}: {what}"
                near = closest(family.string(), known)
                fix = renamed(family, near)
                yield Hit(place, message, hint, severity=severity, fix=fix)


@rule("EKS126")
def unusable_time_server(spec: Spec) -> Iterator[Hit]:
    """An ntpConfiguration names no server, or one that cannot be a host.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/hostosconfig.go:33-54.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          hostOSConfiguration:
            ntpConfiguration:
              servers:
              - time.example.com
              - "udp://"  # <- EKS126

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          hostOSConfiguration:
            ntpConfiguration:
              servers: [time.example.com, 192.0.2.7]
    """
    for _, settings in _settings(spec):
        ntp = settings.get("ntpConfiguration")
        servers = ntp.get("servers")
        if ntp.is_null() or (servers.kind == "scalar" and servers.value is not None):
            continue
        if not servers.items and servers.kind != "mapping":
            message = "ntpConfiguration has no servers: EKS Anywhere refuses that"
            yield Hit(deepest(ntp, "servers"), message, "add servers, or remove ntpConfiguration")
        for server in servers.items:
            if server.kind == "scalar" and not _is_time_server(server.string()):
                message = f"{server.string()!r} cannot be the host of a time server: EKS Anywhere refuses it"
                yield Hit(server, message, "write a host name or an IP address")


@rule("EKS127")
def bottlerocket_setting(spec: Spec) -> Iterator[Hit]:
    """A machine config that is not of Bottlerocket has settings that only Bottlerocket knows.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/hostosconfig.go:68-78,86-95.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: ubuntu
          hostOSConfiguration:
            bottlerocketConfiguration:  # <- EKS127
              kubernetes: {maxPods: 50}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          osFamily: bottlerocket
          hostOSConfiguration:
            bottlerocketConfiguration:
              kubernetes: {maxPods: 50}
    """
    for document, settings in _settings(spec):
        family = os_family(document)
        if family in ("", BOTTLEROCKET):
            continue
        bundles, own = settings.get("certBundles"), settings.get("bottlerocketConfiguration")
        about = ((document.get("spec", "osFamily"), "its operating system"),)
        for node, name in ((bundles, "certBundles"), (own, "bottlerocketConfiguration")):
            if node.items or node.kind == "mapping":
                message = f"{name} is refused on {family}: only Bottlerocket has it"
                yield Hit(node, message, f"remove {name}", related=about)


@rule("EKS128")
def unusable_certificate(spec: Spec) -> Iterator[Hit]:
    """A bundle of certificates for the nodes has no name, or holds no certificates.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/hostosconfig.go:78-84,158-190.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          hostOSConfiguration:
            certBundles:
            - name: corporate
              data: see the wiki  # <- EKS128

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          hostOSConfiguration:
            certBundles: []
    """
    for _, settings in _settings(spec):
        for bundle in settings.get("certBundles").items:
            if is_blank(bundle.get("name")):
                message = "this certificate bundle has no name: EKS Anywhere refuses it"
                yield Hit(deepest(bundle, "name"), message, "add name")
            data = bundle.get("data")
            mistake = pem_mistake(data.string()) if data.kind in ("scalar", "absent") else ""
            if mistake:
                message = f"the certificate bundle {mistake}: EKS Anywhere refuses it"
                hint = "write certificates as -----BEGIN CERTIFICATE----- blocks"
                yield Hit(deepest(bundle, "data"), message, hint)


@rule("EKS129")
def invalid_bottlerocket_setting(spec: Spec) -> Iterator[Hit]:
    """A setting of Bottlerocket has an empty name, a DNS server that is no address, or a negative number of pods.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/hostosconfig.go:106-155.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          hostOSConfiguration:
            bottlerocketConfiguration:
              kubernetes:
                clusterDNSIPs: [dns.example.com]  # <- EKS129
                maxPods: -1  # <- EKS129
              kernel:
                sysctlSettings:
                  "": "1"  # <- EKS129

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: VSphereMachineConfig
        metadata: {name: cp}
        spec:
          hostOSConfiguration:
            bottlerocketConfiguration:
              kubernetes:
                clusterDNSIPs: [10.96.0.10]
                maxPods: 110
              kernel:
                sysctlSettings:
                  vm.max_map_count: "262144"
    """
    for document, settings in _settings(spec):
        if os_family(document) != BOTTLEROCKET:
            continue
        own = settings.get("bottlerocketConfiguration")
        kubernetes = own.get("kubernetes")
        yield from _kubernetes(kubernetes)
        for path in (("kernel", "sysctlSettings"), ("boot", "bootKernelParameters")):
            for entry in own.get(*path).entries:
                if not entry.key.text:
                    message = f"a key of {path[-1]} is empty: EKS Anywhere refuses that"
                    yield Hit(entry.value, message, "write the name of the setting", on_key=True)


def _kubernetes(kubernetes: Node) -> Iterator[Hit]:
    for name in kubernetes.get("allowedUnsafeSysctls").items:
        if is_blank(name):
            yield Hit(
                name, "a name in allowedUnsafeSysctls is empty: EKS Anywhere refuses that", ""
            )
    for server in kubernetes.get("clusterDNSIPs").items:
        if server.kind == "scalar" and not address(server.string()):
            message = (
                f"the DNS server {server.string()!r} is not an IP address: EKS Anywhere refuses it"
            )
            yield Hit(server, message, "write the address of the cluster's DNS service")
    pods = kubernetes.get("maxPods")
    if (whole(pods) or 0) < 0:
        yield Hit(pods, "maxPods is negative: EKS Anywhere refuses that", "write 110 or so")


def _settings(spec: Spec) -> Iterator[tuple[Node, Node]]:
    """Each machine config with its hostOSConfiguration."""
    for kind in _CONFIGURABLE:
        for document in reached(spec, kind):
            yield document, document.get("spec", "hostOSConfiguration")


def _is_time_server(server: str) -> bool:
    """Whether the server can be the host of a URL, alone or with a scheme."""
    text = server
    if "://" not in server:
        text = f"udp://[{server}]" if ":" in server and address(server) else f"udp://{server}"
    url = parse_url(text)
    return url is not None and bool(url.scheme and url.host)
