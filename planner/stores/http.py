"""Requests to one registry: connection, retries, and every foreign error turned into ``RegistryError`` once.

Invariants: no environment steers a request (``trust_env`` is off: a netrc entry would replace our token, CA variables our
trust); no cookie is kept; nothing is written to a log but method, host, path and status.
"""

from __future__ import annotations

import email.utils
import io
import json
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies

from planner import __version__
from planner.config import Tls
from planner.core.errors import RegistryError
from planner.core.text import printable

logger = logging.getLogger(__name__)

Body = bytes | Iterable[bytes] | None
_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})
_TRIES = 5
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0
_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 120.0
_LONGEST_ANSWER = 256 * 1024
_MOST_REDIRECTS = 8
_AUTHORIZATION = "Authorization"


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
        self._patience = patience
        self._slots = threading.BoundedSemaphore(parallelism)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.max_redirects = _MOST_REDIRECTS
        self._session.headers["User-Agent"] = f"planner/{__version__}"
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.proxies.update(get_environ_proxies(base, no_proxy=None))
        adapter = _Adapter(tls if base.startswith("https:") else None, parallelism)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

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
    ) -> requests.Response:
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
    ) -> requests.Response:
        full = urljoin(f"{self.base}/", url)
        headers = dict(headers or {})
        if not (elsewhere or self.belongs_here(full)):
            headers.pop(_AUTHORIZATION, None)
        tries = self._patience.tries if retries else 1
        for attempt in range(1, tries + 1):
            last = attempt == tries
            try:
                response = self._once(method, full, headers, body, longest)
            except requests.RequestException as error:
                if last or not _may_come_back(error):
                    raise unreachable(error, full) from error
                self._pause(attempt, None)
                continue
            if last or response.status_code not in _RETRYABLE:
                return response
            response.close()
            self._pause(attempt, response)
        raise AssertionError("unreachable: the last try returns or raises")

    def belongs_here(self, url: str) -> bool:
        """Whether a URL is on the same origin, so that it may see our credentials."""
        return _origin(urljoin(f"{self.base}/", url)) == self.origin

    def _once(
        self, method: str, url: str, headers: dict[str, str], body: Body, longest: int | None
    ) -> requests.Response:
        with self._slots:
            response = self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                stream=True,
                timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT),
                allow_redirects=method in ("GET", "HEAD"),
            )
            if longest is not None or response.status_code != 200:
                _load(response, longest or _LONGEST_ANSWER)
        path = urlsplit(url).path
        logger.debug("%s %s%s %d", method, urlsplit(url).netloc, path, response.status_code)
        return response

    def _pause(self, attempt: int, response: requests.Response | None) -> None:
        asked = _retry_after(response, self._patience.now()) if response is not None else None
        backoff = _FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        self._patience.sleep(min(asked if asked is not None else backoff, _LONGEST_PAUSE))


class _Adapter(HTTPAdapter):
    """Hands our own TLS context down, and keeps requests from loading its own trust on top of it."""

    def __init__(self, tls: Tls | None, parallelism: int) -> None:
        self._context = tls_context(tls) if tls else None
        super().__init__(pool_connections=4, pool_maxsize=parallelism, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context, blocksize=1 << 17)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=self._context)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave verification to the context."""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}


@cache
def tls_context(tls: Tls) -> ssl.SSLContext:
    """The trust and identity for one registry. Building one takes long, so equal settings share it.

    Raises:
        RegistryError: a file is missing or holds nothing usable.
    """
    context = ssl.create_default_context()
    # Python 3.13 refuses authorities without key usage; Go, and so every node, accepts them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    try:
        if tls.ca_file:
            context.load_verify_locations(tls.ca_file)
        if tls.cert_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
    except (OSError, ssl.SSLError) as error:
        files = " ".join(filter(None, (tls.ca_file, tls.cert_file, tls.key_file)))
        reason = getattr(error, "strerror", None) or error
        raise RegistryError(
            f"the TLS files cannot be used: {reason} ({files})",
            "check the paths under tls in planner.yaml, and that the files are PEM",
        ) from error
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return context


def refused(response: requests.Response, what: str, hint: str = "") -> RegistryError:
    """The error for an answer that is not the one hoped for; ``what`` names the request."""
    code, detail = _error_of(response)
    status = response.status_code
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
    host = urlsplit(url).netloc
    text = str(error)
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


def _may_come_back(error: requests.RequestException) -> bool:
    hopeless = (
        "CERTIFICATE",
        "WRONG_VERSION",
        "record layer",
        "NameResolution",
        "Connection refused",
        "Exceeded",
    )
    return not any(mark in str(error) for mark in hopeless)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    default = ":443" if parts.scheme == "https" else ":80"
    return parts.scheme, parts.netloc.rpartition("@")[2].removesuffix(default).lower()


def _load(response: requests.Response, longest: int) -> None:
    """Take the body in, which frees the connection for the next request; only the start of a longer one."""
    raw, body = response.raw, b""
    try:
        body = raw.read(longest, decode_content=True)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if response.ok:
            raise requests.ConnectionError(error) from error
    finally:
        raw.close()
    response.raw = io.BytesIO(body)


def _retry_after(response: requests.Response, now: float) -> float | None:
    """Seconds to wait, from either form of the header."""
    value = response.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _error_of(response: requests.Response) -> tuple[str, str]:
    """The registry's code and words; bodies may be empty, plain text or HTML."""
    body = response.content
    try:
        first = json.loads(body)["errors"][0]
        return printable(str(first.get("code", "")))[:60], printable(str(first.get("message", "")))[
            :300
        ]
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
