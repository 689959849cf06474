"""How the nodes reach the registry mirror."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import ABSENT, Node, Spec
from planner.core.lint import Edit, Fix, Hit, Severity, rule
from planner.specs.eksa.documents import machine_config, machine_refs, provider
from planner.specs.eksa.mirror import configuration
from planner.specs.eksa.rules.lookup import go_text, is_missing, is_port
from planner.specs.eksa.rules.pem import pem_mistake
from planner.specs.eksa.rules.reading import BOTTLEROCKET, address, deepest, os_family

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")
_PORT = re.compile(r":(?P<port>[0-9]*)$")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_BLOCK = "-----BEGIN "
_WITHOUT_CREDENTIALS = ("CloudStack", "Snow")


@rule("EKS060")
def missing_mirror_endpoint(spec: Spec) -> Iterator[Hit]:
    """The registry mirror has no endpoint.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:913-919.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:  # <- EKS060
            port: "5000"

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            port: "5000"
    """
    mirror = configuration(spec)
    if not mirror.is_null() and is_missing(mirror, "endpoint"):
        message = "the registry mirror has no endpoint: EKS Anywhere refuses the file"
        yield Hit(deepest(mirror, "endpoint"), message, "endpoint: HOST")


@rule("EKS061")
def mirror_endpoint_not_a_host(spec: Spec) -> Iterator[Hit]:
    """The endpoint of the registry mirror is more than a host name or an address.

    EKS Anywhere does not look, and puts ``:PORT`` behind whatever stands there: ``https://registry`` becomes the host
    ``[https://registry]:443``, ``registry:5000`` becomes ``[registry:5000]:443``, and in ``registry/project`` the port lands
    behind the path. No image can be pulled from any of them. It always speaks TLS.

    Source: aws/eks-anywhere aebd9a0 pkg/registrymirror/registrymirror.go:34-58, pkg/validations/cluster.go:62-94;
    issues 9884, 2536.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: https://registry.example.com  # <- EKS061

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com

    Fixed:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
    """
    node = configuration(spec).get("endpoint")
    text = node.string()
    if not text or address(text) or _HOST.fullmatch(text):
        return
    host, path, port = _taken_apart(text)
    hint = _where_it_belongs(host, path, port)
    shown = f"endpoint {text!r}" if "@" not in text else "this endpoint"
    message = f"no image can be pulled from {shown}: {_excess(text, path, port)}"
    yield Hit(node, message, hint, fix=_bare_host(configuration(spec), host, path, port))


def _taken_apart(text: str) -> tuple[str, str, str]:
    """Host, path and port that were evidently meant; the host is empty when none can be seen."""
    rest = text.strip().partition("://")[2] or text.strip()
    place, _, path = rest.partition("/")
    place = place.rpartition("@")[2]
    match = _PORT.search(place) if place.count(":") == 1 or "]" in place else None
    host = (place[: match.start()] if match else place).strip("[]")
    is_host = bool(address(host) or _HOST.fullmatch(host))
    return host if is_host else "", path.strip("/"), match["port"] if match else ""


def _excess(text: str, path: str, port: str) -> str:
    if "@" in text:
        return "credentials do not belong into it"
    if "://" in text:
        return "EKS Anywhere takes the scheme for a part of the host"
    if path or text.endswith("/"):
        return "EKS Anywhere puts the port behind the path"
    if port:
        return "EKS Anywhere puts another port behind this one"
    return "it is not a host name or an address"


def _where_it_belongs(host: str, path: str, port: str) -> str:
    parts = [f"endpoint: {host or 'HOST'}"]
    if port:
        parts.append(f'port: "{port}"')
    if path:
        parts.append(f"ociNamespaces: [{{registry: public.ecr.aws, namespace: {path}}}]")
    return "write " + ", ".join(parts)


def _bare_host(mirror: Node, host: str, path: str, port: str) -> Fix | None:
    """The host alone, unless a path or a port would be lost."""
    node, given = mirror.get("endpoint"), go_text(mirror.get("port")) or "443"
    if not host or path or port not in ("", given) or node.span.line != node.span.end_line:
        return None
    return Fix(f"write {host}", (Edit(node.span, f'"{host}"' if ":" in host else host),))


@rule("EKS062")
def unusable_mirror_port(spec: Spec) -> Iterator[Hit]:
    """The port of the registry mirror is not a number from 1 to 65535.

    Without one it is 443.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:921-923, pkg/networkutils/networkutils.go:12-15.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            port: https  # <- EKS062

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            port: "443"
    """
    node = configuration(spec).get("port")
    text = go_text(node)
    if text and not is_port(text):
        trimmed = text.strip()
        fix = Fix(f"write {trimmed}", (Edit(node.span, f'"{trimmed}"'),))
        message = f"{text!r} is no port: EKS Anywhere refuses the file"
        hint = "write a number from 1 to 65535"
        yield Hit(node, message, hint, fix=fix if is_port(trimmed) else None)


@rule("EKS063", Severity.WARNING)
def unusable_mirror_certificate(spec: Spec) -> Iterator[Hit]:
    """The authority of the registry mirror is not a certificate.

    It is the text of the certificate (PEM), not the name of a file; a file can be named in ``EKSA_REGISTRY_MIRROR_CA`` when
    there is no text. Reading the spec takes anything here. Only when a cluster is created or upgraded is the registry verified
    with the first block, and the text is written to each node.

    Source: aws/eks-anywhere aebd9a0 pkg/validations/cluster.go:62-94, pkg/crypto/validator.go (``ValidateCert``).

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            caCertContent: /etc/ssl/corp.pem  # <- EKS063

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
    """
    node = configuration(spec).get("caCertContent")
    text = node.string()
    if node.kind != "scalar" or not text:
        return
    if _PRIVATE_KEY.search(text):
        message = "caCertContent holds a private key, which would be written to each node"
        hint = "give the authority's certificate alone, and replace the key"
        yield Hit(node, message, hint, severity=Severity.ERROR)
    elif mistake := pem_mistake(text, first_only=True):
        message = f"caCertContent {mistake}, so the registry cannot be verified with it"
        is_folded = _BLOCK in text and "\n" not in text.strip()
        hint = "keep the line breaks: caCertContent: |" if is_folded else "paste the PEM text"
        yield Hit(node, message, hint)
    elif text.count(_BLOCK) > 1:
        message = "EKS Anywhere verifies the registry with the first of these certificates only"
        hint = "put the one first that signed the registry's certificate"
        yield Hit(node, message, hint, severity=Severity.INFO)


@rule("EKS064", Severity.INFO)
def unverified_mirror(spec: Spec) -> Iterator[Hit]:
    """The nodes do not verify the certificate of the registry mirror.

    Whoever sits between a node and the registry can serve any image and read the credentials. Bottlerocket cannot do without
    verification, and EKS Anywhere refuses the file. An authority beside it has no effect.

    Source: aws/eks-anywhere aebd9a0 pkg/validations/cluster.go:37-94; containerd 301026e docs/hosts.md ``skip_verify``.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            insecureSkipVerify: true  # <- EKS064

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            insecureSkipVerify: false
    """
    mirror = configuration(spec)
    node, authority = mirror.get("insecureSkipVerify"), mirror.get("caCertContent")
    if not node.is_true():
        return
    if machine := bottlerocket_machine(spec):
        name = machine.get("metadata", "name").string()
        message = f"EKS Anywhere refuses insecureSkipVerify with Bottlerocket ({name})"
        place = deepest(machine, "spec", "osFamily")
        related = ((place, "a machine config for Bottlerocket"),)
        hint = "give the registry's authority in caCertContent instead"
        yield Hit(node, message, hint, severity=Severity.ERROR, related=related)
    elif authority.string():
        message = "insecureSkipVerify is true, so the certificate in caCertContent verifies nothing"
        related = ((authority, "the certificate"),)
        yield Hit(node, message, "remove one of them", severity=Severity.WARNING, related=related)
    else:
        message = "the nodes take images from whoever answers in the place of the registry mirror"
        yield Hit(node, message, "give the registry's authority in caCertContent instead")


@rule("EKS065", Severity.INFO)
def mirror_credentials_elsewhere(spec: Spec) -> Iterator[Hit]:
    """The credentials of the registry mirror come from the environment of the command.

    With ``authenticate``, create, upgrade and delete stop when ``REGISTRY_USERNAME`` or ``REGISTRY_PASSWORD`` is not set. On
    CloudStack and Snow the nodes do not get them, so they ask the registry without.

    Source: aws/eks-anywhere aebd9a0 pkg/validations/cluster.go:97-106, pkg/config/registry.go:18-30,
    pkg/providers/cloudstack/config/template-cp.yaml and pkg/clusterapi/registry_mirror.go:90-103 (no credentials).

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            authenticate: true  # <- EKS065

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
    """
    node, where = configuration(spec).get("authenticate"), provider(spec)
    if not node.is_true():
        return
    if where in _WITHOUT_CREDENTIALS:
        message = f"on {where} the nodes get no credentials, and ask the registry without"
        hint = "let the registry serve these repositories to anybody"
        yield Hit(node, message, hint, severity=Severity.WARNING)
    else:
        message = "this needs REGISTRY_USERNAME and REGISTRY_PASSWORD in the environment"
        yield Hit(node, message, "export both before each command")


def bottlerocket_machine(spec: Spec) -> Node:
    """The first machine config that the cluster uses for Bottlerocket; an absent node when there is none."""
    used = (machine_config(spec, ref) for ref in machine_refs(spec))
    of_docker = provider(spec) == "Docker"
    found = (each for each in used if os_family(each) == BOTTLEROCKET and not of_docker)
    return next(found, ABSENT)
