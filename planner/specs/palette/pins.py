"""The images that start before the webhook does: values name them by their address on the private registry.

The documented form of such an address is the registry, its base path, and then the complete public name with its host.

Source: spectrocloud/librarium 02df8c88 docs/docs-content (eks-ecr-airgap-install.md, steps for cert-manager and image-swap).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.core.containerd import attempts
from planner.core.document import Node, Spec
from planner.core.errors import InputError
from planner.core.family import Need, because
from planner.core.refs import ImageRef, parse_image
from planner.core.resolution import Resolution
from planner.specs.palette.documents import CERT_MANAGER_IMAGES, WEBHOOK_IMAGES, values
from planner.specs.palette.hosts import is_upstream
from planner.specs.palette.lists import keyword
from planner.specs.palette.mirrors import plain_target, split_list
from planner.specs.palette.settings import Settings, settings_of

_UNKNOWN = "no public name can be told from this address, so planner cannot copy it there"


def pins(spec: Spec) -> Iterator[Need]:
    """A need for each of them. One whose public name is not known has its own address for a source.

    Raises:
        InputError: one is no image reference.
    """
    root = values(spec)
    nodes = (
        *(root.get("image", name) for name in CERT_MANAGER_IMAGES),
        *(root.get("config", "imageSwapImages", name) for name in WEBHOOK_IMAGES),
    )
    settings = next((each for each in settings_of(spec) if each.feeds_webhook), None)
    for node in nodes:
        if node.string():
            yield _need(spec, node, settings)


def public_name(address: ImageRef, settings: Settings | None) -> ImageRef | None:
    """The image that was copied to ``address``, which may be public itself; None when the address does not tell."""
    pairs = _pairs(settings)
    home, below = _below(address, settings)
    if not home and is_upstream(address.registry):
        return address
    hosts = {source for source, _ in pairs}
    named = (i for i, step in enumerate(below[:-1]) if is_upstream(step) or step in hosts)
    start = next(named, None)
    if start is None and home and len(below) > 1 and "." in below[0]:
        start = 0
    if start is not None:
        return _image(below[start:], address)
    return _redirected(address, pairs)


def _need(spec: Spec, node: Node, settings: Settings | None) -> Need:
    name = str(node.path[-1])
    try:
        address = parse_image(node.string())
    except InputError as error:
        place = f"{spec.file}:{node.place.line}"
        raise InputError(f"{place}: {name}: {error.message}", error.hint) from error
    source = public_name(address, settings)
    text = f"named by {name}" if source else f"named by {name}; {_UNKNOWN}"
    resolution = Resolution(source or address, attempts({}, address))
    return Need(source or address, resolution, (because(spec, node, text),))


def _below(address: ImageRef, settings: Settings | None) -> tuple[str, Sequence[str]]:
    """The registry of the file with its base path, and what an address has behind it; without a home, all steps."""
    if settings and settings.endpoint.text:
        base = settings.base_path.text.strip("/")
        for home in (
            plain_target(f"{settings.endpoint.text}/{base}"),
            plain_target(settings.endpoint.text),
        ):
            if address.name.startswith(f"{home}/"):
                return home, address.name.removeprefix(f"{home}/").split("/")
    return "", address.repository.split("/")


def _redirected(address: ImageRef, pairs: Sequence[tuple[str, str]]) -> ImageRef | None:
    """The image that the list sends to ``address``, when it can be but one."""
    fitting = [pair for pair in pairs if address.name.startswith(f"{pair[1]}/")]
    longest = max((len(target) for _, target in fitting), default=0)
    nearest = [pair for pair in fitting if len(pair[1]) == longest]
    if len(nearest) != 1:
        return None
    ((source, target),) = nearest
    return _image([source, *address.name.removeprefix(f"{target}/").split("/")], address)


def _image(steps: Sequence[str], address: ImageRef) -> ImageRef | None:
    tag = f":{address.tag}" if address.tag else ""
    digest = f"@{address.digest}" if address.digest else ""
    try:
        return parse_image("/".join(steps) + tag + digest)
    except InputError:
        return None


def _pairs(settings: Settings | None) -> Sequence[tuple[str, str]]:
    """The sources of the list that are registries, with their targets."""
    return [
        (each.source, each.plain_target)
        for each in (split_list(settings.mirrors.text) if settings else ())
        if each.is_pair and "." in each.source and not keyword(each.source)
    ]
