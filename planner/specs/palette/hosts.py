"""Hosts of registries: which are known by their names, and which can be none."""

from __future__ import annotations

import re

from planner.core.refs import looks_like_registry, name_problem

DOCKER_HUB = "docker.io"
HUB_ALIASES = frozenset({"index.docker.io", "registry-1.docker.io"})
# What the images of Palette and of the clusters that it builds come from.
# Source: spectrocloud/librarium 0f4d328 _partials/self-hosted/kubernetes-install/_kubernetes-install-image-swap.mdx (comment of
# the chart); validator-labs/validatorctl 34285c6 pkg/config/constants.go RegistryMirrors.
RECOMMENDED = (
    DOCKER_HUB,
    "gcr.io",
    "ghcr.io",
    "k8s.gcr.io",
    "registry.k8s.io",
    "quay.io",
    "us-docker.pkg.dev",
)
_PUBLIC = frozenset(
    {
        *RECOMMENDED,
        *HUB_ALIASES,
        "public.ecr.aws",
        "mcr.microsoft.com",
        "nvcr.io",
        "registry.gitlab.com",
        "registry.redhat.io",
        "registry.access.redhat.com",
        "docker.elastic.co",
        "cr.l5d.io",
        "xpkg.upbound.io",
        "lscr.io",
        "icr.io",
    }
)
_HIGHEST_PORT = 65535
_GOOGLE = re.compile(r"(?:us|eu|asia)\.gcr\.io|[a-z]+(?:-[a-z]+\d+)?-docker\.pkg\.dev")
_LOOKALIKES = {
    "docker.com": DOCKER_HUB,
    "hub.docker.com": DOCKER_HUB,
    "registry.hub.docker.com": DOCKER_HUB,
    "registry-1.docker.io": DOCKER_HUB,
    "quay.com": "quay.io",
    "registry.kubernetes.io": "registry.k8s.io",
}


def is_upstream(host: str) -> bool:
    """Whether a host is a public registry from which images come that a private one replaces.

    Amazon's public registry can be either: there, anybody has an alias of his own.
    """
    return host != "public.ecr.aws" and (host in _PUBLIC or _GOOGLE.fullmatch(host) is not None)


def meant_host(host: str) -> str:
    """The registry that ``host`` was probably meant to be; empty when it is one itself, or unlike any."""
    if host in _LOOKALIKES:
        return _LOOKALIKES[host]
    if host in _PUBLIC or _GOOGLE.fullmatch(host):
        return ""
    return next((each for each in sorted(_PUBLIC) if _is_one_slip(host, each)), "")


def address_problem(address: str) -> str:
    """Why ``host[:port][/path]`` cannot begin an image name; empty when it can."""
    host, slash, path = address.partition("/")
    _, colon, port = host.rpartition(":")
    if "@" in host:
        return "holds credentials: they belong into username and password"
    if colon and not (port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT):
        return f"has {port!r} for a port"
    if problem := name_problem(host, path if slash else "repository"):
        return f"begins no image name: {problem}"
    if not looks_like_registry(host):
        return f"is {host!r}, which in an image name is a namespace of Docker Hub"
    return ""


def _is_one_slip(one: str, other: str) -> bool:
    """Whether one letter more, less or other, or two that changed places, make the difference."""
    start = _common(one, other)
    end = min(_common(one[::-1], other[::-1]), len(one) - start, len(other) - start)
    rest, wanted = one[start : len(one) - end], other[start : len(other) - end]
    is_swap = len(rest) == 2 and rest == wanted[::-1]
    return one != other and (is_swap or max(len(rest), len(wanted)) <= 1)


def _common(one: str, other: str) -> int:
    """How many letters at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
