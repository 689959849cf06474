"""Artifactory: the first component of a name is the key of a repository, which must exist; below it everything is implicit.

Source: JFrog REST API, "Repository Configuration" and "Create Repository" (GET and PUT /api/repositories/{repoKey});
jfrog/terraform-provider-artifactory (a repository that is not there is 400 or 404); goharbor/harbor
src/pkg/reg/adapter/jfrog/client.go (what is sent to create one). Where each repository has a host of its own, the key is in no
name: ``api`` in planner.yaml, on another host than the registry, says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from planner.core.namespaces import THERE, Standing
from planner.stores.products.asking import curl, list_of, standing_at
from planner.stores.products.product import Site

_NEW = {"rclass": "local", "packageType": "docker", "dockerApiVersion": "V2"}
_CONTEXT = "artifactory"
_ABSENT = (400, 404)
_FORMATS = ("docker", "oci")


class Artifactory:
    """An Artifactory, asked with the registry's own login."""

    name = "artifactory"
    title = "Artifactory"
    word = "repository"

    def __init__(self, site: Site) -> None:
        self._api = site.open_api()
        self._host = site.host
        self._by_path = urlsplit(self._api.base).netloc == site.host
        has_context = self._api.base.endswith(f"/{_CONTEXT}")
        self._prefix = "api/repositories" if has_context else f"{_CONTEXT}/api/repositories"

    def complaint(self, repository: str) -> str:
        """A key alone is no image."""
        if "/" in repository or not self._by_path:
            return ""
        return (
            "Artifactory wants KEY/IMAGE; where each repository has a host of its own, "
            "name Artifactory's as api in planner.yaml"
        )

    def namespace(self, repository: str) -> str:
        """The key; the whole host where repositories are told apart by it."""
        return repository.partition("/")[0] if self._by_path else self._host

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """By their configuration, of which everybody may read what kind they are."""
        if self._by_path:
            found = {each: self._standing(each) for each in namespaces}
            is_missing = any(each.state == "missing" for each in found.values())
            if not is_missing or not self._has_own_key():
                return found
        reason = f"{self._host} is one repository of Artifactory, which does not tell its key"
        return dict.fromkeys(namespaces, Standing("unknown", reason))

    def create(self, namespace: str) -> None:
        """A local one."""
        response = self._api.ask("PUT", self._path(namespace), _NEW)
        if response.status_code in (200, 201) or self._standing(namespace).state == "there":
            return
        hint = f"have an administrator run: {self.administrators_command(namespace)}"
        raise self._api.refused(response, f"creating the repository {namespace}", hint)

    def administrators_command(self, namespace: str) -> str:
        """By its API."""
        return curl("PUT", f"{self._api.base}/{self._path(namespace)}", _NEW)

    def repositories(self) -> Iterator[str] | None:
        """By ``_catalog``, which Artifactory has for each repository, and by path for all."""
        return None

    def _standing(self, key: str) -> Standing:
        return standing_at(self._api, key, self._path(key), _read, absent=_ABSENT)

    def _has_own_key(self) -> bool:
        """Whether the host is named after a repository, as sub-domains are: then no key is in the names."""
        response = self._api.ask("GET", f"{self._prefix}?packageType=docker")
        own = self._host.partition(".")[0]
        return any(each.get("key") == own for each in list_of(response))

    def _path(self, key: str) -> str:
        return f"{self._prefix}/{quote(key, safe='')}"


def _read(settings: Mapping[str, Any]) -> Standing:
    kind, form = settings.get("rclass"), str(settings.get("packageType", "")).lower()
    if form not in _FORMATS:
        return Standing("there", f"it holds {form or 'something else'}, not images")
    if kind == "remote":
        return Standing("there", "it is a remote repository, which takes no pushes")
    if kind == "virtual" and settings.get("defaultDeploymentRepo") == "":
        return Standing("there", "it is a virtual repository without one to deploy to")
    return THERE
