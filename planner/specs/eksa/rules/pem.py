"""Certificates in PEM text, as far as they can be judged without a cryptographic library.

Source: Go 1.26 encoding/pem/pem.go (``Decode``), crypto/x509/parser.go (``parseCertificate``).
"""

from __future__ import annotations

import base64
import binascii
import re

_BLOCK = re.compile(
    r"^-----BEGIN (?P<label>[^\n-]*)-----[ \t\r]*\n(?P<body>.*?)-----END (?P=label)-----",
    re.DOTALL | re.MULTILINE,
)
_SEQUENCE, _BIT_STRING = 0x30, 0x03


def pem_mistake(text: str, *, first_only: bool = False) -> str:
    """What keeps a text from being a list of certificates; empty when nothing does.

    ``first_only``: only its first block is read.
    """
    bodies = [match["body"] for match in _BLOCK.finditer(text)]
    decoded = [each for each in map(_decoded, bodies) if each is not None]
    if not decoded:
        return "holds no PEM block" if not bodies else "holds no PEM block that can be decoded"
    considered = decoded[:1] if first_only else decoded
    if not all(map(_are_certificates, considered)):
        return "holds something else than a certificate"
    return ""


def _decoded(body: str) -> bytes | None:
    """The bytes of a block without headers."""
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        return None


def _are_certificates(data: bytes) -> bool:
    """Whether there is nothing but certificates, by their outline: what is signed, how, and the signature."""
    outer = _elements(data)
    return bool(outer) and all(
        tag == _SEQUENCE
        and [each for each, _ in _elements(content)] == [_SEQUENCE, _SEQUENCE, _BIT_STRING]
        for tag, content in outer
    )


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """The DER elements that follow one another; none when they do not fill the data."""
    found: list[tuple[int, bytes]] = []
    while data:
        if len(data) < 2:
            return []
        size, start = data[1], 2
        if size > 0x80:
            start += size - 0x80
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return []
        found.append((data[0], data[start : start + size]))
        data = data[start + size :]
    return found
