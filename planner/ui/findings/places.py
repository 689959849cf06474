"""Where a finding is, in the words of other programs, and how they know it again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from planner.core.fingerprint import fingerprint
from planner.core.lint import Finding


def relative_path(file: str) -> str:
    """``file`` from the working directory with ``/``; as it was given when it is not below that."""
    path = Path(os.path.abspath(file))  # noqa: PTH100 - a link keeps the name that people know
    here = Path.cwd()
    if path != here and path.is_relative_to(here):
        return path.relative_to(here).as_posix()
    return Path(file).as_posix()


def numbered_fingerprints() -> Callable[[Finding], tuple[str, int]]:
    """A function that tells a finding's fingerprint and how many have had the same one, itself included."""
    seen: Counter[str] = Counter()

    def number(finding: Finding) -> tuple[str, int]:
        own = fingerprint(finding._replace(file=relative_path(finding.file)))
        seen[own] += 1
        return own, seen[own]

    return number
