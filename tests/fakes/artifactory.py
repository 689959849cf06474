"""Artifactory for a ``Front``: the API of repositories, and the registry below their keys.

Source: JFrog REST API, "Repository Configuration", "Create Repository"; jfrog/terraform-provider-artifactory (400 for a key
that is not there).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from .front import basic_user, error_reply, json_reply
from .messages import Call, Reply

HEADERS = {"X-JFrog-Version": "Artifactory/7.111.4 81110400", "X-Artifactory-Id": "fake"}
_API = "/artifactory/api/repositories"


@dataclass
class FakeArtifactory:
    """Repositories by key. Everybody with a password reads, ``admins`` create.

    Attributes:
        hides: Answer 403 for a key that is not there, as with permissions that hide what exists.
    """

    users: Mapping[str, str]
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    admins: Collection[str] = ("admin",)
    hides: bool = False

    def __call__(self, call: Call) -> Reply | None:
        """Answer the API, and guard the registry."""
        if call.path.startswith(_API):
            return self._api(call, call.path.removeprefix(_API).strip("/"))
        return self._gate(call)

    def _api(self, call: Call, key: str) -> Reply:
        user = basic_user(call, self.users)
        if not user:
            return _refusal(401, "Bad credentials")
        if not key:
            return json_reply(200, [{"key": each, "type": "LOCAL"} for each in self.repositories])
        if call.method == "PUT":
            return self._put(call, key, user)
        if key not in self.repositories:
            return _refusal(400, "Bad Request")
        return json_reply(200, {"key": key, **self.repositories[key]})

    def _put(self, call: Call, key: str, user: str) -> Reply:
        if user not in self.admins:
            return _refusal(403, "This request is for users with admin privileges")
        if key in self.repositories:
            return _refusal(400, f"Case insensitive repository key {key} already exists")
        self.repositories[key] = json.loads(call.body)
        return json_reply(200, {})

    def _gate(self, call: Call) -> Reply | None:
        key = call.path.removeprefix("/v2/").partition("/")[0]
        if not key or key in self.repositories:
            return None
        if self.hides:
            return error_reply(403, "DENIED", "The client does not have permission for manifest")
        return error_reply(404, "NAME_UNKNOWN", "Repository not found")


def _refusal(status: int, message: str) -> Reply:
    return json_reply(status, {"errors": [{"status": status, "message": message}]})
