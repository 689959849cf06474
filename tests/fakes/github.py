"""GitHub's REST API for a ``Front``, as far as it tells who owns packages.

Source: GitHub REST API, "Get a user"; GitHub Docs, "Scopes for OAuth apps" (X-OAuth-Scopes).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .front import bearer_token, error_reply, json_reply
from .messages import Call, Reply


@dataclass
class FakeGitHub:
    """Accounts, and the scopes of tokens (classic); a token of another kind has none and shows none."""

    owners: Collection[str] = ()
    scopes: Mapping[str, str] = field(default_factory=dict)
    is_exhausted: bool = False

    def __call__(self, call: Call) -> Reply | None:
        """Answer the API; pushes to an owner that is not there are refused."""
        if call.path.startswith("/users/"):
            return self._user(call, call.path.removeprefix("/users/"))
        owner = call.path.removeprefix("/v2/").partition("/")[0]
        if not owner or owner in self.owners:
            return None
        words = "permission_denied: The requested installation does not exist."
        return error_reply(403, "DENIED", words)

    def _user(self, call: Call, name: str) -> Reply:
        if self.is_exhausted:
            return json_reply(403, {"message": "API rate limit exceeded for 203.0.113.7."})
        token = bearer_token(call)
        if token and token not in self.scopes:
            return json_reply(401, {"message": "Bad credentials"})
        shown = {"X-OAuth-Scopes": self.scopes[token]} if self.scopes.get(token) else {}
        found = {"login": name, "type": "Organization"}
        return json_reply(200, found, shown) if name in self.owners else json_reply(404, {})
