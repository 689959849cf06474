"""The registries of a KubeOneCluster as a mirror map, and a mirror map as such registries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from planner.core.containerd import attempts
from planner.core.document import Node, Spec
from planner.core.family import NodeFlags
from planner.core.mirror_map import (
    ANY,
    API,
    ELSEWHERE,
    PROBE,
    Access,
    Entry,
    Loss,
    MirrorMap,
    Written,
    exempted,
    losses_of_containerd,
    normal_host,
    read_entry,
    rewrites_loss,
    source_problem,
    targets_of,
)
from planner.core.refs import DOCKER_HUB, ImageRef
from planner.specs.kubeone.manifest import cluster
from planner.specs.kubeone.registries import (
    DEFAULT_KEY,
    host_of,
    mirror_host,
    mirrors,
    registries,
)
from planner.specs.kubeone.registries import (
    entries as keys_and_nodes,
)
from planner.specs.kubeone.render import render

_SYSTEM = "KubeOne"


def read_map(spec: Spec) -> MirrorMap:
    """What nodes that are managed over SSH make of the manifest."""
    root = cluster(spec)
    found: list[Entry] = []
    losses = list(_overwriting(root))
    nodes = {host_of(key): node for key, node in keys_and_nodes(root)}
    files = render(spec, NodeFlags())
    for key, registry in registries(root).items():
        name = ANY if key == DEFAULT_KEY else host_of(key)
        node = nodes.get(name, root.get("registryConfiguration", "overwriteRegistry"))
        tried = attempts(files, ImageRef(ELSEWHERE if name == ANY else name, PROBE, "1"))
        if problem := source_problem(name):
            losses.append(Loss(name, f"{problem}: left out", node))
        elif registry.carries_something:
            entry, repaired = read_entry(name, targets_of(name, tried), node)
            found.append(entry)
            losses.extend(repaired)
    return MirrorMap(tuple(found), tuple(_access(root, found)), tuple(losses))


def write_map(given: MirrorMap) -> Written:
    """The block of a manifest."""
    losses = [*given.losses, *losses_of_containerd(given, _SYSTEM), *_losses(given)]
    blocks = {each.source: _registry(given, each) for each in _entries(given)}
    targets = {target.host for each in given.entries for target in each.targets}
    for access in given.access:
        if not access.is_verified and access.host not in targets:
            blocks.setdefault(access.host, {})["tlsConfig"] = {"insecureSkipVerify": True}
    if not blocks:
        return Written({}, tuple(losses))
    return Written({"containerRuntime": {"containerd": {"registries": blocks}}}, tuple(losses))


def _overwriting(root: Node) -> Iterator[Loss]:
    node = root.get("registryConfiguration", "overwriteRegistry")
    if node.string():
        text = "KubeOne gives the images that it deploys itself another name; others do not, and no mirror is made of it"
        yield Loss("overwriteRegistry", text, node)


def _access(root: Node, found: list[Entry]) -> Iterator[Access]:
    """One for each mirror, and for each registry whose own settings are given."""
    known: dict[str, Access] = {}
    nodes = {host_of(key): node for key, node in keys_and_nodes(root)}
    for key, registry in registries(root).items():
        name = ANY if key == DEFAULT_KEY else host_of(key)
        node = nodes.get(name, root.get("registryConfiguration", "insecureRegistry"))
        has_auth = name != ANY and not node.get("auth").is_null()
        for text in mirrors(node) or (() if name == ANY else (name,)):
            host = normal_host(mirror_host(text), found)
            before = known.get(host, Access(host, node))
            known[host] = before._replace(
                is_verified=before.is_verified and not registry.insecure,
                has_credentials=before.has_credentials or has_auth,
            )
    return (each for each in known.values() if not each.is_verified or each.has_credentials)


def _entries(given: MirrorMap) -> Iterator[Entry]:
    """Those that are written. Docker Hub always has a file of its own, for which ``*`` does not hold."""
    named = {each.source for each in given.entries}
    for each in given.entries:
        is_exception = not each.targets and given.any_other and each.source != DOCKER_HUB
        if not each.rewrites and (each.targets or is_exception):
            yield each
    other = given.any_other
    if other and not other.rewrites and DOCKER_HUB not in named:
        yield other._replace(source=DOCKER_HUB)


def _registry(given: MirrorMap, entry: Entry) -> dict[str, Any]:
    """An entry without places is sent to itself. One setting holds for all mirrors of an entry."""
    if not entry.targets:
        skips = not given.access_to(entry.source).is_verified
        itself = {"mirrors": [f"https://{entry.source}"]}
        return itself | ({"tlsConfig": {"insecureSkipVerify": True}} if skips else {})
    overrides = any(each.root != API for each in entry.targets)
    urls = sorted(each.url if overrides else each.address for each in entry.targets)
    block: dict[str, Any] = {"mirrors": urls}
    if overrides:
        block["overridePath"] = True
    if _verified(given, entry) == {False}:
        block["tlsConfig"] = {"insecureSkipVerify": True}
    return block


def _verified(given: MirrorMap, entry: Entry) -> set[bool]:
    """Whether the certificates of its places are verified."""
    return {
        given.access_to(each.host).is_verified for each in entry.targets if each.scheme == "https"
    }


def _losses(given: MirrorMap) -> Iterator[Loss]:
    for each in given.entries:
        if each.rewrites:
            yield rewrites_loss(each, _SYSTEM)
            continue
        urls = [target.url for target in each.targets]
        if urls != sorted(urls):
            text = f"KubeOne writes mirrors in alphabetical order: nodes ask {min(urls)} first"
            yield Loss(each.source, text, each.node)
        if len(_verified(given, each)) > 1:
            text = "KubeOne verifies the certificates of all mirrors of a registry or of none: now of all"
            yield Loss(each.source, text, each.node)
    targets = {target.host for each in given.entries for target in each.targets}
    for access in given.access:
        yield from _access_losses(access)
        if not access.is_verified and access.host not in targets:
            yield from exempted(given, access.host, f"a TLS setting exempts it from {ANY}")


def _access_losses(access: Access) -> Iterator[Loss]:
    if access.is_verified and (access.ca or access.ca_file):
        text = "KubeOne gives containerd no certificate authority: put it into the trust store of each node"
        yield Loss(access.host, text, access.node, by_hand=True)
    if any(access.client):
        text = "KubeOne gives containerd no client certificate: nodes do without"
        yield Loss(access.host, text, access.node)
    if access.has_credentials:
        text = "credentials are not copied: write them under registriesAuth in the credentials file, for each registry here"
        yield Loss(access.host, text, access.node, by_hand=True)
