"""Requests to whatever is not the registry itself, by ``requests``: object stores, token servers, and all that takes a proxy.

On our own terms: ``trust_env`` is off (a netrc entry would replace our token, CA variables our trust), no cookie is kept,
and redirects are left to whoever asks.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy

from planner import __version__
from planner.stores.answer import Answer, Headers
from planner.stores.wire import Body

_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 120.0
_POOLS = 4


class Elsewhere:
    """A session of its own for each registry. Threads may share it.

    A long body is given up when none of it has moved for ``stall`` seconds.
    """

    def __init__(self, context: ssl.SSLContext, parallelism: int, stall: float) -> None:
        self._stall = stall
        if context.verify_mode is ssl.CERT_NONE:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = f"planner/{__version__}"
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(context, parallelism)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body = None,
        *,
        is_streamed: bool = False,
    ) -> Answer:
        """One request and the head of its answer; the body waits until it is read or closed.

        That of one that ``is_streamed`` is long.

        Raises:
            OSError: no connection, no answer, or a broken one.
            ValueError: no request can be made of this URL or these headers.
        """
        # RFC 3986 has none. urllib.parse, which tells who may see a login, and urllib3, which connects, find different hosts.
        if "\\" in url:
            raise ValueError("a URL with a backslash in it, which can be read in two ways")
        response = self._session.request(
            method,
            url,
            headers=headers,
            data=cast("bytes | Iterable[bytes] | None", body),
            stream=True,
            timeout=(_CONNECT_TIMEOUT, self._stall if is_streamed else _READ_TIMEOUT),
            allow_redirects=False,
            proxies=get_environ_proxies(url, no_proxy=None),
        )
        found = Headers({name.lower(): value for name, value in response.headers.items()})
        return Answer(response.status_code, found, response.url, headers, _Incoming(response))


def has_proxy(url: str) -> bool:
    """Whether the environment names a proxy for a URL."""
    return select_proxy(url, get_environ_proxies(url, no_proxy=None)) is not None


class _Incoming:
    """A body that urllib3 reads."""

    def __init__(self, response: requests.Response) -> None:
        self._raw = response.raw

    def readinto(self, buffer: memoryview) -> int:
        try:
            data: bytes = self._raw.read(len(buffer), decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(str(error)) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._raw.close()


class _Adapter(HTTPAdapter):
    """Hands our own TLS context down, and keeps requests from loading its own trust on top of it."""

    def __init__(self, context: ssl.SSLContext, parallelism: int) -> None:
        self._context = context
        super().__init__(pool_connections=_POOLS, pool_maxsize=parallelism, pool_block=False)

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
