"""Harbor: a push needs a project, and everybody with an account may create one unless Harbor is set to administrators only.

Source: goharbor/harbor c50c7dd api/v2.0/swagger.yaml, and src/server/v2.0/handler/project.go where nothing else is named.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from planner.core.namespaces import MISSING, Freeze, Standing
from planner.stores.answer import Answer
from planner.stores.products.asking import list_of, object_of
from planner.stores.products.product import PAGE_SIZE, Api, Site

# Source: src/pkg/project/manager.go:59-64.
_PROJECT = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_LONGEST = 255
# A name of digits alone would be taken for an id.
_BY_NAME = {"X-Is-Resource-Name": "true"}
_API = "api/v2.0"
# Roles that may push: project admin, developer, maintainer. Source: src/common/const.go, src/common/rbac/project/rbac_role.go.
_PUSHERS = frozenset({1, 2, 4})
_SIZE = "page_size"


class Harbor:
    """Harbor 2.x. Nothing is read back after a creation: robots may create projects that they cannot see."""

    name = "harbor"
    title = "Harbor"
    word = "project"

    def __init__(self, site: Site) -> None:
        self._site = site

    @cached_property
    def _api(self) -> Api:
        return self._site.open_api()

    def complaint(self, repository: str) -> str:
        """A repository lies in a project, and projects have narrower names than repositories.

        Source: src/lib/path.go: what it routes has a project and a name.
        """
        project, slash, _ = repository.partition("/")
        if not slash:
            return f"Harbor takes PROJECT/NAME, and {repository} has one component"
        if not _PROJECT.fullmatch(project) or len(project) > _LONGEST:
            return f"{project} cannot be a project of Harbor: lower-case letters and digits, with single . _ - between them"
        return ""

    def namespace(self, repository: str) -> str:
        """The project is the first component."""
        return repository.partition("/")[0]

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """One list of those that can be seen; each of the others is asked for by HEAD, which also knows what is hidden."""
        if not namespaces:
            return {}
        info = object_of(self._api.ask("GET", f"{_API}/systeminfo"))
        seen = {str(each.get("name")): each for each in self._visible(namespaces)}
        found = {
            name: self._of_project(name, seen[name])
            if name in seen
            else self._of_unseen(name, info)
            for name in namespaces
        }
        if info.get("read_only") is True:
            closed = "Harbor is in read-only mode"
            found = {name: each._replace(obstacle=closed) for name, each in found.items()}
        return found

    def create(self, namespace: str) -> None:
        """POST it as a private project with the default quota, which alone everybody may ask for."""
        response = self._api.ask("POST", f"{_API}/projects", _body(namespace))
        if response.status_code in (201, 409):
            return
        hint = ""
        if response.status_code in (401, 403):
            command = self.administrators_command(namespace)
            hint = f"have an administrator of Harbor run: {command}"
        raise self._api.refused(response, f"creating project {namespace}", hint)

    def administrators_command(self, namespace: str) -> str:
        """``curl`` asks for the password."""
        url = f"{self._api.base}/{_API}/projects"
        words = ("curl", "-fsS", "-u", "ADMIN", "-H", "Content-Type: application/json")
        return shlex.join((*words, "-d", json.dumps(_body(namespace)), url))

    def repositories(self) -> Iterator[str]:
        """The API's list; ``_catalog`` answers administrators alone.

        Who sends a wrong password gets the list of a stranger, without a word about it: the account is asked for first.
        """
        doing = "listing the repositories"
        if self._api.credentials and self._current.status_code == 401:
            raise self._api.refused(self._current, doing)
        for page in self._api.pages(f"{_API}/repositories?sort=name", doing, size_name=_SIZE):
            yield from (str(each.get("name", "")) for each in page if isinstance(each, dict))

    def _visible(self, names: Iterable[str]) -> Iterator[Mapping[str, Any]]:
        """The projects of these names that the credentials may see.

        Source: src/lib/q/builder.go: quoted, since a bare number is none of the text's.
        """
        wanted = tuple(names)
        for start in range(0, len(wanted), PAGE_SIZE):
            listed = " ".join(f"'{each}'" for each in wanted[start : start + PAGE_SIZE])
            query = urlencode({"with_detail": "false", "q": f"name={{{listed}}}"})
            path = f"{_API}/projects?{query}"
            for page in self._api.pages(path, "listing the projects", size_name=_SIZE):
                yield from (each for each in page if isinstance(each, dict))

    def _of_project(self, name: str, project: Mapping[str, Any]) -> Standing:
        if project.get("registry_id"):
            return Standing("there", f"{name} is a proxy cache, nothing can be pushed")
        if not self._api.credentials:
            return Standing("there", "nothing can be pushed without a login")
        role = project.get("current_user_role_id")
        if self._me and not self._is_admin and role not in _PUSHERS:
            return Standing("there", f"{self._who} may not push to {name}: a developer of it may")
        path = f"{_API}/projects/{quote(name, safe='')}"
        rules = self._api.ask(
            "GET", f"{path}/immutabletagrules?{_SIZE}={PAGE_SIZE}", headers=_BY_NAME
        )
        summary = self._api.ask("GET", f"{path}/summary", headers=_BY_NAME)
        freezes = tuple(_freezes(list_of(rules))) if rules.status_code == 200 else ()
        return Standing("there", "", freezes, _room(object_of(summary)))

    def _of_unseen(self, name: str, info: Mapping[str, Any]) -> Standing:
        if not self._api.credentials:
            return Standing("unknown", "Harbor does not say without a login")
        query = urlencode({"project_name": name})
        response = self._api.ask("HEAD", f"{_API}/projects?{query}")
        status = response.status_code
        if status == 200:
            return Standing("there", f"{self._who} may not see {name}")
        if status == 404:
            return MISSING._replace(obstacle=self._why_not(info))
        if status in (401, 403):
            return Standing("unknown", f"Harbor does not tell {self._who} about {name} ({status})")
        raise self._api.refused(response, f"looking for project {name}")

    def _why_not(self, info: Mapping[str, Any]) -> str:
        """Why a project cannot be created; empty when it can, as far as that can be known.

        Robots of a project never can; robots of the system can, and need a right for it when others may not.
        """
        if not self._me:
            is_of_project = "+" in self._who  # PROJECT+NAME: src/controller/robot/controller.go:120
            return (
                f"{self._who} is a project's robot, which cannot create projects"
                if is_of_project
                else ""
            )
        if info.get("project_creation_restriction") == "adminonly" and not self._is_admin:
            return "only administrators may create projects here"
        return ""

    @cached_property
    def _me(self) -> Mapping[str, Any]:
        """The user that is logged in; empty for a robot, which gets 412.

        Source: src/server/v2.0/handler/user.go, ``GetCurrentUserInfo``.
        """
        return object_of(self._current) if self._current.status_code == 200 else {}

    @cached_property
    def _current(self) -> Answer:
        return self._api.ask("GET", f"{_API}/users/current")

    @property
    def _who(self) -> str:
        credentials = self._api.credentials
        return credentials.username if credentials and credentials.username else "the login"

    @property
    def _is_admin(self) -> bool:
        """By the flag of the account, or of a group in LDAP or OIDC."""
        return bool(self._me.get("sysadmin_flag") or self._me.get("admin_role_in_auth"))


def _body(project: str) -> Any:
    return {"project_name": project, "metadata": {"public": "false"}}


def _room(summary: Mapping[str, Any]) -> int | None:
    """Source: src/pkg/quota/types: -1 is no limit. Without the right to read it, the summary has no quota."""
    try:
        quota = summary["quota"]
        hard, used = int(quota["hard"]["storage"]), int(quota["used"]["storage"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(0, hard - used) if hard >= 0 else None


def _freezes(rules: Iterable[Mapping[str, Any]]) -> Iterator[Freeze]:
    """The rules that count, each with the first selector of its kind, as Harbor takes them.

    Source: src/pkg/immutable/match/rule/match.go; src/lib/selector/selectors/doublestar/selector.go: no pattern fits all.
    """
    for rule in rules:
        scope = rule.get("scope_selectors")
        repository = _first(scope.get("repository") if isinstance(scope, dict) else None)
        tag = _first(rule.get("tag_selectors"))
        if rule.get("disabled") or not repository or not tag:
            continue
        yield Freeze(
            str(repository.get("pattern") or "**"),
            str(tag.get("pattern") or "**"),
            repository.get("decoration") == "repoExcludes",
            tag.get("decoration") == "excludes",
        )


def _first(selectors: Any) -> Mapping[str, Any]:
    first = selectors[0] if isinstance(selectors, list) and selectors else None
    return first if isinstance(first, dict) else {}
