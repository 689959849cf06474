"""What registries held when somebody looked, as a file: ``planner.inventory/1``.

Deterministic: equal registries give equal bytes. No credential and no time is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from planner.core.errors import InputError
from planner.core.json_text import spread
from planner.core.refs import is_digest

FORMAT = "planner.inventory/1"
_EXPANDED_LEVELS = 4
_HINT = "make one with planner inventory -o FILE"

Listing = Literal["api", "catalog", "specs", "names"]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one registry held. Repositories are named as images are, without the registry.

    ``listed_by`` tells who named the repositories: the product's ``api``, the registry's ``catalog``, or the ``specs``, where
    the registry lists none; ``names``: only single names were asked for, so that a repository may hold more.
    ``repositories`` are digests by tag; a manifest that was asked for by digest stands under that. An empty digest: the tag is
    there, and the registry does not say what it is. ``errors`` say, by repository, what could not be read; they are printable.
    ``complete``: what is not listed is not there, as far as the credentials could see.
    """

    product: str
    listed_by: Listing
    complete: bool
    repositories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def digest(self, repository: str, tag: str) -> str | None:
        """What stood under a tag: empty for nothing, None when that is not known."""
        held = self.repositories.get(repository)
        if held is not None and tag in held:
            return held[tag] or None
        if repository in self.errors:
            return None
        is_known = self.complete if held is None else self.listed_by != "names"
        return "" if is_known else None

    @property
    def tag_count(self) -> int:
        """How many names it lists."""
        return sum(map(len, self.repositories.values()))


def to_json(registries: Mapping[str, Holdings]) -> bytes:
    """The saved form: JSON, sorted keys, one repository a line, a line end at the end."""
    document = {
        "format": FORMAT,
        "registries": {name: _document(each) for name, each in registries.items()},
    }
    return "".join((*spread(document, _EXPANDED_LEVELS), "\n")).encode("utf-8", "surrogatepass")


def from_json(data: bytes, file: str) -> dict[str, Holdings]:
    """Read a saved inventory.

    Raises:
        InputError: none, or of a newer format.
    """
    try:
        document = json.loads(data)
        stated = document["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{file}: this is not an inventory", _HINT) from error
    if stated != FORMAT:
        raise InputError(f"{file}: expected format {FORMAT}, got {stated}", _HINT)
    try:
        return {name: _read(each) for name, each in document["registries"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{file}: the inventory is damaged", _HINT) from error


def _document(holdings: Holdings) -> dict[str, Any]:
    return {
        "product": holdings.product,
        "listed_by": holdings.listed_by,
        "complete": holdings.complete,
        "repositories": holdings.repositories,
        "errors": holdings.errors,
    }


def _read(document: Mapping[str, Any]) -> Holdings:
    found = Holdings(
        str(document["product"]),
        document["listed_by"],
        document["complete"] is True,
        {name: _tags(tags) for name, tags in document["repositories"].items()},
        {name: str(text) for name, text in document["errors"].items()},
    )
    if found.listed_by not in get_args(Listing):
        raise ValueError(found.listed_by)
    return found


def _tags(document: Mapping[str, Any]) -> dict[str, str]:
    for digest in document.values():
        if digest != "" and not is_digest(digest):
            raise ValueError(digest)
    return dict(document)
