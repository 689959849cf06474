"""An OCI registry in memory on 127.0.0.1, with a request log and a script of faults."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import reduce
from typing import Literal

from . import content
from .api import answer
from .auth import TOKEN_PATH, Auth, Bearer, TokenRequest, TokenServer, refusal
from .errors import ApiError
from .faults import Action, Faults, distort, forestall, upload_limit
from .logged import LoggedServer
from .messages import Call, Reply, no_reply
from .options import Api, Options
from .serving import Incoming
from .storage import Manifest, Storage
from .uploads import keep_partial_upload


class FakeRegistry(LoggedServer):
    """A registry for the time of a ``with`` block; content can be added before and read after.

    Faults befall the requests that authentication lets through, and those for tokens.

    Attributes:
        faults: The script; empty at first.
    """

    def __init__(
        self,
        *,
        auth: Auth | None = None,
        mount: bool = True,
        page_size: int = 100,
        digest_header: bool = True,
        relative_location: bool = False,
        resumable: bool = True,
        deletes: Literal["tags", "digests", "nothing"] = "tags",
        referrers: bool = False,
        patch_status: int = 202,
        least_chunk: int = 0,
        largest_body: int | None = None,
        ranges: bool = True,
    ) -> None:
        """Bind nothing yet; the options are those of ``Options`` and ``Auth``."""
        self.faults = Faults()
        self._auth = auth
        self._tokens = TokenServer(auth if isinstance(auth, Bearer) else Bearer(users={}))
        self._storage = Storage()
        options = Options(
            mount=mount,
            page_size=page_size,
            digest_header=digest_header,
            relative_location=relative_location,
            resumable=resumable,
            deletes=deletes,
            referrers=referrers,
            patch_status=patch_status,
            least_chunk=least_chunk,
            largest_body=largest_body,
            ranges=ranges,
        )
        self._api = Api(self._storage, options)
        super().__init__()

    @property
    def token_requests(self) -> list[TokenRequest]:
        """A copy of the token server's log, oldest first."""
        return self._tokens.requests()

    def add_blob(self, repository: str, data: bytes) -> str:
        """Keep a blob and return its digest."""
        digest = content.digest_of(data)
        self._storage.put_blob(repository, digest, data)
        return digest

    def add_manifest(self, repository: str, reference: str, body: bytes, media_type: str) -> str:
        """Keep a manifest, whatever it names, under its digest or also a tag; return its digest."""
        return self._storage.put_manifest(repository, reference, body, media_type)

    def add_image(
        self, repository: str, tag: str, layers: Sequence[bytes], platform: str = "linux/amd64"
    ) -> str:
        """Keep an OCI image with its blobs and return its digest; ``tag`` may be the digest."""
        config = content.make_config(layers, platform)
        for data in (config, *layers):
            self.add_blob(repository, data)
        manifest = content.make_manifest(config, layers)
        return self.add_manifest(repository, tag, manifest, content.OCI_MANIFEST)

    def add_index(self, repository: str, tag: str, children: Iterable[str]) -> str:
        """Keep an OCI index of manifests of the repository, by reference; return its digest."""
        found = [self._storage.manifest(repository, child) for child in children]
        index = content.make_index(
            (child.media_type, child.body, self._platform(repository, child)) for child in found
        )
        return self.add_manifest(repository, tag, index, content.OCI_INDEX)

    def add_referrer(
        self, repository: str, subject: str, artifact_type: str, layers: Sequence[bytes]
    ) -> str:
        """Keep an artifact about a manifest of the repository, by reference, with its blobs; return its digest."""
        for data in (content.EMPTY, *layers):
            self.add_blob(repository, data)
        about = self._storage.manifest(repository, subject)
        body = content.make_referrer(about.body, artifact_type, layers, about.media_type)
        return self.add_manifest(repository, content.digest_of(body), body, content.OCI_MANIFEST)

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Return a manifest's digest, body and media type.

        Raises:
            KeyError: There is none.
        """
        try:
            return self._storage.manifest(repository, reference)
        except ApiError as refused:
            raise KeyError(f"{repository}, {reference}") from refused

    def blob(self, repository: str, digest: str) -> bytes:
        """Return a blob.

        Raises:
            KeyError: There is none.
        """
        try:
            return self._storage.blob(repository, digest)
        except ApiError as refused:
            raise KeyError(f"{repository}, {digest}") from refused

    def tags(self, repository: str) -> list[str]:
        """Return the tags in order; none for a repository that does not exist."""
        with suppress(ApiError):
            return self._storage.tags(repository)
        return []

    def repositories(self) -> list[str]:
        """Return the repositories that have or had content, in order."""
        return self._storage.names()

    def open_uploads(self) -> int:
        """Return how many upload sessions were neither finished nor cancelled."""
        return self._storage.open_uploads()

    def _let_go(self) -> None:
        self.faults.release()

    def _answer(self, incoming: Incoming) -> Reply:
        refused = refusal(self._auth, self._tokens, incoming.call)
        actions = () if refused else self.faults.strike(incoming.call)
        limit = upload_limit(actions)
        call = incoming.receive(limit)
        is_cut = limit is not None or not incoming.complete
        reply = self._hang_up(call) if is_cut else refused or self._serve(call, actions)
        self._log.add(call, reply.status)
        return reply

    def _serve(self, call: Call, actions: Iterable[Action]) -> Reply:
        reply = forestall(actions) or self._true_reply(call)
        return reduce(lambda reply, action: distort(reply, action, call), actions, reply)

    def _true_reply(self, call: Call) -> Reply:
        if call.path == TOKEN_PATH and isinstance(self._auth, Bearer):
            return self._tokens.answer(call)
        return answer(self._api, call)

    def _hang_up(self, call: Call) -> Reply:
        with suppress(ApiError):
            keep_partial_upload(self._api, call)
        return no_reply()

    def _platform(self, repository: str, manifest: Manifest) -> dict[str, str]:
        digest = content.config_digest(manifest.body)
        return content.platform_of(self.blob(repository, digest)) if digest else {}
