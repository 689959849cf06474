"""A server on 127.0.0.1 in front of a registry: a control plane answers what it knows, the registry the rest.

With it a product that cannot be had has a real registry's data plane behind its own API, tokens and refusals.
"""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from .auth import read_basic
from .logged import LoggedServer
from .messages import Call, Reply, make_reply
from .serving import Incoming

Plane = Callable[[Call], Reply | None]

# What belongs to one connection (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade"})
# The registry behind is open.
_NOT_FORWARDED = frozenset({"authorization"})


class Front(LoggedServer):
    """A control plane and the open registry behind it, for the time of a ``with`` block.

    Calls keep their path as it was sent: an API that takes ``a%2Fb`` as one segment can tell it from ``a/b``. Bodies are kept
    in memory whole. The registry sees the front's own Host, so that its Locations lead back to the front.

    Args:
        plane: Answers a call, or says None: it is the registry's.
        backing: The registry's ``http://HOST:PORT``; without one, what the plane does not answer is 404.
        headers: Put into every answer, whoever made it.
    """

    def __init__(
        self, plane: Plane, backing: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self._plane = plane
        self._backing = urlsplit(backing).netloc
        self._headers = dict(headers or {})

    def _answer(self, incoming: Incoming) -> Reply:
        call = replace(incoming.receive(), path=incoming.sent_path)
        reply = self._plane(call)
        if reply is None:
            reply = self._forward(call)
        if reply.status:
            reply = replace(reply, headers={**reply.headers, **self._headers})
        self._log.add(call, reply.status)
        return reply

    def _forward(self, call: Call) -> Reply:
        if not self._backing:
            return make_reply(404)
        return forward(self._backing, call, _NOT_FORWARDED)


def forward(backing: str, call: Call, dropped: frozenset[str] = frozenset()) -> Reply:
    """What the server at ``backing``, a host and port, answers to a call without its ``dropped`` headers, in lower case."""
    not_sent = _HOP_BY_HOP | dropped | {"content-length"}
    headers = {k: v for k, v in call.headers.items() if k.lower() not in not_sent}
    connection = http.client.HTTPConnection(backing)
    try:
        connection.request(call.method, call.target, call.body, headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    kept = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP}
    if "chunked" in (answer.getheader("Transfer-Encoding") or ""):
        kept["Content-Length"] = str(len(body))
    return Reply(answer.status, kept, body)


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer of a product's own API."""
    return make_reply(status, json.dumps(value).encode(), headers)


def error_reply(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Reply:
    """A refusal in the form of the registry API, which Harbor's own API has, too."""
    return json_reply(status, {"errors": [{"code": code, "message": message}]}, headers)


def basic_user(call: Call, users: Mapping[str, str]) -> str | None:
    """Who a call is by Basic: ``""`` for nobody, None for a wrong name or password."""
    if not call.headers.get("Authorization", "").lower().startswith("basic "):
        return ""
    user, password = read_basic(call)
    return user if user in users and users[user] == password else None


def bearer_token(call: Call) -> str:
    """The bearer token of a call; empty without one."""
    kind, _, token = call.headers.get("Authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""
