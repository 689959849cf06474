"""GitLab: a push needs a project; below it images may have up to two more components.

Only GitLab knows which part of a name is the project, so it is asked.

Source: docs.gitlab.com/user/packages/container_registry ("Naming convention for your container images"),
docs.gitlab.com/api/projects, /api/namespaces and /api/container_registry.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from planner.core.errors import RegistryError
from planner.core.namespaces import MISSING, THERE, Standing
from planner.stores.answer import Answer
from planner.stores.products.asking import object_of
from planner.stores.products.product import Api, Site

_LEVELS_BELOW = 2
_API = "api/v4"
_SIZE = "per_page"
# Source: docs.gitlab.com/api/access_requests, "Valid access levels"; docs.gitlab.com/user/permissions, "Push container images".
_DEVELOPER = 30


class GitLab:
    """GitLab with its container registry. The API takes the token that docker logs in with, as its password.

    What was asked once is remembered, but for what ``create`` changes.
    """

    name = "gitlab"
    title = "GitLab"
    word = "project"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._answers: dict[str, Answer] = {}

    @cached_property
    def _api(self) -> Api:
        """Where the registry's tokens come from, as GitLab and its registry have different addresses."""
        realm = re.search(r'realm="([^"]+)/jwt/auth"', self._site.greeting.challenge)
        return self._site.open_api(realm[1] if realm else "")

    def complaint(self, repository: str) -> str:
        """A project always lies in a group, or belongs to a user."""
        return (
            ""
            if "/" in repository
            else f"GitLab takes GROUP/PROJECT, and {repository} has one component"
        )

    def namespace(self, repository: str) -> str:
        """The project that is there; else the shortest name that could become one, since groups are none."""
        parts = repository.split("/")
        shortest = max(2, len(parts) - _LEVELS_BELOW)
        names = ["/".join(parts[:count]) for count in range(shortest, len(parts) + 1)] or [
            repository
        ]
        if len(names) == 1:
            return names[0]
        for name in names:
            if self._project(name).status_code == 200:
                return name
        return next((each for each in names if self._group(each).status_code != 200), names[-1])

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """One request each, and one more for the group of what is missing."""
        return {name: self._standing(name) for name in namespaces}

    def create(self, namespace: str) -> None:
        """POST it as a private project; GitLab answers 400 when it exists, so that is looked up."""
        group, _, name = namespace.rpartition("/")
        found = self._group(group)
        doing = f"creating project {namespace}"
        if found.status_code == 200:
            body = _body(name, object_of(found).get("id"))
            found = self._ask("POST", f"{_API}/projects", body)
            self._answers.pop(_project_path(namespace), None)
        if found.status_code == 201:
            return
        if found.status_code == 400 and self._project(namespace).status_code == 200:
            return
        hint = f"have somebody who may create projects in {group} run: {self.administrators_command(namespace)}"
        raise self._api.refused(found, doing, hint)

    def administrators_command(self, namespace: str) -> str:
        """With the id of the group if it was asked for."""
        group, _, name = namespace.rpartition("/")
        known = self._answers.get(_group_path(group))
        group_id = object_of(known).get("id") if known else None
        form = urlencode(_body(name, group_id or f"ID_OF_{group}"), safe="/")
        url = f"{self._api.base}/{_API}/projects"
        return shlex.join(("curl", "-fsS", "-H", "PRIVATE-TOKEN: TOKEN", "-d", form, url))

    def repositories(self) -> Iterator[str]:
        """Those of every project that the login is a member of; ``_catalog`` answers administrators alone."""
        projects = self._pages("projects?membership=true&simple=true", "listing the projects")
        for project in projects:
            path = f"projects/{project.get('id')}/registry/repositories?"
            try:
                yield from (
                    str(each.get("path", "")) for each in self._pages(path, "listing repositories")
                )
            except RegistryError as error:
                if error.status not in (
                    403,
                    404,
                ):  # the registry is off there, or not for this login
                    raise

    def _standing(self, name: str) -> Standing:
        found = self._project(name)
        if found.status_code == 200:
            return _of_project(name, object_of(found))
        if found.status_code == 404 and self._token:
            return MISSING._replace(obstacle=self._why_not(name))
        if found.status_code in (401, 403, 404):
            who = "this login" if self._token else "nobody without a login"
            return Standing(
                "unknown", f"GitLab does not tell {who} about {name} ({found.status_code})"
            )
        raise self._api.refused(found, f"looking for project {name}")

    def _why_not(self, name: str) -> str:
        """Why a project cannot be created; empty when it can, as far as that can be known."""
        if self._group(name).status_code == 200:
            return f"{name} is a group, which holds no images"
        group = name.rpartition("/")[0]
        status = self._group(group).status_code
        if status == 200:
            return ""
        if "/" in group and self._project(group).status_code == 200:
            return f"{group} is a project, which takes {_LEVELS_BELOW} more components at most"
        return f"there is no group {group} that this login may see ({status})"

    def _project(self, name: str) -> Answer:
        return self._once(_project_path(name))

    def _group(self, name: str) -> Answer:
        return self._once(_group_path(name))

    def _once(self, path: str) -> Answer:
        if path not in self._answers:
            self._answers[path] = self._ask("GET", path)
        return self._answers[path]

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self._api.ask(method, path, body, headers=self._headers, basic=False)

    def _pages(self, path: str, doing: str) -> Iterator[Mapping[str, Any]]:
        for page in self._api.pages(
            f"{_API}/{path}", doing, size_name=_SIZE, headers=self._headers, basic=False
        ):
            yield from (each for each in page if isinstance(each, dict))

    @property
    def _headers(self) -> Mapping[str, str]:
        """As OAuth has it, not as ``PRIVATE-TOKEN``: this header alone is kept from other hosts when one redirects there.

        Source: docs.gitlab.com/api/rest/authentication, "Personal, project, and group access tokens".
        """
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    @property
    def _token(self) -> str:
        credentials = self._api.credentials
        return credentials.password if credentials else ""


def _project_path(name: str) -> str:
    return f"{_API}/projects/{quote(name, safe='')}"


def _group_path(name: str) -> str:
    return f"{_API}/namespaces/{quote(name, safe='')}"


def _body(name: str, group_id: Any) -> dict[str, Any]:
    return {"name": name, "path": name, "namespace_id": group_id, "visibility": "private"}


def _of_project(name: str, project: Mapping[str, Any]) -> Standing:
    now = str(project.get("path_with_namespace", name))
    if now.lower() != name:
        return Standing("there", f"{name} is called {now} now, and its old name takes no images")
    if project.get("archived"):
        return Standing("there", f"{name} is archived")
    if project.get("container_registry_access_level") == "disabled":
        return Standing("there", f"{name} has its container registry turned off")
    if 0 < _access_level(project) < _DEVELOPER:
        return Standing("there", f"this login may not push to {name}: a developer of it may")
    return THERE


def _access_level(project: Mapping[str, Any]) -> int:
    """The login's highest; 0 when it has none of its own, as administrators may."""
    permissions = project.get("permissions")
    given = permissions.values() if isinstance(permissions, dict) else ()
    levels = (each.get("access_level") for each in given if isinstance(each, dict))
    return max((each for each in levels if isinstance(each, int)), default=0)
