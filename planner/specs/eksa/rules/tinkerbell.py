"""TinkerbellDatacenterConfig: what machines boot from."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, rule
from planner.specs.eksa.documents import cluster, datacenter, provider
from planner.specs.eksa.rules.reading import (
    address,
    deepest,
    is_blank,
    is_request_uri,
    reached,
    title,
)

_DATACENTER, _MACHINE = "TinkerbellDatacenterConfig", "TinkerbellMachineConfig"
_HOST = ("spec", "controlPlaneConfiguration", "endpoint", "host")


@rule("EKS180")
def unusable_tinkerbell_ip(spec: Spec) -> Iterator[Hit]:
    """The tinkerbellIP is missing, no IP address, or the same as the control plane endpoint.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/tinkerbelldatacenterconfig.go:68-74,
    pkg/providers/tinkerbell/assert.go:135-143.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: tinkerbell.example.com  # <- EKS180

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
    """
    host = cluster(spec).get(*_HOST)
    for document in reached(spec, _DATACENTER):
        node = document.get("spec", "tinkerbellIP")
        text = node.string()
        if is_blank(node):
            message = f"{title(document)} has no tinkerbellIP: EKS Anywhere refuses the file"
            hint = "write a free address of the nodes' network"
            yield Hit(deepest(document, "spec", "tinkerbellIP"), message, hint)
        elif node.kind == "scalar" and not address(text):
            message = f"the tinkerbellIP {text!r} is not an IP address: EKS Anywhere refuses it"
            yield Hit(node, message, "write a free address of the nodes' network")
        if text and text == host.string():
            message = f"the tinkerbellIP is that of the control plane endpoint, {text}: EKS Anywhere refuses that"
            about = ((host, "the endpoint"),)
            yield Hit(node, message, "use two free addresses", related=about)


@rule("EKS181")
def unusable_boot_url(spec: Spec) -> Iterator[Hit]:
    """The URL of an operating system image or of Hook is none.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/tinkerbelldatacenterconfig.go:52-62,76-81,
    tinkerbellmachineconfig.go:94-98.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
          osImageURL: images.example.com/ubuntu-1-33.gz  # <- EKS181

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
          osImageURL: https://images.example.com/ubuntu-1-33.gz
    """
    nodes: list[Node] = []
    for document in reached(spec, _DATACENTER):
        own = document.get("spec")
        nodes += [own.get("osImageURL"), own.get("hookImagesURLPath")]
        nodes += [own.get("hookIsoURL")] if own.get("isoBoot").is_true() else []
    nodes += [each.get("spec", "osImageURL") for each in reached(spec, _MACHINE)]
    for node in nodes:
        if node.string() and not is_request_uri(node.string()):
            message = f"{node.path[-1]} {node.string()!r} is no URL: EKS Anywhere refuses it"
            yield Hit(node, message, "write http(s)://HOST/PATH")


@rule("EKS182")
def unusable_boot_iso(spec: Spec) -> Iterator[Hit]:
    """A hookIsoURL is given without isoBoot, or does not end in .iso.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/tinkerbelldatacenterconfig.go:82-86,
    pkg/providers/tinkerbell/validate.go:196-203.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
          isoBoot: true
          hookIsoURL: https://images.example.com/hook.img  # <- EKS182

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
          isoBoot: true
          hookIsoURL: https://images.example.com/hook.iso
    """
    for document in reached(spec, _DATACENTER):
        switch, node = document.get("spec", "isoBoot"), document.get("spec", "hookIsoURL")
        if not node.string():
            continue
        if switch.value is False or switch.is_null():
            message = "hookIsoURL without isoBoot: EKS Anywhere refuses that"
            yield Hit(node, message, "write isoBoot: true, or remove hookIsoURL")
        if not node.string().endswith(".iso"):
            message = (
                f"the hookIsoURL {node.string()!r} does not end in .iso: EKS Anywhere refuses it"
            )
            yield Hit(node, message, "name a file that ends in .iso, without a query")


@rule("EKS190")
def proxy_without_hook_images(spec: Spec) -> Iterator[Hit]:
    """A cluster on bare metal uses a proxy, and the datacenter has no hookImagesURLPath.

    Machines that boot do not know the proxy yet: Hook must be served without it.

    Source: aws/eks-anywhere aebd9a0, pkg/providers/tinkerbell/assert.go:145-176.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          proxyConfiguration: {httpProxy: 192.0.2.1:3128, httpsProxy: 192.0.2.1:3128}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:  # <- EKS190
          tinkerbellIP: 198.51.100.20

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          proxyConfiguration: {httpProxy: 192.0.2.1:3128, httpsProxy: 192.0.2.1:3128}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: TinkerbellDatacenterConfig
        metadata: {name: prod}
        spec:
          tinkerbellIP: 198.51.100.20
          hookImagesURLPath: http://192.0.2.8/hook
    """
    proxy, center = cluster(spec).get("spec", "proxyConfiguration"), datacenter(spec)
    if provider(spec) != "Tinkerbell" or proxy.is_null() or not center:
        return
    if is_blank(center.get("spec", "hookImagesURLPath")):
        message = (
            "with a proxy the datacenter needs hookImagesURLPath: EKS Anywhere refuses the file"
        )
        place = deepest(center, "spec", "hookImagesURLPath")
        hint = "serve Hook in the nodes' network, and write its URL"
        yield Hit(place, message, hint, related=((proxy, "the proxy"),))
