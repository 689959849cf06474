"""The language that narrows a list of changes.

Terms are joined by blanks, and all must hold: a word (part of a name, a source or a reason), ``/regular expression/``,
``!term``, ``op:`` ``repo:`` ``src:`` ``size:``, ``selected``, ``blocked``. Upper and lower case are the same.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast, get_args

from planner.core.errors import UsageError
from planner.core.plan import Change, Op

SYMBOLS: dict[str, Op] = {
    "-": "delete",
    "+": "create",
    "~": "move",
    "r": "repair",
    "=": "same",
    "!": "blocked",
}
HELP = (
    ("pause", "a part of the name, the source or the reason"),
    ("/etcd|pause/", "a regular expression"),
    ("!pause", "not that"),
    ("op:move  op:~", "create +  move ~  repair r  same =  blocked !"),
    ("repo:k8s  src:quay.io", "a part of the target or of the source"),
    ("size:>10MiB", "larger than; also < >= <="),
    ("selected  blocked", "what is chosen; what cannot be done"),
)

_TERM = re.compile(r"(?P<no>!?)(?:/(?P<pattern>(?:\\.|[^\\])*?)/(?=\s|$)|(?P<word>\S+))")
_SIZE = re.compile(r"([<>]=?)(\d+(?:\.\d+)?)([kmgt]?)(i?b)?", re.IGNORECASE)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Item:
    """A change as filters see it: ``text`` in lower case, ``size`` of the whole image in bytes."""

    change: Change
    text: str
    size: int


Filter = Callable[[Item, bool], bool]


def item_of(change: Change, size: int) -> Item:
    """What filters look at."""
    text = f"{change.target} {change.source} {change.reason}".lower()
    return Item(change, text, size)


def everything(_item: Item, _selected: bool) -> bool:  # noqa: FBT001 - the shape of all filters
    """No filter."""
    return True


def parse_filter(text: str) -> Filter:
    """Read a filter; its second argument is whether the item is selected.

    Raises:
        UsageError: a term cannot be understood; the message says which.
    """
    terms = tuple(_terms(text))
    if not terms:
        return everything
    if len(terms) == 1:
        return terms[0]
    return lambda item, selected: all(term(item, selected) for term in terms)


def _terms(text: str) -> Iterator[Filter]:
    for match in _TERM.finditer(text.strip()):
        pattern, word = match["pattern"], match["word"]
        if word == "!":  # not finished yet
            continue
        term = _regular(pattern) if pattern is not None else _word(word.lower())
        yield _negated(term) if match["no"] else term


def _negated(term: Filter) -> Filter:
    return lambda item, selected: not term(item, selected)


def _regular(pattern: str) -> Filter:
    try:
        search = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise UsageError(f"/{pattern}/ is not a regular expression: {error}") from error
    return lambda item, _: search(item.text) is not None


def _word(word: str) -> Filter:
    field, colon, value = word.partition(":")
    if word.startswith("/"):
        raise UsageError(f"{word} has no closing /")
    if colon and field in ("op", "repo", "src", "size"):
        return _field(field, value)
    if word == "selected":
        return lambda _, selected: selected
    if word == "blocked":
        return lambda item, _: item.change.op == "blocked"
    return lambda item, _: word in item.text


def _field(field: str, value: str) -> Filter:
    match field:
        case "op":
            op = _op(value)
            return lambda item, _: item.change.op == op
        case "repo":
            return lambda item, _: value in item.change.target.name.lower()
        case "src":
            return lambda item, _: value in str(item.change.source).lower()
        case _:
            compare, bound = _size(value)
            return lambda item, _: compare(item.size, bound)


def _op(value: str) -> Op:
    known = get_args(Op)
    if value in known:
        return cast("Op", value)
    if value in SYMBOLS:
        return SYMBOLS[value]
    listed = " ".join(f"{op} {symbol}" for symbol, op in SYMBOLS.items())
    raise UsageError(f"op:{value} is none of {listed}")


def _size(value: str) -> tuple[Callable[[float, float], bool], float]:
    match = _SIZE.fullmatch(value)
    if match is None:
        raise UsageError(f"size:{value} is not like size:>10MiB")
    sign, number, unit, suffix = match.groups()
    step = 1000 if (suffix or "").lower() == "b" and unit else 1024
    return _COMPARE[sign], float(number) * step ** (" kmgt".index(unit.lower()) if unit else 0)
