"""URLs as Go's ``net/url`` reads them: what it refuses decides which endpoints a node ignores.

Source: Go 1.26 net/url/url.go (``Parse``, ``parse``, ``parseAuthority``, ``parseHost``, ``shouldEscape``). Releases
before 1.24.8 also took brackets that hold no IPv6 address.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_HOST = re.compile(
    r"(?:[A-Za-z0-9\-_.~!$&'()*+,;=:\]<>\"]|[^\x00-\x7f]|%25|%[89A-Fa-f][0-9A-Fa-f])*"
)
_BRACKETED = re.compile(r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%25[^\[\]]+)?\](?::[0-9]*)?")
_USER_INFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_OPTIONAL_PORT = re.compile(r"(?::[0-9]*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class GoUrl(NamedTuple):
    """The parts as written; ``tail`` is the query and fragment with their marks, ``host`` includes the port."""

    scheme: str
    user_info: str
    host: str
    path: str
    tail: str

    def __str__(self) -> str:
        user = f"{self.user_info}@" if self.user_info else ""
        return f"{self.scheme}://{user}{self.host}{self.path}{self.tail}"


def split_port(host: str) -> tuple[str, str]:
    """Name and port of ``host[:port]``; brackets stay, and the port is empty when there is none."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and "]" not in port else (host, "")


@lru_cache(maxsize=4096)
def parse_url(text: str) -> GoUrl | None:
    """``text`` taken apart, or None where Go reports an error."""
    before, _, fragment = text.partition("#")
    head = before.partition("?")[0]
    tail = text[len(head) :]
    scheme, rest = _split_scheme(head)
    if _CONTROL.search(before) or _BAD_ESCAPE.search(head) or _BAD_ESCAPE.search(fragment):
        return None
    if scheme is None or (not scheme and ":" in rest.partition("/")[0]):
        return None
    authority, path = _split_authority(rest)
    user_info, _, host = authority.rpartition("@")
    if not _is_host(host) or not _USER_INFO.fullmatch(user_info):
        return None
    return GoUrl(scheme.lower(), user_info, host, path, tail)


def _split_scheme(text: str) -> tuple[str | None, str]:
    match = _SCHEME.match(text)
    if match and text[match.end() : match.end() + 1] == ":":
        return match[0], text[match.end() + 1 :]
    return (None, text) if text.startswith(":") else ("", text)


def _split_authority(rest: str) -> tuple[str, str]:
    if not rest.startswith("//"):
        return "", rest
    authority, slash, path = rest[2:].partition("/")
    return authority, slash + path


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _BRACKETED.fullmatch(host) is not None
    colon = host.rfind(":")
    has_port = colon >= 0
    if has_port and not _OPTIONAL_PORT.fullmatch(host, colon):
        return False
    return _HOST.fullmatch(host) is not None
