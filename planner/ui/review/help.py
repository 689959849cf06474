"""The keys that count now, made from the bindings themselves: those of the pane, then of its screen, then of all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen

from planner.ui.plan.filters import HELP
from planner.ui.review.dialogs import Notice
from planner.ui.review.keymap import active_keys, spoken
from planner.ui.review.screen import ReviewScreen

_KEY_WIDTH = 18


class Help(Notice):
    """A page of keys; whatever asks for help once more closes it."""


def help_for(screen: Screen[object]) -> Help:
    """The keys of a screen, as they are for what has the focus."""
    lines = [line for part in _parts(screen) for line in (*part, "")]
    if isinstance(screen, ReviewScreen):
        terms = (f"  {term:24}{meaning}" for term, meaning in HELP)
        lines += ["Filter: terms joined by blanks; all must hold.", *terms, ""]
    lines.append("planner review --keys lists all keys, also those of other screens.")
    return Help("Keys", "\n".join(lines))


def _parts(screen: Screen[object]) -> Iterator[list[str]]:
    for node, group in itertools.groupby(active_keys(screen), lambda each: each.node):
        shown = (f"  {spoken(each.keys):{_KEY_WIDTH}} {each.binding.description}" for each in group)
        yield [_title(node), *shown]


def _title(node: DOMNode) -> str:
    if isinstance(node, App):
        return "Everywhere"
    if isinstance(node, Screen):
        return "On this screen"
    return f"In the {node.id or 'pane'}, which has the focus (tab goes to the next)"
