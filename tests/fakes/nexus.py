"""Nexus Repository for a ``Front``: the settings of its repositories, and path-based routing below their names.

Source: Sonatype Nexus Repository service/rest/swagger.json.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from .front import basic_user, error_reply, json_reply
from .messages import Call, Reply, make_reply

HEADERS = {"Server": "Nexus/3.85.0-03 (COMMUNITY)"}
_SETTINGS = "/service/rest/v1/repositorySettings"
_HOSTED = "/service/rest/v1/repositories/docker/hosted"


@dataclass
class FakeNexus:
    """Repositories by name, as ``repositorySettings`` shows them; ``admins`` alone see and create them."""

    users: Mapping[str, str]
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    admins: Collection[str] = ("admin",)

    def __call__(self, call: Call) -> Reply | None:
        """Answer the API, and guard the registry."""
        if call.path.startswith("/service/rest/"):
            is_admin = basic_user(call, self.users) in self.admins
            return self._api(call) if is_admin else make_reply(403)
        name = call.path.removeprefix("/v2/").partition("/")[0]
        if not name or name in self.repositories:
            return None
        return error_reply(404, "NAME_UNKNOWN", "repository name not known to registry")

    def _api(self, call: Call) -> Reply:
        if call.path == _SETTINGS:
            shown = [{"name": name, **each} for name, each in self.repositories.items()]
            return json_reply(200, shown)
        if call.path != _HOSTED or call.method != "POST":
            return make_reply(404)
        asked = json.loads(call.body)
        name = asked.pop("name")
        if name in self.repositories:
            return json_reply(400, [{"id": "PARAMETER name", "message": "Name is already used"}])
        self.repositories[name] = {"format": "docker", "type": "hosted", **asked}
        return make_reply(201)
