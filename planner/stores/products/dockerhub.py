"""Docker Hub: ``NAMESPACE/NAME`` and nothing deeper; the namespace is a user or an organization, repositories are implicit.

Source: Docker Hub API 2-beta (docs.docker.com/reference/api/hub): ``/v2/auth/token``, ``/v2/orgs/{name}``;
goharbor/harbor src/pkg/reg/adapter/dockerhub/consts.go (``/v2/repositories/{ns}/?page=&page_size=``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, urlsplit

from planner.core.errors import RegistryError
from planner.core.namespaces import THERE, Standing
from planner.stores.products.asking import object_of
from planner.stores.products.product import Site

_API = "https://hub.docker.com"
_OFFICIAL = "library"
_PAGE_SIZE = 100


class DockerHub:
    """hub.docker.com, which is asked about accounts without a login: they are public."""

    name = "dockerhub"
    title = "Docker Hub"
    word = "namespace"

    def __init__(self, site: Site) -> None:
        self._api = site.open_api(_API)

    def complaint(self, repository: str) -> str:
        """Two components, no more; one alone is an official image, which only Docker pushes."""
        is_fine = repository.count("/") == 1
        return "" if is_fine else f"{self.title} wants NAMESPACE/NAME, without a further slash"

    def namespace(self, repository: str) -> str:
        """The user or organization."""
        return repository.partition("/")[0]

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """By one or two questions each."""
        return {each: self._standing(each) for each in namespaces}

    def create(self, namespace: str) -> None:
        """Not possible: people sign up for accounts.

        Raises:
            RegistryError: always.
        """
        raise RegistryError(
            f"{namespace} is no account on Docker Hub, and planner cannot make one",
            "check the name, or create the organization at https://app.docker.com",
        )

    def administrators_command(self, namespace: str) -> str:
        """None: it takes a browser."""
        return ""

    def repositories(self) -> Iterator[str] | None:
        """Those below the name of who is logged in; without a login, there is nothing to go by."""
        held = self._api.credentials
        if not held or not held.username:
            return None
        return self._listed(held.username, self._token(held.username, held.password))

    def _standing(self, namespace: str) -> Standing:
        if namespace == _OFFICIAL:
            return Standing("there", "it holds Docker's official images, which only Docker pushes")
        answers = []
        for kind in ("users", "orgs"):
            path = f"v2/{kind}/{quote(namespace, safe='')}"
            try:
                answers.append(self._api.ask("GET", path, basic=False))
            except RegistryError as error:
                return Standing("unknown", error.message)
            if answers[-1].status_code == 200:
                return THERE
        for each in answers:
            if each.status_code != 404:
                doing = f"asking about {namespace}"
                return Standing("unknown", self._api.refused(each, doing).message)
        return Standing("missing", "only people can create one, in a browser")

    def _token(self, username: str, password: str) -> dict[str, str]:
        """A header with a token for ten minutes; nothing when there is none to be had: then only what is public is listed."""
        body = {"identifier": username, "secret": password}
        found = object_of(self._api.ask("POST", "v2/auth/token", body, basic=False))
        token = found.get("access_token")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _listed(self, namespace: str, headers: Mapping[str, str]) -> Iterator[str]:
        path = f"v2/repositories/{quote(namespace, safe='')}/?page=1&page_size={_PAGE_SIZE}"
        asked = set()
        while path and path not in asked:
            asked.add(path)
            response = self._api.ask("GET", path, headers=headers, basic=False)
            if response.status_code != 200:
                raise self._api.refused(response, f"listing the repositories of {namespace}")
            page = object_of(response)
            yield from (f"{namespace}/{each['name']}" for each in page.get("results") or ())
            following = urlsplit(str(page.get("next") or ""))
            path = f"{following.path.lstrip('/')}?{following.query}" if following.path else ""
