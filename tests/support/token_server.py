"""A token server: the other half of a registry's token authentication.

Source: distribution v2.8.2, docs/spec/auth/token.md, jwt.md and oauth.md.
"""

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.certificates import KeyPair
from tests.support.process import run
from tests.support.programs import require
from tests.support.registry_server import TokenAuth

_SERVICE = "planner-test-registry"
_ISSUER = "planner-test-tokens"
# The registry accepts a token for so many seconds after its end.
# Source: distribution v2.8.2, registry/auth/token/token.go, ``Leeway``.
_LEEWAY = 60


@dataclass(frozen=True, slots=True)
class TokenQuery:
    """A request for a token; ``account`` is empty for an anonymous or refused one."""

    method: str
    scopes: tuple[str, ...]
    account: str
    status: int


class TokenServer:
    """Hands out tokens that a registry with `auth` accepts; a context manager.

    A user may do everything, everybody else may at most pull. A token ends ``ttl`` seconds after
    it was made, for the registry too; ``ttl`` may be changed at any time.

    Args:
        signer: RSA pair that signs the tokens.
        users: Passwords by name.
        anonymous_pull: Whether a request without credentials gets a token.
        ttl: Seconds from making a token to its end.
    """

    def __init__(
        self,
        signer: KeyPair,
        *,
        users: Mapping[str, str] | None = None,
        anonymous_pull: bool = False,
        ttl: int = 300,
    ) -> None:
        self.ttl = ttl
        self.queries: list[TokenQuery] = []
        self._signer = signer
        self._users = dict(users or {})
        self._anonymous_pull = anonymous_pull
        self._identities: dict[str, str] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.tokens = self

    @property
    def realm(self) -> str:
        """The URL where tokens are asked for."""
        return f"http://127.0.0.1:{self._server.server_port}/token"

    @property
    def auth(self) -> TokenAuth:
        """The option that makes a registry accept these tokens."""
        return TokenAuth(self.realm, _SERVICE, _ISSUER, self._signer.certificate)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def identity_token(self, user: str) -> str:
        """Return a new identity (refresh) token, as ``docker login`` stores one."""
        token = f"identity-{secrets.token_hex(16)}"
        self._identities[token] = user
        return token

    def answer_get(self, query: Mapping[str, list[str]], header: str) -> tuple[int, dict[str, Any]]:
        """Answer the older protocol: a GET with Basic credentials or none."""
        account = self._account_of_basic(header)
        scopes = tuple(query.get("scope", ()))
        offline = query.get("offline_token") == ["true"]
        return self._answer("GET", account, scopes, offline=offline)

    def answer_post(self, form: Mapping[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Answer the OAuth2 protocol: a password or a refresh token in a form."""
        first = {name: values[0] for name, values in form.items()}
        if first.get("grant_type") == "refresh_token":
            account = self._identities.get(first.get("refresh_token", ""))
        else:
            account = self._account(first.get("username", ""), first.get("password", ""))
        scopes = tuple(first.get("scope", "").split())
        return self._answer("POST", account, scopes, offline=first.get("access_type") == "offline")

    def _account_of_basic(self, header: str) -> str | None:
        """Return the user, "" for nobody, or None for somebody who must not get a token."""
        if not header and self._anonymous_pull:
            return ""
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        user, _, password = base64.b64decode(value).decode().partition(":")
        return self._account(user, password)

    def _account(self, user: str, password: str) -> str | None:
        return user if self._users.get(user) == password else None

    def _answer(
        self, method: str, account: str | None, scopes: tuple[str, ...], *, offline: bool
    ) -> tuple[int, dict[str, Any]]:
        status = 401 if account is None else 200
        self.queries.append(TokenQuery(method, scopes, account or "", status))
        if account is None:
            return status, {"errors": [{"code": "UNAUTHORIZED", "message": "access denied"}]}
        token = self._make_token(account, scopes)
        body = {"token": token, "access_token": token, "expires_in": self.ttl}
        if offline and account:
            body["refresh_token"] = self.identity_token(account)
        return status, body

    def _make_token(self, account: str, scopes: tuple[str, ...]) -> str:
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "sub": account,
            "aud": _SERVICE,
            "iat": now,
            "nbf": now - _LEEWAY,
            "exp": now + self.ttl - _LEEWAY,
            "jti": secrets.token_hex(8),
            "access": [_access(each, only_pull=not account) for each in scopes],
        }
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._certificate()]}
        signed = f"{_encode_json(header)}.{_encode_json(claims)}"
        sign = (require("openssl"), "dgst", "-sha256", "-sign", self._signer.key)
        return f"{signed}.{_encode(run(sign, given=signed.encode()))}"

    def _certificate(self) -> str:
        der = ssl.PEM_cert_to_DER_cert(self._signer.certificate.read_text())
        return base64.b64encode(der).decode()


class _Server(ThreadingHTTPServer):
    tokens: TokenServer


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        header = self.headers.get("Authorization", "")
        self._reply(*self.server.tokens.answer_get(query, header))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(*self.server.tokens.answer_post(parse_qs(body.decode())))

    def log_message(self, *_: object) -> None:
        """Write nothing: `TokenServer.queries` is the log."""

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _access(scope: str, *, only_pull: bool) -> dict[str, Any]:
    """Return what is granted of a scope such as ``repository:library/busybox:pull,push``."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    asked = actions.split(",")
    granted = [each for each in asked if each == "pull" or not only_pull]
    return {"type": kind, "name": name, "actions": granted}


def _encode_json(value: Mapping[str, Any]) -> str:
    return _encode(json.dumps(value).encode())


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
