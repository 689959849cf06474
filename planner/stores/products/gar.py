"""Google Artifact Registry: ``LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE``, where project and repository must exist.

On the hosts of ``gcr.io`` the first push creates the repository for who may do that, so nothing is asked there.

Source: artifactregistry.googleapis.com REST v1 (projects.locations.repositories: ``format``, ``mode``,
``dockerConfig.immutableTags``); google-cloud-sdk googlecloudsdk/command_lib/… docker_helper.py (``_dcgcloud_token``) and
GoogleCloudPlatform/docker-credential-gcr config/const.go (``_dcgcr_…_token``), whose passwords are access tokens;
projects of a domain: Artifact Registry documentation, "Push and pull images", "Domain-scoped projects"; gcr.io: "gcr.io
repositories".
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from planner.core.namespaces import THERE, Freeze, Standing
from planner.stores.products.asking import object_of, standing_at
from planner.stores.products.product import Site

_API = "https://artifactregistry.googleapis.com"
_HOST = re.compile(r"(?P<location>.+)-docker\.pkg\.dev")
_TOKEN_USER = re.compile(r"oauth2accesstoken|_dcgcloud_token|_dcgcr_.*token")
_LOOKS = 60  # one a second, for a creation that takes some


class Gar:
    """A location of Artifact Registry, asked with the access token that is the registry's password."""

    name = "gar"
    title = "Google Artifact Registry"
    word = "repository"

    def __init__(self, site: Site, pause: Callable[[float], None] = time.sleep) -> None:
        found = _HOST.fullmatch(site.registry) or _HOST.fullmatch(site.host)
        self._location = found["location"] if found else ""
        self._api = site.open_api(_API)
        self._pause = pause

    def complaint(self, repository: str) -> str:
        """An image lies in a repository of a project."""
        if not self._location:
            return "" if "/" in repository else "gcr.io wants PROJECT/IMAGE"
        parts = 4 if _is_of_domain(repository) else 3
        is_deep = len(repository.split("/")) >= parts
        return "" if is_deep else f"{self.title} wants PROJECT/REPOSITORY/IMAGE"

    def namespace(self, repository: str) -> str:
        """Project and repository; nothing on gcr.io."""
        count = 3 if _is_of_domain(repository) else 2
        return "/".join(repository.split("/")[:count]) if self._location else ""

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """By one question each."""
        headers = self._headers()
        if not headers:
            unable = Standing(
                "unknown", "only an access token may ask (gcloud auth configure-docker)"
            )
            return dict.fromkeys(namespaces, unable)
        return {
            each: standing_at(
                self._api, each, self._path(each), _read, headers=headers, basic=False
            )
            for each in namespaces
        }

    def create(self, namespace: str) -> None:
        """A standard one for images; waits until it is there."""
        parent, _, name = self._path(namespace).rpartition("/")
        path = f"{parent}?repositoryId={name}"
        response = self._api.ask(
            "POST", path, {"format": "DOCKER"}, headers=self._headers(), basic=False
        )
        if response.status_code == 409:
            return
        if response.status_code != 200:
            hint = f"have an administrator run: {self.administrators_command(namespace)}"
            raise self._api.refused(response, f"creating the repository {namespace}", hint)
        self._await(object_of(response), namespace)

    def administrators_command(self, namespace: str) -> str:
        """By Google's command line."""
        project, name = _split(namespace)
        return (
            f"gcloud artifacts repositories create {shlex.quote(name)} --repository-format=docker"
            f" --location={self._location} --project={shlex.quote(project)}"
        )

    def repositories(self) -> Iterator[str] | None:
        """By ``_catalog``: the API lists by project, of which there is no list to go by."""
        return None

    def _await(self, operation: Mapping[str, Any], namespace: str) -> None:
        """Return when a creation has ended, or after a minute: a push then tells what is wrong."""
        for _ in range(_LOOKS):
            if operation.get("done") or "name" not in operation:
                return
            self._pause(1.0)
            path = f"v1/{operation['name']}"
            response = self._api.ask("GET", path, headers=self._headers(), basic=False)
            if response.status_code != 200:
                raise self._api.refused(response, f"waiting for the repository {namespace}")
            operation = object_of(response)

    def _headers(self) -> dict[str, str]:
        """What the API takes: the password, where it is a token and not the key of a service account."""
        held = self._api.credentials
        if held and _TOKEN_USER.fullmatch(held.username):
            return {"Authorization": f"Bearer {held.password}"}
        return {}

    def _path(self, namespace: str) -> str:
        project, name = _split(namespace)
        return f"v1/projects/{project}/locations/{self._location}/repositories/{name}"


def _is_of_domain(repository: str) -> bool:
    """Whether the project is one of a domain, ``example.com:project``, which is two components of a name."""
    return "." in repository.partition("/")[0]


def _split(namespace: str) -> tuple[str, str]:
    project, _, name = namespace.rpartition("/")
    return project.replace("/", ":"), name


def _read(repository: Mapping[str, Any]) -> Standing:
    form, mode = repository.get("format"), str(repository.get("mode", ""))
    if form != "DOCKER":
        return Standing("there", f"it holds {form}, not images")
    if mode in ("REMOTE_REPOSITORY", "VIRTUAL_REPOSITORY"):
        kind = mode.partition("_")[0].lower()
        return Standing("there", f"it is a {kind} repository, which takes no pushes")
    is_frozen = (repository.get("dockerConfig") or {}).get("immutableTags")
    return Standing("there", "", (Freeze(),)) if is_frozen else THERE
