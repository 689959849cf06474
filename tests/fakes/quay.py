"""Quay's control plane for a ``Front``: tokens that create repositories, organizations, and who may ask for them.

Source: quay/quay ffba0c7 endpoints/v2/v2auth.py, endpoints/api/organization.py, endpoints/api/user.py, auth/decorators.py.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .front import basic_user, bearer_token, error_reply, json_reply
from .messages import Call, Reply, make_reply

OAUTH_USER = "$oauthtoken"
_API = "/api/v1/"


@dataclass
class FakeQuay:
    """Passwords are of users, robots (``org+name``) and ``$oauthtoken``; ``organizations`` hold who may push there.

    Attributes:
        namespaces_on_push: The setting ``CREATE_NAMESPACE_ON_PUSH``.
        anonymous: Whether its API answers callers without a name (``FEATURE_ANONYMOUS_ACCESS``).
        quotas: What its API says about organizations beyond their names.
        created: What came into being, in order: ``organization NAME`` and ``repository NAME``.
    """

    users: Mapping[str, str]
    organizations: dict[str, frozenset[str]] = field(default_factory=dict)
    repositories: set[str] = field(default_factory=set)
    namespaces_on_push: bool = False
    anonymous: bool = True
    quotas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    _granted: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def __call__(self, call: Call) -> Reply | None:
        """Answer what is Quay's, and let the registry answer the rest."""
        if call.path.startswith(_API):
            return self._api(call, call.path.removeprefix(_API))
        if call.path == "/v2/auth":
            return self._token(call)
        if call.path == "/v2/":
            headers = {"X-Sparse-Manifest-Support": "false"}
            return json_reply(200, True, headers) if self._may(call) else self._challenge(call)
        return self._gate(call)

    def _api(self, call: Call, path: str) -> Reply:
        is_known = bearer_token(call) == self.users.get(OAUTH_USER, object())
        if not (is_known or self.anonymous):
            return json_reply(401, {"message": "Anonymous access is not allowed"})
        kind, _, name = path.partition("/")
        if call.method == "POST" and path == "organization/":
            return (
                self._create(call)
                if is_known
                else json_reply(401, {"message": "Requires authentication"})
            )
        found: Any = None
        if kind == "organization" and name in self.organizations:
            found = {
                "name": name,
                "is_member": is_known,
                **(self.quotas.get(name, {}) if is_known else {}),
            }
        if kind == "users" and name in self.users and "+" not in name:
            found = {"username": name}
        return json_reply(200, found) if found else json_reply(404, {"error_type": "not_found"})

    def _create(self, call: Call) -> Reply:
        name = json.loads(call.body)["name"]
        if name in self.organizations or name in self.users:
            return json_reply(
                400, {"message": "A user or organization with this name already exists"}
            )
        self._add_organization(name, OAUTH_USER)
        return json_reply(201, "Created")

    def _add_organization(self, name: str, owner: str) -> None:
        self.organizations[name] = frozenset({owner})
        self.created.append(f"organization {name}")

    def _token(self, call: Call) -> Reply:
        user = basic_user(call, self.users)
        if user is None or not (user or call.params("scope")):
            return error_reply(
                401, "UNAUTHORIZED", "access to the requested resource is not authorized"
            )
        token = f"token-{len(self._granted)}"
        self._granted[token] = frozenset(
            each for scope in call.params("scope") for each in self._grant(user, scope)
        )
        return json_reply(200, {"token": token})

    def _grant(self, user: str, scope: str) -> Iterator[tuple[str, str]]:
        """The rights of a scope. To grant a push to what is not there creates it."""
        _, repository, actions = scope.split(":")
        name = repository.partition("/")[0]
        if (
            "push" in actions
            and self.namespaces_on_push
            and user
            and name not in self.organizations
        ):
            self._add_organization(name, user)
        if name not in self.organizations and name != user:
            return
        is_owner = user == name or user in self.organizations.get(name, ())
        if "push" in actions and is_owner:
            if repository not in self.repositories:
                self.repositories.add(repository)
                self.created.append(f"repository {repository}")
            yield repository, "push"
        if "pull" in actions and is_owner:
            yield repository, "pull"

    def _gate(self, call: Call) -> Reply | None:
        found = re.fullmatch(r"/v2/(.+?)/(manifests|blobs|tags)/.*", unquote(call.path))
        if not found:
            return None
        repository = found[1]
        action = "pull" if call.method in ("GET", "HEAD") else "push"
        if (repository, action) in self._granted.get(bearer_token(call), ()):
            return None
        actions = "pull" if action == "pull" else "pull,push"
        return self._challenge(call, f"repository:{repository}:{actions}")

    def _may(self, call: Call) -> bool:
        return bearer_token(call) in self._granted

    def _challenge(self, call: Call, scope: str = "") -> Reply:
        host = call.headers["Host"]
        challenge = f'Bearer realm="http://{host}/v2/auth",service="{host}"'
        challenge += f',scope="{scope}"' if scope else ""
        body = b'{"errors":[{"code":"UNAUTHORIZED","message":"access to the requested resource is not authorized"}]}'
        headers = {"WWW-Authenticate": challenge, "X-Sparse-Manifest-Support": "false"}
        return make_reply(401, body, headers)
