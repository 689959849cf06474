"""Other ways to write a pattern or a replacement, where the author's does not mean what it should."""

from __future__ import annotations

import re

from planner.specs.k3s.regexp import GoRegexp
from planner.specs.k3s.rules.samples import compiled

_TIGHT_GROUP = re.compile(r"(?<!\$)\$([0-9]+)([A-Za-z_]\w*)", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {
    **{each: f"[{each}]" for each in ".+*?()|$"},
    **{each: each for each in "/-_:@"},
    "d": "[0-9]",
    "w": "[0-9A-Za-z_]",
}


def with_braces(replacement: str, regexp: GoRegexp) -> str:
    """``$1x`` as ``${1}x`` where the group ``1`` is there and ``1x`` is not."""

    def braced(match: re.Match[str]) -> str:
        is_group = regexp.has_group(match[1]) and not regexp.has_group(match[1] + match[2])
        return f"${{{match[1]}}}{match[2]}" if is_group else match[0]

    return _TIGHT_GROUP.sub(braced, replacement)


def without_backslashes(pattern: str) -> str:
    """The same pattern written without them; empty where that takes more than another name for each escape."""
    wanted = _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), pattern)
    is_plain = "[" not in pattern and "\\" not in wanted and '"' not in wanted
    return wanted if is_plain and compiled(pattern) and compiled(wanted) else ""
