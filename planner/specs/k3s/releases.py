"""Which release of K3s or RKE2 does what. A release that is not named behaves like the newest.

Both products take their containerd and its configuration from the same code, so a patch of Kubernetes stands for both, save
where a build (``+k3s2``) is named. Source: the issues and pull requests of k3s-io/k3s named at each constant.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from planner.core.errors import UsageError
from planner.core.family import NodeFlags

_RELEASE = re.compile(
    r"v?(?P<major>[0-9]+)\.(?P<minor>[0-9]+)\.(?P<patch>[0-9]+)(?:-[0-9A-Za-z.-]+)?"
    r"(?:\+(?P<product>k3s|rke2r)(?P<build>[0-9]+))?"
)
_BETWEEN = "master-"  # a packaged state between releases, which is newer than every gate that could matter to it


class Release(NamedTuple):
    """A release in order; ``product`` is k3s, rke2, or empty when only a Kubernetes version was given."""

    series: tuple[int, int]
    patch: int
    build: int
    product: str = ""


class Since(NamedTuple):
    """From which patch of each minor on something holds: in all later minors, and in no earlier one."""

    firsts: tuple[str, ...]

    def holds(self, release: Release | None) -> bool:
        """Whether it holds for ``release`` (None: the newest)."""
        if release is None:
            return True
        firsts = {each.series: each for each in map(_parsed, self.firsts)}
        if release.series not in firsts:
            return release.series > max(firsts)
        first = firsts[release.series]
        return (release.patch, release.build) >= (first.patch, first.build)

    def __str__(self) -> str:
        return ", ".join(self.firsts)


REWRITES = Since(("v1.20.6",))
"""``rewrite``: PR 3064."""

HOSTS_TOML = Since(("v1.26.13", "v1.27.10", "v1.28.6", "v1.29.1"))
"""hosts.toml in place of config.toml, ``--disable-default-registry-endpoint``, ``--embedded-registry``: #8975, #7007."""

BARE_ENDPOINTS = Since(("v1.26.13+k3s2", "v1.27.10+k3s2", "v1.28.6+k3s2", "v1.29.1+k3s2"))
"""Endpoints without a scheme are usable, of the releases with hosts.toml: #9322."""

MARCH_2024 = Since(("v1.26.15", "v1.27.12", "v1.28.8", "v1.29.3"))
"""The default endpoint may stand last, duplicates are dropped, ``*`` falls back: #9341, #9626, #9693, #9728."""

HOST_TREE = Since(("v1.27.13", "v1.28.9", "v1.29.4"))
"""hosts.toml has a ``[host]`` line, without which containerd refuses a file that has no endpoints: #9839, #9983."""

HUB_CREDENTIALS = Since(("v1.31.11", "v1.32.7", "v1.33.3"))
"""Credentials under docker.io count for registry-1.docker.io: #12561."""

CONTAINERD_2 = Since(("v1.32.2",))
"""containerd 2.0, whose TOML reader takes an IPv6 address in a table's name: #9897."""

REGISTRY_WITH_PATH = Since(
    ("v1.32.13+rke2r2", "v1.33.10+rke2r1", "v1.34.6+rke2r1", "v1.35.3+rke2r1", "v1.36.0+rke2r1")
)
"""RKE2 takes a path in ``--system-default-registry``, K3s never does: rancher/rke2 6ce1a80 pkg/images/images.go:204-220."""

_NO_WILDCARD_FALLBACK = Release((1, 32), 2, 0)


def parse_release(text: str) -> Release | None:
    """The release that ``text`` names; None for the newest, which is what no text and a state of master stand for.

    Raises:
        UsageError: it is no release.
    """
    if not text or text.startswith(_BETWEEN):
        return None
    if not _RELEASE.fullmatch(text):
        raise UsageError(
            f"{text!r} is no release of K3s or RKE2", "write it like v1.35.0+k3s1 or v1.35.0+rke2r1"
        )
    return _parsed(text)


def release_of(flags: NodeFlags) -> Release | None:
    """What runs on the node, after a look whether it has the flags at all.

    Raises:
        UsageError: it is no release, or it does not have one of the flags in this form.
    """
    release = parse_release(flags.release)
    newer = {
        "--disable-default-registry-endpoint": flags.disable_default_endpoint,
        "--embedded-registry": bool(flags.embedded_registry),
    }
    for flag, is_given in newer.items():
        if is_given and not HOSTS_TOML.holds(release):
            raise UsageError(f"{flags.release} has no {flag}", f"it came with {HOSTS_TOML}")
    if release and "/" in flags.system_default_registry and not _takes_path(release):
        raise UsageError(
            f"{flags.release} takes no path in --system-default-registry",
            f"give HOST[:PORT] alone; RKE2 takes a path since {REGISTRY_WITH_PATH}",
        )
    return release


def wildcard_falls_back(release: Release | None) -> bool:
    """Whether an image that a ``*`` mirror lacks is asked of its own registry: not in v1.32.2 (#11857, #11875)."""
    return release is None or release[:2] != _NO_WILDCARD_FALLBACK[:2]


def bare_endpoints_work(release: Release | None) -> bool:
    """Whether an endpoint without a scheme is of use. Of RKE2, no build without the fix is known."""
    return release is None or release.product != "k3s" or BARE_ENDPOINTS.holds(release)


def _takes_path(release: Release) -> bool:
    return release.product != "k3s" and REGISTRY_WITH_PATH.holds(release)


def _parsed(text: str) -> Release:
    match = _RELEASE.fullmatch(text)
    assert match is not None  # noqa: S101 - our own constants, or checked before
    series = (int(match["major"]), int(match["minor"]))
    product = (match["product"] or "").removesuffix("r")
    return Release(series, int(match["patch"]), int(match["build"] or 0), product)
