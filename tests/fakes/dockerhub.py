"""Docker Hub for a ``Front``: accounts, lists, and the two limits of its registry.

Source: docs.docker.com/reference/api/hub (accounts, lists, tokens); docker/docs content/manuals/docker-hub/usage (limits): of
manifests fetched by GET, and of all requests by abuse, whose refusal is no JSON.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .front import bearer_token, error_reply, json_reply
from .messages import TEXT, Call, Reply, make_reply

_PAGE = 2
_WORDS = "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"


@dataclass
class FakeDockerHub:
    """Accounts by kind, and lists of repositories.

    Attributes:
        private: Repositories that only a token shows.
        pulls: How many manifests may still be fetched; None for no limit.
        is_abused: Refuse everything.
    """

    users: Collection[str] = ()
    orgs: Collection[str] = ()
    passwords: Mapping[str, str] = field(default_factory=dict)
    repositories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    private: Collection[str] = ()
    pulls: int | None = None
    is_abused: bool = False

    def __call__(self, call: Call) -> Reply | None:
        """Answer hub.docker.com's API, and limit the registry."""
        if self.is_abused:
            return make_reply(429, b"429 Too Many Requests", media_type=TEXT)
        match call.path.strip("/").split("/"):
            case ["v2", "users", name]:
                return json_reply(200 if name in self.users else 404, {"id": name})
            case ["v2", "orgs", name]:
                return json_reply(200 if name in self.orgs else 404, {"orgname": name})
            case ["v2", "auth", "token"]:
                return self._token(json.loads(call.body))
            case ["v2", "repositories", name]:
                return self._list(call, name)
            case _:
                return self._limited(call)

    def _token(self, asked: Mapping[str, str]) -> Reply:
        if self.passwords.get(asked["identifier"]) != asked["secret"]:
            return json_reply(401, {"message": "incorrect authentication credentials"})
        return json_reply(200, {"access_token": "hub-token"})

    def _list(self, call: Call, name: str) -> Reply:
        sees_all = bearer_token(call) == "hub-token"
        names = [each for each in self.repositories[name] if sees_all or each not in self.private]
        page = int(call.param("page") or 1)
        rest = names[(page - 1) * _PAGE :]
        following = f"https://hub.docker.com{call.path}?page={page + 1}&page_size={_PAGE}"
        results = [{"name": each} for each in rest[:_PAGE]]
        return json_reply(200, {"next": following if rest[_PAGE:] else None, "results": results})

    def _limited(self, call: Call) -> Reply | None:
        if self.pulls is None or call.method != "GET" or "/manifests/" not in call.path:
            return None
        if self.pulls > 0:
            self.pulls -= 1
            return None
        left = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}
        source = {"docker-ratelimit-source": "203.0.113.7"}
        return error_reply(429, "TOOMANYREQUESTS", _WORDS, {**left, **source})
