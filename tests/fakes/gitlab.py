"""GitLab's control plane for a ``Front``: projects, groups, and the tokens of its registry.

Source: docs.gitlab.com/api/projects, /api/namespaces, /api/container_registry and /api/rest (paging);
docs.gitlab.com/administration/packages/container_registry (``/jwt/auth``).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .front import basic_user, bearer_token, error_reply, json_reply
from .messages import Call, Reply

_API = "/api/v4/"
_LEVELS_BELOW = 2


@dataclass
class FakeGitLab:
    """``users`` have tokens as passwords; those in ``limited`` are for the registry alone.

    Attributes:
        groups: Ids by path.
        projects: What the API shows of projects, by path; ``level`` is everybody's access level.
        hidden: Projects that nobody sees.
        images: Repositories by the id of their project; None: its registry is turned off.
        may_create: Whether users may create projects.
        realm: Where tokens come from, when that is another address.
    """

    users: Mapping[str, str]
    groups: dict[str, int] = field(default_factory=dict)
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    limited: frozenset[str] = frozenset()
    images: Mapping[int, Sequence[str] | None] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    may_create: bool = True
    realm: str = ""

    def __call__(self, call: Call) -> Reply | None:
        """Answer what is GitLab's, and let the registry answer the rest."""
        if call.path.startswith(_API):
            return self._api(call, call.path.removeprefix(_API))
        if call.path == "/jwt/auth":
            return self._token(call)
        return self._gate(call)

    def _api(self, call: Call, path: str) -> Reply:
        token = call.headers.get("PRIVATE-TOKEN") or bearer_token(call)
        user = next((name for name, each in self.users.items() if each == token), "")
        if token and not user:
            return json_reply(401, {"message": "401 Unauthorized"})
        if user in self.limited:
            return json_reply(403, {"error": "insufficient_scope"})
        kind, _, rest = path.partition("/")
        if path == "projects" and call.method == "POST":
            return self._create(call) if user else json_reply(401, {"message": "401 Unauthorized"})
        if path == "projects":
            return _paged(call, [self._shown(each) for each in self.projects])
        name, _, below = rest.partition("/")
        if below:
            found = self.images.get(int(name), ())
            refused = json_reply(403, {"message": "403 Forbidden"})
            return refused if found is None else _paged(call, [{"path": each} for each in found])
        return self._one(kind, unquote(name), user)

    def _one(self, kind: str, name: str, user: str) -> Reply:
        if kind == "namespaces" and not user:
            return json_reply(401, {"message": "401 Unauthorized"})
        if kind == "namespaces" and name in self.groups:
            return json_reply(200, {"id": self.groups[name], "full_path": name})
        if kind == "projects" and user and name in self.projects and name not in self.hidden:
            return json_reply(200, self._shown(name))
        return json_reply(404, {"message": f"404 {kind[:-1].title()} Not Found"})

    def _shown(self, name: str) -> dict[str, Any]:
        project = dict(self.projects[name])
        level = project.pop("level", 40)
        access = {"project_access": None, "group_access": {"access_level": level}}
        number = [*self.projects].index(name)
        return {"id": number, "path_with_namespace": name, "permissions": access} | project

    def _create(self, call: Call) -> Reply:
        body = json.loads(call.body)
        group = next(
            (path for path, each in self.groups.items() if each == body["namespace_id"]), ""
        )
        if not group:
            return json_reply(404, {"message": "404 Namespace Not Found"})
        name = f"{group}/{body['path']}"
        if name in self.projects:
            return json_reply(400, {"message": {"path": ["has already been taken"]}})
        if not self.may_create:
            return json_reply(403, {"message": "403 Forbidden"})
        self.projects[name] = {}
        self.created.append(body)
        return json_reply(201, self._shown(name))

    def _token(self, call: Call) -> Reply:
        user = basic_user(call, self.users)
        if user is None:
            return json_reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": ""}]})
        granted = [each for each in call.params("scope") if self._home(each.split(":")[1])]
        return json_reply(200, {"token": ";".join(("jwt", *granted)), "expires_in": 300})

    def _home(self, repository: str) -> str:
        """The project of a repository; empty when there is none that takes it."""
        parts = repository.split("/")
        counts = range(len(parts), max(1, len(parts) - _LEVELS_BELOW - 1), -1)
        names = ("/".join(parts[:count]) for count in counts)
        return next((each for each in names if each in self.projects), "")

    def _gate(self, call: Call) -> Reply | None:
        found = re.fullmatch(r"/v2/(?:(.+?)/(?:manifests|blobs|tags)/.*)?", unquote(call.path))
        if not found:
            return None
        action = "pull" if call.method in ("GET", "HEAD") else "push"
        token = bearer_token(call)
        grants = [each.rpartition(":") for each in token.split(";")[1:]]
        names = {name for name, _, actions in grants if action in actions.split(",")}
        if token.startswith("jwt") and (not found[1] or f"repository:{found[1]}" in names):
            return None
        realm = self.realm or f"http://{call.headers['Host']}"
        challenge = f'Bearer realm="{realm}/jwt/auth",service="container_registry"'
        actions = "pull" if action == "pull" else "pull,push"
        challenge += f',scope="repository:{found[1]}:{actions}"' if found[1] else ""
        challenge += ',error="insufficient_scope"' if token else ""
        return error_reply(
            401, "UNAUTHORIZED", "authentication required", {"Www-Authenticate": challenge}
        )


def _paged(call: Call, found: Sequence[Any]) -> Reply:
    number, size = int(call.param("page") or 1), int(call.param("per_page") or 20)
    is_last = number * size >= len(found)
    shown = found[(number - 1) * size : number * size]
    headers = {"X-Next-Page": "" if is_last else str(number + 1)}
    if not is_last:
        headers["Link"] = f'<https://gitlab.elsewhere{call.path}?page={number + 1}>; rel="next"'
    return json_reply(200, shown, headers)
