"""containerd's reading of a ``certs.d`` folder: which URLs it asks, in which order.

Source: containerd 2.4 core/remotes/docker/config/hosts.go (``parseHostsFile``, ``ConfigureHosts``) and resolver.go; for
``rewrite`` and the missing ``server``, the fork that K3s ships (k3s-io/containerd, same files).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from planner.core.gourl import parse_url
from planner.core.refs import ImageRef
from planner.core.resolution import Attempt, default_endpoint

DEFAULT_FOLDER = "_default"
_KEPT = 64

Rewrites = Mapping[str, str]
Rewriter = Callable[[Rewrites, str], str]


def attempts(
    files: Mapping[str, str],
    image: ImageRef,
    *,
    rewriter: Rewriter | None = None,
    credentials: Collection[str] = (),
) -> tuple[Attempt, ...]:
    """The requests for ``image`` in order.

    ``files`` maps ``<folder>/hosts.toml`` to its text. ``rewriter`` applies the ``rewrite`` table of the K3s fork; with it, a
    file without ``server`` has no fallback, as in that fork. ``credentials`` are the hosts for which the spec has some.
    """
    table = _hosts_table(files, image.registry)
    tried = [
        _mirror(url, settings, image, rewriter) for url, settings in _host_tables(table).items()
    ]
    has_fallback = rewriter is None or "server" in table or not tried
    if has_fallback:
        tried.append(_fallback(table, image))
    return tuple(each._replace(auth=_has_credentials(each, credentials)) for each in tried)


def folder_of(file: str) -> str:
    """The registry folder that a rendered file belongs to."""
    return file.rpartition("/")[0].rpartition("/")[2]


def _hosts_table(files: Mapping[str, str], registry: str) -> dict[str, Any]:
    """The hosts.toml that containerd takes for ``registry``; empty without one, or when it does not parse.

    Source: hosts.go:328-333 (a parse error, of a URL as well, is logged, then only the registry itself is asked).
    """
    by_folder = {folder_of(file): text for file, text in files.items()}
    text = by_folder.get(registry, by_folder.get(DEFAULT_FOLDER, ""))
    return _table(text)


@lru_cache(maxsize=_KEPT)
def _table(text: str) -> dict[str, Any]:
    """One file; thousands of images are looked for in the same."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    urls = (*_host_tables(table), str(table.get("server", "")))
    return table if all(parse_url(_full(url)) for url in urls) else {}


def _host_tables(table: Mapping[str, Any]) -> Mapping[str, Any]:
    hosts = table.get("host", {})
    return hosts if isinstance(hosts, dict) else {}


def _mirror(
    url: str, settings: Mapping[str, Any], image: ImageRef, rewriter: Rewriter | None
) -> Attempt:
    override = settings.get("override_path") is True
    repository = image.repository
    if rewriter and isinstance(settings.get("rewrite"), dict):
        repository = rewriter(settings["rewrite"], repository)
    return Attempt(
        _api_root(url, override=override),
        repository,
        image.reference,
        image.registry,
        default=False,
        override_path=override,
        skip_verify=settings.get("skip_verify") is True,
    )


def _fallback(table: Mapping[str, Any], image: ImageRef) -> Attempt:
    server = table.get("server") or default_endpoint(image.registry)
    return Attempt(
        _api_root(str(server), override=table.get("override_path") is True),
        image.repository,
        image.reference,
        image.registry,
        default=True,
        skip_verify=table.get("skip_verify") is True,
    )


def _api_root(url: str, *, override: bool) -> str:
    """The root below which requests go. Source: hosts.go:431-448."""
    parts = urlsplit(_full(url))
    path = parts.path.rstrip("/")
    if not override and not path.endswith("/v2"):
        path = f"{path}/v2"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"


def _full(url: str) -> str:
    return url if url.startswith("http") else f"https://{url}"


def _has_credentials(attempt: Attempt, credentials: Collection[str]) -> bool:
    # docker.io stands for its API host since K3s v1.31.11, v1.32.7 and v1.33.3 (k3s-io/k3s#12561).
    return attempt.host in credentials or attempt.registry in credentials
