"""A host that is not the registry: where redirects of blobs lead, and what arrives there."""

from .logged import LoggedServer
from .messages import Reply
from .ranges import slice_reply
from .serving import Incoming


class OtherHost(LoggedServer):
    """Serves the same bytes on every path; another name and port than a ``FakeRegistry``."""

    def __init__(self, content: bytes = b"") -> None:
        """Bind nothing yet."""
        super().__init__()
        self._content = content

    @property
    def host(self) -> str:
        """The name and port."""
        return f"localhost:{self._server.port}"

    def _answer(self, incoming: Incoming) -> Reply:
        call = incoming.receive()
        reply = slice_reply(self._content, call.headers.get("Range", ""))
        self._log.add(call, reply.status)
        return reply
