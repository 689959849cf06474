"""Rules about several specs of a project, of whatever families: what one of them says that another denies.

They report on the spec at hand; the others are context. Which images a cluster runs is known as far as planner.yaml or
the spec itself says it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from planner.core.document import Spec
from planner.core.errors import InputError
from planner.core.family import Family, Need, Trust
from planner.core.lint import Hit, Peer, Related, Rule, Severity, rule_across
from planner.core.lock import FILE_NAME, Pins, uncovered, unneeded
from planner.core.text import first_few, plural
from planner.peers import Peers
from planner.specs import family_named


class Neighbour(NamedTuple):
    """A spec of the project, and what its cluster needs; nothing when that is not known.

    ``pins`` are those of the project's lock; None without one.
    """

    spec: Spec
    family: Family
    needs: tuple[Need, ...] = ()
    pins: Pins | None = None


_Check = Callable[[Neighbour, Sequence[Neighbour]], Iterable[Hit]]


class _Across(NamedTuple):
    """A rule that is bound to a project before it runs."""

    rule: Rule
    check: _Check

    def bound(self, own: Neighbour, others: Sequence[Neighbour]) -> Rule:
        return self.rule._replace(check=lambda _spec, _peers: self.check(own, others))


def _across(code: str, severity: Severity) -> Callable[[_Check], _Across]:
    def make(check: _Check) -> _Across:
        def alone(_spec: Spec, _peers: Sequence[Peer]) -> Iterable[Hit]:
            return ()

        alone.__name__, alone.__doc__ = check.__name__, check.__doc__
        return _Across(rule_across(code, severity)(alone), check)

    return make


def rules_across(spec: Spec, family: Family, peers: Peers) -> list[Rule]:
    """The rules, bound to a spec and those that it can be compared with."""
    own = Neighbour(spec, family, peers.needs(spec), _pins(peers))
    others = [
        Neighbour(peer.spec, found, peers.needs(peer.spec))
        for peer in peers.of(spec)
        if (found := family_named(peer.family))
    ]
    return [each.bound(own, others) for each in _RULES]


def rules_of_config(spec: Spec, peers: Peers) -> list[Rule]:
    """The rules about a planner.yaml and what it names, bound to it."""
    return [stale_lock.rule._replace(check=lambda _spec, _peers: _superfluous_pins(spec, peers))]


def _pins(peers: Peers) -> Pins | None:
    """Those of the lock; one that is damaged is a finding of planner.yaml."""
    try:
        lock = peers.lock()
    except InputError:
        return None
    return lock.pins if lock else None


@_across("ACR001", Severity.WARNING)
def contradicting_registry(own: Neighbour, others: Sequence[Neighbour]) -> Iterator[Hit]:
    """Two specs contradict each other about how to reach one registry.

    One sends its nodes to it over plain HTTP and the other over TLS, one verifies its certificate and the other does not, or
    each gives another certificate authority. At most one of them describes the registry as it is; with a wrong scheme or
    authority, the nodes of the other cannot pull from it at all.

    Source: what each system makes of its settings: see the rules of its family.

    Bad:
        mirrors:
          quay.io:
            endpoint:
              - http://registry.example.com/v2/quay  # <- ACR001
        # file: kubeone.yaml
        apiVersion: kubeone.k8c.io/v1beta2
        kind: KubeOneCluster
        registryConfiguration:
          overwriteRegistry: registry.example.com

    Good:
        mirrors:
          quay.io:
            endpoint:
              - https://registry.example.com/v2/quay
        # file: kubeone.yaml
        apiVersion: kubeone.k8c.io/v1beta2
        kind: KubeOneCluster
        registryConfiguration:
          overwriteRegistry: registry.example.com
    """
    known = [(other, each) for other in others for each in _trusts(other.spec, other.family.name)]
    seen: set[str] = set()
    for mine in _trusts(own.spec, own.family.name):
        for other, theirs in known:
            says = _contradiction(mine, theirs)
            if says and mine.host not in seen:
                seen.add(mine.host)
                yield Hit(
                    mine.node,
                    f"{mine.host}: {says}, see {other.spec.file}",
                    "find out which is right, and let both say it",
                    elsewhere=(Related(other.spec.file, theirs.node.place, "the other one"),),
                )


@lru_cache(maxsize=1024)
def _trusts(spec: Spec, family: str) -> tuple[Trust, ...]:
    """Those of one spec, which is compared with all the others in turn."""
    found = family_named(family)
    return tuple(found.images().trusts(spec)) if found else ()


def _contradiction(mine: Trust, theirs: Trust) -> str:
    if not mine.host or mine.host != theirs.host:
        return ""
    if mine.is_tls != theirs.is_tls:
        ways = ("over plain HTTP", "over TLS")
        return f"reached {ways[mine.is_tls]} here and {ways[theirs.is_tls]} elsewhere"
    if mine.is_verified != theirs.is_verified:
        ways = ("is not verified", "is verified")
        return f"its certificate {ways[mine.is_verified]} here and {ways[theirs.is_verified]} elsewhere"
    if mine.ca and theirs.ca and _bodies(mine.ca) != _bodies(theirs.ca):
        return "the certificate authority given here is another one elsewhere"
    return ""


def _bodies(pem: str) -> str:
    """The certificates themselves, however their lines are broken."""
    return re.sub(r"-----[^-]*-----|\s", "", pem)


@_across("ACR002", Severity.ERROR)
def colliding_targets(own: Neighbour, others: Sequence[Neighbour]) -> Iterator[Hit]:
    """Two sources are sent to one name on the private registry.

    A name there can hold one image only: whichever is copied last is what the nodes of both clusters get, and the digest of the
    other no longer matches. ``planner plan`` refuses such a pair.

    Source: OCI distribution specification 1.1, "Pushing Manifests": a tag is moved by the next push.

    Bad:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com"]
          quay.io:  # <- ACR002
            endpoint: ["https://registry.example.com"]
        # file: planner.yaml
        version: 1
        clusters:
          - {name: edge, spec: registries.yaml, images: [images.txt]}
        # file: images.txt
        docker.io/prometheus/node-exporter:v1
        quay.io/prometheus/node-exporter:v1

    Good:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com"]
          quay.io:
            endpoint: ["https://registry.example.com"]
            rewrite: {"^(.*)$": "quay/$1"}
        # file: planner.yaml
        version: 1
        clusters:
          - {name: edge, spec: registries.yaml, images: [images.txt]}
        # file: images.txt
        docker.io/prometheus/node-exporter:v1
        quay.io/prometheus/node-exporter:v1
    """
    theirs = _by_target(others)
    first: dict[str, Need] = {}
    pairs: dict[tuple[str, str], list[str]] = {}
    for need in own.needs:
        if need.target:
            name = str(need.target)
            rivals = [(first.setdefault(name, need), own), *theirs.get(name, ())]
            for rival, owner in rivals:
                if rival.source != need.source:
                    where = "" if owner is own else f" (for {owner.spec.file})"
                    said = f"{need.source} and {rival.source}{where} are both sent to {name}"
                    pair = (need.source.registry, rival.source.registry)
                    pairs.setdefault(pair, []).append(said)
    map_node = own.family.images().mirror_map(own.spec)
    for (registry, _), said_of_pair in pairs.items():
        more = len(said_of_pair) - 1
        rest = f", and so {plural(more, 'more pair')}" if more else ""
        hint = "give each source registry a path of its own on the private registry"
        yield Hit(map_node.get(registry) or map_node, said_of_pair[0] + rest, hint, on_key=True)


def _by_target(others: Sequence[Neighbour]) -> dict[str, list[tuple[Need, Neighbour]]]:
    found: dict[str, list[tuple[Need, Neighbour]]] = {}
    for other in others:
        for need in other.needs:
            if need.target:
                found.setdefault(str(need.target), []).append((need, other))
    return found


@_across("ACR003", Severity.WARNING)
def uncovered_images(own: Neighbour, _others: Sequence[Neighbour]) -> Iterator[Hit]:
    """The mirror map leaves out a registry from which the cluster runs images.

    The nodes ask that registry itself. Behind a private registry that usually means: not at all.

    Source: containerd core/remotes/docker/config/hosts.go: a registry without a folder of its own is asked directly.

    Bad:
        mirrors:  # <- ACR003
          docker.io:
            endpoint: ["https://registry.example.com"]
        # file: planner.yaml
        version: 1
        clusters:
          - {name: edge, spec: registries.yaml, images: [images.txt]}
        # file: images.txt
        docker.io/library/alpine:3
        quay.io/prometheus/node-exporter:v1

    Good:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com"]
          quay.io:
            endpoint: ["https://registry.example.com"]
        # file: planner.yaml
        version: 1
        clusters:
          - {name: edge, spec: registries.yaml, images: [images.txt]}
        # file: images.txt
        docker.io/library/alpine:3
        quay.io/prometheus/node-exporter:v1
    """
    node = own.family.images().mirror_map(own.spec)
    if not node or not any(need.home for need in own.needs):
        return
    missed: dict[str, dict[str, None]] = {}
    for need in own.needs:
        if need.home is None:
            missed.setdefault(need.source.registry, {})[str(need.source)] = None
    for registry, sources in missed.items():
        asked = f"{plural(len(sources), 'image')} ({first_few(sources)})"
        message = f"{registry} is not mirrored: nodes ask it directly for {asked}"
        yield Hit(node, message, f"add {registry} to the mirrors", on_key=True)


@_across("ACR004", Severity.WARNING)
def stale_lock(own: Neighbour, _others: Sequence[Neighbour]) -> Iterator[Hit]:
    """The lock does not fit what the clusters of planner.yaml need.

    An image that ``planner.lock`` does not pin is planned as its tag is at that moment, so two plans of one commit may differ,
    and ``planner plan --locked`` refuses. In planner.yaml it is reported when the lock pins what no cluster needs any more, or
    is damaged.

    Source: planner itself: ``planner plan --lock`` writes the lock.

    Bad:
        mirrors:  # <- ACR004
          docker.io:
            endpoint: ["https://registry.example.com"]
        # file: planner.yaml
        version: 1
        clusters:
          - {name: edge, spec: registries.yaml, images: [images.txt]}
        # file: images.txt
        docker.io/library/alpine:3
        # file: planner.lock
        {"format": "planner.lock/1", "sources": {}}

    Good:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com"]
        # file: planner.yaml
        version: 1
        clusters:
          - {name: edge, spec: registries.yaml, images: [images.txt]}
        # file: images.txt
        docker.io/library/alpine:3
        # file: planner.lock
        {"format": "planner.lock/1", "sources": {
        "docker.io/library/alpine:3": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        }}
    """
    missing = uncovered(own.needs, own.pins) if own.pins is not None else ()
    if missing:
        node = own.family.images().mirror_map(own.spec) or own.spec.root
        message = f"{FILE_NAME} does not pin {plural(len(missing), 'image')} that this cluster needs ({first_few(missing)})"
        yield Hit(node, message, "planner plan --lock adds them", on_key=True)


def _superfluous_pins(spec: Spec, peers: Peers) -> Iterator[Hit]:
    """What is wrong with the lock as a whole."""
    node = spec.root.get("clusters")
    try:
        lock = peers.lock()
    except InputError as error:
        yield Hit(node, error.message, error.hint, on_key=True, severity=Severity.ERROR)
        return
    needs = peers.all_needs() if lock else None
    if lock is None or needs is None:
        return
    if more := unneeded(needs, lock.pins):
        message = f"{FILE_NAME} pins {plural(len(more), 'image')} that no cluster needs ({first_few(more)})"
        yield Hit(node, message, "planner plan --lock drops them", on_key=True)


_RULES = (contradicting_registry, colliding_targets, uncovered_images, stale_lock)
RULES: tuple[Rule, ...] = tuple(each.rule for each in _RULES)
