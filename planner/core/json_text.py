"""JSON as planner saves it: keys sorted, in pieces, since plans are large."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

Encode = Callable[[Any], str]


def spread(value: Any, levels: int) -> Iterator[str]:
    """The outer ``levels`` with one entry a line, all else on its entry's line.

    Files that differ little then differ in few lines, and the encoder stays fast.
    """
    return _pieces(value, levels, "\n", ": ", _encoder(", ", ": "))


def canonical(value: Any, levels: int) -> Iterator[str]:
    """Without white space. More ``levels`` make smaller pieces; together, they are always the same."""
    return _pieces(value, levels, "", ":", encoder())


def encoder() -> Encode:
    """What makes such a piece of a value."""
    return _encoder(",", ":")


def _encoder(item: str, key: str) -> Encode:
    """One for all pieces: making it takes longer than most of them."""
    return json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(item, key)).encode


def _pieces(value: Any, levels: int, line: str, colon: str, encode: Encode) -> Iterator[str]:
    if not levels or not isinstance(value, dict | list) or not value:
        yield encode(value)
        return
    is_table = isinstance(value, dict)
    before = f"{'{' if is_table else '['}{line}"
    for each in sorted(value) if is_table else value:
        name = f"{before}{encode(each)}{colon}" if is_table else before
        entry = value[each] if is_table else each
        if levels == 1:
            yield f"{name}{encode(entry)}"
        else:
            yield name
            yield from _pieces(entry, levels - 1, line, colon, encode)
        before = f",{line}"
    yield f"{line}{'}' if is_table else ']'}"
