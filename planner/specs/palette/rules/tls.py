"""How far a registry's certificate is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.palette.blocks import blocks
from planner.specs.palette.certificates import authority_problem, is_pem
from planner.specs.palette.documents import dotted
from planner.specs.palette.placeholders import is_unfilled
from planner.specs.palette.settings import settings_of

_FIPS = re.compile(r"palette-images-fips|release-fips")


@rule("PAL024")
def ca_not_pem(spec: Spec) -> Iterator[Hit]:
    """A certificate authority is not a certificate.

    The registry then counts as one with a certificate by an unknown authority, and every pull fails. For images, Palette's
    pages ask for PEM in one place and for base64 of PEM in another, so both are taken here; for packs and the file server
    they ask for base64, and in the Secret they show PEM only.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (PEM); 022efad .../install-on-kubernetes/palette-helm-ref.md (base64).

    Bad:
        config:
          ociImageRegistry:
            caCert: /etc/ssl/certs/ca.pem  # <- PAL024

    Good:
        config:
          ociImageRegistry:
            caCert: ""
    """
    for name, node, text in _authorities(spec):
        if problem := authority_problem(text):
            yield Hit(
                node, f"{name} {problem}", "base64 -w0 ca.pem, of a file with certificates only"
            )
    for block in blocks(spec):
        node = block.node.get("caCert")
        if is_pem(node.string()) and not authority_problem(node.string()):
            message = f"{dotted(node.path)} is PEM, but base64 of it is expected"
            yield Hit(node, message, "base64 -w0 ca.pem")
    for settings in settings_of(spec):
        text = settings.authority.text
        is_base64 = bool(text.strip()) and not is_pem(text) and not authority_problem(text)
        if settings.place == "secret" and is_base64 and not settings.authority.is_encoded:
            message = f"{settings.authority.name} is base64 of a certificate: all examples have PEM"
            yield Hit(
                settings.authority.node, message, "write the PEM itself", severity=Severity.WARNING
            )


@rule("PAL025", Severity.WARNING)
def insecure_and_ca(spec: Spec) -> Iterator[Hit]:
    """A certificate authority is given, and certificates are not verified.

    The one makes the other pointless: with verification off, any certificate is accepted.

    Source: Go crypto/tls, ``Config.InsecureSkipVerify``; spectrocloud/librarium 02df8c8 docs/docs-content/troubleshooting/
    enterprise-install.md (the fix that sets both).

    Bad:
        config:
          ociImageRegistry:
            insecureSkipVerify: true  # <- PAL025
            caCert: LS0tLS1CRUdJTi4uLg==

    Good:
        config:
          ociImageRegistry:
            insecureSkipVerify: true
            caCert: ""
    """
    for name, node, authority in _switches(spec):
        if authority.strip():
            message = f"{name} turns verification off, so the certificate authority has no effect"
            yield Hit(node, message, "set it to false: the authority is enough")


@rule("PAL026", Severity.WARNING)
def vertex_insecure(spec: Spec) -> Iterator[Hit]:
    """The registry's certificate is not verified.

    Whoever can answer in its place can give the nodes any image. VerteX does not support such a registry at all; its images are
    those with ``fips`` in their path.

    Source: spectrocloud/librarium 02df8c8 .../install-on-kubernetes/vertex-helm-ref.md (insecure registries, CA needed).

    Bad:
        config:
          ociImageRegistry:
            insecureSkipVerify: true  # <- PAL026

    Good:
        config:
          ociImageRegistry:
            insecureSkipVerify: false
    """
    is_vertex = _FIPS.search(spec.text) is not None
    for name, node, authority in _switches(spec):
        if is_vertex:
            message = f"{name} turns verification off, which VerteX does not support"
        else:
            message = f"{name} turns verification off: nodes take images from whoever answers"
        if is_vertex or not authority.strip():
            yield Hit(node, message, "give the registry's certificate authority instead")


def _authorities(spec: Spec) -> Iterator[tuple[str, Node, str]]:
    """Name, place and text of each certificate authority that is filled in."""
    for settings in settings_of(spec):
        each = settings.authority
        if each.is_readable and each.text.strip() and not is_unfilled(each.text):
            yield each.name, each.node, each.text
    for block in blocks(spec):
        node = block.node.get("caCert")
        if node.string().strip() and not is_unfilled(node.string()):
            yield dotted(node.path), node, node.string()


def _switches(spec: Spec) -> Iterator[tuple[str, Node, str]]:
    """Each switch that turns verification off, with the certificate authority beside it."""
    for settings in settings_of(spec):
        if settings.skips_verification:
            yield settings.insecure.name, settings.insecure.node, settings.authority.text
    for block in blocks(spec):
        node = block.node.get("insecureSkipVerify")
        if node.is_true():
            yield dotted(node.path), node, block.node.get("caCert").string()
