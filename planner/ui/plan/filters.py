"""The language that narrows a list of changes: the same in the review and for ``planner show --filter``.

Terms are joined by blanks, and all must hold: a word (part of a name, a source or a reason), ``/regular expression/``,
``!term``, ``op:`` ``repo:`` ``src:`` ``cluster:`` ``kind:`` ``size:``, ``selected``, ``blocked``, ``drift``. Upper and lower
case are the same.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast, get_args

from planner.core.errors import UsageError
from planner.core.family import ArtifactKind
from planner.core.plan import Change, Op, Plan

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
    ("repo:k8s  src:quay.io", "a part of the target's name or of the source"),
    ("cluster:prod", "a part of the name of a cluster that needs it"),
    ("kind:chart", "image, chart or artifact"),
    ("size:>10MiB", "larger than; also < >= <="),
    ("selected  blocked", "what is chosen; what cannot be done"),
    ("drift", "what moved since the last apply"),
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

    @property
    def clusters(self) -> Iterator[str]:
        """The clusters that need it, in lower case; one that several reasons name comes several times."""
        return (each.cluster.lower() for each in self.change.because if each.cluster)


Filter = Callable[[Item, bool], bool]


def item_of(change: Change, size: int) -> Item:
    """What filters look at."""
    text = f"{change.target} {change.source} {change.reason}".lower()
    return Item(change, text, size)


def filtered(plan: Plan, text: str) -> tuple[Change, ...]:
    """The changes of a plan that pass a filter; what would be carried out counts as selected.

    Raises:
        UsageError: a term cannot be understood; the message says which.
    """
    passes = parse_filter(text)
    return tuple(
        each
        for each in plan.changes
        if passes(item_of(each, plan.total_bytes([each])), each.is_pending)
    )


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
    if colon and field in _FIELDS:
        return _FIELDS[field](value)
    return _WORDS.get(word) or (lambda item, _: word in item.text)


def _op_is(value: str) -> Filter:
    op = _op(value)
    return lambda item, _: item.change.op == op


def _kind_is(value: str) -> Filter:
    known = get_args(ArtifactKind)
    if value not in known:
        raise UsageError(f"kind:{value} is none of {' '.join(known)}")
    return lambda item, _: item.change.kind == value


def _size_is(value: str) -> Filter:
    compare, bound = _size(value)
    return lambda item, _: compare(item.size, bound)


def _repository_has(value: str) -> Filter:
    return lambda item, _: value in item.change.target.name.lower()


def _source_has(value: str) -> Filter:
    return lambda item, _: value in str(item.change.source).lower()


def _cluster_has(value: str) -> Filter:
    return lambda item, _: any(value in each for each in item.clusters)


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


_FIELDS: dict[str, Callable[[str], Filter]] = {
    "op": _op_is,
    "repo": _repository_has,
    "src": _source_has,
    "cluster": _cluster_has,
    "kind": _kind_is,
    "size": _size_is,
}
_WORDS: dict[str, Filter] = {
    "selected": lambda _, selected: selected,
    "blocked": lambda item, _: item.change.op == "blocked",
    "drift": lambda item, _: bool(item.change.drift),
}
