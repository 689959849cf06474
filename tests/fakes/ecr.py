"""ECR for a ``Front``: Amazon's API as moto has it, and the registry that lets nobody push to a repository that is not there.

moto does not know creation templates; they are answered here. Answers to a push: the Amazon ECR User Guide, "Troubleshooting".
"""

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.ecr.models import ecr_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from .front import basic_user, error_reply, json_reply
from .messages import Call, Reply, make_reply

ACCOUNT = "123456789012"  # moto's own
REGION = "eu-west-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
_USERS = {"AWS": f"{ACCOUNT}-auth-token"}  # what moto's GetAuthorizationToken gives
_APPLICATION = DomainDispatcherApplication(create_backend_app)


@dataclass
class FakeEcr:
    """One account in one region.

    Attributes:
        templates: Repository creation templates, as the API shows them.
        denied: Operations that the caller's policy does not allow.
        only: When given, the one repository that the policy allows to be described.
    """

    templates: Sequence[Mapping[str, Any]] = ()
    denied: Collection[str] = ()
    only: str = ""
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start without repositories."""
        self._creating = threading.Lock()
        ecr_backends[ACCOUNT][REGION].reset()

    @property
    def repositories(self) -> set[str]:
        """The names of those that there are."""
        return set(ecr_backends[ACCOUNT][REGION].repositories)

    def add(self, name: str, **settings: Any) -> None:
        """Create a repository; ``settings`` are those of CreateRepository."""
        body = {"repositoryName": name, **settings}
        prefix = "AmazonEC2ContainerRegistry_V20150921"
        credential = f"Credential=X/20260101/{REGION}/ecr/aws4_request"
        headers = {
            "X-Amz-Target": f"{prefix}.CreateRepository",
            "Authorization": f"AWS4-HMAC-SHA256 {credential}",
        }
        answer = Client(_APPLICATION).post("/", data=json.dumps(body), headers=headers)
        assert answer.status_code == 200, answer.text

    def __call__(self, call: Call) -> Reply | None:
        """Answer Amazon's API, and guard the registry."""
        operation = call.headers.get("X-Amz-Target", "").rpartition(".")[2]
        return self._api(call, operation) if operation else self._gate(call)

    def _api(self, call: Call, operation: str) -> Reply:
        self.calls.append(operation)
        asked = json.loads(call.body or b"{}")
        is_narrow = operation == "DescribeRepositories" and self.only
        if operation in self.denied or (is_narrow and asked.get("repositoryNames") != [self.only]):
            words = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: ecr:{operation}"
            return json_reply(400, {"__type": "AccessDeniedException", "message": words})
        if operation == "DescribeRepositoryCreationTemplates":
            return json_reply(200, {"repositoryCreationTemplates": list(self.templates)})
        headers = {name: call.headers[name] for name in ("X-Amz-Target", "Authorization")}
        answer = Client(_APPLICATION).post("/", data=call.body, headers=headers)
        return make_reply(answer.status_code, answer.data, media_type="application/x-amz-json-1.1")

    def _gate(self, call: Call) -> Reply | None:
        if not basic_user(call, _USERS):
            challenge = {
                "WWW-Authenticate": f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"'
            }
            return error_reply(401, "UNAUTHORIZED", "Not Authorized", challenge)
        name = _repository_of(call.path)
        with self._creating:
            if call.method == "POST" and name not in self.repositories and self._creates(name):
                self.add(name)
        if not name or name in self.repositories:
            return None
        words = (
            f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"
        )
        return error_reply(404, "NAME_UNKNOWN", words)

    def _creates(self, name: str) -> bool:
        return any(
            name.startswith(f"{each['prefix']}/")
            for each in self.templates
            if "CREATE_ON_PUSH" in each["appliedFor"]
        )


def _repository_of(path: str) -> str:
    """The name in a path of the registry API; empty when there is none."""
    rest = path.removeprefix("/v2/")
    for mark in ("/blobs/", "/manifests/", "/tags/"):
        if mark in rest:
            return rest.rpartition(mark)[0]
    return ""
