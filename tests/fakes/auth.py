"""Authentication of the fake registry: none, Basic, or Bearer with its own token server.

Tokens are opaque: a client cannot read from them what was granted.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple
from urllib.parse import parse_qs

from .errors import ApiError
from .messages import Call, Reply, make_reply

TOKEN_PATH = "/token"
SERVICE = "fake-registry"


class Access(NamedTuple):
    """One right: ``("repository", "a/b", "pull")`` or ``("registry", "catalog", "*")``."""

    kind: str
    name: str
    action: str


def allow_users(user: str, access: Access) -> bool:
    """Allow everything to users and nothing to callers without a name."""
    return bool(user)


@dataclass(frozen=True, slots=True)
class Basic:
    """One user with every right."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Bearer:
    """Tokens from ``/token``, by GET with Basic, or by POST (OAuth2).

    Attributes:
        users: Passwords by user.
        ttl: Seconds that a token is good for.
        clock: Seconds since whenever.
        allows: Whether a user, ``""`` without credentials, gets a right; what is not allowed is
            left out of the token, which is no error.
        refresh_tokens: Users by refresh token, for POST; without any, POST is answered 405.
    """

    users: Mapping[str, str]
    ttl: float = 300
    clock: Callable[[], float] = time.time
    allows: Callable[[str, Access], bool] = allow_users
    refresh_tokens: Mapping[str, str] = field(default_factory=dict)


Auth = Basic | Bearer


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for a token: by whom (``""`` for nobody), how, and the scopes as they were sent."""

    user: str
    method: str
    scopes: tuple[str, ...]


class TokenServer:
    """The tokens that were given out; safe for threads."""

    def __init__(self, bearer: Bearer) -> None:
        """Start without tokens."""
        self._bearer = bearer
        self._lock = threading.Lock()
        self._ids = count(1)
        self._tokens: dict[str, tuple[frozenset[Access], float]] = {}
        self._requests: list[TokenRequest] = []

    def requests(self) -> list[TokenRequest]:
        """Return the requests that got a token or were refused one, in order."""
        with self._lock:
            return list(self._requests)

    def answer(self, call: Call) -> Reply:
        """Give out a token, or answer 401 (wrong password or refresh token) or 405 (no OAuth2)."""
        if call.method == "POST" and not self._bearer.refresh_tokens:
            return make_reply(405)
        form = parse_qs(call.body.decode() if call.method == "POST" else call.query)
        user = self._user_of_form(form) if call.method == "POST" else self._user_of_header(call)
        scopes = form.get("scope", [])
        if call.method == "POST":
            scopes = " ".join(scopes).split()
        with self._lock:
            self._requests.append(TokenRequest(user or "", call.method, tuple(scopes)))
        return make_reply(401) if user is None else self._issue(user, scopes)

    def problem(self, call: Call, needed: Iterable[Access]) -> str | None:
        """Return why a call's token will not do, ``""`` when there is none, None when it will."""
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return ""
        with self._lock:
            granted, expiry = self._tokens.get(token, (frozenset(), 0.0))
            if token not in self._tokens or self._bearer.clock() >= expiry:
                return "invalid_token"
        return None if granted.issuperset(needed) else "insufficient_scope"

    def _issue(self, user: str, scopes: Iterable[str]) -> Reply:
        asked = (access for scope in scopes for access in _parse_scope(scope))
        granted = frozenset(each for each in asked if self._bearer.allows(user, each))
        with self._lock:
            token = f"token-{next(self._ids)}"
            self._tokens[token] = granted, self._bearer.clock() + self._bearer.ttl
        content = {"token": token, "access_token": token, "expires_in": self._bearer.ttl}
        return make_reply(200, json.dumps(content).encode())

    def _user_of_header(self, call: Call) -> str | None:
        if "Authorization" not in call.headers:
            return ""
        user, password = read_basic(call)
        return user if self._knows(user, password) else None

    def _user_of_form(self, form: Mapping[str, list[str]]) -> str | None:
        if form.get("grant_type") == ["refresh_token"]:
            return self._bearer.refresh_tokens.get(form.get("refresh_token", [""])[0])
        user, password = (form.get(name, [""])[0] for name in ("username", "password"))
        return user if self._knows(user, password) else None

    def _knows(self, user: str, password: str) -> bool:
        return user in self._bearer.users and self._bearer.users[user] == password


def needed_access(call: Call) -> tuple[Access, ...] | None:
    """Return the rights that a call needs; None when anyone may make it.

    Source: distribution/distribution v2.8.2, registry/handlers/app.go, ``appendAccessRecords``.
    """
    if call.path == "/v2/":
        return ()
    if call.path == "/v2/_catalog":
        return (Access("registry", "catalog", "*"),)
    found = re.fullmatch(r"/v2/(.+?)/(?:manifests|blobs|tags)/.*", call.path)
    if not found:
        return None
    actions = {"GET": ("pull",), "HEAD": ("pull",), "DELETE": ("delete",)}
    target = [(found[1], each) for each in actions.get(call.method, ("pull", "push"))]
    source = [(name, "pull") for name in call.params("from")] if call.param("mount") else []
    return tuple(Access("repository", name, action) for name, action in target + source)


def refusal(auth: Auth | None, tokens: TokenServer, call: Call) -> Reply | None:
    """Return the 401 that tells a client how to get in, or None when it is in."""
    needed = needed_access(call)
    if needed is None or auth is None:
        return None
    if isinstance(auth, Bearer):
        problem = tokens.problem(call, needed)
    else:
        problem = None if read_basic(call) == (auth.user, auth.password) else ""
    return None if problem is None else _challenge(auth, call, problem, needed)


def _challenge(auth: Auth, call: Call, problem: str, needed: tuple[Access, ...]) -> Reply:
    names = ("Type", "Name", "Action")
    detail = [{"Class": "", **dict(zip(names, each, strict=True))} for each in needed]
    challenge = 'Basic realm="fake"'
    if isinstance(auth, Bearer):
        parts = {
            "realm": f"http://{call.headers['Host']}{TOKEN_PATH}",
            "service": SERVICE,
            "scope": " ".join(_write_scopes(needed)),
            "error": problem,
        }
        challenge = "Bearer " + ",".join(f'{key}="{each}"' for key, each in parts.items() if each)
    return ApiError("UNAUTHORIZED", detail or None).reply(WWW_Authenticate=challenge)


def read_basic(call: Call) -> tuple[str, str]:
    """Return user and password of a Basic header; both empty without one."""
    kind, _, encoded = call.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password


def _parse_scope(scope: str) -> list[Access]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return [Access(kind, name, action) for action in actions.split(",")]


def _write_scopes(needed: Iterable[Access]) -> list[str]:
    actions: dict[tuple[str, str], list[str]] = {}
    for kind, name, action in needed:
        actions.setdefault((kind, name), []).append(action)
    return [f"{kind}:{name}:{','.join(each)}" for (kind, name), each in actions.items()]
