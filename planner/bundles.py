"""Manifests of releases, as files or URLs, and the manifests that stand beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from planner.core.document import Spec
from planner.core.errors import InputError
from planner.core.family import Manifests
from planner.core.reader import read
from planner.files import read_text

_ON_THE_NETWORK = ("http", "https")
_FILE = "file"


def load_manifests(place: str, noted: Callable[[str], None]) -> Manifests:
    """The manifest at ``place``, a file or an http(s) URL; each file that is read is ``noted``.

    What a manifest that is a file refers to is taken from its folder when it is there, by its name or by the end of its
    path, else from where the manifest says: a URL, or a file.

    Raises:
        InputError: it cannot be read, or is not YAML.
    """
    known: dict[str, Spec] = {}

    def referred(url: str) -> Spec:
        if url not in known:
            known[url] = _referred(place, url, noted)
        return known[url]

    return Manifests(_load(place, noted), referred)


def _referred(place: str, url: str, noted: Callable[[str], None]) -> Spec:
    where = _where(place, url)
    try:
        return _load(where, noted)
    except InputError as error:
        if _is_remote(place) or not _is_remote(where):
            raise
        message = f"{error.message} ({place} refers to it)"
        raise InputError(message, _put_beside(place, url, "download it, and put")) from error


def _put_beside(place: str, url: str, verb: str) -> str:
    name = PurePosixPath(_parts(url).path).name or "that file"
    what = "it" if _is_remote(place) else place
    return f"{verb} {name} beside {what}: without it, images would be missing"


def _where(place: str, url: str) -> str:
    if not _is_remote(place):
        for file in _beside(place, url):
            if file.is_file():
                return str(file)
    if _is_remote(url):
        return url
    verb = "download the manifest, and put" if _is_remote(place) else "put"
    raise InputError(
        f"{_shown(place)} refers to {_shown(url)}, which is not there",
        _put_beside(place, url, verb),
    )


def _beside(place: str, url: str) -> Iterator[Path]:
    """Where a file may be: ``eksctl anywhere download artifacts`` sorts into folders, and writes paths for URLs.

    Source: aws/eks-anywhere aebd9a0 cmd/eksctl-anywhere/cmd/downloadartifacts.go:95-121.
    """
    parts = _parts(url)
    if parts.scheme in _ON_THE_NETWORK:
        steps: tuple[str, ...] = PurePosixPath(parts.path).parts[-1:]
    else:
        yield Path(unquote(parts.path) if parts.scheme == _FILE else url)
        steps = PurePosixPath(unquote(parts.path)).parts
    for start in range(len(steps)):
        yield Path(place).parent.joinpath(*steps[start:])


def _load(place: str, noted: Callable[[str], None]) -> Spec:
    name = _shown(place)
    spec = read(name, _text(place, noted))
    broken = next((each for each in spec.problems if each.kind != "duplicate"), None)
    if broken:
        where = f"{name}:{broken.span.line}:{broken.span.column}"
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
    return _parts(place).scheme in _ON_THE_NETWORK


def _shown(place: str) -> str:
    """A URL without what may be secret: signatures stand in the query, passwords before the host."""
    if not _is_remote(place):
        return place
    parts = _parts(place)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _parts(place: str) -> SplitResult:
    try:
        return urlsplit(place)
    except ValueError:  # brackets that hold no address
        return SplitResult("", "", place, "", "")
