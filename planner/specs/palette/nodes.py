"""What Palette's nodes make of the list of mirrors, and what the webhook does before that.

Two consumers read one list, and they disagree. The webhook puts the target into the name of a pod's image. The nodes'
containerd is given each target as an endpoint, for the images that no webhook sees: those of static pods, of kubeadm, and
of Palette's own first pods. It adds ``/v2`` to an endpoint that has no path at all, and to no other.

Source: containerd 301026e internal/cri/server/images/image_pull.go (``registryEndpoints``, ``registryHosts``,
``addDefaultScheme``), the same from 1.6 to 2.1; spectrocloud librarium registry-override.md, step "Validate".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from planner.core.containerd import attempts as direct_attempts
from planner.core.document import Spec
from planner.core.errors import InputError
from planner.core.family import NodeFlags
from planner.core.gourl import parse_url
from planner.core.refs import DOCKER_HUB, ImageRef, parse_image
from planner.core.resolution import Attempt, Resolution, Rewrite, default_endpoint, default_scheme
from planner.specs.palette.mirrors import has_api, plain_target, split_list
from planner.specs.palette.settings import Settings, settings_of
from planner.specs.palette.swap import SwapError, map_of_list, swapped

_ANY = "*"
_API = "/v2"
_HUB_API = "registry-1.docker.io"


def resolve(spec: Spec, written: str, _flags: NodeFlags) -> Resolution:
    """Where the image of a pod is looked for: renamed by the webhook when its values are given, then asked for by the node."""
    for settings in settings_of(spec):
        if settings.feeds_webhook:
            return through_webhook(settings, written)
        return by_node(settings, written)
    image = parse_image(written)
    return Resolution(image, direct_attempts({}, image))


def through_webhook(settings: Settings, written: str) -> Resolution:
    """The webhook's name for an image, and where the node looks for that; nowhere when the webhook makes no name of it."""
    image = parse_image(written)
    try:
        renamed = swapped(written, map_of_list(settings.mirrors.text))
    except SwapError:
        return Resolution(image, (), (Rewrite("imageswap", ""),))
    rewrites = (Rewrite("imageswap", renamed),) if renamed != written else ()
    try:
        asked = parse_image(renamed)
    except InputError:
        return Resolution(image, (), rewrites)
    return Resolution(image, tuple(_attempts(settings, asked)), rewrites)


def by_node(settings: Settings, written: str) -> Resolution:
    """Where containerd looks for an image that no webhook has renamed."""
    image = parse_image(written)
    return Resolution(image, tuple(_attempts(settings, image)))


def render(spec: Spec, _flags: NodeFlags) -> dict[str, str]:
    """``config.toml`` as Palette writes it for the nodes, and the map that the webhook reads.

    An endpoint that cannot work as it stands has its working form in a comment.
    """
    files: dict[str, str] = {}
    for settings in settings_of(spec):
        files["containerd/config.toml"] = "\n".join(_config_toml(settings)) + "\n"
        if settings.feeds_webhook:
            lines = [*settings.mirrors.text.split(","), "default::"]
            files["imageswap/maps.conf"] = "".join(f"{line}\n" for line in lines)
    return files


def _attempts(settings: Settings, image: ImageRef) -> Iterator[Attempt]:
    """The mirror of the registry, or else that for all others, and last the registry itself unless it was asked."""
    mirrors = _mirrors(settings)
    host = _HUB_API if image.registry == DOCKER_HUB else image.registry
    hosts: set[str] = set()
    target = mirrors.get(image.registry) or mirrors.get(_ANY)
    if target and (attempt := _attempt(settings, target, image)):
        hosts.add(attempt.host)
        yield attempt
    if host not in hosts:
        yield Attempt(
            default_endpoint(image.registry),
            image.repository,
            image.reference,
            image.registry,
            default=True,
            auth=_has_auth(settings, host),
        )


def _attempt(settings: Settings, target: str, image: ImageRef) -> Attempt | None:
    url = parse_url(_with_scheme(target))
    if url is None:
        return None
    path = posixpath.normpath(url.path) if url.path else _API
    return Attempt(
        f"{url.scheme}://{url.host}{'' if path == '/' else path}",
        image.repository,
        image.reference,
        image.registry,
        override_path=bool(url.path),
        skip_verify=settings.skips_verification,
        auth=_has_auth(settings, url.host),
    )


def _mirrors(settings: Settings) -> Mapping[str, str]:
    return {
        entry.source: entry.target for entry in split_list(settings.mirrors.text) if entry.is_pair
    }


def _has_auth(settings: Settings, host: str) -> bool:
    """Credentials hold for the host of the endpoint, wherever a path leads."""
    own = parse_url(_with_scheme(settings.endpoint.text))
    return bool(settings.username.text) and own is not None and own.host == host


def _with_scheme(target: str) -> str:
    host = target.partition("/")[0]
    return target if "://" in target else f"{default_scheme(host)}://{target}"


def _config_toml(settings: Settings) -> Iterator[str]:
    yield "version = 2"
    for source, target in _mirrors(settings).items():
        yield ""
        yield f'[plugins."io.containerd.grpc.v1.cri".registry.mirrors."{source}"]'
        yield f'  endpoint = ["{target}"]'
        working = _working(target)
        if working != target:
            yield f'  # no registry answers there; this works: endpoint = ["{working}"]'
    host = parse_url(_with_scheme(settings.endpoint.text))
    if host is None or not host.host:
        return
    table = f'[plugins."io.containerd.grpc.v1.cri".registry.configs."{host.host}"'
    if settings.username.text and settings.password.text:
        yield ""
        yield f"{table}.auth]"
        yield "  # username and password stand here"
    if settings.skips_verification or settings.authority.text:
        yield ""
        yield f"{table}.tls]"
        skip = settings.skips_verification
        yield (
            "  insecure_skip_verify = true"
            if skip
            else "  # ca_file: the path of the CA on the node"
        )


def _working(target: str) -> str:
    """The target with ``/v2`` right behind its host, where it has a path without it."""
    plain = plain_target(target)
    host, slash, path = plain.partition("/")
    if not slash or has_api(target):
        return target
    scheme = target[: target.find("://") + 3] if "://" in target else ""
    return f"{scheme}{host}{_API}/{path}"
