"""One look at each step of the way to a registry: names, sockets, TLS. Nothing is asked of the registry itself."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from planner.config import Tls
from planner.core.certificate import decode
from planner.core.examined import Problem, Seen, Trusted
from planner.stores.tls import tls_context

_TIMEOUT = 10.0
_EXPIRED, _NOT_YET, _MISMATCH = 10, 9, frozenset({62, 64})  # OpenSSL x509_vfy.h, X509_V_ERR_…


class Route(NamedTuple):
    """Where a registry is, and the proxy (a URL, maybe with a password) that stands before it."""

    host: str
    port: int
    is_tls: bool
    proxy: str = ""

    @property
    def first(self) -> tuple[str, int]:
        """The machine that is really connected to."""
        if not self.proxy:
            return self.host, self.port
        parts = urlsplit(self.proxy)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def route_to(base: str) -> Route:
    """The way to an ``http(s)://host[:port]``, as the environment has it."""
    from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415 - slow, and few need it

    parts = urlsplit(base)
    is_tls = parts.scheme == "https"
    proxy = select_proxy(base, get_environ_proxies(base, no_proxy=None)) or ""
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return Route(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls, proxy)


def addresses(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a name, in the order in which they are tried.

    Raises:
        OSError: there are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def connect(host: str, port: int) -> None:
    """Open a connection, and close it.

    Raises:
        OSError: nobody takes it.
    """
    socket.create_connection((host, port), _TIMEOUT).close()


def look_at_tls(route: Route, tls: Tls) -> Seen:
    """Who answers there, and who vouches for it: first the system alone is asked, then all that is configured.

    Raises:
        OSError: no TLS is spoken there (``ssl.SSLError``), or the connection broke.
    """
    open_tls = tls._replace(ca_file="", ca_data="", insecure_skip_verify=True)
    with closing(_shaken(route, tls_context(open_tls))) as found:
        protocol, chain = found.version() or "", _chain_length(found)
        certificate = decode(found.getpeercert(binary_form=True) or b"")
    seen = Seen(protocol, certificate, chain)
    own: Trusted = "planner.yaml" if tls.ca_file else "spec" if tls.ca_data else ""
    verified = tls._replace(insecure_skip_verify=False)
    tries: list[tuple[Trusted, Tls]] = [("system", verified._replace(ca_file="", ca_data=""))]
    tries += [(own, verified)] if own else []
    for trusted, settings in tries:
        try:
            _shaken(route, tls_context(settings)).close()
        except ssl.SSLCertVerificationError as error:
            seen = seen._replace(problem=_problem(error), said=error.verify_message)
        else:
            return seen._replace(trusted=trusted, problem="", said="")
    return seen


def _problem(error: ssl.SSLCertVerificationError) -> Problem:
    if error.verify_code == _EXPIRED:
        return "expired"
    if error.verify_code == _NOT_YET:
        return "early"
    return "name" if error.verify_code in _MISMATCH else "authority"


def _shaken(route: Route, context: ssl.SSLContext) -> ssl.SSLSocket:
    line = _line(route)
    try:
        return context.wrap_socket(line, server_hostname=route.host)
    except BaseException:
        line.close()
        raise


def _line(route: Route) -> socket.socket:
    if not route.proxy:
        return socket.create_connection((route.host, route.port), _TIMEOUT)
    parts, (host, port) = urlsplit(route.proxy), route.first
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    client = kind(host, port, timeout=_TIMEOUT)
    client.set_tunnel(route.host, route.port, _proxy_login(parts.username, parts.password))
    client.connect()
    return client.sock


def _proxy_login(username: str | None, password: str | None) -> dict[str, str]:
    if not username:
        return {}
    login = f"{unquote(username)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(login).decode()}"}


def _chain_length(found: ssl.SSLSocket) -> int:
    """How many certificates the server sent; 0 when this Python does not tell. Public since Python 3.13."""
    source: Any = (
        found if hasattr(found, "get_unverified_chain") else getattr(found, "_sslobj", None)
    )
    ask = getattr(source, "get_unverified_chain", None)
    return len(ask() or ()) if ask else 0
