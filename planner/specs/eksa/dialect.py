"""``registryMirrorConfiguration`` as a mirror map, and a mirror map as that block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from planner.core.document import Spec
from planner.core.gourl import split_port
from planner.core.mirror_map import (
    ANY,
    API,
    Access,
    Entry,
    Loss,
    MirrorMap,
    Written,
    further_loss,
    losses_of_containerd,
    read_entry,
    rewrites_loss,
    source_problem,
    target,
)
from planner.core.refs import name_problem
from planner.specs.eksa.mirror import (
    CORE_REGISTRY,
    CURATED_REGISTRY,
    DEFAULT_PORT,
    configuration,
    mirror_of,
)

_SYSTEM = "EKS Anywhere"


def read_map(spec: Spec) -> MirrorMap:
    """What the nodes make of the block, whose host is reached by TLS alone."""
    mirror, block = mirror_of(spec), configuration(spec)
    if mirror is None:
        return MirrorMap()
    nodes = {each.get("registry").string(): each for each in block.get("ociNamespaces").items}
    entries: list[Entry] = []
    losses: list[Loss] = []
    for source, place in mirror.places.items():
        node = nodes.get(source, block)
        host, _, folder = place.partition("/")
        problem = source_problem(source)
        if not problem and name_problem(host, "image"):
            problem = "no image can be pulled from the endpoint as it is written"
        if problem:
            losses.append(Loss(source, f"{problem}: left out", node))
            continue
        entry, found = read_entry(source, [target("https", host, f"{API}/{folder}")], node)
        entries.append(entry)
        losses.extend(found)
    host = target("https", mirror.base, API).host
    access = Access(host, block, mirror.is_verified, mirror.ca, has_credentials=mirror.has_auth)
    said = () if access == Access(host, block) else (access,)
    return MirrorMap(tuple(entries), said, tuple(losses))


def write_map(given: MirrorMap) -> Written:
    """The block of a Cluster: one host, and a namespace on it for each registry."""
    losses = [*given.losses, *losses_of_containerd(given, _SYSTEM)]
    usable: list[Entry] = []
    for each in given.entries:
        if loss := _unusable(each):
            losses.append(loss)
        elif each.targets:
            usable.append(each)
    host = Counter(each.targets[0].host for each in usable).most_common(1)[0][0] if usable else ""
    kept, found = _kept(usable, host)
    losses += found
    if not kept:
        return Written({}, tuple(losses))
    losses.extend(_access_losses(given, host))
    block = _block(given.access_to(host), host, kept)
    return Written({"spec": {"registryMirrorConfiguration": block}}, tuple(losses))


def _unusable(entry: Entry) -> Loss | None:
    """Why an entry cannot be written whatever the host."""
    if entry.source == ANY and entry.targets:
        text = "EKS Anywhere mirrors the registries that are named, and no others: nodes ask those themselves"
        return Loss(ANY, text, entry.node)
    if entry.rewrites:
        return rewrites_loss(entry, _SYSTEM)
    if entry.source != entry.source.lower():
        return Loss(entry.source, "EKS Anywhere compares letter for letter: left out", entry.node)
    first = entry.targets[0] if entry.targets else None
    if first and (
        first.folder is None or name_problem(first.host, f"{first.folder}/a".lstrip("/"))
    ):
        text = f"EKS Anywhere puts {API} and a namespace behind the host, so it cannot ask {first.url}: left out"
        return Loss(entry.source, text, entry.node)
    return None


def _kept(usable: Sequence[Entry], host: str) -> tuple[list[Entry], list[Loss]]:
    kept: list[Entry] = []
    losses: list[Loss] = []
    has_curated = False
    for each in usable:
        is_curated = CURATED_REGISTRY.fullmatch(each.source) is not None
        first = each.targets[0]
        if first.host != host:
            text = f"EKS Anywhere knows one mirror, here {host}: left out, so nodes ask the registry itself"
            losses.append(Loss(each.source, text, each.node))
        elif is_curated and has_curated:
            text = "EKS Anywhere takes one registry of curated packages: left out"
            losses.append(Loss(each.source, text, each.node))
        else:
            has_curated = has_curated or is_curated
            kept.append(each)
            losses.extend(_losses_of(each))
    if kept and CORE_REGISTRY not in {each.source for each in kept}:
        text = f"EKS Anywhere's own images come from {CORE_REGISTRY}, which is not mirrored: add it to ociNamespaces"
        losses.append(Loss("", text, by_hand=True))
    return kept, losses


def _losses_of(entry: Entry) -> Iterator[Loss]:
    if entry.targets[1:]:
        yield further_loss(entry, _SYSTEM)
    if entry.targets[0].scheme == "http":
        text = f"EKS Anywhere asks {entry.targets[0].host} by https alone, before it was plain http"
        yield Loss(entry.source, text, entry.node)


def _block(access: Access, host: str, kept: Sequence[Entry]) -> dict[str, Any]:
    name, port = split_port(host)
    block: dict[str, Any] = {"endpoint": name.strip("[]"), "port": port or DEFAULT_PORT}
    if not access.is_verified:
        block["insecureSkipVerify"] = True
    elif access.ca:
        block["caCertContent"] = access.ca
    if access.has_credentials:
        block["authenticate"] = True
    block["ociNamespaces"] = [
        {"registry": each.source, "namespace": each.targets[0].folder} for each in kept
    ]
    return block


def _access_losses(given: MirrorMap, host: str) -> Iterator[Loss]:
    for access in given.access:
        if access.host != host:
            yield _elsewhere(access)
            continue
        if access.is_verified and access.ca_file and not access.ca:
            text = f"EKS Anywhere takes the certificate itself: paste what is in {access.ca_file} as caCertContent"
            yield Loss(host, text, access.node, by_hand=True)
        if any(access.client):
            text = "EKS Anywhere knows no client certificates: nodes do without"
            yield Loss(host, text, access.node)
        if access.has_credentials:
            text = "credentials are not copied: export REGISTRY_USERNAME and REGISTRY_PASSWORD before each command"
            yield Loss(host, text, access.node, by_hand=True)


def _elsewhere(access: Access) -> Loss:
    text = "EKS Anywhere knows settings of the mirror alone: those of this host are left out"
    return Loss(access.host, text, access.node)
