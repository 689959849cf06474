"""A host that is not the registry: where redirects of blobs lead, and what arrives there."""

from types import TracebackType
from typing import Self

from .messages import Reply, Request, RequestLog
from .ranges import slice_reply
from .serving import HttpServer, Incoming


class OtherHost:
    """Serves the same bytes on every path; another name and port than a ``FakeRegistry``."""

    def __init__(self, content: bytes = b"") -> None:
        """Bind nothing yet."""
        self._content = content
        self._log = RequestLog()
        self._server = HttpServer(self._answer)

    @property
    def host(self) -> str:
        """The name and port."""
        return f"localhost:{self._server.port}"

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://{self.host}"

    @property
    def requests(self) -> list[Request]:
        """A copy of the log, oldest first."""
        return self._log.all()

    def __enter__(self) -> Self:
        """Bind and serve."""
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.__exit__(kind, error, traceback)

    def _answer(self, incoming: Incoming) -> Reply:
        call = incoming.receive()
        reply = slice_reply(self._content, call.headers.get("Range", ""))
        self._log.add(call, reply.status)
        return reply
