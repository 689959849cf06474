"""Manifests of releases, as files or URLs, and the manifests that stand beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from planner.core.document import Spec
from planner.core.errors import InputError
from planner.core.family import Manifests
from planner.core.reader import read
from planner.files import read_text

_ON_THE_NETWORK = ("http", "https")


def load_manifests(place: str, noted: Callable[[str], None]) -> Manifests:
    """The manifest at ``place``, a file or an http(s) URL; each file that is read is ``noted``.

    What it refers to by URL is taken from the folder of the manifest when a file of that name is there, else from the URL. A
    ``file:`` URL names a file.

    Raises:
        InputError: it cannot be read, or is not YAML.
    """
    known: dict[str, Spec] = {}

    def referred(url: str) -> Spec:
        if url not in known:
            known[url] = _load(_where(place, url), noted)
        return known[url]

    return Manifests(_load(place, noted), referred)


def _where(place: str, url: str) -> str:
    parts = urlsplit(url)
    name = PurePosixPath(parts.path).name
    if not _is_remote(place) and name and (beside := Path(place).parent / name).is_file():
        return str(beside)
    if _is_remote(url):
        return url
    if parts.scheme == "file":
        return parts.path
    raise InputError(
        f"{place} refers to {url}, which is not there",
        f"put {name or 'that file'} beside {place}: without it, images would be missing",
    )


def _load(place: str, noted: Callable[[str], None]) -> Spec:
    spec = read(place, _text(place, noted))
    broken = next((each for each in spec.problems if each.kind != "duplicate"), None)
    if broken:
        where = f"{place}:{broken.span.line}:{broken.span.column}"
        raise InputError(f"{where}: {broken.message}", "get the file anew")
    return spec


def _text(place: str, noted: Callable[[str], None]) -> str:
    if _is_remote(place):
        from planner.stores.download import download  # noqa: PLC0415 - files need no HTTP

        return download(place)
    text = read_text(Path(place))
    noted(place)
    return text


def _is_remote(place: str) -> bool:
    return urlsplit(place).scheme in _ON_THE_NETWORK
