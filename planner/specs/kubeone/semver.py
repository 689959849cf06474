"""Versions and constraints as KubeOne's image table and validation read them.

Source: Masterminds/semver v3.5.0 version.go (``NewVersion`` in its lenient form) and constraints.go; kubermatic/kubeone v1.14.2
pkg/templates/images/images.go (the constraints in use).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(
    r"v?(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_CONSTRAINT = re.compile(
    r"(?P<operator>>=|<)?\s*(?P<major>[0-9]+)\.(?P<minor>[0-9]+)(?:\.(?:x|0))?"
)


class Version(NamedTuple):
    """Three numbers; ``pre`` is what stands after the hyphen. Only versions without one can be ordered."""

    major: int
    minor: int
    patch: int = 0
    pre: str = ""

    @property
    def series(self) -> str:
        """Major and minor: ``1.35``."""
        return f"{self.major}.{self.minor}"

    @property
    def numbers(self) -> tuple[int, int, int]:
        """The three numbers, for ordering."""
        return (self.major, self.minor, self.patch)


def parse_version(text: str) -> Version | None:
    """``text`` as a version, or None. A missing minor or patch is 0; build metadata is read over."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    major, minor, patch = (int(match[part] or 0) for part in ("major", "minor", "patch"))
    return Version(major, minor, patch, match["pre"] or "")


def satisfies(version: Version, constraint: str) -> bool:
    """Whether ``version`` is within one of the forms ``*``, ``1.34.x``, ``>= 1.36``, ``>=1.36.x``, ``< 1.31``.

    A pre-release satisfies none of them, because none of them names one.
    """
    if version.pre:
        return False
    if constraint == "*":
        return True
    match = _CONSTRAINT.fullmatch(constraint)
    if match is None:
        raise ValueError(f"unknown constraint {constraint!r}")
    bound = (int(match["major"]), int(match["minor"]))
    match match["operator"]:
        case ">=":
            return version[:2] >= bound
        case "<":
            return version[:2] < bound
        case _:
            return version[:2] == bound
