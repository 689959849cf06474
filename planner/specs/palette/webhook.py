"""What the image-swap webhook can do for a mirror map, whichever file tells it.

It writes another name into the pod once and for all, so there is one place for a registry and no way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.core.mirror_map import (
    ANY,
    Entry,
    Loss,
    MirrorMap,
    Target,
    further_loss,
    rewrites_loss,
)
from planner.core.refs import DOCKER_HUB, name_problem

WEBHOOK = "the webhook"
Pair = tuple[Entry, Target]


def swappable(given: MirrorMap) -> tuple[list[Pair], list[Loss]]:
    """The entries for named registries that the webhook can follow, with their places, and why it cannot follow the others."""
    hosts = {place.host for each in given.entries for place in each.targets[:1]}
    pairs: list[Pair] = []
    losses: list[Loss] = []
    for each in given.entries:
        if not each.targets or each.source == ANY:
            continue
        if loss := problem_of(each, hosts):
            losses.append(loss)
            continue
        pairs.append((each, each.targets[0]))
        losses.extend(losses_of(each))
    return pairs, losses


def problem_of(entry: Entry, hosts: set[str]) -> Loss | None:
    """Why an entry has to be left out; None when it need not."""
    place = entry.targets[0]
    if entry.rewrites:
        return rewrites_loss(entry, WEBHOOK)
    if entry.source != ANY and "." not in entry.source:
        text = f"{WEBHOOK} takes {entry.source} for a folder of Docker Hub: left out"
    elif place.folder is None or name_problem(place.host, f"{place.folder}/a".lstrip("/")):
        text = f"an image has no name at {place.url}: left out, so nodes ask the registry itself"
    elif "." not in place.host:
        text = f"{WEBHOOK} takes {place.host} for a folder of Docker Hub, and would rename images again: left out"
    elif {each for each in hosts if entry.source in (each, each.partition(":")[0])}:
        text = f"{WEBHOOK} would rename what it has sent there before: left out"
    else:
        return None
    return Loss(entry.source, text, entry.node)


def losses_of(entry: Entry) -> Iterator[Loss]:
    """What is lost of an entry that is kept."""
    if entry.targets[1:]:
        yield further_loss(entry, WEBHOOK)
    if entry.targets[0].scheme == "http":
        text = f"a name has no scheme: nodes ask {entry.targets[0].host} by https, before it was plain http"
        yield Loss(entry.source, text, entry.node)


def no_fallback(given: MirrorMap) -> Iterator[Loss]:
    """The registry itself is out of reach once an image has another name."""
    if given.falls_back and any(each.targets for each in given.entries):
        text = f"{WEBHOOK} renames images: nodes no longer ask the registry itself for what the mirror has not"
        yield Loss("", text)


def short_names_loss(given: MirrorMap, pairs: Sequence[Pair]) -> Loss | None:
    """What becomes of official images by their short names in a list that has no word for them."""
    for entry, place in pairs:
        if entry.source == DOCKER_HUB and given.completes_names:
            text = "an image written without a folder (nginx) is looked for at"
            places = f"{place.name}/nginx, before at {place.name}/library/nginx"
            return Loss(DOCKER_HUB, f"{text} {places}", entry.node)
    return None
