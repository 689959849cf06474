"""Certificate authorities that specs give for registries, and the files that the environment names in their place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from planner.core.certificate import certificates
from planner.core.errors import RegistryError


def authority_text(given: Iterable[str]) -> str:
    """The certificates (PEM) behind what specs give: PEM as it is, ``$NAME`` for a variable with the path of a file.

    Raises:
        RegistryError: such a file cannot be used; the tools that read the variable stop there, too.
    """
    return "".join(_from_variable(each[1:]) if each.startswith("$") else each for each in given)


def _from_variable(name: str) -> str:
    path = os.environ.get(name)
    if not path:
        return ""
    hint = f"let {name} name a PEM file, or unset it"
    try:
        found = certificates(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RegistryError(
            f"{path}, which {name} names, cannot be read: {reason}", hint
        ) from error
    if not found:
        raise RegistryError(f"{path}, which {name} names, holds no certificate", hint)
    return "".join(found)
