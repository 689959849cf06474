"""All keys of the review, read from the screens and panes themselves."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import Screen

from planner.core.keymap import EVERYWHERE, SHARED, keys_of
from planner.ui import review


class Key(NamedTuple):
    """One binding: its id, its keys as Textual names them, where they count, and what they do."""

    id: str
    keys: tuple[str, ...]
    place: str
    description: str


def all_keys(keymap: Mapping[str, str] | None = None) -> list[Key]:
    """Every binding with its keys, those of ``keymap`` in place of its own."""
    changed = keymap or {}
    return [
        Key(
            binding.id or "",
            keys_of(changed.get(binding.id or "", binding.key)),
            _place(owner, binding.id or ""),
            binding.description,
        )
        for owner in owners()
        for binding in bindings_of(owner)
    ]


def keys_table(keymap: Mapping[str, str]) -> str:
    """``planner review --keys``: a line for each binding; what planner.yaml changed has a star."""
    rows = [("id", "key", "where", "what it does")]
    for each in all_keys(keymap):
        star = " *" if each.id in keymap else ""
        rows.append((each.id, f"{spoken(each.keys)}{star}", each.place, each.description))
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = (
        "  ".join((*(f"{text:{width}}" for text, width in zip(row, widths, strict=False)), row[3]))
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def spoken(keys: Iterable[str]) -> str:
    """Keys as people write them: ``? f1``."""
    return " ".join(map(_spoken, keys))


class Active(NamedTuple):
    """A binding that counts now, and whose it is."""

    keys: tuple[str, ...]
    node: DOMNode
    binding: Binding


def active_keys(screen: Screen[object]) -> list[Active]:
    """What has a key now, in the order in which it is declared, from what has the focus outwards."""
    keys: dict[str, list[str]] = {}
    found = {}
    for key, active in screen.active_bindings.items():
        name = active.binding.id
        if name and active.binding.description and active.enabled:
            keys.setdefault(name, []).append(key)
            found[name] = active
    # Textual puts those with other keys last.
    declared = {each.id: number for number, each in enumerate(all_keys())}
    nodes = list(dict.fromkeys(active.node for active in found.values()))
    names = sorted(found, key=lambda name: (nodes.index(found[name].node), declared.get(name, 0)))
    return [Active(tuple(keys[name]), found[name].node, found[name].binding) for name in names]


@cache
def owners() -> tuple[type[DOMNode], ...]:
    """The app, the screens and the panes that have bindings of their own, by the first part of their ids."""
    found: dict[str, type[DOMNode]] = {}
    for module in pkgutil.iter_modules(review.__path__, f"{review.__name__}."):
        for each in vars(importlib.import_module(module.name)).values():
            if isinstance(each, type) and issubclass(each, DOMNode) and _is_ours(each):
                found[f"{each.__module__}.{each.__name__}"] = each
    return tuple(sorted(found.values(), key=_order))


def bindings_of(owner: type[DOMNode]) -> Iterator[Binding]:
    """The bindings that a class has itself."""
    return (each for each in owner.BINDINGS if isinstance(each, Binding))


def _is_ours(owner: type[DOMNode]) -> bool:
    return owner.__module__.startswith(review.__name__) and bool(vars(owner).get("BINDINGS"))


def _order(owner: type[DOMNode]) -> tuple[int, str]:
    """The main screen and what is a part of it first, what counts everywhere last."""
    name = _prefix(owner)
    first = ("review", *SHARED)
    rank = first.index(name) if name in first else len(first) + (name == EVERYWHERE)
    return rank, name


def _prefix(owner: type[DOMNode]) -> str:
    return next((each.id or "" for each in bindings_of(owner)), "").partition(".")[0]


def _place(owner: type[DOMNode], binding: str) -> str:
    name = binding.partition(".")[0]
    if name == EVERYWHERE:
        return "everywhere"
    return f"screen {name}" if issubclass(owner, Screen) else f"pane {name}"


def _spoken(key: str) -> str:
    """As it may stand in planner.yaml, as short as can be."""
    *modifiers, last = key.split("+")
    sign = format_key(last)
    is_sign = len(sign) == 1 and sign.isascii() and sign not in ", "
    return "+".join((*modifiers, sign if is_sign else last))
