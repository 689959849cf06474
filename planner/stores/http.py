"""Requests to one registry: retries, redirects, and every foreign error turned into ``RegistryError`` once.

Invariants: no environment steers a request but by naming a proxy; no cookie is kept; nothing is written to a log but method,
host, path and status. What goes to the registry itself goes over ``wire``, all else through ``elsewhere``.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from planner.config import Tls
from planner.core.errors import RegistryError
from planner.core.text import printable
from planner.stores.answer import Answer
from planner.stores.wire import Body, Wires

if TYPE_CHECKING:
    from planner.stores.elsewhere import Elsewhere

logger = logging.getLogger(__name__)

_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRIES = 5
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0
_LONGEST_ANSWER = 256 * 1024
_MOST_REDIRECTS = 8
_AUTHORIZATION = "Authorization"
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to wait for a registry that is busy; the clock and the pause can be replaced."""

    tries: int = _TRIES
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time


class Connection:
    """A pool of connections to one origin. Threads may share it.

    At most ``parallelism`` requests are under way at a time. The body of a streamed answer does not count: who copies
    within one registry would wait for itself.
    """

    def __init__(self, base: str, tls: Tls, parallelism: int, patience: Patience) -> None:
        self.base = base
        self.origin = _origin(base)
        self._tls = tls
        self._parallelism = parallelism
        self._patience = patience
        self._slots = threading.BoundedSemaphore(parallelism)
        self._opening = threading.Lock()
        self._elsewhere: Elsewhere | None = None
        self._wires = None if not base.isascii() or _has_proxy(base) else _wires(base, tls)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        longest: int | None = _LONGEST_ANSWER,
        retries: bool = True,
        elsewhere: bool = False,
    ) -> Answer:
        """One answer, whatever its status; only a registry that does not answer is an error.

        ``url`` may be relative to the base. Redirects are followed for reads alone, and never carry credentials to
        another host; only a request that is meant for another host (``elsewhere``: a token server) does. A body that can be
        sent only once must come with ``retries`` off. The answer's body is cut off after ``longest`` bytes; None leaves that of
        a 200 on the wire, for the caller to read and close.
        """
        try:
            return self._tried(method, url, headers, body, longest, retries, elsewhere)
        except ValueError as error:  # a Location, a realm or a token that no request can be made of
            message = f"{urlsplit(self.base).netloc} sent something that no registry sends: {error}"
            raise RegistryError(
                message, "ask the registry's operator what answers there"
            ) from error

    def _tried(  # noqa: PLR0917 - the arguments of send
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: Body,
        longest: int | None,
        retries: bool,  # noqa: FBT001
        elsewhere: bool,  # noqa: FBT001
    ) -> Answer:
        full = self._full(url)
        headers = dict(headers or {})
        if not (elsewhere or self._is_own(full)):
            headers.pop(_AUTHORIZATION, None)
        tries = self._patience.tries if retries else 1
        for attempt in range(1, tries + 1):
            last = attempt == tries
            try:
                answer = self._once(method, full, headers, body, longest)
            except OSError as error:
                if last or not _may_come_back(error):
                    raise unreachable(error, full) from error
                self._pause(attempt, None)
                continue
            if last or answer.status_code not in _RETRYABLE:
                return answer
            self._pause(attempt, answer)
        raise AssertionError("unreachable: the last try returns or raises")

    def belongs_here(self, url: str) -> bool:
        """Whether a URL is on the same origin, so that it may see our credentials."""
        return self._is_own(self._full(url))

    def _full(self, url: str) -> str:
        # Thousands of times, and taking URLs apart is slow: what begins like this needs no second look.
        return f"{self.base}/{url}" if url.startswith("v2/") else urljoin(f"{self.base}/", url)

    def _is_own(self, full: str) -> bool:
        return full.startswith(f"{self.base}/") or _origin(full) == self.origin

    def _once(
        self, method: str, url: str, headers: dict[str, str], body: Body, longest: int | None
    ) -> Answer:
        with self._slots:
            answer = self._followed(method, url, headers, body)
            if longest is not None or answer.status_code != 200:
                answer.load(longest or _LONGEST_ANSWER)
        if logger.isEnabledFor(logging.DEBUG):
            path = urlsplit(url).path
            logger.debug("%s %s%s %d", method, _host_of(url), path, answer.status_code)
        return answer

    def _followed(self, method: str, url: str, headers: Mapping[str, str], body: Body) -> Answer:
        """The answer behind all redirects, for reads; credentials stay with whom they were sent to at first."""
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._ask(method, url, headers, body)
            place = answer.headers.get("Location") if answer.status_code in _REDIRECTS else None
            if not place or method not in ("GET", "HEAD"):
                return answer
            answer.load(_LONGEST_ANSWER)
            following = urljoin(url, place)
            if not _may_see_as_much(following, url):
                headers = {name: each for name, each in headers.items() if name != _AUTHORIZATION}
            url = following
        raise OSError("Exceeded the redirects that anybody needs")

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: Body) -> Answer:
        if self._wires and self._is_own(url):
            return self._wires.ask(method, url, headers, body)
        with self._opening:
            if self._elsewhere is None:
                self._elsewhere = _open_elsewhere(self._tls, self._parallelism)
        return self._elsewhere.ask(method, url, headers, body)

    def _pause(self, attempt: int, answer: Answer | None) -> None:
        from random import uniform  # noqa: PLC0415 - nearly no run pauses

        asked = _retry_after(answer, self._patience.now()) if answer is not None else None
        backoff = _FIRST_PAUSE * 2 ** (attempt - 1) * uniform(0.8, 1.2)  # noqa: S311 - jitter
        self._patience.sleep(min(asked if asked is not None else backoff, _LONGEST_PAUSE))


def _wires(base: str, tls: Tls) -> Wires:
    if not base.startswith("https:"):
        return Wires(base, None)
    from planner.stores.tls import tls_context  # noqa: PLC0415 - not for plain HTTP

    return Wires(base, tls_context(tls))


def _open_elsewhere(tls: Tls, parallelism: int) -> Elsewhere:
    from planner.stores.elsewhere import Elsewhere  # noqa: PLC0415 - slow, and few runs need it
    from planner.stores.tls import tls_context  # noqa: PLC0415 - as above

    return Elsewhere(tls_context(tls), parallelism)


def _has_proxy(url: str) -> bool:
    """Whether a proxy stands before a URL. On Linux only the environment can name one, and mostly names none."""
    if sys.platform == "linux" and not any(name.lower() in _PROXIES for name in os.environ):
        return False
    from planner.stores.elsewhere import has_proxy  # noqa: PLC0415 - as above

    return has_proxy(url)


def refused(answer: Answer, what: str, hint: str = "") -> RegistryError:
    """The error for an answer that is not the one hoped for; ``what`` names the request."""
    code, detail = _error_of(answer)
    status = answer.status_code
    words = " ".join(filter(None, (str(status), code)))
    message = f"{what}: {words}{f': {detail}' if detail else ''}"
    return RegistryError(
        message,
        hint or _hint(status, code),
        status=status,
        code=code,
        retryable=status in _RETRYABLE,
    )


def unreachable(error: Exception, url: str) -> RegistryError:
    """The error for a registry that did not answer."""
    host = _host_of(url)
    text = _text(error)
    for mark, reason, hint in _REASONS:
        if mark in text:
            return RegistryError(f"{host}: {reason}", hint.format(host=host), retryable=not hint)
    message = f"{host} does not answer ({type(error).__name__})"
    return RegistryError(message, "check that the registry runs and can be reached", retryable=True)


_REASONS = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is not trusted",
        "give the authority's certificate as tls.ca_file under registries.{host} in planner.yaml",
    ),
    (
        "CERTIFICATE_REQUIRED",
        "it asks for a client certificate",
        "give tls.cert_file and tls.key_file under registries.{host} in planner.yaml",
    ),
    (
        "BAD_CERTIFICATE",
        "it did not accept the client certificate",
        "check tls.cert_file and tls.key_file under registries.{host} in planner.yaml",
    ),
    (
        "WRONG_VERSION_NUMBER",
        "it does not speak TLS",
        "if it really is plain HTTP, say plain_http: true under registries.{host} in planner.yaml",
    ),
    (
        "record layer failure",
        "it does not speak TLS",
        "if it really is plain HTTP, say plain_http: true under registries.{host} in planner.yaml",
    ),
    (
        "NameResolutionError",
        "the host name is unknown",
        "check its spelling and this machine's DNS",
    ),
    ("Connection refused", "nothing listens there", "check the port, and that the registry runs"),
    (
        "Exceeded",
        "it redirects in circles",
        "check the registry's address and the proxies before it",
    ),
    ("timed out", "it did not answer in time", ""),
)


def _may_come_back(error: OSError) -> bool:
    hopeless = (
        "CERTIFICATE",
        "WRONG_VERSION",
        "record layer",
        "NameResolution",
        "Connection refused",
        "Exceeded",
    )
    text = _text(error)
    return not any(mark in text for mark in hopeless)


def _text(error: Exception) -> str:
    return "NameResolutionError" if isinstance(error, socket.gaierror) else str(error)


def _origin(url: str) -> tuple[str, str]:
    scheme = urlsplit(url).scheme
    return scheme, _host_of(url).removesuffix(":443" if scheme == "https" else ":80").lower()


def _host_of(url: str) -> str:
    """``host[:port]`` without a name and password, which do not belong in a message."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _may_see_as_much(following: str, url: str) -> bool:
    """Whether credentials for one may go to the other: the same origin, or its own change from plain HTTP to TLS."""
    old, new = urlsplit(url), urlsplit(following)
    is_change_to_tls = (old.scheme, new.scheme) == ("http", "https") and (
        old.hostname == new.hostname and old.port in (None, 80) and new.port in (None, 443)
    )
    return is_change_to_tls or _origin(following) == _origin(url)


def _retry_after(answer: Answer, now: float) -> float | None:
    """Seconds to wait, from either form of the header."""
    value = answer.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - nearly no run pauses

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _error_of(answer: Answer) -> tuple[str, str]:
    """The registry's code and words; bodies may be empty, plain text or HTML."""
    body = answer.content
    try:
        found = json.loads(body)
        # A product's own API (GitLab, Quay, Docker Hub) has one object instead of the registry's list.
        first = found["errors"][0] if "errors" in found else {"message": found["message"]}
        code, message = (printable(str(first.get(each, ""))) for each in ("code", "message"))
        return code[:60], message[:300]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        words = body.decode("utf-8", "replace").strip()
        return "", "" if words.startswith("<") else printable(words.partition("\n")[0])[:200]


def _hint(status: int, code: str) -> str:
    match status:
        case 401:
            return "log in with docker login or podman login, or name a credential helper in planner.yaml"
        case 403:
            return "the credentials do not give this right; ask the registry's administrator"
        case 404 if code == "NAME_UNKNOWN":
            return "the repository does not exist there"
        case 405:
            return "this registry takes no writes here: it is read-only or a pull-through cache"
        case 413:
            return "a proxy in front of the registry limits the size of uploads"
        case 429:
            return (
                "the registry limits requests: wait, log in, or lower parallelism in planner.yaml"
            )
        case 400 if code == "MANIFEST_BLOB_UNKNOWN":
            return "content that was there is gone: plan again"
        case _:
            return "the registry failed; its own log says why" if status >= 500 else ""
