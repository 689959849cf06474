"""Keys as Go's ``encoding/json`` matches them: the exact name of a field, or else the same letters in another case.

Source: golang/go 1.25, encoding/json/decode.go, ``(*decodeState).object``; fold.go, ``foldName``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from planner.core.document import Entry, Node


class Respelt(NamedTuple):
    """An entry whose key is written in another case than the field that it fills.

    ``is_alone``: no other key of the mapping fills that field.
    """

    entry: Entry
    field: str
    is_alone: bool


def folded(node: Node, schema: Mapping[str, Any]) -> Node:
    """The same tree with the keys that ``schema`` knows spelt as it does; every span stays where it is.

    Keys for one field are put in the order in which Go takes them, by their letters, so that the same one wins.
    """
    if not schema:
        return node
    if node.items:
        items = tuple(folded(item, schema.get("items", {})) for item in node.items)
        return node if _same(items, node.items) else _with(node, items=items)
    entries = tuple(_folded_entry(each, schema) for each in node.entries)
    if _same(entries, node.entries):
        return node
    if len({each.key.text for each in entries}) < len(entries):
        pairs = sorted(zip(node.entries, entries, strict=True), key=lambda pair: pair[0].key.text)
        entries = tuple(new for _, new in pairs)
    return _with(node, entries=entries)


def respelt(node: Node, schema: Mapping[str, Any]) -> Iterator[Respelt]:
    """The entries of a tree, as it stands in the file, whose keys fit ``schema`` only in another case."""
    for item in node.items:
        yield from respelt(item, schema.get("items", {}))
    names = [_field(entry.key.text, schema) for entry in node.entries]
    for entry, name in zip(node.entries, names, strict=True):
        if name != entry.key.text:
            yield Respelt(entry, name, names.count(name) == 1)
        yield from respelt(entry.value, below(name, schema))


def below(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What ``schema`` says about the value of the key ``name``; empty when that is nothing."""
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    found: Mapping[str, Any] = known.get(name) or (others if isinstance(others, dict) else {})
    return found


def _folded_entry(entry: Entry, schema: Mapping[str, Any]) -> Entry:
    name = _field(entry.key.text, schema)
    value = folded(entry.value, below(name, schema))
    if name == entry.key.text:
        return entry if value is entry.value else entry._replace(value=value)
    return entry._replace(key=_with(entry.key, text=name), value=value)


def _field(key: str, schema: Mapping[str, Any]) -> str:
    """The field that ``key`` fills; the key itself when there is none."""
    known = schema.get("properties", {})
    if key in known:
        return key
    wanted = key.casefold()
    return next((name for name in known if name.casefold() == wanted), key)


def _with(
    node: Node,
    *,
    text: str = "",
    entries: tuple[Entry, ...] = (),
    items: tuple[Node, ...] = (),
) -> Node:
    """The node with these instead of its own."""
    return Node(
        node.kind,
        node.span,
        node.path,
        node.key,
        text or node.text,
        node.value,
        entries=entries,
        items=items,
    )


def _same(new: tuple[object, ...], old: tuple[object, ...]) -> bool:
    return all(one is other for one, other in zip(new, old, strict=True))
