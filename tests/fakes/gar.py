"""Google Artifact Registry for a ``Front``: the API of repositories, and the registry below PROJECT/REPOSITORY.

Source: artifactregistry.googleapis.com REST v1, projects.locations.repositories and operations.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .front import bearer_token, error_reply, json_reply
from .messages import Call, Reply

LOCATION = "europe-west1"
HOST = f"{LOCATION}-docker.pkg.dev"
_OPERATION = "projects/p/locations/europe-west1/operations/1"


@dataclass
class FakeGar:
    """Repositories by ``projects/P/locations/L/repositories/R``.

    Attributes:
        creators: Access tokens that may create; all of ``tokens`` may look.
        looks: How often a creation says that it is not done yet.
    """

    tokens: Collection[str] = ("ya29.token",)
    creators: Collection[str] = ("ya29.token",)
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    looks: int = 0

    def __call__(self, call: Call) -> Reply | None:
        """Answer the API, and guard the registry."""
        if call.path.startswith("/v1/"):
            return self._api(call, call.path.removeprefix("/v1/"))
        parts = call.path.removeprefix("/v2/").split("/")
        if len(parts) < 3:
            return None
        path = f"projects/{parts[0]}/locations/{LOCATION}/repositories/{parts[1]}"
        if path in self.repositories:
            return None
        return error_reply(404, "NAME_UNKNOWN", f'Repository "{parts[1]}" not found')

    def _api(self, call: Call, path: str) -> Reply:
        token = bearer_token(call)
        if token not in self.tokens:
            return _refusal(401, "Request had invalid authentication credentials")
        if path == _OPERATION:
            self.looks -= 1
            return self._operation()
        if call.method == "POST":
            return self._create(call, path, token)
        if path not in self.repositories:
            return _refusal(404, "Requested entity was not found")
        return json_reply(200, {"name": path, "format": "DOCKER", **self.repositories[path]})

    def _create(self, call: Call, parent: str, token: str) -> Reply:
        path = f"{parent}/{call.param('repositoryId')}"
        if token not in self.creators:
            return _refusal(403, "Permission 'artifactregistry.repositories.create' denied")
        if path in self.repositories:
            return _refusal(409, "the repository already exists")
        self.repositories[path] = {"mode": "STANDARD_REPOSITORY"}
        return self._operation()

    def _operation(self) -> Reply:
        return json_reply(200, {"name": _OPERATION, **({} if self.looks > 0 else {"done": True})})


def _refusal(status: int, message: str) -> Reply:
    return json_reply(status, {"error": {"code": status, "message": message}})
