"""Quay: a push needs an organization or a user of that name, and creates the repository.

Asking Quay for a token to push creates the repository at once, and with ``CREATE_NAMESPACE_ON_PUSH`` the organization, too
(endpoints/v2/v2auth.py, ``_authorize_or_downscope_request``). So nothing here asks for one.

Source: quay/quay ffba0c7 endpoints/api/organization.py, endpoints/api/user.py, where nothing else is named.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from planner.core.namespaces import MISSING, THERE, Standing
from planner.stores.answer import Answer
from planner.stores.products.asking import object_of
from planner.stores.products.product import Api, Site

# Source: util/validation.py:13-17.
_NAMESPACE = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_SHORTEST, _LONGEST = 2, 255
# Where a name of one component goes. Source: config.py, ``LIBRARY_NAMESPACE``.
_LIBRARY = "library"
_ORGANIZATION = "api/v1/organization/"
# The name with which docker logs in by an OAuth token. Source: auth/credential_consts.py.
_OAUTH = "$oauthtoken"


class Quay:
    """Quay 3, and quay.io. Its own API knows OAuth tokens alone; everybody else asks it without a name."""

    name = "quay"
    title = "Quay"
    word = "organization"

    def __init__(self, site: Site) -> None:
        self._site = site

    @cached_property
    def _api(self) -> Api:
        return self._site.open_api()

    def complaint(self, repository: str) -> str:
        """Whether nested names are taken is a setting (``FEATURE_EXTENDED_REPOSITORY_NAMES``) that it does not tell."""
        name = self.namespace(repository)
        if _NAMESPACE.fullmatch(name) and _SHORTEST <= len(name) <= _LONGEST:
            return ""
        form = "two or more lower-case letters and digits, with single . _ - between them"
        return f"{name} cannot be an organization of Quay: {form}"

    def namespace(self, repository: str) -> str:
        """The organization or user is the first component."""
        name, slash, _ = repository.partition("/")
        return name if slash else _LIBRARY

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """One request each, and one more for what is no organization."""
        return {name: self._standing(name) for name in namespaces}

    def create(self, namespace: str) -> None:
        """POST it; Quay answers 400 when it exists, so that is looked up."""
        body = {"name": namespace}
        response = self._ask("POST", _ORGANIZATION, body)
        if response.status_code == 201:
            return
        if response.status_code == 400 and self._standing(namespace).state == "there":
            return
        command = self.administrators_command(namespace)
        raise self._api.refused(
            response,
            f"creating organization {namespace}",
            f"have somebody with an OAuth token of the scope user:admin run: {command}",
        )

    def administrators_command(self, namespace: str) -> str:
        """With the address that a Quay that sends mail asks for."""
        body = json.dumps({"name": namespace, "email": "ADDRESS"})
        headers = (
            "-H",
            "Authorization: Bearer OAUTH_TOKEN",
            "-H",
            "Content-Type: application/json",
        )
        return shlex.join(
            ("curl", "-fsS", *headers, "-d", body, f"{self._api.base}/{_ORGANIZATION}")
        )

    def repositories(self) -> Iterator[str] | None:
        """By the catalog: it holds what the login may see, and the API's list needs an OAuth token and a namespace.

        Source: endpoints/v2/catalog.py; endpoints/api/repository.py, ``RepositoryList``.
        """
        return None

    def _standing(self, name: str) -> Standing:
        found = self._ask("GET", f"{_ORGANIZATION}{name}")
        if found.status_code == 200:
            return Standing("there", room=_room(object_of(found)))
        if found.status_code == 404:
            found = self._ask("GET", f"api/v1/users/{name}")
            if found.status_code == 200:
                return THERE
        if found.status_code == 404:
            return MISSING._replace(obstacle=self._why_not())
        if found.status_code in (401, 403):
            return Standing(
                "unknown", f"Quay does not tell {self._who} about {name} ({found.status_code})"
            )
        raise self._api.refused(found, f"looking for organization {name}")

    def _why_not(self) -> str:
        if self._has_token:
            return ""
        return (
            f"{self._who} cannot create one: that takes an OAuth token, with the user name {_OAUTH}"
        )

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        credentials = self._api.credentials
        headers = {}
        if self._has_token and credentials:
            headers["Authorization"] = f"Bearer {credentials.password}"
        return self._api.ask(method, path, body, headers=headers, basic=False)

    @property
    def _has_token(self) -> bool:
        credentials = self._api.credentials
        return bool(credentials and credentials.username == _OAUTH)

    @property
    def _who(self) -> str:
        """Robots have a ``+`` in their names."""
        username = credentials.username if (credentials := self._api.credentials) else ""
        return f"robot {username}" if "+" in username else username or "a stranger"


def _room(organization: Mapping[str, Any]) -> int | None:
    """What is left until pushes are refused; members alone are told.

    Source: endpoints/api/organization.py, ``quota_view``; data/model/namespacequota.py, ``check_limits``.
    """
    try:
        report = organization["quota_report"]
        limits = [
            quota["limit_bytes"] * limit["limit_percent"] // 100
            for quota in organization["quotas"]
            for limit in quota["limits"]
            if limit["type"] == "Reject"
        ]
        if not organization["quotas"] and report["configured_quota"]:
            limits = [int(report["configured_quota"])]
        return max(0, min(limits) - int(report["quota_bytes"])) if limits else None
    except (KeyError, TypeError, ValueError):
        return None
