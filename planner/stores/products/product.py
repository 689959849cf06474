"""What every product answers, and the way to its own API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from planner.core.errors import RegistryError
from planner.core.namespaces import Standing
from planner.core.text import printable
from planner.stores.credentials import Credentials
from planner.stores.greeting import Greeting
from planner.stores.http import Connection
from planner.stores.refusals import refused

if TYPE_CHECKING:
    from planner.stores.answer import Answer


class Product(Protocol):
    """One product. Only ``create`` writes; everything else reads, and asks for no right to write.

    ``name`` is how planner.yaml calls it, ``title`` how people do, ``word`` what it calls a namespace (empty when a push needs
    none). Repositories and namespaces are named as the registry itself names them, without its host.
    """

    name: str
    title: str
    word: str

    def complaint(self, repository: str) -> str:
        """Why the product cannot hold a repository of this name; empty when it can."""
        ...

    def namespace(self, repository: str) -> str:
        """What must exist before a push to a repository; empty when nothing must.

        Where the name alone does not tell it (GitLab), the API is asked, once for each answer.

        Raises:
            RegistryError: the API does not answer.
        """
        ...

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """How each of them stands.

        Raises:
            RegistryError: the API does not answer. That credentials may not ask is no error, but ``unknown``.
        """
        ...

    def create(self, namespace: str) -> None:
        """Create it; that it exists by now is a success.

        Raises:
            RegistryError: with ``administrators_command`` as its hint where the right is missing.
        """
        ...

    def administrators_command(self, namespace: str) -> str:
        """What somebody with the right to do so types to create it: one line, without a secret."""
        ...

    def repositories(self) -> Iterator[str] | None:
        """All repositories that the credentials may see, by the product's own API; None: ask ``_catalog``."""
        ...


class Site(NamedTuple):
    """Where a product stands. ``base`` is the registry's origin, ``connect`` reaches another one with its TLS settings.

    ``api`` is where planner.yaml says that the product's API answers; empty: where the product has it by default.
    ``credentials`` finds what the registry is logged in to with.
    """

    registry: str
    base: str
    greeting: Greeting
    connect: Callable[[str], Connection]
    credentials: Callable[[], Credentials | None]
    api: str = ""

    @property
    def host(self) -> str:
        """``host[:port]`` of the registry."""
        return urlsplit(self.base).netloc

    def open_api(self, default: str = "") -> Api:
        """The product's API; by default at ``default``, or beside the registry.

        Raises:
            RegistryError: the registry, which speaks TLS, names an API that does not.
        """
        base = self.api or default or self.base
        if not self.api and base.startswith("http://") and not self.base.startswith("http://"):
            message = f"{self.registry} has its API at {printable(base)}, without TLS"
            hint = f"credentials are not sent there; give its address as api under registries.{self.registry} in planner.yaml"
            raise RegistryError(message, hint)
        return Api(self.connect(base.rstrip("/")), self.registry, self.credentials)


class Api:
    """A product's own API, asked with the registry's credentials. Paths are relative to its origin."""

    def __init__(
        self, connection: Connection, registry: str, credentials: Callable[[], Credentials | None]
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._credentials = credentials

    @property
    def base(self) -> str:
        """Its address, for commands that people are to type."""
        return self._connection.base

    @property
    def credentials(self) -> Credentials | None:
        """What it is asked with by default."""
        return self._credentials()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        basic: bool = True,
    ) -> Answer:
        """One answer, whatever its status. ``body`` is sent as JSON; ``basic``: with name and password, if there are any."""
        sent = dict(headers or {})
        credentials = self.credentials
        if basic and credentials and credentials.basic:
            sent["Authorization"] = credentials.basic
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return self._connection.send(method, path, headers=sent, body=data, longest=_LONGEST)

    def pages(
        self,
        path: str,
        doing: str,
        *,
        size_name: str,
        headers: Mapping[str, str] | None = None,
        basic: bool = True,
    ) -> Iterator[list[Any]]:
        """The pages of a list, by their numbers: Links may name the product's own idea of its address.

        ``path`` has a query. ``size_name`` is what the API calls the size of a page.

        Raises:
            RegistryError: a page is refused, or is no list.
        """
        for number in range(1, _MOST_PAGES + 1):
            numbered = f"{path}&page={number}&{size_name}={PAGE_SIZE}"
            response = self.ask("GET", numbered, headers=headers, basic=basic)
            if response.status_code != 200:
                raise self.refused(response, doing)
            page = self.parsed(response, doing)
            if not isinstance(page, list):
                raise self.refused(response, doing, _NO_API)
            yield page
            if 'rel="next"' not in response.headers.get("Link", ""):
                return

    def parsed(self, response: Answer, doing: str) -> Any:
        """The JSON of an answer.

        Raises:
            RegistryError: it is something else: a login page, or a proxy's words.
        """
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise self.refused(response, doing, _NO_API) from error

    def refused(self, response: Answer, doing: str, hint: str = "") -> RegistryError:
        """The error for an answer that is not the one hoped for, with what the API says in a form of its own."""
        what = f"{doing} on {self._registry}"
        error = refused(response, what, hint)
        if words := _words_of(response):
            error.message = f"{what}: {response.status_code}: {words}"
        return error


def _words_of(response: Answer) -> str:
    """What stands where Google, GitHub and GitLab, or Nexus with its lists, put their words; empty when nothing does."""
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return ""
    if isinstance(found, list):
        found = next(iter(found), None)
    if isinstance(found, dict):
        found = found.get("error") or found.get("message")
    if isinstance(found, dict):
        found = found.get("message")
    return printable(found)[:300] if isinstance(found, str) else ""


_LONGEST = 8 * 1024 * 1024
PAGE_SIZE = 100
_MOST_PAGES = 10_000
_NO_API = "that is no answer of its API; if the API is elsewhere, say so as api under registries in planner.yaml"
