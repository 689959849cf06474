"""Mistakes in TLS settings, and settings that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import split_port
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import as_literal
from planner.core.resolution import is_loopback
from planner.specs.k3s.registries import WILDCARD, configs, listed
from planner.specs.k3s.rules.files import placeholder
from planner.specs.k3s.rules.wildcards import wildcard_tls_is_lost

_FILES = ("ca_file", "cert_file", "key_file")
_ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]")


@rule("K3S050")
def incomplete_client_certificate(spec: Spec) -> Iterator[Hit]:
    """A client certificate has no key, or a key no certificate.

    K3s writes the pair with an empty half. containerd then looks for the key inside the certificate's file, or cannot read the
    certificate, and the pull fails; the RKE2 runtime image is pulled without either.

    Source: rancher/wharfie bb7080c pkg/registries/registries.go:276-281; containerd 301026e docs/hosts.md ``client``.

    Bad:
        configs:
          registry.example.com:
            tls:
              cert_file: /etc/ssl/client.pem  # <- K3S050

    Good:
        configs:
          registry.example.com:
            tls:
              cert_file: /etc/ssl/client.pem
              key_file: /etc/ssl/client.key
    """
    for name, tls in _settings(spec):
        cert, key = tls.get("cert_file"), tls.get("key_file")
        if bool(cert.string()) != bool(key.string()):
            given, has, lacks = (
                (cert, "cert_file", "key_file") if cert.string() else (key, "key_file", "cert_file")
            )
            message = f"the TLS settings of {name!r} have {has} but no {lacks}"
            yield Hit(given, message, f"add {lacks}", on_key=True)


@rule("K3S051", Severity.WARNING)
def tls_for_http_endpoint(spec: Spec) -> Iterator[Hit]:
    """TLS settings are for an endpoint that is asked over plain HTTP.

    They make containerd try HTTPS first and HTTP only after that failed (not on port 80). ``insecure_skip_verify`` accepts any
    certificate; it does not mean plain HTTP, which needs nothing but ``http://`` in the endpoint.

    Source: containerd 301026e core/remotes/docker/config/hosts.go:221-228; k3s-io/k3s#13379, k3s-io/k3s#11642.

    Bad:
        mirrors:
          docker.io:
            endpoint: ["http://registry.example.com:5000"]
        configs:
          registry.example.com:5000:
            tls: {insecure_skip_verify: true}  # <- K3S051

    Good:
        mirrors:
          docker.io:
            endpoint: ["http://registry.example.com:5000"]
    """
    urls: dict[str, list[str]] = {}
    for each in listed(spec):
        if rendered := each.rendered:
            urls.setdefault(each.config_name, []).append(rendered.url or "")
    for name, tls in _settings(spec):
        known = urls.get(name, [])
        if known and all(url.startswith("http://") for url in known) and _is_set(tls):
            message = f"{name!r} is asked over plain HTTP, and TLS settings make containerd try HTTPS first"
            yield Hit(
                tls, message, "remove the settings, or write https:// in the endpoint", on_key=True
            )


@rule("K3S052", Severity.INFO)
def verification_disabled(spec: Spec) -> Iterator[Hit]:
    """Certificates are not verified.

    Whoever sits between a node and the registry can serve any image and read the credentials. Under ``*`` this holds for every
    registry without an entry of its own, and is a warning.

    Source: containerd 301026e docs/hosts.md ``skip_verify``.

    Bad:
        configs:
          registry.example.com:
            tls:
              insecure_skip_verify: true  # <- K3S052

    Good:
        configs:
          registry.example.com:
            tls:
              ca_file: /etc/ssl/corp.pem
    """
    for name, tls in _settings(spec):
        node = tls.get("insecure_skip_verify")
        is_lost = name == WILDCARD and wildcard_tls_is_lost(spec)
        if node.is_true() and not is_lost and not is_loopback(split_port(name)[0]):
            whose = "every registry without an entry of its own" if name == WILDCARD else repr(name)
            severity = Severity.WARNING if name == WILDCARD else None
            message = f"the nodes accept any certificate from {whose}"
            yield Hit(
                node, message, "name the authority with ca_file", on_key=True, severity=severity
            )


@rule("K3S053", Severity.WARNING)
def relative_certificate_path(spec: Spec) -> Iterator[Hit]:
    """The path of a certificate is relative, or no path at all.

    containerd looks for it beside the hosts.toml that K3s generates, in a folder that K3s deletes and writes anew.
    The certificate itself cannot stand here.

    Source: containerd 301026e core/remotes/docker/config/hosts.go:606; k3s-io/k3s 06ea261
    pkg/agent/containerd/config.go ~172-208.

    Bad:
        configs:
          registry.example.com:
            tls:
              ca_file: certs/corp.pem  # <- K3S053

    Good:
        configs:
          registry.example.com:
            tls:
              ca_file: /etc/ssl/certs/corp.pem
    """
    for _, tls in _settings(spec):
        for key in _FILES:
            text = tls.get(key).string()
            if text.lstrip().startswith("-----BEGIN"):
                message = f"{key} takes the path of a file on the node, and this is its content"
                yield Hit(tls.get(key), message, "write the path", severity=Severity.ERROR)
            elif text and not _ABSOLUTE.match(text) and not placeholder(text):
                message = f"{text!r} is looked for beside the hosts.toml that K3s generates"
                yield Hit(tls.get(key), message, "write the full path, from / on")


@rule("K3S054", Severity.WARNING)
def loose_boolean(spec: Spec) -> Iterator[Hit]:
    """``insecure_skip_verify`` is a word that only YAML 1.1 takes for a boolean.

    K3s reads ``yes``, ``on`` and ``y`` as true. Most other tools read a text.

    Source: gopkg.in/yaml.v2 v2.4.0 resolve.go ``resolveTable``.

    Bad:
        configs:
          registry.example.com:
            tls:
              insecure_skip_verify: yes  # <- K3S054

    Good:
        configs:
          registry.example.com:
            tls:
              insecure_skip_verify: true

    Fixed:
        configs:
          registry.example.com:
            tls:
              insecure_skip_verify: true
    """
    for _, tls in _settings(spec):
        node = tls.get("insecure_skip_verify")
        if isinstance(node.value, bool) and node.text not in ("true", "false"):
            wanted = "true" if node.value else "false"
            message = f"K3s reads {node.text!r} as {wanted}; most other tools read a text"
            yield Hit(node, message, f"write {wanted}", fix=as_literal(spec, node, wanted))


@rule("K3S055", Severity.WARNING)
def empty_settings(spec: Spec) -> Iterator[Hit]:
    """``auth`` or ``tls`` has only empty values, like a template that was not filled in.

    An empty value is the same as none: the host is asked without credentials, and with the authorities of the system.

    Source: rancher/wharfie bb7080c pkg/registries/types.go:4-60 (null decodes to an empty text).

    Bad:
        configs:
          registry.example.com:
            tls:  # <- K3S055
              cert_file:
              key_file:
              ca_file:

    Good:
        configs:
          registry.example.com:
            tls:
              ca_file: /etc/ssl/corp.pem
    """
    for name, config in configs(spec).items():
        for key in ("auth", "tls"):
            settings = config.get(key)
            if settings.kind == "mapping" and not _has_values(settings):
                message = f"{key} of {name!r} has no value in it"
                yield Hit(settings, message, "fill it in, or remove it", on_key=True)


def _settings(spec: Spec) -> Iterator[tuple[str, Node]]:
    for name, config in configs(spec).items():
        yield name, config.get("tls")


def _has_values(settings: Node) -> bool:
    return any(value.kind != "scalar" or value.string() for _, value in settings.fields())


def _is_set(tls: Node) -> bool:
    return tls.get("insecure_skip_verify").is_true() or any(tls.get(key).string() for key in _FILES)
