"""A registry over HTTP.

Source: opencontainers/distribution-spec v1.1.1 spec.md; where servers differ, the server is named at the place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote, urljoin, urlsplit

from planner.core.content import (
    LARGEST_MANIFEST,
    MEDIA_TYPES,
    Descriptor,
    Manifest,
    digest_of,
    parse_manifest,
)
from planner.core.errors import RegistryError
from planner.core.quota import Quota, read_quota
from planner.core.refs import is_digest
from planner.stores.answer import Answer
from planner.stores.auth import Authorizer, Scope, pull, push
from planner.stores.credentials import Credentials
from planner.stores.greeting import Greeting
from planner.stores.http import Connection, refused, unreachable
from planner.stores.store import CHUNK, Arrival, Chunks, OpenBlob
from planner.stores.verified import VerifiedStream
from planner.stores.wire import Body

# With fewer types, distribution 2.8 answers 404 for a manifest of another kind.
_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_LONGEST_ANSWER = LARGEST_MANIFEST + 1
_GREETING = 1024
_LONGEST_LIST = 64 * 1024 * 1024
_PAGE = 1000
_MOST_PAGES = 10_000
_CATALOG: Scope = ("registry:catalog:*",)
_OCTETS = {"Content-Type": "application/octet-stream"}


class Registry:
    """The store behind one connection. ``prefix`` stands between ``/v2/`` and the repository. Threads may share it."""

    def __init__(
        self, name: str, connection: Connection, authorizer: Authorizer, prefix: str = ""
    ) -> None:
        self.name = name
        self.quota: Quota | None = None
        self._heeding = threading.Lock()
        self.greeting = Greeting()
        self._connection = connection
        self._authorizer = authorizer
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    @property
    def base(self) -> str:
        """The origin that answers."""
        return self._connection.base

    @property
    def credentials(self) -> Credentials | None:
        """What it is asked with."""
        return self._authorizer.credentials

    @property
    def authorizer(self) -> Authorizer:
        """How it is convinced."""
        return self._authorizer

    def admission(self, scope: Scope) -> int:
        """The status with which ``GET /v2/`` answers to us; it was greeted before."""
        sent = self._authorizer.header(scope)
        return self._connection.send("GET", "v2/", headers=sent).status_code

    def path_of(self, repository: str) -> str:
        """What the registry itself calls a repository."""
        return self._full(repository)

    def greet(self) -> None:
        """Find out whether the registry answers, and how it wants to be asked, before many requests go out at once."""
        response = self._connection.send("GET", "v2/")
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.greeting = Greeting(response.status_code, headers, response.content[:_GREETING])
        if response.status_code == 401:
            self._authorizer.learn(response, (), was_authorized=False)
        if response.status_code == 400:
            raise refused(response, self.name, "if it speaks TLS, its address begins with https://")

    def head(self, repository: str, reference: str, *, may_pull: bool = True) -> Descriptor | None:
        """One HEAD; a registry that names no digest is asked for the manifest itself."""
        path = self._path(repository, "manifests", reference)
        response = self._send("HEAD", path, pull(self._full(repository)), headers=_ACCEPT)
        self._heed(response)
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise self._refused(response, "looking for", repository, reference)
        digest = response.headers.get("Docker-Content-Digest", "")
        if is_digest(reference):
            digest = reference
        if not is_digest(digest):
            if not may_pull:
                return Descriptor("", 0, "")
            manifest = self.manifest(repository, reference)
            return Descriptor(manifest.digest, len(manifest.data), manifest.media_type)
        size = response.headers.get("Content-Length", "")
        media_type = response.headers.get("Content-Type", "")
        return Descriptor(
            digest, int(size) if size.isdecimal() and len(size) < 20 else 0, media_type
        )

    def manifest(self, repository: str, reference: str) -> Manifest:
        """GET it; the bytes must match the digest that was asked for."""
        path = self._path(repository, "manifests", reference)
        response = self._send("GET", path, pull(self._full(repository)), headers=_ACCEPT)
        self._heed(response)
        if response.status_code != 200:
            raise self._refused(response, "fetching", repository, reference)
        data = response.content
        if len(data) > LARGEST_MANIFEST:
            message = f"{self.name}/{repository}:{reference}: the manifest is larger than {LARGEST_MANIFEST:,} bytes"
            raise RegistryError(message, "this is not an image")
        if is_digest(reference) and digest_of(data) != reference:
            raise RegistryError(
                f"{self.name}/{repository}: asked for {reference}, got {digest_of(data)}",
                "the content there is damaged or was tampered with; nothing was stored",
                code="DIGEST_MISMATCH",
            )
        where = f"{self.name}/{repository}:{reference}"
        return parse_manifest(data, response.headers.get("Content-Type", ""), where)

    def has_blob(self, repository: str, digest: str) -> bool:
        """One HEAD."""
        path = self._path(repository, "blobs", digest)
        response = self._send("HEAD", path, pull(self._full(repository)))
        if response.status_code not in (200, 404):
            raise self._refused(response, "looking for", repository, digest)
        return response.status_code == 200

    @contextmanager
    def open_blob(self, repository: str, digest: str) -> Iterator[Chunks]:
        """Stream it with one GET; redirects to an object store are followed without our credentials."""
        path = self._path(repository, "blobs", digest)
        response = self._send("GET", path, pull(self._full(repository)), longest=None)
        if response.status_code != 200:
            raise self._refused(response, "fetching", repository, digest)
        with closing(response):
            yield self._chunks(response)

    def write_blob(
        self, repository: str, digest: str, source: OpenBlob, sibling: str = ""
    ) -> Arrival:
        """HEAD, then mount or upload in one PUT. A refused mount goes on as the upload that it opened."""
        if self.has_blob(repository, digest):
            return "present"
        location = self._begin(repository, digest, sibling)
        if not location:
            return "mounted"
        with source() as stream:
            self._upload(repository, digest, location, stream)
        return "copied"

    def tags(self, repository: str) -> list[str]:
        """Page by page; a repository that lost its last tag answers null."""
        path = f"v2/{self._full(repository)}/tags/list?n={_PAGE}"
        return sorted(self._listed(path, "tags", pull(self._full(repository))))

    def repositories(self) -> list[str]:
        """The catalog, which is no part of the OCI specification; without the path prefix, and only what lies below it.

        Raises:
            RegistryError: this registry has none, or shows it to others alone.
        """
        found = self._listed(f"v2/_catalog?n={_PAGE}", "repositories", _CATALOG)
        return sorted(
            name.removeprefix(self._prefix) for name in found if name.startswith(self._prefix)
        )

    def _heed(self, response: Answer) -> None:
        """Keep the least that was said to be left: answers do not arrive in the order in which they were given."""
        said = read_quota(response.headers)
        if said is None:
            return
        with self._heeding:
            known = self.quota
            if known is None or known._replace(remaining=said.remaining) != said:
                self.quota = said
            else:
                self.quota = min(known, said)

    def _listed(self, path: str, key: str, scope: Scope) -> Iterator[str]:
        """All pages of a list. Links are followed as they come: some registries page by opaque tokens.

        Source: opencontainers/distribution-spec v1.1.1 spec.md, "Content Discovery"; distribution 2.8 refuses n above 1000.
        """
        url, seen = path, {""}
        while url not in seen and len(seen) <= _MOST_PAGES:
            seen.add(url)
            response = self._send("GET", url, scope, longest=_LONGEST_LIST)
            if response.status_code == 404 and key == "tags":
                return
            if response.status_code != 200:
                raise refused(
                    response, f"listing {key} of {self.name} with {self._authorizer.describe()}"
                )
            try:
                entries = response.json().get(key) or []
            except (ValueError, AttributeError, RecursionError) as error:
                message = f"{self.name}: the list of {key} cannot be read"
                raise RegistryError(message, "ask its operator what answers there") from error
            yield from (each for each in entries if isinstance(each, str))
            url = response.next_page

    def delete(self, repository: str, reference: str) -> bool:
        """DELETE it; registries that do not take this kind of reference answer 400 or 405."""
        full = self._full(repository)
        path = self._path(repository, "manifests", reference)
        response = self._send("DELETE", path, (f"repository:{full}:pull,delete",))
        if response.status_code in (400, 405):
            return False
        if response.status_code not in (200, 202, 204, 404):
            raise self._refused(response, "deleting", repository, reference)
        return True

    def write_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """PUT it; the registry checks that everything it names is there."""
        response = self._send(
            "PUT",
            self._path(repository, "manifests", reference),
            push(self._full(repository)),
            headers={"Content-Type": manifest.media_type},
            body=manifest.data,
        )
        if response.status_code not in (200, 201, 202):
            raise self._refused(response, "writing", repository, reference)
        stored = response.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise RegistryError(
                f"{self.name}/{repository}:{reference}: sent {manifest.digest}, the registry stored {stored}",
                "the registry changes manifests; nodes would not get what was reviewed",
                code="DIGEST_MISMATCH",
            )

    def _begin(self, repository: str, digest: str, sibling: str) -> str:
        """Open an upload; empty when the registry could mount the blob instead."""
        mount = f"?mount={digest}&from={quote(self._full(sibling), safe='')}" if sibling else ""
        path = f"{self._path(repository, 'blobs', 'uploads')}/{mount}"
        scope = push(self._full(repository), self._full(sibling) if sibling else "")
        response = self._send("POST", path, scope, headers={"Content-Length": "0"})
        if response.status_code == 201:
            return ""
        if response.status_code != 202 or "Location" not in response.headers:
            raise self._refused(response, "uploading to", repository, digest)
        return urljoin(response.url, response.headers["Location"])

    def _upload(self, repository: str, digest: str, location: str, stream: VerifiedStream) -> None:
        joint = "&" if urlsplit(location).query else "?"
        response = self._send(
            "PUT",
            f"{location}{joint}digest={quote(digest, safe='')}",
            push(self._full(repository)),
            headers=_OCTETS,
            body=stream,
        )
        if response.status_code not in (201, 204):
            raise self._refused(response, "uploading to", repository, digest)

    def _send(
        self,
        method: str,
        url: str,
        scope: Scope,
        *,
        headers: dict[str, str] | None = None,
        body: Body = None,
        longest: int | None = _LONGEST_ANSWER,
    ) -> Answer:
        """One request with what the registry wants for ``scope``; a 401 may tell what that is, or asks once for a new token."""
        once = isinstance(body, VerifiedStream)
        is_renewed = False
        while True:
            sent = {**(headers or {}), **self._authorizer.header(scope)}
            response = self._connection.send(
                method,
                url,
                headers=sent,
                body=body,
                longest=longest,
                retries=not once,
            )
            authorized = "Authorization" in sent
            if response.status_code != 401 or is_renewed:
                return response
            if not self._authorizer.learn(response, scope, was_authorized=authorized):
                return response
            if once:
                message = f"{self.name}: the token expired during an upload"
                raise RegistryError(message, "run it again", status=401, retryable=True)
            is_renewed = authorized

    def _chunks(self, response: Answer) -> Chunks:
        try:
            yield from response.chunks(CHUNK)
        except OSError as error:
            raise unreachable(error, response.url) from error

    def _refused(
        self, response: Answer, doing: str, repository: str, reference: str
    ) -> RegistryError:
        joint = "@" if is_digest(reference) else ":"
        what = f"{doing} {self.name}/{repository}{joint}{reference} with {self._authorizer.describe(self._full(repository))}"
        return refused(response, what)

    def _full(self, repository: str) -> str:
        return f"{self._prefix}{repository}"

    def _path(self, repository: str, what: str, reference: str) -> str:
        return f"v2/{self._full(repository)}/{what}/{reference}"
