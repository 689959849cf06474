"""Nexus Repository: a connector (port or sub-domain) leads to one repository, below which everything is implicit.

With path-based routing, the first component of a name is the repository. Nexus is asked where ``api`` in planner.yaml says;
that is the registry's own host with path-based routing, and another one (``http://nexus.corp:8081``) with a connector.

Source: Sonatype Nexus Repository's OpenAPI (service/rest/swagger.json: DockerHostedApiRepository, DockerAttributes,
repositorySettings); a proxy takes no pushes, a group only in Pro: Sonatype Help, "Docker Registry".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from planner.core.errors import RegistryError
from planner.core.namespaces import MISSING, THERE, Freeze, Standing
from planner.stores.products.asking import curl, list_of
from planner.stores.products.product import Site

_SETTINGS = "service/rest/v1/repositorySettings"
_HOSTED = "service/rest/v1/repositories/docker/hosted"


class Nexus:
    """A Nexus, asked with the registry's own login."""

    name = "nexus"
    title = "Nexus"

    def __init__(self, site: Site) -> None:
        self._api = site.open_api()
        self._host = site.host
        self._is_asked = bool(site.api)
        self._by_path = self._is_asked and urlsplit(self._api.base).netloc == site.host
        self.word = ("repository" if self._by_path else "connector") if self._is_asked else ""

    def complaint(self, repository: str) -> str:
        """With path-based routing, a repository alone is no image."""
        return "" if "/" in repository or not self._by_path else "Nexus wants REPOSITORY/IMAGE here"

    def namespace(self, repository: str) -> str:
        """The repository, the connector, or nothing when Nexus cannot be asked about it."""
        if self._by_path:
            return repository.partition("/")[0]
        return self._host if self._is_asked else ""

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """By the settings of all repositories, which only some may read."""
        doing = "asking for the settings of its repositories"
        try:
            response = self._api.ask("GET", _SETTINGS)
            if response.status_code != 200:
                raise self._api.refused(response, doing)
        except RegistryError as error:
            return dict.fromkeys(namespaces, Standing("unknown", error.message))
        found = [each for each in list_of(response) if each.get("format") in ("docker", "oci")]
        return {each: self._standing(each, found) for each in namespaces}

    def create(self, namespace: str) -> None:
        """A hosted one, found by path. A connector is there when something answers on it."""
        response = self._api.ask("POST", _HOSTED, _new(namespace))
        if response.status_code in (200, 201):
            return
        if self.standings((namespace,))[namespace].state == "there":
            return
        hint = f"have an administrator run: {self.administrators_command(namespace)}"
        raise self._api.refused(response, f"creating the repository {namespace}", hint)

    def administrators_command(self, namespace: str) -> str:
        """By its API; connectors are opened by hand."""
        return curl("POST", f"{self._api.base}/{_HOSTED}", _new(namespace)) if self._by_path else ""

    def repositories(self) -> Iterator[str] | None:
        """By ``_catalog``."""
        return None

    def _standing(self, namespace: str, found: Sequence[Mapping[str, Any]]) -> Standing:
        if self._by_path:
            named = [each for each in found if each.get("name") == namespace]
            return _read(named[0]) if named else MISSING
        behind = [each for each in found if _is_behind(each, self._host)]
        if len(behind) != 1:
            return Standing(
                "unknown", f"Nexus does not tell which repository answers at {self._host}"
            )
        return _read(behind[0])


def _is_behind(settings: Mapping[str, Any], host: str) -> bool:
    """Whether a repository has this port or sub-domain as its connector."""
    docker = settings.get(str(settings.get("format"))) or {}
    name, _, port = host.partition(":")
    ports = {str(docker.get(each)) for each in ("httpPort", "httpsPort") if docker.get(each)}
    return port in ports or docker.get("subdomain") == name.partition(".")[0]


def _read(settings: Mapping[str, Any]) -> Standing:
    kind, name = settings.get("type"), settings.get("name")
    if kind == "proxy":
        return Standing("there", f"{name} is a proxy repository, which takes no pushes")
    group = settings.get("group") or {}
    if kind == "group" and not group.get("writableMember"):
        return Standing("there", f"{name} is a group without a member that takes pushes")
    storage = settings.get("storage") or {}
    policy = str(storage.get("writePolicy", "ALLOW")).upper()
    if policy == "DENY":
        return Standing("there", f"{name} is read-only")
    if policy != "ALLOW_ONCE":
        return THERE
    # Source: Sonatype Help, "Deployment Policy": "Allow redeploy only on 'latest' tag".
    spared = Freeze(tags="latest", except_tags=True) if storage.get("latestPolicy") else Freeze()
    return Standing("there", "", (spared,))


def _new(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "online": True,
        "storage": {
            "blobStoreName": "default",
            "strictContentTypeValidation": True,
            "writePolicy": "ALLOW",
        },
        "docker": {"v1Enabled": False, "forceBasicAuth": True, "pathEnabled": True},
    }
