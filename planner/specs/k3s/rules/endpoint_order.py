"""Mistakes in which endpoints a mirror has, and in their order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import removed
from planner.specs.k3s.registries import WILDCARD, Endpoint, Listed, listed, mirrors, normalise


@rule("K3S017", Severity.WARNING)
def duplicate_endpoint(spec: Spec) -> Iterator[Hit]:
    """An endpoint stands twice in one mirror.

    K3s writes it once, at its first place.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config_test.go ``Test_UnitGetHostConfigs``.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com
              - https://registry.example.com/v2  # <- K3S017

    Good:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com
              - https://other.example.com

    Fixed:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com
    """
    for _, group in groupby(listed(spec), lambda each: each.mirror):
        first: dict[str | None, Listed] = {}
        for each in group:
            if (rendered := each.rendered) is None:
                continue
            if earlier := first.get(rendered.url):
                message = "this URL stands in the mirror already, and K3s writes it once"
                listing = mirrors(spec)[each.mirror].get("endpoint")
                fix = removed(spec, listing, each.node, is_safe=True)
                related = ((earlier.node, "first here"),)
                yield Hit(each.node, message, "remove one", related=related, fix=fix)
            first.setdefault(rendered.url, each)


@rule("K3S018", Severity.INFO)
def redundant_default_endpoint(spec: Spec) -> Iterator[Hit]:
    """The last endpoint is the registry's own address, which is asked last anyway.

    It matters only under ``--disable-default-registry-endpoint``. K3s merges it with the default, for which it never applies
    rewrites; releases before March 2024 lost the whole entry.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~259-290; k3s-io/k3s#9341, k3s-io/k3s#9626.

    Bad:
        mirrors:
          quay.io:
            endpoint:
              - https://registry.example.com
              - https://quay.io  # <- K3S018

    Good:
        mirrors:
          quay.io:
            endpoint:
              - https://registry.example.com
    """
    for each, is_last in _own_addresses(spec):
        if is_last:
            message = f"{each.text!r} is where images of {each.mirror!r} are asked for last anyway"
            yield Hit(each.node, message, "it counts only with --disable-default-registry-endpoint")


@rule("K3S019", Severity.WARNING)
def default_endpoint_not_last(spec: Spec) -> Iterator[Hit]:
    """The registry's own address is listed before other endpoints.

    It is then an ordinary endpoint: asked before the mirrors that follow it, and with the rewrites applied. The registry itself
    comes once more at the end, without them.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~259-290.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - https://registry-1.docker.io  # <- K3S019
              - https://registry.example.com

    Good:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com
    """
    for each, is_last in _own_addresses(spec):
        if not is_last:
            message = f"the nodes ask {each.text!r} itself before the mirrors that follow, and with the rewrites applied"
            yield Hit(each.node, message, "remove it: the registry itself is always asked last")


def own_address(mirror: str) -> Endpoint | None:
    """Where images of this registry are asked for without configuration."""
    return None if mirror == WILDCARD else normalise(mirror)


def _own_addresses(spec: Spec) -> Iterator[tuple[Listed, bool]]:
    """Endpoints that are their registry's own address, and whether they stand last."""
    for name, group in groupby(listed(spec), lambda each: each.mirror):
        members, own = list(group), own_address(name)
        for each in members:
            rendered = each.rendered
            if own and rendered and rendered.url == own.url:
                yield each, each is members[-1]
