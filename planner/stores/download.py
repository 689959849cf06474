"""Documents that stand at a URL: the manifests of releases."""

from __future__ import annotations

from urllib.parse import urlsplit

from planner.config import Tls
from planner.core.errors import InputError, RegistryError
from planner.stores.http import Connection
from planner.stores.patience import Patience

_LARGEST = 32 * 1024 * 1024
_HINT = "check the URL, or download the file and name that"


def download(url: str, *, largest: int = _LARGEST, patience: Patience | None = None) -> str:
    """The text at ``url`` (http or https): UTF-8, at most ``largest`` bytes. Nothing is sent that proves who asks.

    Raises:
        InputError: it cannot be had.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    shown = f"{parts.scheme}://{host}{parts.path}"
    if host != parts.netloc:
        raise InputError(
            f"{shown}: credentials stand in the URL, and none are sent for a manifest",
            "leave them out, or download the file and name that",
        )
    connection = Connection(f"{parts.scheme}://{host}", Tls(), 1, patience or Patience())
    try:
        answer = connection.send("GET", url, longest=largest + 1)
    except RegistryError as error:
        reason = error.message.removeprefix(f"{host}: ")
        raise InputError(f"{shown}: {reason}", _HINT) from error
    if answer.status_code != 200:
        raise InputError(f"{shown}: answered {answer.status_code}", _HINT)
    if len(answer.content) > largest:
        raise InputError(f"{shown}: larger than any manifest of a release", _HINT)
    try:
        return answer.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{shown}: not UTF-8 text", _HINT) from error
