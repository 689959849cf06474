"""Where Palette's nodes look for an image, and what the webhook does before that.

Two consumers read one list, and they disagree. The webhook puts the target into the name of a pod's image. The nodes'
containerd is given each target as an endpoint, for the images that no webhook sees: those of static pods, of kubeadm, and
of Palette's own first pods.

Source: containerd 301026e internal/cri/server/images/image_pull.go (``registryEndpoints``, ``registryHosts``), the same
from 1.6 to 2.1.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from functools import partial

from planner.core.containerd import attempts as direct_attempts
from planner.core.document import ABSENT, Node, Spec
from planner.core.errors import InputError
from planner.core.family import NodeFlags
from planner.core.gourl import GoUrl, parse_url
from planner.core.refs import DOCKER_HUB, ImageRef, parse_image
from planner.core.resolution import Attempt, Resolution, Rewrite
from planner.specs.palette.configtoml import config_toml, mirrors_of, with_scheme
from planner.specs.palette.documents import image_changes, is_root_image_change
from planner.specs.palette.settings import Settings, settings_of
from planner.specs.palette.swap import (
    SwapError,
    SwapMap,
    map_of_list,
    map_text,
    read_map,
    swapped,
)

_ANY = "*"
_API = "/v2"
_HUB_API = "registry-1.docker.io"
Ask = Callable[[ImageRef], tuple[Attempt, ...]]


def resolve(spec: Spec, written: str, _flags: NodeFlags) -> Resolution:
    """Where the image of a pod is looked for: renamed by the webhook when the file feeds it, then asked for by the node.

    A list of which the webhook makes something, and containerd nothing, leads nowhere in the end.

    Raises:
        InputError: no image, or the nodes' list makes no configuration that containerd would read.
    """
    for settings in settings_of(spec):
        if settings.feeds_webhook:
            table = map_of_list(settings.mirrors.text)
            return _renamed(written, table, partial(_ask_if_read, settings))
        return by_node(settings, written)
    if change := image_change(spec):
        return through_map(change, written)
    return directly(written)


def image_change(spec: Spec) -> Node:
    """The map file that a cluster's values hold; absent without one."""
    return next(filter(is_root_image_change, image_changes(spec)), ABSENT)


def through_webhook(settings: Settings, written: str) -> Resolution:
    """The webhook's name for an image, and where the node looks for that; nowhere when the webhook makes no name of it."""
    return _renamed(written, map_of_list(settings.mirrors.text), lambda each: _ask(settings, each))


def through_map(change: Node, written: str) -> Resolution:
    """The same by a map file, for nodes without mirrors."""
    return _renamed(written, read_map(change.string()), lambda each: direct_attempts({}, each))


def by_node(settings: Settings, written: str) -> Resolution:
    """Where containerd looks for an image that no webhook has renamed."""
    image = parse_image(written)
    return Resolution(image, _ask(settings, image))


def directly(written: str) -> Resolution:
    """Where containerd looks without any configuration."""
    image = parse_image(written)
    return Resolution(image, direct_attempts({}, image))


def render(spec: Spec, _flags: NodeFlags) -> dict[str, str]:
    """``config.toml`` as Palette writes it for the nodes, and the map that the webhook reads.

    Where a file has the Secret as well as values, the nodes follow the Secret.
    """
    files: dict[str, str] = {}
    for settings in settings_of(spec):
        files["containerd/config.toml"] = config_toml(settings)
        if settings.feeds_webhook:
            files["imageswap/maps.conf"] = map_text(settings.mirrors.text)
    return files


def _renamed(written: str, table: SwapMap, ask: Ask) -> Resolution:
    image = parse_image(written)
    try:
        name = swapped(written, table)
    except SwapError:
        return Resolution(image, (), (Rewrite("imageswap", ""),))
    if name == written:
        return Resolution(image, ask(image))
    try:
        asked = parse_image(name)
    except InputError:
        return Resolution(image, (), (Rewrite("imageswap", name),))
    return Resolution(image, ask(asked), (Rewrite("imageswap", name),))


def _ask_if_read(settings: Settings, image: ImageRef) -> tuple[Attempt, ...]:
    try:
        return _ask(settings, image)
    except InputError:  # containerd does not start with such a file
        return ()


def _ask(settings: Settings, image: ImageRef) -> tuple[Attempt, ...]:
    """The mirror of the registry, or else that for all others, and last the registry itself unless it was asked.

    One endpoint that is no URL makes containerd give up at once.
    """
    mirrors = mirrors_of(settings)
    endpoints = mirrors.get(image.registry, mirrors.get(_ANY, ()))
    urls = [parse_url(with_scheme(each)) for each in endpoints]
    if None in urls:
        return ()
    found = [_attempt(settings, url, image) for url in urls if url]
    if all(each.host != image.registry for each in found):
        host = _HUB_API if image.registry == DOCKER_HUB else image.registry
        found += [_attempt(settings, each, image, default=True) for each in _roots(host)]
    return tuple(found)


def _roots(host: str) -> Iterator[GoUrl]:
    if url := parse_url(with_scheme(host)):
        yield url


def _attempt(settings: Settings, url: GoUrl, image: ImageRef, *, default: bool = False) -> Attempt:
    """``/v2`` comes behind an endpoint without any path, and behind no other."""
    path = posixpath.normpath(url.path).lstrip("/") if url.path else ""
    root = f"/{path}" if path else "" if url.path else _API
    own = parse_url(with_scheme(settings.endpoint.text))
    is_own = own is not None and own.host == url.host  # whatever path an endpoint has
    return Attempt(
        f"{url.scheme}://{url.host}{root}",
        image.repository,
        image.reference,
        image.registry,
        default=default,
        override_path=bool(url.path),
        skip_verify=is_own and settings.skips_verification,
        auth=is_own and bool(settings.username.text and settings.password.text),
    )
