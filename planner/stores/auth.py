"""Proving who we are to a registry: Basic, and bearer tokens with as little scope as the request needs.

Source: distribution docs/spec/auth/token.md and oauth.md; Docker Hub, Harbor and Quay as far as they differ are noted at
the place.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from planner.core.errors import RegistryError
from planner.stores.answer import Answer
from planner.stores.credentials import Credentials, Keyring
from planner.stores.http import Connection
from planner.stores.locks import Locks
from planner.stores.refusals import refused

Scope = tuple[str, ...]
_CLIENT = "planner"
_DEFAULT_LIFE = 60.0
_RENEW_AT = 0.8
_SCHEME = re.compile(r"(?:^|,)\s*(basic|bearer)(?=[\s,]|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'([a-zA-Z]+)=(?:"([^"]*)"|([^\s",]+))')
_PULL_ONLY = frozenset({"pull", "metadata_read"})


def pull(repository: str) -> Scope:
    """The scope of a read."""
    return (f"repository:{repository}:pull",)


def push(repository: str, sibling: str = "") -> Scope:
    """The scope of a write, and of the read that a mount from ``sibling`` needs."""
    own = f"repository:{repository}:pull,push"
    return (own, f"repository:{sibling}:pull") if sibling else (own,)


@dataclass(frozen=True, slots=True)
class Challenge:
    """How a registry wants to be asked: ``scheme`` is ``basic``, or ``bearer`` with tokens from ``realm``."""

    scheme: str
    realm: str
    service: str
    scope: Scope

    @property
    def server(self) -> str:
        """Who gives out the tokens: a host, without a name and password that may stand before it."""
        try:
            return urlsplit(self.realm).netloc.rpartition("@")[2] or "no host"
        except ValueError:
            return "no host"


@dataclass(frozen=True, slots=True)
class _Token:
    """A token with how it was asked for, so that it is renewed in the same way. ``renew_at`` is the clock's."""

    value: str
    renew_at: float
    challenge: Challenge
    scope: Scope


class Authorizer:
    """Knows the registry's way of asking, and keeps its tokens by scope. Threads may share it.

    ``find`` looks for credentials; it is called once, when they are first needed. Which of them a request is made with
    depends on its repository, the first that its scope names.

    A scope for reading is never widened to writing, whatever a challenge says: some registries create a repository when a
    token to push is issued (Quay, endpoints/v2/v2auth.py).
    """

    def __init__(
        self,
        connection: Connection,
        find: Callable[[], Keyring],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._find = find
        self._clock = clock
        self._searching = threading.Lock()
        self._locks: Locks[Scope] = Locks()
        self._challenge: Challenge | None = None
        self._keyring: Keyring | None = None
        self._tokens: dict[Scope, _Token] = {}

    def header(self, scope: Scope) -> dict[str, str]:
        """What to send with a request, once the registry has told how it wants it."""
        challenge = self._challenge
        if challenge is None:
            return {}
        if challenge.scheme == "basic":
            credentials = self.credentials_for(_repository(scope))
            return {"Authorization": credentials.basic} if credentials and credentials.basic else {}
        return {"Authorization": f"Bearer {self._token(challenge, scope)}"}

    def learn(self, response: Answer, scope: Scope, *, was_authorized: bool) -> bool:
        """Take a 401 as a lesson; whether another try with the same ``scope`` makes sense.

        ``was_authorized`` says that the refused request carried what ``header`` returned. To where a registry redirects, our
        credentials do not go, and so nobody there says where they are to go instead.

        Raises:
            RegistryError: no token can be had.
        """
        if not self._is_ours(response.url):
            return False
        challenge = _parse(response.headers.get("WWW-Authenticate", ""))
        # Harbor turns its challenge into Basic once a request carried credentials: the first one counts.
        known = self._challenge = self._challenge or challenge
        if known is None:
            return False
        credentials = self.credentials_for(_repository(scope))
        if not was_authorized:
            return known.scheme == "bearer" or bool(credentials and credentials.basic)
        if known.scheme == "basic" or (credentials and credentials.registry_token):
            return False
        is_bearer = challenge is not None and challenge.scheme == "bearer"
        asked = challenge if challenge and is_bearer else known
        with self._locks[scope]:
            if not self._was_renewed(scope, response):
                self._tokens[scope] = self._fetch(asked, scope, _widened(scope, asked.scope))
        return True

    @property
    def credentials(self) -> Credentials | None:
        """Those of the registry as a whole."""
        return self.credentials_for("")

    def credentials_for(self, repository: str) -> Credentials | None:
        """What requests about a repository are made with."""
        return self.keyring.for_repository(repository)

    @property
    def challenge(self) -> Challenge | None:
        """How the registry wants to be asked; None before it said so, and when it wants nothing."""
        return self._challenge

    @property
    def keyring(self) -> Keyring:
        """All that was found for the registry."""
        with self._searching:
            if self._keyring is None:
                self._keyring = self._find()
            return self._keyring

    def describe(self, repository: str = "") -> str:
        """Who we are to this registry, for messages."""
        credentials = self.credentials_for(repository)
        return f"the credentials from {credentials.origin}" if credentials else "no credentials"

    def _is_ours(self, url: str) -> bool:
        """Whether the registry itself answered, by TLS also where its address has none."""
        same = self._connection.belongs_here
        return same(url) or (url.startswith("https:") and same(url.replace("https:", "http:", 1)))

    def _token(self, challenge: Challenge, scope: Scope) -> str:
        credentials = self.credentials_for(_repository(scope))
        if credentials and credentials.registry_token:
            return credentials.registry_token
        with self._locks[scope]:
            token = self._tokens.get(scope)
            if token is None:
                token = self._tokens[scope] = self._fetch(challenge, scope, scope)
            elif token.renew_at <= self._clock():
                token = self._tokens[scope] = self._fetch(token.challenge, scope, token.scope)
            return token.value

    def _was_renewed(self, scope: Scope, response: Answer) -> bool:
        """Whether another thread fetched a token since the one that was refused."""
        held = self._tokens.get(scope)
        return held is not None and response.sent.get("Authorization") != f"Bearer {held.value}"

    def _fetch(self, challenge: Challenge, scope: Scope, wanted: Scope) -> _Token:
        """A token for ``wanted``, which may be more than ``scope``, that of the request."""
        repository = _repository(scope)
        credentials = self.credentials_for(repository)
        if credentials and not _is_safe(challenge.realm, self._connection.base):
            message = f"the registry sends its users to {challenge.server} without TLS"
            raise RegistryError(
                message, "credentials are not sent there; repair the registry's token realm"
            )
        if credentials and credentials.identity_token:
            response = self._post_refresh(challenge, wanted, credentials.identity_token)
        else:
            response = self._get(challenge, wanted, credentials)
        if response.status_code != 200:
            who = self.describe(repository)
            raise refused(response, f"no token from {challenge.server} with {who}")
        value, life = _read(response, challenge.server)
        return _Token(value, self._clock() + life * _RENEW_AT, challenge, wanted)

    def _get(self, challenge: Challenge, scope: Scope, credentials: Credentials | None) -> Answer:
        asked = [("service", challenge.service), *(("scope", each) for each in scope)]
        query = urlencode([*asked, ("client_id", _CLIENT)])
        joint = "&" if "?" in challenge.realm else "?"
        headers = {"Authorization": credentials.basic} if credentials and credentials.basic else {}
        url = f"{challenge.realm}{joint}{query}"
        return self._connection.send("GET", url, headers=headers, elsewhere=True)

    def _post_refresh(self, challenge: Challenge, scope: Scope, token: str) -> Answer:
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


def _read(response: Answer, host: str) -> tuple[str, float]:
    """The token, and the seconds that it lives."""
    hint = "look at the token server"
    try:
        answer: Mapping[str, object] = response.json()
        value = answer.get("token") or answer.get("access_token")
        life = float(str(answer.get("expires_in") or _DEFAULT_LIFE))
    except (ValueError, AttributeError, RecursionError) as error:
        raise RegistryError(f"{host}: the answer is not a token", hint) from error
    if not isinstance(value, str) or not value:
        raise RegistryError(f"{host}: the answer holds no token", hint)
    return value, life if 0 < life < math.inf else _DEFAULT_LIFE


def _repository(scope: Scope) -> str:
    """The repository of a request, empty for one about the registry."""
    kind, _, rest = (scope[0] if scope else "").partition(":")
    return rest.rpartition(":")[0] if kind == "repository" else ""


def _parse(header: str) -> Challenge | None:
    """The challenge that we can answer; with tokens rather than with a password, when there is a choice."""
    _, *parts = _SCHEME.split(header)
    found = [
        _challenge(scheme.lower(), text)
        for scheme, text in zip(parts[::2], parts[1::2], strict=True)
    ]
    usable = [each for each in found if each.scheme == "basic" or each.realm]
    return max(usable, key=lambda each: each.scheme == "bearer", default=None)


def _challenge(scheme: str, text: str) -> Challenge:
    values = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(text)}
    scope = tuple(values.get("scope", "").split())
    return Challenge(scheme, values.get("realm", ""), values.get("service", ""), scope)


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
