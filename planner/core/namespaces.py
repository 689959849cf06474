"""What must exist before anything can be pushed: Harbor's projects, ECR's repositories, Quay's organisations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

State = Literal["there", "missing", "unknown"]
NamespaceOp = Literal["create", "same", "blocked", "unknown"]


class Freeze(NamedTuple):
    """Tags that cannot be moved once they are pushed.

    Both are patterns in the way of Harbor (bmatcuk/doublestar: ``*`` ``**`` ``?`` ``[a-z]`` ``{a,b}``), ``repositories`` of
    the name below the namespace; ``except_…`` turns a pattern around.
    """

    repositories: str = "**"
    tags: str = "**"
    except_repositories: bool = False
    except_tags: bool = False

    def holds(self, repository: str, tag: str) -> bool:
        """Whether a tag of a repository (its name below the namespace) is frozen."""
        is_repository = bool(_pattern(self.repositories).fullmatch(repository))
        is_tag = bool(_pattern(self.tags).fullmatch(tag))
        return is_repository != self.except_repositories and is_tag != self.except_tags


class Standing(NamedTuple):
    """What a registry says about a namespace.

    ``obstacle`` is why planner cannot push to it (``there``), cannot create it (``missing``), or cannot tell (``unknown``);
    empty when nothing is in the way. ``room`` is what its quota has left, in bytes; None without one.
    """

    state: State
    obstacle: str = ""
    freezes: tuple[Freeze, ...] = ()
    room: int | None = None


THERE = Standing("there")
MISSING = Standing("missing")


@dataclass(frozen=True, slots=True, order=True)
class Namespace:
    """A namespace that a plan needs, with the plan's repositories that lie in it.

    ``kind`` is the product's word for it (``project``). ``reason`` says why it is blocked or not known, ``command`` what an
    administrator runs to create it.
    """

    registry: str
    name: str
    kind: str
    op: NamespaceOp
    product: str = ""
    reason: str = ""
    command: str = ""
    repositories: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"


# What doublestar takes for more than itself. Its two stars are deep as a whole component alone; within braces that is a
# component behind a slash.
_TOKENS = re.compile(
    r"""(?P<any_depth>(?:^|(?<=/))\*\*/)
    | (?P<rest>(?:^|(?<=/))\*\*(?=$|[,}]))
    | (?P<within>\*+)
    | (?P<one>\?)
    | \\(?P<escaped>.)
    | \[(?P<class>\^?(?:\\.|[^]\\])+)\]
    | (?P<brace>[{},])""",
    re.VERBOSE | re.DOTALL,
)
_MEANINGS = {"any_depth": "(?:[^/]*/)*", "rest": ".*", "within": "[^/]*", "one": "[^/]"}
_BRACES = {"{": "(?:", "}": ")", ",": "|"}


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """A doublestar pattern as a regular expression; one that is malformed matches nothing.

    Source: bmatcuk/doublestar v1.3.4 (the version in goharbor/harbor c50c7dd src/go.mod) doublestar.go, ``doMatching`` and
    ``matchComponent``.
    """
    depth, end, found = 0, 0, []
    for token in _TOKENS.finditer(text):
        found.append(re.escape(text[end : token.start()]))
        end = token.end()
        piece, kind = token[0], token.lastgroup or ""
        depth += (piece == "{") - (piece == "}")
        if kind == "brace" and not (piece == "," and not depth):
            found.append(_BRACES[piece])
        elif kind == "class":
            found.append(f"(?!/)[{token['class'].replace('[', chr(92) + '[')}]")
        else:
            found.append(_MEANINGS.get(kind) or re.escape(token["escaped"] or piece))
    found.append(re.escape(text[end:]))
    try:
        return re.compile("".join(found), re.DOTALL)
    except re.error:
        return _NOTHING


_NOTHING = re.compile("(?!)")
