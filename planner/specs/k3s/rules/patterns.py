"""Mistakes in the patterns of rewrites."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import renamed
from planner.core.refs import DOCKER_HUB
from planner.specs.k3s.regexp import GoRegexp
from planner.specs.k3s.registries import PUBLIC, WILDCARD, endpoint_name, mirrors
from planner.specs.k3s.rules.samples import compiled, is_name, matching_names, refusal, samples


@rule("K3S002")
def invalid_rewrite_pattern(spec: Spec) -> Iterator[Hit]:
    """A rewrite pattern is not a regular expression that Go can read.

    The node logs a warning, skips the rewrite and asks the mirror for the unchanged name, which is usually not there. Go has no
    lookaround, no back-references and no possessive quantifiers.

    Source: k3s-io/containerd core/remotes/docker/resolver.go ``withRewritesFromHost``; rancher/wharfie bb7080c
    pkg/registries/registries.go:89-94.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^(?!rancher/)(.*)": "mirror/$1"  # <- K3S002

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^library/(.*)": "mirror/$1"
    """
    for _, pattern, node in rewrites_of(spec):
        if compiled(pattern) is None:
            message = f"Go cannot read the pattern: {refusal(pattern)}"
            yield Hit(node, message, on_key=True)


@rule("K3S065", Severity.WARNING)
def unanchored_pattern(spec: Spec) -> Iterator[Hit]:
    """A pattern also matches in the middle of a name.

    Go looks for it anywhere: ``rancher/(.*)`` also turns ``foo/rancher/bar`` into ``foo/…``.

    Source: Go 1.22 regexp/regexp.go ``ReplaceAllString``.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "rancher/(.*)": "mirror/$1"  # <- K3S065

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "mirror/$1"
    """
    for mirror, regexp, pattern, node in readable_rewrites(spec):
        if _never_because(spec, mirror, pattern):
            continue
        for sample in samples(pattern):
            name = f"other/{sample}"
            match = regexp.pattern.search(name)
            if match and match.start() > 0 and is_name(name) and sample[0].isalnum():
                message = f"the pattern also matches inside names such as {name!r}"
                yield Hit(node, message, f"write {'^' + pattern!r}", on_key=True)
                break


@rule("K3S068")
def pattern_never_matches(spec: Spec) -> Iterator[Hit]:
    """A pattern waits for a host, a tag or something else that a repository name never has.

    It sees the repository only: no host in front, no tag or digest behind, no leading slash, and all in lower case.

    Source: k3s-io/containerd core/remotes/docker/resolver.go ``base`` (the locator without its host); rancher/wharfie bb7080c
    pkg/registries/registries.go:87.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^docker.io/rancher/(.*)": "mirror/$1"  # <- K3S068
              "^rancher/pause:3.6$": "mirror/pause"  # <- K3S068

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^rancher/(.*)": "mirror/$1"
    """
    for mirror, _, pattern, node in readable_rewrites(spec):
        if problem := _never_because(spec, mirror, pattern):
            yield Hit(
                node,
                f"the pattern never matches: {problem}",
                "match the repository only",
                on_key=True,
            )


@rule("K3S069")
def pattern_without_library(spec: Spec) -> Iterator[Hit]:
    """A pattern waits for an official image of Docker Hub without ``library/`` in front.

    ``docker.io/nginx`` is short for ``docker.io/library/nginx``, and the pattern sees the long form.

    Source: distribution/reference normalize.go (``library/``); rancher/wharfie bb7080c pkg/registries/registries_test.go:121.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^nginx$": "hub/nginx"  # <- K3S069

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^library/nginx$": "hub/nginx"

    Fixed:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
            rewrite:
              "^library/nginx$": "hub/nginx"
    """
    for mirror, _, pattern, node in readable_rewrites(spec):
        names = matching_names(pattern)
        if mirror == DOCKER_HUB and names and not any("/" in name for name in names):
            message = (
                f"the pattern never matches: {names[0]!r} of Docker Hub is 'library/{names[0]}'"
            )
            wanted = _with_library(pattern)
            # Of alternatives only the first would get it, and only behind ^ it stands at the beginning.
            is_evident = pattern.startswith("^") and "|" not in pattern and compiled(wanted)
            taken = {key for key, _ in mirrors(spec)[mirror].get("rewrite").fields()}
            fix = renamed(spec, node.key, wanted, taken) if is_evident else None
            yield Hit(node, message, f"write {wanted!r}", on_key=True, fix=fix)


def rewrites_of(spec: Spec) -> Iterator[tuple[str, str, Node]]:
    """Mirror, pattern and replacement of each rewrite."""
    for name, mirror in mirrors(spec).items():
        for pattern, node in mirror.get("rewrite").fields():
            yield name, pattern, node


def readable_rewrites(spec: Spec) -> Iterator[tuple[str, GoRegexp, str, Node]]:
    """Those that Go can read."""
    for name, pattern, node in rewrites_of(spec):
        if (regexp := compiled(pattern)) is not None:
            yield name, regexp, pattern, node


def _never_because(spec: Spec, mirror: str, pattern: str) -> str:
    made = samples(pattern)
    endpoints = mirrors(spec)[mirror].get("endpoint").items
    known = {mirror, *PUBLIC, *(endpoint_name(node.string()) for node in endpoints)}
    if made and all(each.lstrip("/").partition("/")[0] in known - {WILDCARD} for each in made):
        return "it waits for the registry's host, which it does not see"
    if not made or matching_names(pattern):
        return ""
    if any(":" in each or "@" in each for each in made):
        return "it waits for a tag, a digest or a URL, and sees the repository only"
    if all(each != each.lower() for each in made):
        return "it waits for upper-case letters, which no repository has"
    return f"{made[0]!r} is no repository name"


def _with_library(pattern: str) -> str:
    return pattern.replace("^", "^library/", 1) if pattern.startswith("^") else f"library/{pattern}"
