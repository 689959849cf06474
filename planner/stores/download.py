"""Documents that stand at a URL: the manifests of releases."""

from __future__ import annotations

from urllib.parse import urlsplit

from planner.config import Tls
from planner.core.errors import InputError, RegistryError
from planner.stores.http import Connection, Patience

_LARGEST = 32 * 1024 * 1024


def download(url: str) -> str:
    """The text at ``url`` (http or https), at most 32 MiB of UTF-8.

    Raises:
        InputError: it cannot be had.
    """
    parts = urlsplit(url)
    connection = Connection(f"{parts.scheme}://{parts.netloc}", Tls(), 1, Patience())
    hint = "check the URL, or download the file and name that"
    try:
        answer = connection.send("GET", url, longest=_LARGEST)
    except RegistryError as error:
        raise InputError(f"{url}: {error.message}", hint) from error
    if answer.status_code != 200:
        raise InputError(f"{url}: answered {answer.status_code}", hint)
    if len(answer.content) == _LARGEST:
        raise InputError(f"{url}: larger than any manifest of a release", hint)
    try:
        return answer.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{url}: not UTF-8 text", hint) from error
