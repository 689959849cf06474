"""Harbor's control plane for a ``Front``: projects, the token service, and what stands between a push and the registry.

Source: goharbor/harbor c50c7dd src/server/v2.0/handler (project.go, user.go, systeminfo.go, immutable.go),
src/server/middleware/v2auth/auth.go, src/core/service/token/creator.go, src/lib/q/builder.go.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .front import basic_user, bearer_token, error_reply, json_reply
from .messages import Call, Reply, make_reply

ADMIN = "admin"
_API = "/api/v2.0/"
_ROLES = {"admin": 1, "developer": 2, "guest": 3, "maintainer": 4, "limited guest": 5}
_PUSHERS = frozenset({"admin", "developer", "maintainer"})
_PAGE = 100
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


@dataclass
class Project:
    """A project; ``roles`` are of users, ``robots`` may push to it.

    Attributes:
        hard: The quota in bytes, -1 for none.
        rules: Immutability rules as the API shows them.
        frozen: Tags that are there and that these rules hold.
    """

    proxy_of: int = 0
    public: bool = False
    roles: dict[str, str] = field(default_factory=dict)
    robots: frozenset[str] = frozenset()
    hard: int = -1
    used: int = 0
    rules: Sequence[Any] = ()
    frozen: frozenset[str] = frozenset()


@dataclass
class FakeHarbor:
    """Users and robots are ``users``; a robot's name begins with ``robot$``. The only system administrator is ``admin``.

    Attributes:
        admin_only: Only administrators create projects.
        creators: System robots with the right to create projects even so.
        before_create: Done just before a project is created, as by somebody who is faster.
    """

    users: Mapping[str, str]
    projects: dict[str, Project] = field(default_factory=dict)
    admin_only: bool = False
    read_only: bool = False
    creators: frozenset[str] = frozenset()
    before_create: Callable[[], None] = lambda: None
    created: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply | None:
        """Answer what is Harbor's, and let the registry answer the rest."""
        if call.path.startswith(_API):
            return self._api(call, call.path.removeprefix(_API), basic_user(call, self.users) or "")
        if call.path == "/service/token":
            return self._token(call)
        return self._gate(call)

    def _api(self, call: Call, path: str, user: str) -> Reply:
        if path == "systeminfo":
            return json_reply(200, self._systeminfo(user))
        if path == "users/current":
            return self._current(user)
        if path == "repositories":
            return _paged(call, [{"name": f"{each}/a"} for each in self._visible(user)])
        if path == "projects":
            return {"GET": self._list, "HEAD": self._head, "POST": self._create}[call.method](
                call, user
            )
        name, _, rest = path.removeprefix("projects/").partition("/")
        return self._of_project(call, unquote(name), rest, user)

    def _systeminfo(self, user: str) -> Any:
        restriction = "adminonly" if self.admin_only else "everyone"
        protected = {"project_creation_restriction": restriction, "read_only": self.read_only}
        return {"auth_mode": "db_auth", **(protected if user else {})}

    def _current(self, user: str) -> Reply:
        if not user:
            return error_reply(401, "UNAUTHORIZED", "unauthorized")
        if _is_robot(user):
            return error_reply(
                412, "PRECONDITION", "get current user not available for security context: robot"
            )
        return json_reply(200, {"username": user, "sysadmin_flag": user == ADMIN})

    def _list(self, call: Call, user: str) -> Reply:
        wanted = re.fullmatch(r"name=\{(.*)\}", call.param("q") or "")
        names = [each.strip("'") for each in wanted[1].split(" ")] if wanted else None
        visible = self._visible(user)
        found = [self._shown(each, user) for each in visible if names is None or each in names]
        return _paged(call, found)

    def _head(self, call: Call, user: str) -> Reply:
        if not user:
            return make_reply(401)
        return make_reply(200 if call.param("project_name") in self.projects else 404)

    def _create(self, call: Call, user: str) -> Reply:
        if not user:
            return error_reply(401, "UNAUTHORIZED", "unauthorized")
        if _is_robot(user) and "+" in user:
            return error_reply(403, "FORBIDDEN", "Only system level robot can create project")
        if self.admin_only and user != ADMIN and user not in self.creators:
            return error_reply(403, "FORBIDDEN", "Only system admin can create project")
        body = json.loads(call.body)
        name = body["project_name"]
        if not _NAME.fullmatch(name):
            return error_reply(400, "BAD_REQUEST", f"Project name {name} is illegal")
        self.before_create()
        if name in self.projects:
            return error_reply(409, "CONFLICT", f"The project named {name} already exists")
        robots = frozenset({user}) if _is_robot(user) else frozenset()
        self.projects[name] = Project(roles={user: "admin"}, robots=robots)
        self.created.append(body)
        return make_reply(201, headers={"Location": f"{_API}projects/{len(self.projects)}"})

    def _of_project(self, call: Call, name: str, rest: str, user: str) -> Reply:
        by_name = call.headers.get("X-Is-Resource-Name") == "true" or not name.isdecimal()
        project = self.projects.get(name) if by_name else None
        if project is None or name not in self._visible(user):
            status = 403 if user else 401
            return error_reply(status, "FORBIDDEN" if user else "UNAUTHORIZED", "")
        if rest == "summary":
            quota = {"hard": {"storage": project.hard}, "used": {"storage": project.used}}
            return json_reply(
                200, {"repo_count": 0} | ({} if _is_robot(user) else {"quota": quota})
            )
        if rest.startswith("immutabletagrules"):
            return json_reply(200, project.rules)
        return json_reply(200, self._shown(name, user))

    def _visible(self, user: str) -> list[str]:
        return [name for name, each in self.projects.items() if self._sees(user, each)]

    def _sees(self, user: str, project: Project) -> bool:
        return user == ADMIN or project.public or user in project.roles or user in project.robots

    def _shown(self, name: str, user: str) -> Mapping[str, Any]:
        project = self.projects[name]
        role = _ROLES.get(project.roles.get(user, ""), 0)
        shown = {"name": name, "repo_count": 0, "metadata": {"public": str(project.public).lower()}}
        if project.proxy_of:
            shown["registry_id"] = project.proxy_of
        return shown | ({"current_user_role_id": role} if role else {})

    def _token(self, call: Call) -> Reply:
        user = basic_user(call, self.users)
        scopes = " ".join(call.params("scope")).split()
        if user is None or not (user or scopes):
            return error_reply(401, "UNAUTHORIZED", "Unauthorized")
        return json_reply(200, {"token": f"token-of {user}", "expires_in": 1800})

    def _gate(self, call: Call) -> Reply | None:
        """What the middlewares before the registry say; None lets a call through."""
        found = re.fullmatch(r"/v2/(.+?)/(manifests|blobs|tags)/(.*)", unquote(call.path))
        user = self._user_at_registry(call)
        if not found:
            anonymous = call.path == "/v2/" and not user
            return self._unauthorized(call, "unauthorized", "") if anonymous else None
        repository, kind, reference = found.groups()
        actions = ("pull",) if call.method in ("GET", "HEAD") else ("pull", "push")
        name = repository.partition("/")[0]
        if name not in self.projects:
            return self._unauthorized(call, f"project {name} not found", "", challenge="")
        scope = f"repository:{repository}:{','.join(actions)}"
        project = self.projects[name]
        if not self._allows(user, project, actions):
            message = f"unauthorized to access repository: {repository}, action: {actions[-1]}"
            return self._unauthorized(call, message, scope)
        if "push" not in actions:
            return None
        tag = reference if call.method == "PUT" and kind == "manifests" else ""
        return self._refusal(project, len(call.body), tag)

    def _refusal(self, project: Project, size: int, tag: str = "") -> Reply | None:
        if self.read_only:
            return error_reply(
                403, "DENIED", "The system is in read only mode. Any modification is prohibited."
            )
        if tag in project.frozen:
            message = f"Failed to process request due to '{tag}' configured as immutable."
            return error_reply(412, "PRECONDITION", message)
        if 0 <= project.hard < project.used + size:
            return error_reply(
                403, "DENIED", "adding it will exceed the configured upper limit of the project"
            )
        project.used += size
        return None

    def _allows(self, user: str, project: Project, actions: Iterable[str]) -> bool:
        if user in (ADMIN, *project.robots):
            return True
        role = project.roles.get(user, "")
        is_reader = bool(role) or project.public
        return role in _PUSHERS if "push" in actions else is_reader

    def _user_at_registry(self, call: Call) -> str:
        return bearer_token(call).removeprefix("token-of ") or basic_user(call, self.users) or ""

    def _unauthorized(
        self, call: Call, message: str, scope: str, challenge: str | None = None
    ) -> Reply:
        if challenge is None:
            realm = f'Bearer realm="http://{call.headers["Host"]}/service/token",service="harbor-registry"'
            challenge = 'Basic realm="harbor"' if "Authorization" in call.headers else realm
            challenge += f',scope="{scope}"' if scope and challenge == realm else ""
        headers = {"Docker-Distribution-Api-Version": "registry/2.0", "Www-Authenticate": challenge}
        return error_reply(401, "UNAUTHORIZED", message, headers)


def _is_robot(user: str) -> bool:
    return user.startswith("robot$")


def _paged(call: Call, found: Sequence[Any]) -> Reply:
    """Source: src/server/v2.0/handler/base.go, ``Links``: the query of a Link is not quoted."""
    number, size = int(call.param("page") or 1), min(int(call.param("page_size") or 10), _PAGE)
    shown = found[(number - 1) * size : number * size]
    headers = {"X-Total-Count": str(len(found))}
    if number * size < len(found):
        query = re.sub(r"\bpage=\d+", f"page={number + 1}", unquote(call.query))
        headers["Link"] = f'<{call.path}?{query}>; rel="next"'
    return json_reply(200, shown, headers)
