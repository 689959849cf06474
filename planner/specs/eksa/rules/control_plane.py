"""The control plane: its endpoint, its machines, and what its API server is given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.reader import read
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.lookup import is_missing, is_port, number, split_host_port
from planner.specs.eksa.rules.reading import address, deepest, group_holders

_PLANE = ("spec", "controlPlaneConfiguration")
_HOST = (*_PLANE, "endpoint", "host")
_ARGS = (*_PLANE, "apiServerExtraArgs")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]")
_ARGS_SWITCH = "API_SERVER_EXTRA_ARGS_ENABLED"
_OIDC_FLAGS = tuple(
    f"oidc-{each}"
    for each in (
        "issuer-url client-id groups-claim groups-prefix required-claim username-claim"
        " username-prefix"
    ).split()
)
_AUDIT_GROUP, _AUDIT_KIND = "audit.k8s.io/", "Policy"


@rule("EKS010")
def missing_endpoint(spec: Spec) -> Iterator[Hit]:
    """The control plane has no endpoint.

    Every provider but Docker needs the address under which the API server will be reached.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:493-498.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            endpoint: {host: ""}  # <- EKS010

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            endpoint: {host: 198.51.100.10}
    """
    root = cluster(spec)
    if root and provider(spec) != "Docker" and is_missing(root, *_HOST):
        message = "controlPlaneConfiguration has no endpoint.host: EKS Anywhere refuses the file"
        yield Hit(deepest(root, *_HOST), message, "give a free address of the nodes' network")


@rule("EKS011")
def unusable_endpoint_host(spec: Spec) -> Iterator[Hit]:
    """The control plane endpoint is not one that the provider can use.

    Snow needs an address. CloudStack takes a host with or without a port from 1 to 65535. On bare metal nothing checks it, but
    the address is announced on the nodes' network, which cannot be done with a name.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:763-767 (Snow), pkg/providers/cloudstack/spec.go:36-46.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: SnowDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            endpoint: {host: api.example.com}  # <- EKS011

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: SnowDatacenterConfig, name: prod}
          controlPlaneConfiguration:
            endpoint: {host: 198.51.100.10}
    """
    host = cluster(spec).get(*_HOST)
    text, name = host.string(), provider(spec)
    if not text:
        return
    if name == "CloudStack":
        parts = split_host_port(text)
        has_port = ":" in text and text[-1:] != "]"
        if has_port and (parts.problem or not is_port(parts.port)):
            problem = parts.problem or f"{parts.port!r} is no port"
            yield Hit(host, f"EKS Anywhere refuses the endpoint {text!r}: {problem}", "HOST:PORT")
    elif name in ("Snow", "Tinkerbell") and not address(text):
        message = f"the endpoint {text!r} is not an IP address"
        severity = None if name == "Snow" else Severity.WARNING
        hint = "write a free address of the nodes' network"
        yield Hit(host, message, hint, severity=severity)


@rule("EKS012")
def missing_machine_group(spec: Spec) -> Iterator[Hit]:
    """A part of the cluster does not say which machines it runs on.

    Outside Docker the control plane, each worker group and external etcd need a ``machineGroupRef``.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:449-465.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: cp}
          workerNodeGroupConfigurations:
          - name: md-0  # <- EKS012

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            machineGroupRef: {kind: VSphereMachineConfig, name: cp}
          workerNodeGroupConfigurations:
          - name: md-0
            machineGroupRef: {kind: VSphereMachineConfig, name: md}
    """
    root = cluster(spec)
    if not root or provider(spec) == "Docker" or not _is_whole(root.get("spec")):
        return
    for name, holder in group_holders(spec):
        if is_missing(holder, "machineGroupRef"):
            place = deepest(holder, "machineGroupRef") or deepest(root, *_PLANE)
            message = f"{name} has no machineGroupRef: EKS Anywhere refuses the file"
            yield Hit(place, message, "machineGroupRef: {kind: …MachineConfig, name: …}")


@rule("EKS013")
def unusable_control_plane_count(spec: Spec) -> Iterator[Hit]:
    """The number of control plane nodes is not one that EKS Anywhere accepts.

    It has no default. With etcd on the same nodes it must be odd; with external etcd any number above 0 will do.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:467-484.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            count: 2  # <- EKS013

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            count: 3
    """
    root = cluster(spec)
    count = number(root, *_PLANE, "count") if root else None
    if count is None:
        return
    place = deepest(root, *_PLANE, "count")
    if count <= 0:
        what = f"a control plane of {count} nodes" if root.get(*_PLANE, "count") else "no count"
        message = f"controlPlaneConfiguration has {what}: EKS Anywhere refuses the file"
        yield Hit(place, message, "count: 3")
    elif count % 2 == 0 and root.get("spec", "externalEtcdConfiguration").is_null():
        message = f"{count} control plane nodes are an even number, and etcd runs on them"
        yield Hit(place, message, f"count: {count + 1}, or add externalEtcdConfiguration")


@rule("EKS014")
def unusable_certificate_name(spec: Spec) -> Iterator[Hit]:
    """A name for the API server's certificate is neither an address nor a domain name with a dot.

    The domain must be in small letters. It may stand anywhere in the text, which is why ``*.example.com`` passes.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:500-518.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            certSans:
            - localhost  # <- EKS014
            - api.example.com

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            certSans: [127.0.0.1, api.example.com]
    """
    for node in cluster(spec).get(*_PLANE, "certSans").items:
        text = node.string()
        if node.kind == "scalar" and not _DOMAIN.search(text) and not address(text):
            message = f"EKS Anywhere refuses {text!r} in certSans"
            yield Hit(node, message, "write an IP address, or a domain name with a dot")


@rule("EKS015", Severity.WARNING)
def extra_args_behind_switch(spec: Spec) -> Iterator[Hit]:
    """Flags for the API server need a switch in the environment of the command.

    Without ``API_SERVER_EXTRA_ARGS_ENABLED=true``, the command refuses the file.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:520-525.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            apiServerExtraArgs:  # <- EKS015
              service-account-jwks-uri: https://example.com/keys

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            count: 3
    """
    node = cluster(spec).get(*_ARGS)
    if not node.is_null():
        message = f"apiServerExtraArgs is refused unless {_ARGS_SWITCH} is true in the environment"
        yield Hit(node, message, f"export {_ARGS_SWITCH}=true")


@rule("EKS016")
def oidc_flags_twice(spec: Spec) -> Iterator[Hit]:
    """The API server's OIDC flags are set by hand, and by an OIDCConfig.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:527-549.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            apiServerExtraArgs:
              oidc-issuer-url: https://id.example.com  # <- EKS016
          identityProviderRefs:
          - {kind: OIDCConfig, name: corp}

    Good:
        kind: Cluster
        spec:
          identityProviderRefs:
          - {kind: OIDCConfig, name: corp}
    """
    refs = cluster(spec).get("spec", "identityProviderRefs").items
    ours = [each for each in refs if each.get("kind").string() == "OIDCConfig"]
    for flag, node in cluster(spec).get(*_ARGS).fields():
        if ours and flag in _OIDC_FLAGS:
            message = f"{flag} is refused, since identityProviderRefs has an OIDCConfig"
            related = ((ours[0], "the OIDCConfig"),)
            yield Hit(node, message, "set it in the OIDCConfig", on_key=True, related=related)


@rule("EKS017")
def unusable_audit_policy(spec: Spec) -> Iterator[Hit]:
    """The audit policy is not YAML, or is YAML but no audit policy.

    EKS Anywhere refuses what is no YAML. Whatever else stands there is handed to the API server, which does not start when it
    is not a Policy of audit.k8s.io.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:571-580; kubernetes/apiserver v0.36.2
    pkg/audit/policy/reader.go.

    Bad:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            auditPolicyContent: "rules: [a"  # <- EKS017

    Good:
        kind: Cluster
        spec:
          controlPlaneConfiguration:
            auditPolicyContent: |
              apiVersion: audit.k8s.io/v1
              kind: Policy
              rules: [{level: Metadata}]
    """
    node = cluster(spec).get(*_PLANE, "auditPolicyContent")
    if node.kind != "scalar" or not node.string():
        return
    inside = read("auditPolicyContent", node.string())
    broken = next((each for each in inside.problems if each.kind == "syntax"), None)
    policy = inside.root
    if broken:
        message = f"the audit policy is not YAML, at its line {broken.span.line}: EKS Anywhere refuses the file"
        yield Hit(node, message, "write it as a block: auditPolicyContent: |")
    elif policy.get("kind").string() != _AUDIT_KIND or not policy.get(
        "apiVersion"
    ).string().startswith(_AUDIT_GROUP):
        message = "this is no audit policy, so the API server will not start"
        hint = "begin with apiVersion: audit.k8s.io/v1, kind: Policy"
        yield Hit(node, message, hint, severity=Severity.WARNING)


def _is_whole(node: Node) -> bool:
    return node.kind == "mapping" or node.is_null()
