"""Certificates in PEM and DER, as far as people want to know: whose, by whom, until when, for which names.

Source: RFC 5280 section 4.1 (the fields), RFC 7468 (PEM), ITU-T X.690 section 8 (DER).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

_BLOCK = re.compile(
    r"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----", re.ASCII
)
_UTC_TIME = 0x17
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
# Source: RFC 4519 (attribute types and their short names).
_ATTRIBUTES = {"550403": "CN", "55040a": "O", "55040b": "OU", "550406": "C"}


class Certificate(NamedTuple):
    """``subject`` and ``issuer`` as ``CN=…, O=…``; ``names`` are the hosts and addresses that it is for."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]


def certificates(text: str) -> tuple[str, ...]:
    """The certificates in a text, as PEM and nothing else: no key that may stand beside them."""
    bodies = ("".join(each.split()) for each in _BLOCK.findall(text))
    return tuple(
        f"-----BEGIN CERTIFICATE-----\n{_broken(each)}\n-----END CERTIFICATE-----\n"
        for each in bodies
    )


def decode(der: bytes) -> Certificate:
    """Take a certificate apart.

    Raises:
        ValueError: it is none.
    """
    try:
        return _certificate(der)
    except (IndexError, StopIteration, OverflowError) as error:
        raise ValueError("not a certificate") from error


class _Element(NamedTuple):
    tag: int
    content: bytes

    @property
    def children(self) -> Sequence[_Element]:
        return tuple(_elements(self.content))


def _certificate(der: bytes) -> Certificate:
    signed = next(_elements(der)).children[0].children
    fields = signed[1:] if signed[0].tag == _VERSION else signed
    _serial, _algorithm, issuer, validity, subject = fields[:5]
    start, end = validity.children
    return Certificate(
        _name(subject),
        _name(issuer),
        _time(start),
        _time(end),
        tuple(_alternative_names(fields[6:])),
    )


def _elements(data: bytes) -> Iterator[_Element]:
    while data:
        size, start = data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start])
        if len(data) < start + size:
            raise ValueError("not a certificate: it is cut off")
        yield _Element(data[0], data[start : start + size])
        data = data[start + size :]


def _name(element: _Element) -> str:
    pairs = (pair.children for group in element.children for pair in group.children)
    known = ((_ATTRIBUTES.get(kind.content.hex(), ""), value.content) for kind, value in pairs)
    return ", ".join(f"{key}={value.decode('utf-8', 'replace')}" for key, value in known if key)


def _time(element: _Element) -> datetime:
    """Two digits of a year are those from 1950 to 2049."""
    text = element.content.decode("ascii")
    if element.tag == _UTC_TIME:
        text = f"{'19' if text >= '50' else '20'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _alternative_names(fields: Sequence[_Element]) -> Iterator[str]:
    for field in fields:
        if field.tag != _EXTENSIONS:
            continue
        for extension in field.children[0].children:
            kind, *_, value = extension.children
            if kind.content == _ALTERNATIVE_NAMES:
                for name in next(_elements(value.content)).children:
                    if name.tag == _DNS_NAME:
                        yield name.content.decode("ascii", "replace")
                    elif name.tag == _IP_ADDRESS:
                        yield str(ipaddress.ip_address(name.content))


def _broken(text: str) -> str:
    return "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
