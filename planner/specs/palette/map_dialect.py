"""A mirror map as the map file of the image-swap webhook."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.mirror_map import ANY, Loss, MirrorMap, Written, exempted
from planner.core.refs import DOCKER_HUB
from planner.specs.palette.swapmap import DEFAULT, LIBRARY
from planner.specs.palette.webhook import WEBHOOK, losses_of, no_fallback, problem_of, swappable


def write_map(given: MirrorMap) -> Written:
    """The lines of the file: the default first, then a line for each registry."""
    pairs, found = swappable(given)
    losses = [*given.losses, *no_fallback(given), *found, *_access_losses(given)]
    places = {entry.source: place.name for entry, place in pairs}
    if other := given.any_other:
        if loss := problem_of(other, set()):
            losses.append(loss)
        else:
            places = {ANY: other.targets[0].name, **places}
            losses.extend(losses_of(other))
            for host in sorted(_renamed(places) - {other.targets[0].name}):
                losses.extend(exempted(given, host, f"{WEBHOOK} would rename them twice"))
            places |= _exceptions(given, places)
    if given.completes_names and places.get(DOCKER_HUB):
        places[f"{DOCKER_HUB}{LIBRARY}"] = f"{places[DOCKER_HUB]}{LIBRARY}"
    lines = [f"{DEFAULT}::{places.pop(ANY, '')}", *(f"{key}::{at}" for key, at in places.items())]
    return Written("".join(f"{line}\n" for line in lines), tuple(losses))


def _exceptions(given: MirrorMap, places: dict[str, str]) -> dict[str, str]:
    """What the default must not touch, above all what has its new name already; and Docker Hub, for its short names."""
    untouched = {each.source: "" for each in given.entries if each.source not in places}
    renamed = dict.fromkeys(sorted(_renamed(places)), "")
    hub = {DOCKER_HUB: places[ANY]} if given.hub is given.any_other else {}
    return {**hub, **untouched, **renamed}


def _renamed(places: dict[str, str]) -> set[str]:
    """The hosts in the names that the webhook makes."""
    return {place.partition("/")[0] for place in places.values()}


def _access_losses(given: MirrorMap) -> Iterator[Loss]:
    for access in given.access:
        if not access.is_verified or access.ca or access.ca_file or any(access.client):
            text = f"{WEBHOOK} only renames images: tell containerd on each node about the certificates of this host"
            yield Loss(access.host, text, access.node, by_hand=True)
        if access.has_credentials:
            text = "credentials are not copied: give the pods imagePullSecrets for this host"
            yield Loss(access.host, text, access.node, by_hand=True)
