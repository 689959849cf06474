"""Repository names that a rewrite pattern matches, so that rules can try a rewrite instead of guessing what it does.

Samples are made from the pattern's own text and count only when the compiled pattern agrees: they may be incomplete, but
never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from planner.core.refs import DOCKER_HUB, name_problem
from planner.specs.k3s.regexp import GoRegexp, PatternError, compile_pattern

_MOST = 16
_WORD = "app"
_CHARACTERS = "a0-/_.AZ:@ "
_COMMON = ("library/nginx", "rancher/mirrored-pause", "team/project/app")
_GROUP = re.compile(r"\((?:\?P?<\w+>|\?[imsU-]*[:)])?")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]")
_ESCAPE = re.compile(r"\\(?:x\{\w+\}|x\w\w|[pP]\{\^?\w+\}|[pP]\w|[0-7]{1,3}|.)", re.DOTALL)
_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d+)(?:,\d*)?\})\??")
_ZERO_WIDTH = ("^", "$", r"\A", r"\z", r"\b", r"\B")


@lru_cache(maxsize=8192)
def compiled(pattern: str) -> GoRegexp | None:
    """The pattern, or None when Go refuses it."""
    try:
        return compile_pattern(pattern)
    except PatternError:
        return None


def refusal(pattern: str) -> str:
    """In which words Go refuses a pattern; empty when it does not."""
    try:
        compile_pattern(pattern)
    except PatternError as error:
        return str(error)
    return ""


@lru_cache(maxsize=8192)
def samples(pattern: str) -> tuple[str, ...]:
    """Texts that the pattern is made for, whether or not they are repository names."""
    regexp = compiled(pattern)
    found = dict.fromkeys(_Sampler(pattern).alternatives())
    return tuple(each for each in found if each and regexp and regexp.search(each))


@lru_cache(maxsize=8192)
def matching_names(pattern: str) -> tuple[str, ...]:
    """Repository names that the pattern matches; the shortest extension of a sample first."""
    regexp = compiled(pattern)
    made = samples(pattern)
    extended = [
        form.format(each)
        for form in ("{}", "library/{}", "{}/app", "app/{}", "{}app", "app{}", "app{}app")
        for each in made
    ]
    names = dict.fromkeys([*extended, *_COMMON])
    return tuple(each for each in names if regexp and is_name(each) and regexp.search(each))


def names_on(mirror: str, pattern: str) -> Iterator[str]:
    """Repository names on this registry that the pattern matches."""
    for name in matching_names(pattern):
        if mirror != DOCKER_HUB or "/" in name:
            yield name


def is_name(text: str) -> bool:
    """Whether ``text`` is a repository name."""
    return not name_problem(DOCKER_HUB, text)


class _Sampler:
    """Reads a pattern from left to right and builds texts that it should match. Lives for one pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> list[str]:
        """Samples up to the end of the group or of the pattern."""
        found = self._sequence()
        while self._take("|"):
            found += self._sequence()
        return found[:_MOST]

    def _sequence(self) -> list[str]:
        found = [""]
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            pieces = self._piece()
            found = [before + piece for before in found for piece in pieces][:_MOST]
        return found

    def _piece(self) -> list[str]:
        start = self._at
        texts = self._atom()
        atom = self._pattern[start : self._at]
        match = _QUANTIFIER.match(self._pattern, self._at)
        if match is None:
            return texts
        self._at = match.end()
        if match[2]:
            return [each * int(match[2]) for each in texts]
        if match[1] != "?" and _is_wide(atom):
            texts = [_WORD]
        return texts if match[1] == "+" else [*texts, ""]

    def _atom(self) -> list[str]:
        if match := _GROUP.match(self._pattern, self._at):
            self._at = match.end()
            return [""] if match[0].endswith(")") else self._group()
        for form in (_CLASS, _ESCAPE):
            if match := form.match(self._pattern, self._at):
                self._at = match.end()
                return [_member(match[0])]
        self._at += 1
        character = self._pattern[self._at - 1]
        return [""] if character in _ZERO_WIDTH else [character]

    def _group(self) -> list[str]:
        found = self.alternatives()
        self._take(")")
        return found

    def _take(self, character: str) -> bool:
        found = self._pattern.startswith(character, self._at)
        self._at += found
        return found


def _is_wide(atom: str) -> bool:
    """Whether the atom stands for one of many characters."""
    return atom == "." or (atom[0] in "[\\" and _matches(f"(?:{atom})+", _WORD))


def _member(atom: str) -> str:
    """A character that a class or an escape stands for."""
    if atom in _ZERO_WIDTH:
        return ""
    return next((each for each in (*_CHARACTERS, atom[-1], *atom) if _matches(atom, each)), "")


def _matches(pattern: str, text: str) -> bool:
    regexp = compiled(pattern)
    return regexp is not None and regexp.pattern.fullmatch(text) is not None
