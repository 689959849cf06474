"""Requests to one registry, each with what the registry wants for its scope."""

from __future__ import annotations

from planner.core.content import LARGEST_MANIFEST
from planner.core.errors import RegistryError
from planner.core.refs import is_digest
from planner.stores.answer import Answer
from planner.stores.auth import Authorizer, Scope
from planner.stores.http import Connection
from planner.stores.refusals import refused
from planner.stores.wire import Body

_LONGEST_ANSWER = LARGEST_MANIFEST + 1


class Calls:
    """What all requests to a registry share. ``prefix`` stands between ``/v2/`` and the repository. Threads may share it."""

    def __init__(
        self, name: str, connection: Connection, authorizer: Authorizer, prefix: str = ""
    ) -> None:
        self.name = name
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.connection = connection
        self.authorizer = authorizer

    def full(self, repository: str) -> str:
        """What the registry itself calls a repository."""
        return f"{self.prefix}{repository}"

    def path(self, repository: str, what: str, reference: str) -> str:
        """Where a manifest, a blob or an upload of a repository is."""
        return f"v2/{self.full(repository)}/{what}/{reference}"

    def send(
        self,
        method: str,
        url: str,
        scope: Scope,
        *,
        headers: dict[str, str] | None = None,
        body: Body = None,
        longest: int | None = _LONGEST_ANSWER,
        is_counted: bool = True,
    ) -> Answer:
        """One request with what the registry wants for ``scope``; a 401 may tell what that is, or asks once for a new token.

        A body that is no bytes passes by once, and so does its request. The rest is as ``Connection.send`` has it.
        """
        once = body is not None and not isinstance(body, bytes)
        is_renewed = False
        while True:
            sent = {**(headers or {}), **self.authorizer.header(scope)}
            response = self.connection.send(
                method,
                url,
                headers=sent,
                body=body,
                longest=longest,
                retries=not once,
                is_counted=is_counted,
            )
            authorized = "Authorization" in sent
            if response.status_code != 401 or is_renewed:
                return response
            if not self.authorizer.learn(response, scope, was_authorized=authorized):
                return response
            if once:
                message = f"{self.name}: the token expired during an upload"
                raise RegistryError(message, "run it again", status=401, retryable=True)
            is_renewed = authorized

    def refused(
        self, response: Answer, doing: str, repository: str, reference: str
    ) -> RegistryError:
        """The error for an answer that is not the one hoped for."""
        joint = "@" if is_digest(reference) else ":"
        what = f"{doing} {self.name}/{repository}{joint}{reference} with {self.authorizer.describe(self.full(repository))}"
        return refused(response, what)
