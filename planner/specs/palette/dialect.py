"""Palette's list of mirrors and the webhook's map as a mirror map, and a mirror map as the block ``ociImageRegistry``."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from planner.core.document import Node, Spec
from planner.core.mirror_map import (
    ANY,
    API,
    ELSEWHERE,
    PROBE,
    Access,
    Entry,
    Loss,
    MirrorMap,
    Target,
    Written,
    read_entry,
    source_problem,
    target,
    targets_of,
)
from planner.core.refs import DOCKER_HUB, looks_like_registry, name_problem
from planner.specs.palette.certificates import pem_of
from planner.specs.palette.hosts import RECOMMENDED
from planner.specs.palette.mirrors import has_api, host_of, plain_target
from planner.specs.palette.nodes import by_node, image_change
from planner.specs.palette.settings import Settings, entries, settings_of
from planner.specs.palette.swap import SwapMap, map_of_list
from planner.specs.palette.swap import read_map as table_of
from planner.specs.palette.swapmap import DEFAULT, LIBRARY, NOSWAP
from planner.specs.palette.webhook import WEBHOOK, no_fallback, short_names_loss, swappable


def read_map(spec: Spec) -> MirrorMap:
    """What becomes of the image of a pod: the webhook's map when the file feeds it, else the nodes' mirrors."""
    for settings in settings_of(spec):
        nodes = {each.entry.source: each.node for each in entries(spec, settings)}
        if not settings.feeds_webhook:
            return _of_nodes(settings, nodes)
        found = _of_webhook(map_of_list(settings.mirrors.text), nodes, settings.mirrors.node)
        return found._replace(access=tuple(_access(settings)))
    if change := image_change(spec):
        return _of_webhook(table_of(change.string()), {}, change)
    return MirrorMap()


def write_map(given: MirrorMap) -> Written:
    """The block of the image-swap chart's values: one registry, whose folders stand for the others."""
    losses = [*given.losses, *no_fallback(given)]
    pairs, found = swappable(given)
    losses += found
    if short := short_names_loss(given, pairs):
        losses.append(short)
    home = Counter(each.host for _, each in pairs).most_common(1)[0][0] if pairs else ""
    for entry, place in pairs:
        if place.host != home:
            text = f"Palette knows one registry of images, here {home}: left out, so nodes ask the registry itself"
            losses.append(Loss(entry.source, text, entry.node))
    kept = [(entry.source, place) for entry, place in pairs if place.host == home]
    if any_other := given.any_other:
        text = f"the webhook knows no {ANY}: images of registries that are not named stay where they are"
        losses.append(Loss(ANY, text, any_other.node))
    if not kept:
        return Written({}, tuple(losses))
    losses += [*_access_losses(given, home), *_lacking(kept)]
    return Written({"config": {"ociImageRegistry": _block(given, home, kept)}}, tuple(losses))


def _of_nodes(settings: Settings, nodes: dict[str, Node]) -> MirrorMap:
    found: list[Entry] = []
    losses: list[Loss] = []
    for source, node in nodes.items():
        if problem := source_problem(source):
            losses.append(Loss(source, f"{problem}: left out", node))
            continue
        image = f"{ELSEWHERE if source == ANY else source}/{PROBE}:1"
        places = targets_of(source, by_node(settings, image).attempts)
        entry, repaired = read_entry(source, places, node)
        found.append(entry)
        losses.extend(repaired)
    return MirrorMap(tuple(found), tuple(_access(settings)), tuple(losses))


def _of_webhook(table: SwapMap, nodes: dict[str, Node], whole: Node) -> MirrorMap:
    """Nothing is looked up by registry without a default, and keys for single images have no counterpart."""
    losses = [
        Loss(_registry_of(key), f"{WEBHOOK} knows a rule for {key}, others do not: left out", whole)
        for key in (*table.exact, *table.patterns)
    ]
    registries = dict(table.registries)
    if DEFAULT not in registries:
        if registries:
            text = f"without a line {DEFAULT}::, {WEBHOOK} looks at no registry: nothing to convert"
            losses.append(Loss("", text, whole))
        return MirrorMap((), (), tuple(losses), falls_back=False)
    if registries.pop(NOSWAP, ""):
        text = f"{NOSWAP} exempts images by their text, which others cannot: left out"
        losses.append(Loss(ANY, text, whole))
    library = registries.pop(f"{DOCKER_HUB}{LIBRARY}", "")
    if ANY in registries:
        text = f"{ANY} is none of {WEBHOOK}'s words, and for nodes it would hold for the private registry, too: left out"
        losses.append(Loss(ANY, text, nodes.get(ANY, whole)))
        del registries[ANY]
    found: list[Entry] = []
    for key, value in registries.items():
        source, node = ANY if key == DEFAULT else key, nodes.get(key, whole)
        problem = source_problem(source) or _value_problem(value)
        if problem:
            losses.append(Loss(source, f"{problem}: left out", node))
        elif value:
            entry, repaired = _entry(source, value, node)
            found.append(entry)
            losses.extend(repaired)
        elif source != ANY and registries[DEFAULT]:
            found.append(Entry(source, (), (), node))
    completes = bool(library) and library == f"{registries.get(DOCKER_HUB, '')}{LIBRARY}"
    if library and not completes:
        text = f"{WEBHOOK} has a place of its own for official images ({library}), others have not"
        losses.append(Loss(DOCKER_HUB, text, whole))
    return MirrorMap(tuple(found), (), tuple(losses), falls_back=False, completes_names=completes)


def _entry(source: str, value: str, node: Node) -> tuple[Entry, tuple[Loss, ...]]:
    """``/v2`` at the front of a folder is a leftover of the nodes' form of the list."""
    host, _, folder = plain_target(value).partition("/")
    entry, losses = read_entry(source, [target("https", host, f"{API}/{folder}")], node)
    if not has_api(value):
        return entry, losses
    text = (
        f"{WEBHOOK} makes {API} a part of image names, where no registry has them; read without it"
    )
    return entry, (*losses, Loss(source, text, node))


def _value_problem(value: str) -> str:
    host, _, folder = value.partition("/")
    if value and (name_problem(host, f"{folder}/a".lstrip("/")) or not looks_like_registry(host)):
        return f"{WEBHOOK} makes names of it that nothing can pull"
    return ""


def _registry_of(key: str) -> str:
    head, slash, _ = key.partition("/")
    return head if slash and "." in head else DOCKER_HUB


def _access(settings: Settings) -> Iterator[Access]:
    host = target("https", host_of(settings.endpoint.text), API).host
    ca = pem_of(settings.authority.text)
    found = Access(
        host,
        settings.home,
        not settings.skips_verification,
        ca if ca.strip() else "",
        has_credentials=bool(settings.username.text or settings.password.text),
    )
    if host and found != Access(host, settings.home):
        yield found


def _block(given: MirrorMap, home: str, kept: Sequence[tuple[str, Target]]) -> dict[str, Any]:
    access = given.access_to(home)
    return {
        "endpoint": home,
        "name": home,
        "username": "",
        "password": "",
        "baseContentPath": _base(kept),
        "insecureSkipVerify": not access.is_verified,
        "caCert": access.ca if access.is_verified else "",
        "mirrorRegistries": ",".join(f"{source}::{place.name}" for source, place in kept),
    }


def _base(kept: Sequence[tuple[str, Target]]) -> str:
    """The folder that holds all the others."""
    return posixpath.commonpath([f"/{place.folder}" for _, place in kept]).strip("/")


def _lacking(kept: Sequence[tuple[str, Target]]) -> Iterator[Loss]:
    sources = {source for source, _ in kept}
    if lacking := [each for each in RECOMMENDED if each not in sources]:
        text = f"Palette's clusters take images from {', '.join(lacking)} as well, which are not mirrored: add them"
        yield Loss("", text, by_hand=True)
    if not _base(kept):
        text = "Palette's guide requires a baseContentPath, and these folders have none in common"
        yield Loss("", text, by_hand=True)


def _access_losses(given: MirrorMap, home: str) -> Iterator[Loss]:
    for access in given.access:
        if access.host != home:
            text = (
                "Palette knows settings of its own registry alone: those of this host are left out"
            )
            yield Loss(access.host, text, access.node)
            continue
        if access.is_verified and access.ca_file and not access.ca:
            text = (
                f"Palette takes the certificate itself: paste what is in {access.ca_file} as caCert"
            )
            yield Loss(home, text, access.node, by_hand=True)
        if any(access.client):
            text = "Palette knows no client certificates: nodes do without"
            yield Loss(home, text, access.node)
        if access.has_credentials:
            text = "credentials are not copied: write them into username and password"
            yield Loss(home, text, access.node, by_hand=True)
