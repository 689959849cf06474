"""Lists of mirrors that differ between the charts and the Secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from planner.core.document import Spec
from planner.core.lint import Hit, Peer, Severity, rule_across
from planner.specs.palette.counterparts import (
    Pair,
    are_comparable,
    bare_endpoint,
    bare_path,
    pairs,
)
from planner.specs.palette.mirrors import Located, has_api
from planner.specs.palette.settings import Settings, entries


@rule_across("PAL125")
def different_mirrors(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The files send images of one registry to different places.

    The lists are compared as sets, and whether a target has ``/v2`` makes no difference here.

    Source: spectrocloud/librarium 0ccbe0ef docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (step 9: the same values); 02df8c8 eks-ecr-airgap-install.md (both charts).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/a/docker.io,gcr.io::harbor.example.org/a/gcr.io  # <- PAL125
        # file: values.yaml
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/a/docker.io,gcr.io::harbor.example.org/a/google

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/v2/a/docker.io,gcr.io::harbor.example.org/v2/a/gcr.io
        # file: values.yaml
        config:
          ociImageRegistry:
            mirrorRegistries: gcr.io::harbor.example.org/a/gcr.io,docker.io::harbor.example.org/a/docker.io
    """
    for pair in pairs(spec, peers):
        own, other = _targets(pair.spec, pair.own), _targets(pair.peer.spec, pair.other)
        yield from _moved(pair, own, other)
        # What cannot be split may hide a source, and is reported by itself.
        if own and other and _is_whole(pair.peer.spec, pair.other):
            for source in own.keys() - other.keys():
                message = f"{source} is not mirrored in {pair.file}"
                yield Hit(own[source].node, message, elsewhere=pair.there(pair.other.mirrors))
        if own and other and _is_whole(pair.spec, pair.own):
            lacking = sorted(other.keys() - own.keys())
            if lacking:
                message = f"{pair.file} mirrors {', '.join(lacking)}, which is not in this list"
                there = pair.there(pair.other.mirrors)
                yield Hit(pair.own.mirrors.node, message, elsewhere=there)


@rule_across("PAL126", Severity.WARNING)
def different_mirror_forms(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """One file has ``/v2`` in front of the paths of its targets, the other has not.

    The guide wants the same list everywhere, but its readers differ. The image-swap webhook writes a target into the names of
    images, where ``/v2`` is too much. For nodes whose containerd is configured by ``registry.mirrors``, a target with a path
    needs it, since containerd adds ``/v2`` to a bare host only; for nodes with a ``hosts.toml`` it does not.

    Source: spectrocloud/librarium 0ccbe0ef docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (step 9); 0287309b airgap-install/install.md (not the same list for both charts); containerd 301026e
    internal/cri/server/images/image_pull.go.

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/v2/a/docker.io  # <- PAL126
        # file: values.yaml
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/a/docker.io

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/a/docker.io
        # file: values.yaml
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/a/docker.io
    """
    for pair in pairs(spec, peers):
        own, other = _targets(pair.spec, pair.own), _targets(pair.peer.spec, pair.other)
        differing = [
            source
            for source, here in own.items()
            if source in other and has_api(here.entry.target) != has_api(other[source].entry.target)
        ]
        if differing:
            has, lacks = "this list", pair.file
            if not has_api(own[differing[0]].entry.target):
                has, lacks = lacks, has
            names = ", ".join(differing)
            message = f"{has} has /v2 in the target of {names}, {lacks} has not"
            yield Hit(
                pair.own.mirrors.node,
                message,
                "image-swap needs targets without /v2; see which form the nodes of your release need",
                elsewhere=pair.there(pair.other.mirrors),
            )


def _targets(spec: Spec, settings: Settings) -> dict[str, Located]:
    """The pairs of a list by their sources, the last of several counts; none of a list that nobody filled in."""
    found = entries(spec, settings) if are_comparable(settings.mirrors) else ()
    return {each.entry.source: each for each in found if _is_clean(each)}


def _is_same_place(pair: Pair, here: Located, there: Located) -> bool:
    """Whether two targets are the same, or would be if endpoints and base paths were."""
    return here.entry.plain_target == there.entry.plain_target or (
        _within(pair.own, here) == _within(pair.other, there)
    )


def _within(settings: Settings, located: Located) -> str:
    """A target without the endpoint and base path beside its list: when those differ, that is reported by itself."""
    endpoint, base = bare_endpoint(settings.endpoint.text), bare_path(settings.base_path.text)
    target = located.entry.plain_target
    home = f"{endpoint}/{base}" if endpoint and base else ""
    return target.removeprefix(home) if f"{target}/".startswith(f"{home}/") else target


def _is_whole(spec: Spec, settings: Settings) -> bool:
    return all(_is_clean(each) for each in entries(spec, settings))


def _is_clean(located: Located) -> bool:
    """Whether this is a pair, and no half of it is several words: those are reported by themselves."""
    entry = located.entry
    return entry.is_pair and not re.search(r"\s", entry.source + entry.target)


def _moved(pair: Pair, own: dict[str, Located], other: dict[str, Located]) -> Iterable[Hit]:
    for source, here in own.items():
        there = other.get(source)
        if there and not _is_same_place(pair, here, there):
            message = (
                f"{source} goes to {here.entry.target}, but to {there.entry.target} in {pair.file}"
            )
            related = pair.peer.related(there.node, f"the target in {pair.file}")
            yield Hit(here.node, message, "give both files the same target", elsewhere=(related,))
