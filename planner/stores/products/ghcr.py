"""GitHub's registry: ``ghcr.io/OWNER/IMAGE``, where the owner is a user or an organization; packages are implicit.

A push is refused with 403 when there is no such owner ("The requested installation does not exist"), when the token lacks
``write:packages``, or when a package of that name belongs to a repository that the token may not write to. The first two are
seen here; the third only the push can tell.

Source: GitHub REST API, "Get a user" (organizations, too, answer there), and the header X-OAuth-Scopes of tokens (classic):
GitHub Docs, "Scopes for OAuth apps"; GitHub Docs, "Working with the Container registry".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from planner.core.errors import RegistryError
from planner.core.namespaces import THERE, Standing
from planner.stores.products.product import Api, Site

_API = "https://api.github.com"
_SCOPE = "write:packages"
_MEDIA_TYPE = {"Accept": "application/vnd.github+json"}


class Ghcr:
    """ghcr.io, and those of a GitHub Enterprise Server with ``api`` (``https://HOST/api/v3``)."""

    name = "ghcr"
    title = "GitHub's registry"
    word = "owner"

    def __init__(self, site: Site) -> None:
        self._api = site.open_api(_API)

    def complaint(self, repository: str) -> str:
        """An image lies below its owner."""
        return "" if "/" in repository else f"{self.title} wants OWNER/IMAGE"

    def namespace(self, repository: str) -> str:
        """The owner."""
        return repository.partition("/")[0]

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """By one question each."""
        return {each: _standing(self._api, each) for each in namespaces}

    def create(self, namespace: str) -> None:
        """Not possible: people sign up for accounts.

        Raises:
            RegistryError: always.
        """
        raise RegistryError(
            f"{namespace} is no account on GitHub, and planner cannot make one",
            "check the name, or create the organization at https://github.com/organizations/new",
        )

    def administrators_command(self, namespace: str) -> str:
        """None: it takes a browser."""
        return ""

    def repositories(self) -> Iterator[str] | None:
        """By ``_catalog``, which GitHub does not have: there is no list."""
        return None


def _standing(api: Api, owner: str) -> Standing:
    headers = dict(_MEDIA_TYPE)
    if (held := api.credentials) and held.password:
        headers["Authorization"] = f"Bearer {held.password}"
    try:
        response = api.ask("GET", f"users/{quote(owner, safe='')}", headers=headers, basic=False)
    except RegistryError as error:
        return Standing("unknown", error.message)
    if response.status_code == 404:
        return Standing("missing", "only people can create one, in a browser")
    if response.status_code != 200:
        return Standing("unknown", api.refused(response, f"asking about {owner}").message)
    scopes = [each.strip() for each in response.headers.get("X-OAuth-Scopes", "").split(",")]
    if any(scopes) and _SCOPE not in scopes:  # tokens of other kinds do not tell
        return Standing("there", f"the token lacks the scope {_SCOPE}")
    return THERE
