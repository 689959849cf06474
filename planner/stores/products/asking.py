"""Questions to a product's API whose answer is how a namespace stands. Whatever goes wrong becomes a reason, never an error."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from planner.core.errors import RegistryError
from planner.core.namespaces import MISSING, Standing
from planner.stores.products.product import Api

if TYPE_CHECKING:
    from planner.stores.answer import Answer


def standing_at(
    api: Api,
    namespace: str,
    path: str,
    read: Callable[[Mapping[str, Any]], Standing],
    *,
    headers: Mapping[str, str] | None = None,
    basic: bool = True,
    absent: Collection[int] = (404,),
) -> Standing:
    """How a namespace stands by a GET of ``path``: ``read`` gets a 200's object, the ``absent`` statuses mean ``missing``.

    Anything else is ``unknown``: an API that wants more rights than a push does, and one on another host that cannot be
    reached from here, must not keep anybody from pushing.
    """
    doing = f"asking about {namespace}"
    try:
        response = api.ask("GET", path, headers=headers, basic=basic)
    except RegistryError as error:
        return Standing("unknown", error.message)
    if response.status_code in absent:
        return MISSING
    if response.status_code != 200:
        return Standing("unknown", api.refused(response, doing).message)
    found = object_of(response)
    return read(found) if found else Standing("unknown", f"{doing}: the answer is no JSON object")


def object_of(response: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer; empty when it holds none, as from a proxy's page."""
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def list_of(response: Answer) -> list[Mapping[str, Any]]:
    """The objects of an answer's JSON list; empty when it holds none."""
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def curl(method: str, url: str, body: Mapping[str, Any]) -> str:
    """The command line that sends JSON to an API as an administrator; ``curl`` asks for the password."""
    words = ("curl", "-fsS", "-u", "ADMIN", "-X", method, "-H", "Content-Type: application/json")
    return shlex.join((*words, "-d", json.dumps(body), url))
