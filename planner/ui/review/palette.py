"""The palette: what the screen can do, how it may look, and what can be taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.screen import Screen

from planner.ui.review.keymap import active_keys, spoken


class Entry(NamedTuple):
    """A line of the palette; ``about`` is the second one."""

    name: str
    about: str
    do: Callable[[], object]


Source = Callable[[Screen[object]], Iterable[Entry]]


class Commands(Provider):
    """All entries in the order in which they are given; Textual's own provider sorts them by name."""

    _entries: Sequence[Entry] = ()

    async def startup(self) -> None:
        """What there is while the palette is open."""
        source: Source = self.app.entries  # type: ignore[attr-defined]
        self._entries = (*actions(self.app, self.screen), *source(self.screen))

    async def discover(self) -> Hits:
        """Everything, while nothing is typed."""
        for each in self._entries:
            yield DiscoveryHit(each.name, each.do, help=each.about)

    async def search(self, query: str) -> Hits:
        """What is like the typed letters."""
        matcher = self.matcher(query)
        for each in self._entries:
            if (score := matcher.match(each.name)) > 0:
                yield Hit(score, matcher.highlight(each.name), each.do, help=each.about)


def actions(app: App[object], screen: Screen[object]) -> Iterator[Entry]:
    """What has a key now, with the keys: the screen's own before those of a pane, which move about in it."""
    active = [each for each in active_keys(screen) if each.binding.action != "command_palette"]
    for keys, node, binding in sorted(active, key=lambda each: not isinstance(each.node, Screen)):
        do = partial(_run, app, binding.action, node)
        yield Entry(binding.description, f"key {spoken(keys)}", do)


def _run(app: App[object], action: str, node: DOMNode) -> None:
    app.run_worker(app.run_action(action, node))
