"""Proving who we are to a registry: Basic, and bearer tokens with as little scope as the request needs.

Source: distribution docs/spec/auth/token.md and oauth.md; Docker Hub, Harbor and Quay as far as they differ are noted at
the place.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import requests

from planner.core.errors import RegistryError
from planner.stores.credentials import Credentials
from planner.stores.http import Connection, refused
from planner.stores.locks import Locks

Scope = tuple[str, ...]
_CLIENT = "planner"
_DEFAULT_LIFE = 60.0
_RENEW_AT = 0.8
_CHALLENGE = re.compile(r'([a-zA-Z]+)="([^"]*)"')
_PULL_ONLY = frozenset({"pull", "metadata_read"})


def pull(repository: str) -> Scope:
    """The scope of a read."""
    return (f"repository:{repository}:pull",)


def push(repository: str, sibling: str = "") -> Scope:
    """The scope of a write, and of the read that a mount from ``sibling`` needs."""
    own = f"repository:{repository}:pull,push"
    return (own, f"repository:{sibling}:pull") if sibling else (own,)


@dataclass(frozen=True, slots=True)
class _Challenge:
    scheme: str
    realm: str
    service: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float


class Authorizer:
    """Knows the registry's way of asking, and keeps its tokens by scope. Threads may share it.

    A scope for reading is never widened to writing, whatever a challenge says: some registries create a repository when a
    token to push is issued (Quay, endpoints/v2/v2auth.py).
    """

    def __init__(
        self,
        connection: Connection,
        find: Callable[[], Credentials | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._find = find
        self._clock = clock
        self._searching = threading.Lock()
        self._locks: Locks[Scope] = Locks()
        self._challenge: _Challenge | None = None
        self._credentials: Credentials | None = None
        self._searched = False
        self._tokens: dict[Scope, _Token] = {}

    def header(self, scope: Scope) -> dict[str, str]:
        """What to send with a request, once the registry has told how it wants it."""
        challenge = self._challenge
        if challenge is None:
            return {}
        if challenge.scheme == "basic":
            credentials = self.credentials
            return {"Authorization": credentials.basic} if credentials and credentials.basic else {}
        return {"Authorization": f"Bearer {self._token(challenge, scope)}"}

    def learn(self, response: requests.Response, scope: Scope, *, was_authorized: bool) -> bool:
        """Take a 401 as a lesson; whether another try with the same ``scope`` makes sense.

        ``was_authorized`` says that the refused request carried what ``header`` returned.

        Raises:
            RegistryError: no token can be had.
        """
        challenge = _parse(response.headers.get("WWW-Authenticate", ""))
        # Harbor turns its challenge into Basic once a request carried credentials: the first one counts.
        known = self._challenge = self._challenge or challenge
        if known is None:
            return False
        if not was_authorized:
            return known.scheme == "bearer" or bool(self.credentials and self.credentials.basic)
        if known.scheme == "basic" or (self.credentials and self.credentials.registry_token):
            return False
        wanted = _widened(scope, challenge.scope if challenge else ())
        with self._locks[scope]:
            if not self._was_renewed(scope, response):
                self._tokens[scope] = self._fetch(known, wanted)
        return True

    @property
    def credentials(self) -> Credentials | None:
        """What was found for this registry; looked for once, when first needed."""
        with self._searching:
            if not self._searched:
                self._credentials = self._find()
                self._searched = True
            return self._credentials

    def describe(self) -> str:
        """Who we are to this registry, for messages."""
        credentials = self.credentials
        return f"the credentials from {credentials.origin}" if credentials else "no credentials"

    def _token(self, challenge: _Challenge, scope: Scope) -> str:
        credentials = self.credentials
        if credentials and credentials.registry_token:
            return credentials.registry_token
        with self._locks[scope]:
            token = self._tokens.get(scope)
            if token is None or token.renew_at <= self._clock():
                token = self._tokens[scope] = self._fetch(challenge, scope)
            return token.value

    def _was_renewed(self, scope: Scope, response: requests.Response) -> bool:
        """Whether another thread fetched a token since the one that was refused."""
        held = self._tokens.get(scope)
        return (
            held is not None
            and response.request.headers.get("Authorization") != f"Bearer {held.value}"
        )

    def _fetch(self, challenge: _Challenge, scope: Scope) -> _Token:
        credentials = self.credentials
        if credentials and not _is_safe(challenge.realm, self._connection.base):
            message = f"the registry sends its users to {challenge.realm} without TLS"
            raise RegistryError(
                message, "credentials are not sent there; repair the registry's token realm"
            )
        if credentials and credentials.identity_token:
            response = self._post_refresh(challenge, scope, credentials.identity_token)
        else:
            response = self._get(challenge, scope, credentials)
        if response.status_code != 200:
            what = f"no token from {urlsplit(challenge.realm).netloc} with {self.describe()}"
            raise refused(response, what)
        return self._read(response, challenge.realm)

    def _get(
        self, challenge: _Challenge, scope: Scope, credentials: Credentials | None
    ) -> requests.Response:
        asked = [("service", challenge.service), *(("scope", each) for each in scope)]
        query = urlencode([*asked, ("client_id", _CLIENT)])
        joint = "&" if "?" in challenge.realm else "?"
        headers = {"Authorization": credentials.basic} if credentials and credentials.basic else {}
        url = f"{challenge.realm}{joint}{query}"
        return self._connection.send("GET", url, headers=headers, elsewhere=True)

    def _post_refresh(self, challenge: _Challenge, scope: Scope, token: str) -> requests.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "service": challenge.service,
            "scope": " ".join(scope),
            "client_id": _CLIENT,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        return self._connection.send(
            "POST", challenge.realm, headers=headers, body=body, elsewhere=True
        )

    def _read(self, response: requests.Response, realm: str) -> _Token:
        try:
            answer: Mapping[str, object] = response.json()
            value = answer.get("token") or answer.get("access_token")
            life = float(str(answer.get("expires_in") or _DEFAULT_LIFE))
        except (ValueError, AttributeError, RecursionError) as error:
            raise RegistryError(
                f"{realm}: the answer is not a token", "look at the token server"
            ) from error
        if not isinstance(value, str) or not value:
            raise RegistryError(f"{realm}: the answer holds no token", "look at the token server")
        return _Token(value, self._clock() + life * _RENEW_AT)


def _parse(header: str) -> _Challenge | None:
    scheme, _, rest = header.strip().partition(" ")
    values = dict(_CHALLENGE.findall(rest))
    if scheme.lower() == "basic":
        return _Challenge("basic", values.get("realm", ""), "", ())
    if scheme.lower() != "bearer" or "realm" not in values:
        return None
    scope = tuple(values.get("scope", "").split())
    return _Challenge("bearer", values["realm"], values.get("service", ""), scope)


def _widened(scope: Scope, challenged: Iterable[str]) -> Scope:
    """Our scope and what the registry named, but no right to write for a read."""
    if any(",push" in each or each.endswith(":delete") for each in scope):
        return tuple(dict.fromkeys((*scope, *challenged)))
    harmless = (
        each for each in challenged if set(each.rpartition(":")[2].split(",")) <= _PULL_ONLY
    )
    return tuple(dict.fromkeys((*scope, *harmless)))


def _is_safe(realm: str, base: str) -> bool:
    return realm.startswith("https://") or base.startswith("http://")
