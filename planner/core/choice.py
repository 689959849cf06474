"""Words that stand for rules: a code, a name, or the beginning of codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from planner.core.text import closest

_SHORTEST_BEGINNING = 3  # a family's letters: nothing that is shorter can be meant


def words_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The words of options, which may hold several, separated by commas."""
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


def codes_of(word: str, known: Mapping[str, str]) -> frozenset[str]:
    """The codes that a word stands for, given the name of each code; none for an unknown word."""
    if len(word) >= _SHORTEST_BEGINNING and (
        found := frozenset(code for code in known if code.startswith(word))
    ):
        return found
    return frozenset(code for code, name in known.items() if name == word)


def codes_of_all(words: Iterable[str], known: Mapping[str, str]) -> frozenset[str]:
    """The codes that any of the words stands for."""
    return frozenset[str]().union(*(codes_of(word, known) for word in words))


def suggestion(word: str, known: Mapping[str, str]) -> str:
    """What to do about a word that stands for no rule."""
    near = closest(word, (*known, *known.values()))
    return f"did you mean {near}?" if near else "planner rules lists them"
