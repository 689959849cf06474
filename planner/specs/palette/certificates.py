"""Certificates as PEM, or as base64 of it: Palette's pages ask for the one or the other."""

from __future__ import annotations

import re

from planner.specs.palette.blocks import decoded

_BEGIN = "-----BEGIN "
_CERTIFICATE = re.compile(
    r"^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[ \t]*\r?\n"
    r"(.*?)^-----END (?:TRUSTED |X509 )?CERTIFICATE-----",
    re.DOTALL | re.MULTILINE,
)
_SEQUENCE = 0x30


def pem_of(text: str) -> str:
    """The PEM text behind a value, whichever way it is written; the value itself when it is neither."""
    if _BEGIN in text:
        return text
    inner = decoded("".join(text.split()))
    return inner.decode("utf-8", "replace") if inner is not None else text


def is_pem(text: str) -> bool:
    """Whether a value is PEM as it stands."""
    return _BEGIN in text


def authority_problem(text: str) -> str:
    """Why a value, PEM or base64 of it, holds no certificate; empty when it does."""
    pem = pem_of(text)
    if "PRIVATE KEY-----" in pem:
        return "holds a private key"
    bodies = [decoded("".join(each[1].split())) for each in _CERTIFICATE.finditer(pem)]
    if bodies and pem.count("-----BEGIN ") == len(bodies):
        is_whole = all(_is_whole(each) for each in bodies)
        return "" if is_whole else "holds a certificate that is cut off or damaged"
    if not bodies and "-----END CERTIFICATE-----" in pem:
        return "holds a certificate whose lines are broken: BEGIN and END need lines of their own"
    if "-----BEGIN CERTIFICATE-----" in pem:
        return "holds a certificate without its END line"
    return "is neither a certificate in PEM nor base64 of one"


def certificates(text: str) -> frozenset[str]:
    """What to compare two values by: their certificates, however they are written; without any, the text."""
    found = {"".join(each[1].split()) for each in _CERTIFICATE.finditer(pem_of(text))}
    return frozenset(found or filter(None, [text.strip()]))


def _is_whole(body: bytes | None) -> bool:
    """Whether DER is a sequence of exactly the length that its first bytes say. Source: ITU-T X.690, 8.1.3."""
    if not body or len(body) < 2 or body[0] != _SEQUENCE:
        return False
    size, start = body[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(body[2:start])
    return len(body) == start + size
