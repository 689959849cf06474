"""registries.yaml as a mirror map, and a mirror map as registries.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from planner.core.containerd import attempts
from planner.core.document import ABSENT, Spec
from planner.core.family import NodeFlags
from planner.core.mirror_map import (
    ANY,
    ELSEWHERE,
    PROBE,
    Access,
    Entry,
    Loss,
    MirrorMap,
    Target,
    Written,
    exempted,
    losses_of_containerd,
    normal_host,
    read_entry,
    source_problem,
    targets_of,
)
from planner.core.refs import ImageRef
from planner.specs.k3s.registries import Tls, configs, hosts, mirrors, rewrites
from planner.specs.k3s.render import render, rewrite_repository

_SYSTEM = "K3s"
_CERTIFICATES = "/etc/ssl/certs"


def read_map(spec: Spec) -> MirrorMap:
    """What the agent makes of the file, without any flags."""
    entries: list[Entry] = []
    losses: list[Loss] = []
    rendered = hosts(spec, NodeFlags())
    for name in dict.fromkeys((*mirrors(spec), *rendered)):
        node = mirrors(spec).get(name, ABSENT)
        places = _targets(spec, name)
        if problem := source_problem(name):
            losses.append(Loss(name, f"{problem}: left out", node))
        elif places or name in rendered:
            entry, found = read_entry(name, places, node or configs(spec)[name], rewrites(node))
            entries.append(entry)
            losses.extend(found)
        elif node.get("endpoint").items:
            losses.append(Loss(name, "K3s uses none of its endpoints: left out", node))
    return MirrorMap(tuple(entries), tuple(_access(spec, entries)), tuple(losses))


def write_map(given: MirrorMap) -> Written:
    """The file, with nothing left out but secrets."""
    losses = [*given.losses, *_losses(given)]
    document: dict[str, Any] = {}
    if redirected := {each.source: _mirror(each) for each in given.entries if each.targets}:
        document["mirrors"] = redirected
    if settings := {each.host: {"tls": tls} for each in given.access if (tls := _tls(given, each))}:
        document["configs"] = settings
    return Written(document, tuple(losses))


def _targets(spec: Spec, name: str) -> tuple[Target, ...]:
    image = ImageRef(ELSEWHERE if name == ANY else name, PROBE, "1")
    tried = attempts(render(spec, NodeFlags()), image, rewriter=rewrite_repository)
    return targets_of(name, tried)


def _access(spec: Spec, entries: list[Entry]) -> Iterator[Access]:
    for name, node in configs(spec).items():
        tls = node.get("tls")
        found = Access(
            normal_host(name, entries),
            node,
            not tls.get("insecure_skip_verify").is_true(),
            ca_file=tls.get("ca_file").string(),
            client=(tls.get("cert_file").string(), tls.get("key_file").string()),
            has_credentials=not node.get("auth").is_null(),
        )
        if name != ANY and found != Access(found.host, node):
            yield found


def _mirror(entry: Entry) -> dict[str, Any]:
    mirror: dict[str, Any] = {"endpoint": [each.address for each in entry.targets]}
    return mirror | ({"rewrite": dict(entry.rewrites)} if entry.rewrites else {})


def _tls(given: MirrorMap, access: Access) -> dict[str, Any]:
    """The settings of a host that is asked over TLS; an authority verifies nothing where nothing is verified."""
    schemes = {
        each.scheme for entry in given.entries for each in entry.targets if each.host == access.host
    }
    if schemes == {"http"}:
        return {}
    file = access.ca_file or (_file_of(access) if access.ca else "")
    tls = Tls(file if access.is_verified else "", *access.client, not access.is_verified)
    return {key: value for key, value in tls._asdict().items() if value}


def _file_of(access: Access) -> str:
    return f"{_CERTIFICATES}/{access.host.partition(':')[0].strip('[]')}.pem"


def _losses(given: MirrorMap) -> Iterator[Loss]:
    flag = "start the agents with --disable-default-registry-endpoint"
    yield from losses_of_containerd(given, _SYSTEM, flag)
    for each in given.entries:
        own = given.access_to(each.source)
        is_exempt = own.has_credentials or _tls(given, own)
        if not each.targets and given.any_other and not is_exempt:
            text = f"K3s has no exception from {ANY} without settings of its own: its images come from the mirror, too"
            yield Loss(each.source, text, each.node)
    for access in given.access:
        if _tls(given, access):
            yield from exempted(given, access.host, f"TLS settings exempt it from {ANY}")
        if access.ca and access.is_verified:
            text = f"the certificate authority has to be in {_file_of(access)} on each node"
            yield Loss(access.host, text, access.node, by_hand=True)
        if access.has_credentials:
            text = f'credentials are not copied: write them under configs."{access.host}".auth'
            yield Loss(access.host, text, access.node, by_hand=True)
