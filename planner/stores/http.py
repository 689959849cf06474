"""Requests to one registry: retries, redirects, and every foreign error turned into ``RegistryError`` once.

Invariants: no environment steers a request but by naming a proxy; no cookie is kept; nothing is written to a log but method,
host, path and status. What goes to the registry itself goes over ``wire``, all else through ``elsewhere``. How fast, and how
long to wait, is up to ``pacing``.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping, Sized
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from planner.config import Tls
from planner.core.errors import RegistryError
from planner.core.text import duration
from planner.stores.answer import Answer, Incoming
from planner.stores.pacing import TOO_FAST, Host, Lane, Traffic
from planner.stores.patience import LONGEST_PAUSE, Patience, asked_pause, backoff
from planner.stores.refusals import (
    RETRYABLE,
    StalledError,
    host_of,
    is_timeout,
    lasting_limit,
    may_come_back,
    short_reason,
    unreachable,
)
from planner.stores.wire import Body, Wires

if TYPE_CHECKING:
    from planner.stores.elsewhere import Elsewhere

logger = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_ANSWER = 256 * 1024
_MOST_REDIRECTS = 8
_AUTHORIZATION = "Authorization"
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


class _Request(NamedTuple):
    """What is to be sent, maybe several times. ``lane`` None: it waits for no other request."""

    method: str
    url: str
    headers: dict[str, str]
    body: Body
    longest: int | None
    lane: Lane | None

    @property
    def size(self) -> int:
        """Bytes of the body, as far as it says."""
        if self.body is None:
            return 0
        return len(self.body) if isinstance(self.body, Sized) else 0


class Connection:
    """A pool of connections to one origin. Threads may share it.

    At most ``parallelism`` requests are under way at a time. The body of a streamed answer does not count: who copies
    within one registry would wait for itself. ``traffic`` is shared by all connections of a run.
    """

    def __init__(
        self,
        base: str,
        tls: Tls,
        parallelism: int,
        patience: Patience,
        traffic: Traffic | None = None,
    ) -> None:
        self.base = base
        self.origin = _origin(base)
        self._tls = tls
        self._parallelism = parallelism
        self._patience = patience
        self._host = (traffic or Traffic(patience)).host(host_of(base))
        self._lanes = self._host.lanes(parallelism)
        self._opening = threading.Lock()
        self._elsewhere: Elsewhere | None = None
        self._wires = (
            None if not base.isascii() or _has_proxy(base) else _wires(base, tls, patience.stall)
        )

    def send(  # noqa: PLR0913 - each says one thing of the request
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        longest: int | None = _LONGEST_ANSWER,
        retries: bool = True,
        elsewhere: bool = False,
        is_counted: bool = True,
    ) -> Answer:
        """One answer, whatever its status; only a registry that does not answer is an error.

        ``url`` may be relative to the base. Redirects are followed for reads alone, and never carry credentials to
        another host; only a request that is meant for another host (``elsewhere``: a token server) does. A body that can be
        sent only once must come with ``retries`` off. The answer's body is cut off after ``longest`` bytes; None leaves that of
        a 200 or 206 on the wire, for the caller to read and close. Not ``is_counted``: it waits for no other request.

        Raises:
            RegistryError: no answer.
            InterruptedStepError: the run was stopped while this waited.
        """
        try:
            full = self._full(url)
            sent = dict(headers or {})
            if not (elsewhere or self._is_own(full)):
                sent.pop(_AUTHORIZATION, None)
            lane = self._lane(method, body, longest) if is_counted else None
            request = _Request(method, full, sent, body, longest, lane)
            return self._tried(request, self._patience.tries if retries else 1)
        except ValueError as error:  # a Location, a realm or a token that no request can be made of
            message = f"{urlsplit(self.base).netloc} sent something that no registry sends: {error}"
            raise RegistryError(
                message, "ask the registry's operator what answers there"
            ) from error

    def belongs_here(self, url: str) -> bool:
        """Whether a URL is on the same origin, so that it may see our credentials."""
        return self._is_own(self._full(url))

    def _tried(self, request: _Request, tries: int) -> Answer:
        for attempt in range(1, tries + 1):
            try:
                answer = self._counted(request)
            except OSError as error:
                if attempt == tries or not may_come_back(error):
                    raise unreachable(error, request.url, attempt) from error
                reason = "timeout" if is_timeout(error) else "connection"
                self._host.retried(reason)
                self._host.pause(backoff(attempt, 0), reason, is_shared=False)
                continue
            if answer.status_code not in RETRYABLE:
                return answer
            answer.tries = attempt
            # What passes by once is sent again by others, who do not know how long to wait.
            if not self._is_worth_a_pause(answer, attempt, is_last=attempt == tries > 1):
                return answer
            if attempt == tries:
                return answer
            self._host.retried(str(answer.status_code))
        raise AssertionError("unreachable: the last try returns or raises")

    def _is_worth_a_pause(self, answer: Answer, attempt: int, *, is_last: bool) -> bool:
        """Wait as long as an answer asks for, or is usual; False: another try would be no use."""
        asked = asked_pause(answer.headers, self._patience.now())
        if lasting_limit(answer):
            return False
        if asked is not None and asked > LONGEST_PAUSE:
            until = datetime.fromtimestamp(self._patience.now() + asked, UTC)
            name, length = self._host.name, duration(asked)
            answer.advice = (
                f"{name} asks to wait {length}: run it again after {until:%Y-%m-%d %H:%M} UTC"
            )
            return False
        if not is_last:
            status = answer.status_code
            seconds = backoff(attempt, status) if asked is None else asked
            is_shared = status == 429 or asked is not None
            self._host.pause(seconds, short_reason(answer), is_shared=is_shared)
        return True

    def _lane(self, method: str, body: Body, longest: int | None) -> Lane:
        if longest is None:
            return self._lanes.reads
        if body is None or (isinstance(body, bytes) and method != "PATCH"):
            return self._lanes.small
        return self._lanes.writes

    def _full(self, url: str) -> str:
        # Thousands of times, and taking URLs apart is slow: what begins like this needs no second look.
        return f"{self.base}/{url}" if url.startswith("v2/") else urljoin(f"{self.base}/", url)

    def _is_own(self, full: str) -> bool:
        return full.startswith(f"{self.base}/") or _origin(full) == self.origin

    def _counted(self, request: _Request) -> Answer:
        """One try, in its lane and in the figures."""
        lane, status, read, is_late = request.lane, 0, 0, False
        epoch = lane.enter() if lane else 0
        try:
            answer = self._asked(request)
            status, read = answer.status_code, len(answer.content)
        except OSError as error:
            is_late = is_timeout(error)
            if isinstance(error, StalledError):
                self._host.stalled(str(error))
            raise
        finally:
            written = request.size if status else 0
            if lane:
                lane.leave(epoch, is_too_fast=is_late or status in TOO_FAST)
            self._host.note(request.method, status, read, written)
        return answer

    def _asked(self, request: _Request) -> Answer:
        answer = self._followed(request)
        if request.longest is not None or answer.status_code not in (200, 206):
            answer.load(request.longest or _LONGEST_ANSWER)
        else:
            answer.watch(lambda body: _Watched(body, self._host))
        if logger.isEnabledFor(logging.DEBUG):
            path = urlsplit(request.url).path
            logger.debug(
                "%s %s%s %d", request.method, host_of(request.url), path, answer.status_code
            )
        return answer

    def _followed(self, request: _Request) -> Answer:
        """The answer behind all redirects, for reads; credentials stay with whom they were sent to at first."""
        method, url, headers = request.method, request.url, request.headers
        is_streamed = request.longest is None
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._ask(method, url, headers, request.body, is_streamed=is_streamed)
            place = answer.headers.get("Location") if answer.status_code in _REDIRECTS else None
            if not place or method not in ("GET", "HEAD"):
                return answer
            answer.load(_LONGEST_ANSWER)
            following = urljoin(url, place)
            if not _may_see_as_much(following, url):
                headers = {name: each for name, each in headers.items() if name != _AUTHORIZATION}
            url = following
        raise OSError("Exceeded the redirects that anybody needs")

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Body, *, is_streamed: bool
    ) -> Answer:
        if self._wires and self._is_own(url):
            return self._wires.ask(method, url, headers, body, is_streamed=is_streamed)
        with self._opening:
            if self._elsewhere is None:
                stall = self._patience.stall
                self._elsewhere = _open_elsewhere(self._tls, self._parallelism, stall)
        return self._elsewhere.ask(method, url, headers, body, is_streamed=is_streamed)


class _Watched:
    """The body of a streamed answer: counted, in pieces that suit the bandwidth, and cut when nothing comes any more."""

    def __init__(self, body: Incoming, host: Host) -> None:
        self._body = body
        self._host = host

    def readinto(self, buffer: memoryview) -> int:
        bucket = self._host.traffic.bucket
        try:
            count = self._body.readinto(buffer[: bucket.piece] if bucket else buffer)
        except OSError as error:
            if not is_timeout(error):
                raise
            stalled = StalledError(f"no byte for {self._host.traffic.patience.stall:g} s")
            self._host.stalled(str(stalled))
            raise stalled from error
        self._host.arrived(count)
        return count

    def close(self) -> None:
        self._body.close()


def _wires(base: str, tls: Tls, stall: float) -> Wires:
    if not base.startswith("https:"):
        return Wires(base, None, stall)
    from planner.stores.tls import tls_context  # noqa: PLC0415 - not for plain HTTP

    return Wires(base, tls_context(tls), stall)


def _open_elsewhere(tls: Tls, parallelism: int, stall: float) -> Elsewhere:
    from planner.stores.elsewhere import Elsewhere  # noqa: PLC0415 - slow, and few runs need it
    from planner.stores.tls import tls_context  # noqa: PLC0415 - as above

    return Elsewhere(tls_context(tls), parallelism, stall)


def _has_proxy(url: str) -> bool:
    """Whether a proxy stands before a URL. On Linux only the environment can name one, and mostly names none."""
    if sys.platform == "linux" and not any(name.lower() in _PROXIES for name in os.environ):
        return False
    from planner.stores.elsewhere import has_proxy  # noqa: PLC0415 - as above

    return has_proxy(url)


def _origin(url: str) -> tuple[str, str]:
    scheme = urlsplit(url).scheme
    return scheme, host_of(url).removesuffix(":443" if scheme == "https" else ":80").lower()


def _may_see_as_much(following: str, url: str) -> bool:
    """Whether credentials for one may go to the other: the same origin, or its own change from plain HTTP to TLS."""
    old, new = urlsplit(url), urlsplit(following)
    is_change_to_tls = (old.scheme, new.scheme) == ("http", "https") and (
        old.hostname == new.hostname and old.port in (None, 80) and new.port in (None, 443)
    )
    return is_change_to_tls or _origin(following) == _origin(url)
