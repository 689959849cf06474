"""What a registry was asked, by its access log: how often for what, and how many bytes of blobs it gave and got."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

# Apache's combined format, as distribution writes it.
_LINE = re.compile(rb'"([A-Z]+) /v2/(\S*) HTTP/[\d.]+" (\d{3}) (\d+|-)')
_BLOB = re.compile(r"/blobs/(sha256:[0-9a-f]{64})$")
_STORED = re.compile(r"[?&]digest=(sha256(?::|%3A)[0-9a-fA-F]{64})")


class Tally(NamedTuple):
    """Requests by kind, as ``GET blob``; bytes of blobs that the registry gave and got, where a blob may count twice."""

    kinds: Mapping[str, int]
    given: int
    got: int

    @property
    def requests(self) -> int:
        """Of all kinds."""
        return sum(self.kinds.values())


def tally(log: Path, start: int, blobs: Mapping[str, int]) -> Tally:
    """What stands in a log from an offset on. ``blobs`` tells the sizes, since a log has no bytes of uploads."""
    kinds: Counter[str] = Counter()
    given = got = 0
    with log.open("rb") as file:
        file.seek(start)
        for line in file:
            found = _LINE.search(line)
            if not found:
                continue
            method, target, status, size = (each.decode("latin-1") for each in found.groups())
            path, _, query = target.partition("?")
            kinds[_kind(method, path, query, int(status))] += 1
            if method == "GET" and _BLOB.search(path) and size.isdecimal():
                given += int(size)
            stored = _STORED.search(target)
            if stored and method in ("PUT", "POST") and status == "201":
                got += blobs.get(stored[1].replace("%3A", ":"), 0)
    return Tally(kinds, given, got)


def _kind(method: str, path: str, query: str, status: int) -> str:
    """Words for a request; what the registry did not have, or could not do, is a kind of its own."""
    if not path:
        return "GET /v2/"
    if "/blobs/uploads/" in path:
        what = "mount" if "mount=" in query else "upload"
    elif "/blobs/" in path:
        what = "blob"
    elif "/manifests/" in path:
        what = "manifest"
    else:
        what = "tags" if path.endswith("/tags/list") else "other"
    absent = " (404)" if status == 404 else ""
    refused = " (refused)" if what == "mount" and status != 201 else ""
    return f"{method} {what}{absent}{refused}"
