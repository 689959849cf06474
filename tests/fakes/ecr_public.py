"""The API of Amazon ECR Public for a ``Front``; moto has none.

Source: botocore 1.44.5 data/ecr-public/2020-10-30/service-2.json.
"""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .front import json_reply
from .messages import Call, Reply

ALIAS = "k3w9x2"
_ACCOUNT = "123456789012"


@dataclass
class FakeEcrPublic:
    """The public registry of one account, whose alias is ``ALIAS``; ``denied`` are operations without a right."""

    repositories: list[str] = field(default_factory=list)
    denied: Collection[str] = ()

    def __call__(self, call: Call) -> Reply | None:
        """Answer an operation."""
        service, _, operation = call.headers.get("X-Amz-Target", "").partition(".")
        if service != "SpencerFrontendService":
            return None
        if operation in self.denied:
            return json_reply(400, {"__type": "AccessDeniedException", "message": "not authorized"})
        return self._answers(operation, json.loads(call.body or b"{}"))

    def _answers(self, operation: str, asked: dict[str, Any]) -> Reply:
        match operation:
            case "DescribeRegistries":
                alias = {"name": ALIAS, "status": "ACTIVE"}
                return json_reply(200, {"registries": [{"aliases": [alias]}]})
            case "DescribeRepositories":
                return json_reply(200, self._page(int(asked.get("nextToken", "0"))))
            case "GetAuthorizationToken":
                token = base64.b64encode(b"AWS:public-secret").decode()
                return json_reply(200, {"authorizationData": {"authorizationToken": token}})
            case "CreateRepository" if asked["repositoryName"] in self.repositories:
                taken = {"__type": "RepositoryAlreadyExistsException", "message": "exists"}
                return json_reply(400, taken)
            case "CreateRepository":
                self.repositories.append(asked["repositoryName"])
                return json_reply(200, {"repository": _shown(asked["repositoryName"])})
            case _:
                return json_reply(400, {"__type": "UnknownOperationException"})

    def _page(self, start: int) -> dict[str, Any]:
        """One repository at a time."""
        following = {"nextToken": str(start + 1)} if start + 1 < len(self.repositories) else {}
        shown = [_shown(each) for each in self.repositories[start : start + 1]]
        return {"repositories": shown, **following}


def _shown(name: str) -> dict[str, str]:
    return {"repositoryName": name, "repositoryUri": f"public.ecr.aws/{ALIAS}/{name}"}
