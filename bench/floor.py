"""The least that copying takes in Python: no planner can go below that. No tool: nothing is compared, retried or kept.

Every manifest and every blob is read once and written once, over the standard library's HTTP client; further repositories
mount; a blob is hashed on its way. Eight threads.

    python -m bench.floor SOURCE TARGET FILE        FILE has a repository:tag in each line
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from bench.images import DOCKER, OCI

_THREADS = 8
_AT_ONCE = 1 << 20
_ACCEPT = {"Accept": ", ".join(kind for each in (OCI, DOCKER) for kind in each[:2])}
_local = threading.local()

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Document(NamedTuple):
    """A manifest as it came."""

    repository: str
    reference: str
    kind: str
    data: bytes


class _Blob(NamedTuple):
    """All that a blob is needed for."""

    size: int
    repositories: dict[str, None]


def main() -> int:
    """Copy; the exit status is 0 when all of it arrived."""
    source, target, listed = sys.argv[1:]
    names = Path(listed).read_text("utf-8").split()
    with ThreadPoolExecutor(_THREADS) as pool:
        found = _all(pool, lambda name: _documents(source, name), names)
        blobs: dict[str, _Blob] = {}
        for documents in found:
            for document in documents:
                _note(document, blobs)
        largest = sorted(blobs.items(), key=lambda item: -item[1].size)
        _all(pool, lambda item: _copy(source, target, *item), largest)
        _all(pool, lambda each: _put(target, each), [each for all_ in found for each in all_[1:]])
        _all(pool, lambda each: _put(target, each), [all_[0] for all_ in found])
    return 0


def _all(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item]
) -> list[Result]:
    return list(pool.map(work, items))


def _documents(source: str, name: str) -> list[_Document]:
    """An image's manifest, and those below it."""
    repository, _, tag = name.rpartition(":")
    top = _fetch(source, repository, tag)
    below = json.loads(top.data).get("manifests", ())
    return [top, *(_fetch(source, repository, each["digest"]) for each in below)]


def _fetch(source: str, repository: str, reference: str) -> _Document:
    response = _ask(source, "GET", f"/v2/{repository}/manifests/{reference}", headers=_ACCEPT)
    kind, data = response.headers["Content-Type"], response.read()
    return _Document(repository, reference, kind, data)


def _note(document: _Document, blobs: dict[str, _Blob]) -> None:
    content = json.loads(document.data)
    for each in (*content.get("layers", ()), *filter(None, [content.get("config")])):
        blob = blobs.setdefault(each["digest"], _Blob(each["size"], {}))
        blob.repositories[document.repository] = None


def _copy(source: str, target: str, digest: str, blob: _Blob) -> None:
    first, *others = blob.repositories
    opened = _ask(target, "POST", f"/v2/{first}/blobs/uploads/", status=202)
    opened.read()
    place = urlsplit(opened.headers["Location"])
    response = _ask(source, "GET", f"/v2/{first}/blobs/{digest}")
    connection = _connection(target)
    connection.putrequest("PUT", f"{place.path}?{place.query}&digest={quote(digest, safe='')}")
    connection.putheader("Content-Length", str(blob.size))
    connection.endheaders()
    hasher, buffer = hashlib.sha256(), memoryview(bytearray(_AT_ONCE))
    while count := response.readinto(buffer):
        hasher.update(buffer[:count])
        connection.send(buffer[:count])
    if f"sha256:{hasher.hexdigest()}" != digest:
        raise SystemExit(f"{source} sent other bytes than {digest}")
    _done(connection.getresponse(), 201).read()
    for other in others:
        mount = f"/v2/{other}/blobs/uploads/?mount={digest}&from={first}"
        _ask(target, "POST", mount, status=201).read()


def _put(target: str, document: _Document) -> None:
    path = f"/v2/{document.repository}/manifests/{document.reference}"
    kind = {"Content-Type": document.kind}
    _ask(target, "PUT", path, document.data, kind, status=201).read()


def _ask(
    host: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    status: int = 200,
) -> HTTPResponse:
    connection = _connection(host)
    connection.request(method, path, body, headers or {})
    return _done(connection.getresponse(), status)


def _done(response: HTTPResponse, status: int) -> HTTPResponse:
    if response.status != status:
        raise SystemExit(f"answered {response.status}, not {status}")
    return response


def _connection(host: str) -> HTTPConnection:
    """One for each thread and host."""
    opened: dict[str, HTTPConnection] = _local.__dict__.setdefault("opened", {})
    return opened.setdefault(host, HTTPConnection(host, timeout=120))


if __name__ == "__main__":
    raise SystemExit(main())
