"""Limits on pulls, as a registry states them with its answers.

Source: docker/docs content/manuals/docker-hub/usage/pulls.md: the headers ``ratelimit-limit: 100;w=21600`` and
``ratelimit-remaining: 20;w=21600`` come with every answer about a manifest; a GET counts as a pull, a HEAD does not. Numbers
and windows change: only the headers tell them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

_FORM = re.compile(r"\s*(\d{1,12})\s*(?:;\s*w=(\d{1,9}))?")


class Quota(NamedTuple):
    """``limit`` pulls in each window of ``window`` seconds (0: not said), of which ``remaining`` are left."""

    limit: int
    remaining: int
    window: int = 0

    def windows_for(self, pulls: int) -> int:
        """How many further windows ``pulls`` take, beyond what is left in this one."""
        return max(0, ceil((pulls - self.remaining) / max(1, self.limit)))


def read_quota(headers: Mapping[str, str]) -> Quota | None:
    """The quota that an answer's headers state; None: there is none for this caller."""
    limit = _FORM.match(headers.get("ratelimit-limit", ""))
    remaining = _FORM.match(headers.get("ratelimit-remaining", ""))
    if not limit or not remaining:
        return None
    return Quota(int(limit[1]), int(remaining[1]), int(limit[2] or remaining[2] or 0))
