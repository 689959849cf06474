"""Whom a connection trusts, and who it says it is."""

from __future__ import annotations

import ssl
from functools import cache

import certifi

from planner.config import Tls
from planner.core.errors import RegistryError


@cache
def tls_context(tls: Tls) -> ssl.SSLContext:
    """The trust and identity for one registry. Building one takes long, so equal settings share it.

    Raises:
        RegistryError: a file is missing or holds nothing usable.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    # Python 3.13 refuses authorities without key usage; Go, and so every node, accepts them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_verify_locations(certifi.where())
    try:
        if tls.ca_file:
            context.load_verify_locations(tls.ca_file)
        elif tls.ca_data:
            _load_authorities(context, tls.ca_data)
        if tls.cert_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
    except (OSError, ssl.SSLError) as error:
        files = " ".join(filter(None, (tls.ca_file, tls.cert_file, tls.key_file)))
        reason = getattr(error, "strerror", None) or error
        raise RegistryError(
            f"the TLS files cannot be used: {reason} ({files})",
            "check the paths under tls in planner.yaml, and that the files are PEM",
        ) from error
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_authorities(context: ssl.SSLContext, pem: str) -> None:
    try:
        context.load_verify_locations(cadata=pem)
    except ssl.SSLError as error:
        raise RegistryError(
            f"the certificate authority that the specs give for it cannot be used: {error.reason}",
            "planner lint looks at it; tls.ca_file in planner.yaml takes its place",
        ) from error
