"""A server on 127.0.0.1 in front of a real registry that lets some requests go wrong, by a script.

Requests reach the registry with the headers that they came with, Authorization and Host included: so it decides who may do
what, and its Locations lead back here. Bodies are kept in memory whole.
"""

import http.client
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from urllib.parse import urlsplit

from tests.fakes.faults import (
    Action,
    ChangeCall,
    Faults,
    ReadSlowly,
    distort,
    forestall,
    upload_limit,
)
from tests.fakes.front import forward
from tests.fakes.logged import LoggedServer
from tests.fakes.messages import Call, Reply, no_reply
from tests.fakes.serving import Incoming

_BUFFER = 32 * 1024

Hear = Callable[[Call, Reply], None]


def _ignore(_call: Call, _reply: Reply) -> None:
    """Nobody wants to know."""


class FaultProxy(LoggedServer):
    """A registry and what goes wrong on the way to it, for the time of a ``with`` block.

    Attributes:
        faults: The script; may be changed at any time.

    Args:
        backing: The registry's ``http://HOST:PORT``.
        hear: Told of everything that the registry itself has answered, before the client is.
    """

    def __init__(self, backing: str, hear: Hear = _ignore) -> None:
        super().__init__(_BUFFER)
        self.faults = Faults()
        self.lead_to(backing)
        self._hear = hear

    def lead_to(self, backing: str) -> None:
        """From now on to another registry."""
        self._backing = urlsplit(backing).netloc

    def _let_go(self) -> None:
        self.faults.release()

    def _answer(self, incoming: Incoming) -> Reply:
        actions = self.faults.strike(incoming.call)
        pause = sum(each.seconds for each in actions if isinstance(each, ReadSlowly))
        limit = upload_limit(actions)
        call = replace(incoming.receive(limit, pause), path=incoming.sent_path)
        if incoming.complete and limit is None:
            reply = self._reply(call, actions)
        else:
            self._break_off(call)
            reply = no_reply()
        self._log.add(call, reply.status)
        return reply

    def _reply(self, call: Call, actions: tuple[Action, ...]) -> Reply:
        reply = forestall(actions)
        if reply is None:
            changes = (each.change for each in actions if isinstance(each, ChangeCall))
            asked = reduce(lambda one, change: change(one), changes, call)
            reply = forward(self._backing, asked)
            self._hear(asked, reply)
        return reduce(lambda reply, action: distort(reply, action, call), actions, reply)

    def _break_off(self, call: Call) -> None:
        """Give the registry what there is of a body that was to be longer, and hang up."""
        headers = dict(call.headers.items())
        connection = http.client.HTTPConnection(self._backing)
        try:
            connection.request(call.method, call.target, call.body, headers)
        finally:
            connection.close()
