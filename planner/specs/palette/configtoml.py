"""``/etc/containerd/config.toml`` as Palette writes it for its nodes.

The template is not public; its result is shown in the documentation. Each pair of the list becomes a table of its own, the
target standing there as it was written. The file is read back as containerd would, so a list that breaks it is seen.

Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
(step "Validate"); for credentials and trust, validator-labs/validatorctl 34285c6
pkg/utils/embed/resources/kind/cluster-configuration.tmpl.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from planner.core.errors import InputError
from planner.core.gourl import parse_url, split_port
from planner.core.resolution import is_loopback
from planner.specs.palette.mirrors import has_api, plain_target, split_list
from planner.specs.palette.settings import Settings

_PLUGIN = "io.containerd.grpc.v1.cri"
_API = "/v2"


def config_toml(settings: Settings) -> str:
    """The file. Credentials stay out; where no registry answers at an endpoint, a comment has one where it does."""
    return "\n".join((*_mirror_lines(settings), *_host_lines(settings))) + "\n"


@lru_cache(maxsize=16)
def mirrors_of(settings: Settings) -> Mapping[str, Sequence[str]]:
    """The endpoints of each registry, as containerd reads them from the file.

    Raises:
        InputError: it would refuse the file, and not start.
    """
    try:
        registry = tomllib.loads(config_toml(settings))["plugins"][_PLUGIN]["registry"]
    except KeyError:
        return {}
    except tomllib.TOMLDecodeError as error:
        name = settings.mirrors.name
        raise InputError(
            f"{name} makes a config.toml that containerd refuses: {error}",
            f"planner lint shows which entries of {name} are wrong; planner render shows the file",
        ) from error
    return {source: table["endpoint"] for source, table in registry.get("mirrors", {}).items()}


def with_scheme(endpoint: str) -> str:
    """An endpoint with the scheme that containerd's CRI plugin takes: ``http`` for this machine, on every port.

    Source: containerd 301026e internal/cri/server/images/image_pull.go (``addDefaultScheme``, ``defaultScheme``).
    """
    if "://" in endpoint:
        return endpoint
    name, _ = split_port(endpoint.partition("/")[0].rpartition("@")[2])
    return f"{'http' if is_loopback(name) else 'https'}://{endpoint}"


def _mirror_lines(settings: Settings) -> Iterator[str]:
    yield "version = 2"
    for entry in split_list(settings.mirrors.text):
        if entry.is_pair:
            yield ""
            yield f'[plugins."{_PLUGIN}".registry.mirrors."{entry.source}"]'
            yield f'  endpoint = ["{entry.target}"]'
            yield from _advice(entry.target)


def _advice(target: str) -> Iterator[str]:
    """The endpoint with ``/v2`` right behind its host, where it has a path without it."""
    host, slash, path = plain_target(target).partition("/")
    if slash and not has_api(target) and _API not in f"/{path}":
        scheme = target[: target.find("://") + 3] if "://" in target else ""
        yield f'  # no registry answers there, but at: endpoint = ["{scheme}{host}{_API}/{path}"]'


def _host_lines(settings: Settings) -> Iterator[str]:
    url = parse_url(with_scheme(settings.endpoint.text))
    if url is None or not url.host:
        return
    table = f'[plugins."{_PLUGIN}".registry.configs."{url.host}"'
    if settings.username.text and settings.password.text:
        yield ""
        yield f"# {table}.auth]: {settings.username.name} and {settings.password.name}"
    if settings.skips_verification:
        yield ""
        yield f"{table}.tls]"
        yield "  insecure_skip_verify = true"
    elif settings.authority.text:
        yield ""
        yield f"# {table}.tls]: ca_file is where the node keeps {settings.authority.name}"
