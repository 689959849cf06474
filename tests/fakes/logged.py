"""What every fake is: a server that answers, keeps a log, and lives as long as a ``with`` block."""

from types import TracebackType
from typing import Self

from .messages import Reply, Request, RequestLog
from .serving import HttpServer, Incoming


class LoggedServer:
    """Whoever derives from it answers, and logs what it answered.

    Args:
        receive_buffer: How many bytes the system takes that nobody read yet; 0: its default.
    """

    def __init__(self, receive_buffer: int = 0) -> None:
        """Bind nothing yet."""
        self._log = RequestLog()
        self._server = HttpServer(self._answer, receive_buffer)

    @property
    def host(self) -> str:
        """The address and port, as image references begin."""
        return f"127.0.0.1:{self._server.port}"

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://{self.host}"

    @property
    def requests(self) -> list[Request]:
        """A copy of the log, oldest first."""
        return self._log.all()

    def count(self, method: str, pattern: str) -> int:
        """Count requests; ``method`` matches in full, ``pattern`` is found in path and query."""
        return self._log.count(method, pattern)

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
        self._let_go()
        self._server.__exit__(kind, error, traceback)

    def _let_go(self) -> None:
        """End what an answer may still be waiting for."""

    def _answer(self, incoming: Incoming) -> Reply:
        raise NotImplementedError
