"""A registry over HTTP.

Source: opencontainers/distribution-spec v1.1.1 spec.md; where servers differ, the server is named at the place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from planner.core.content import (
    LARGEST_MANIFEST,
    MEDIA_TYPES,
    OCI_INDEX,
    Descriptor,
    Manifest,
    digest_like,
    digest_of,
    parse_manifest,
    refuse_outdated,
)
from planner.core.errors import RegistryError
from planner.core.quota import Quota, read_quota
from planner.core.refs import is_digest
from planner.stores.answer import Answer
from planner.stores.auth import Authorizer, Scope, pull, push
from planner.stores.calls import Calls
from planner.stores.credentials import Credentials
from planner.stores.greeting import Greeting
from planner.stores.http import Connection
from planner.stores.journal import Journal
from planner.stores.products.detection import detect
from planner.stores.reading import read_blob
from planner.stores.refusals import refused
from planner.stores.store import Arrival, Chunks, OpenBlob
from planner.stores.uploads import Uploads

# With fewer types, distribution 2.8 answers 404 for a manifest of another kind.
_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_ACCEPT_INDEX = {"Accept": OCI_INDEX}
_GREETING = 1024
_LONGEST_LIST = 64 * 1024 * 1024
_PAGE = 1000
_MOST_PAGES = 10_000
_CATALOG: Scope = ("registry:catalog:*",)


class Registry:
    """The store behind one connection. ``prefix`` stands between ``/v2/`` and the repository. Threads may share it.

    ``journal`` remembers uploads beyond this run, ``product`` is what planner.yaml says that the registry is.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        authorizer: Authorizer,
        prefix: str = "",
        journal: Journal | None = None,
        product: str = "",
    ) -> None:
        self.name = name
        self.quota: Quota | None = None
        self._is_generous = False
        self._heeding = threading.Lock()
        self.greeting = Greeting()
        self._connection = connection
        self._authorizer = authorizer
        self._product_name = product
        self._calls = Calls(name, connection, authorizer, prefix)
        self._uploads = Uploads(self._calls, journal or Journal(), self._product)

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
        return self._calls.full(repository)

    def greet(self) -> None:
        """Find out whether the registry answers, and how it wants to be asked, before many requests go out at once."""
        response = self._connection.send("GET", "v2/")
        self.greeting = _greeting_of(response)
        if response.status_code == 401:
            self._authorizer.learn(response, (), was_authorized=False)
        if response.status_code == 400:
            raise refused(response, self.name, "if it speaks TLS, its address begins with https://")

    @property
    def gives_freely(self) -> bool:
        """Once it has answered about a manifest without a word of limits: who has any says so each time."""
        return self._is_generous and self.quota is None

    def head(
        self, repository: str, reference: str, *, may_pull: bool = True, likely: str = ""
    ) -> Descriptor | None:
        """One HEAD; a registry that names no digest is asked for the manifest itself.

        Where a tag has the ``likely`` digest, many say so without looking at the manifest, which costs them half as much, or
        two reads of an object store in three; type and size are not known then. Source: RFC 9110, section 13.1.2;
        distribution v3.1.1 registry/handlers/manifests.go ``GetManifest`` and ``etagMatch``.
        """
        path = self._calls.path(repository, "manifests", reference)
        headers = {**_ACCEPT, "If-None-Match": f'"{likely}"'} if likely else _ACCEPT
        response = self._calls.send(
            "HEAD", path, pull(self._calls.full(repository)), headers=headers
        )
        self._heed(response)
        if response.status_code == 404:
            return None
        if response.status_code == 304 and likely:
            return Descriptor(likely, 0, "")
        if response.status_code != 200:
            raise self._calls.refused(response, "looking for", repository, reference)
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
        """GET it; the bytes must match the digest that was asked for, or that the registry itself says a tag has."""
        path = self._calls.path(repository, "manifests", reference)
        response = self._calls.send(
            "GET", path, pull(self._calls.full(repository)), headers=_ACCEPT
        )
        self._heed(response)
        if response.status_code != 200:
            raise self._calls.refused(response, "fetching", repository, reference)
        data = response.content
        if len(data) > LARGEST_MANIFEST:
            message = f"{self.name}/{repository}:{reference}: the manifest is larger than {LARGEST_MANIFEST:,} bytes"
            raise RegistryError(message, "this is not an image")
        where, media_type = (
            f"{self.name}/{repository}:{reference}",
            response.headers.get("Content-Type", ""),
        )
        refuse_outdated(media_type, where)
        by_digest = is_digest(reference)
        wanted = reference if by_digest else response.headers.get("Docker-Content-Digest", "")
        got = digest_like(reference, data) if by_digest else digest_of(data)
        if is_digest(wanted) and got != wanted:
            raise RegistryError(
                f"{self.name}/{repository}: asked for {wanted}, got {got}",
                "the content there is damaged or was tampered with; nothing was stored",
                code="DIGEST_MISMATCH",
            )
        return parse_manifest(data, media_type, where)

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
        """Page by page.

        A registry without such a list says so with an error of any kind, or with something else than an index; the repository
        itself was readable a moment ago.

        Source: opencontainers/distribution-spec v1.1.1 spec.md, "Listing Referrers"; google/go-containerregistry
        pkg/v1/remote/referrers.go ``fetchReferrers``.
        """
        full = self._calls.full(repository)
        where, found = f"the referrers of {self.name}/{repository}@{digest}", list[Descriptor]()
        for response in self._pages(f"v2/{full}/referrers/{digest}", pull(full), _ACCEPT_INDEX):
            if response.status_code == 429 or response.status_code in range(500, 505):
                raise self._calls.refused(response, "listing referrers of", repository, digest)
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
            if response.status_code != 200 or kind != OCI_INDEX:
                return None
            found += parse_manifest(response.content, kind, where).children
        return tuple(found)

    def has_blob(self, repository: str, digest: str) -> bool:
        """One HEAD."""
        path = self._calls.path(repository, "blobs", digest)
        response = self._calls.send("HEAD", path, pull(self._calls.full(repository)))
        if response.status_code not in (200, 404):
            raise self._calls.refused(response, "looking for", repository, digest)
        return response.status_code == 200

    def open_blob(
        self, repository: str, digest: str, part: range | None = None
    ) -> AbstractContextManager[Chunks]:
        """Stream it, over as many connections as that takes."""
        return read_blob(self._calls, repository, digest, part)

    def write_blob(
        self, repository: str, digest: str, source: OpenBlob, sibling: str = ""
    ) -> Arrival:
        """Find, mount or upload it, in this order; ``Uploads.write`` has the details."""
        return self._uploads.write(repository, digest, source, sibling)

    def is_empty(self, repository: str) -> bool:
        """One request: a list of tags with at most one entry. A registry that refuses it may hold anything."""
        path = f"v2/{self._calls.full(repository)}/tags/list?n=1"
        try:
            return (
                next(self._listed(path, "tags", pull(self._calls.full(repository))), None) is None
            )
        except RegistryError:
            return False

    def tags(self, repository: str) -> list[str]:
        """Page by page; a repository that lost its last tag answers null."""
        path = f"v2/{self._calls.full(repository)}/tags/list?n={_PAGE}"
        return sorted(self._listed(path, "tags", pull(self._calls.full(repository))))

    def repositories(self) -> list[str]:
        """The catalog, which is no part of the OCI specification; without the path prefix, and only what lies below it.

        Raises:
            RegistryError: this registry has none, or shows it to others alone.
        """
        found = self._listed(f"v2/_catalog?n={_PAGE}", "repositories", _CATALOG)
        return sorted(
            name.removeprefix(self._calls.prefix)
            for name in found
            if name.startswith(self._calls.prefix)
        )

    def _heed(self, response: Answer) -> None:
        """Keep the least that was said to be left: answers do not arrive in the order in which they were given."""
        said = read_quota(response.headers)
        if said is None:
            if response.status_code in (200, 429):
                self._is_generous = response.status_code == 200
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
        for response in self._pages(path, scope):
            if response.status_code == 404 and key == "tags":
                return
            if response.status_code != 200:
                raise refused(
                    response, f"listing {key} of {self.name} with {self._authorizer.describe()}"
                )
            try:
                entries = list(_entries(response.json().get(key)))
            except (ValueError, AttributeError, RecursionError) as error:
                message = f"{self.name}: the list of {key} cannot be read"
                raise RegistryError(message, "ask its operator what answers there") from error
            yield from entries

    def _pages(
        self, path: str, scope: Scope, headers: dict[str, str] | None = None
    ) -> Iterator[Answer]:
        url, seen = path, {""}
        while url not in seen and len(seen) <= _MOST_PAGES:
            seen.add(url)
            response = self._calls.send("GET", url, scope, headers=headers, longest=_LONGEST_LIST)
            yield response
            url = response.next_page

    def delete(self, repository: str, reference: str) -> bool:
        """DELETE it; registries that do not take this kind of reference answer 400 or 405."""
        full = self._calls.full(repository)
        path = self._calls.path(repository, "manifests", reference)
        response = self._calls.send("DELETE", path, (f"repository:{full}:pull,delete",))
        # Of a tag that was just seen, 404 says that there is no way to delete it by itself.
        if response.status_code in ((400, 405) if is_digest(reference) else (400, 404, 405)):
            return False
        if response.status_code not in (200, 202, 204, 404):
            raise self._calls.refused(response, "deleting", repository, reference)
        return True

    def write_manifest(self, repository: str, reference: str, manifest: Manifest) -> bool:
        """PUT it; the registry checks that everything it names is there.

        Source: opencontainers/distribution-spec v1.1.1 spec.md, "Pushing Manifests with Subject" (OCI-Subject).
        """
        response = self._calls.send(
            "PUT",
            self._calls.path(repository, "manifests", reference),
            push(self._calls.full(repository)),
            headers={"Content-Type": manifest.media_type},
            body=manifest.data,
        )
        if response.status_code not in (200, 201, 202):
            raise self._calls.refused(response, "writing", repository, reference)
        stored = response.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise RegistryError(
                f"{self.name}/{repository}:{reference}: sent {manifest.digest}, the registry stored {stored}",
                "the registry changes manifests; nodes would not get what was reviewed",
                code="DIGEST_MISMATCH",
            )
        return "OCI-Subject" in response.headers

    def _product(self, answer: Answer | None = None) -> str:
        """What the registry is, by its greeting; of one that was not greeted, any answer's headers tell as much."""
        if self._product_name:
            return self._product_name
        greeting = self.greeting
        if not greeting.status and answer is not None:
            greeting = _greeting_of(answer)
        return detect(urlsplit(self.base).netloc, greeting)


def _greeting_of(answer: Answer) -> Greeting:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Greeting(answer.status_code, headers, answer.content[:_GREETING])


def _entries(listed: object) -> Iterator[str]:
    """What a list holds; a registry whose list is empty may say null."""
    if not isinstance(listed, list | None):
        raise ValueError(listed)  # noqa: TRY004 - what a registry sent, not what a caller gave
    yield from (each for each in listed or () if isinstance(each, str))
