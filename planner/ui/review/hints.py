"""Lines that name keys."""

from __future__ import annotations

import re

from textual.widgets import Static

from planner.ui.review.keymap import spoken

_NAME = re.compile(r"\{([a-z0-9.]+)\}")
_SHORT = {"escape": "esc"}


class Hints(Static):
    """``[{notice.back}] back``: a text with ids of bindings, in whose places their keys are, also changed ones."""

    def __init__(self, text: str, *, classes: str = "keys") -> None:
        super().__init__(classes=classes, markup=False)
        self._text = text

    def on_mount(self) -> None:
        """Say it."""
        self.say()

    def say(self, more: str = "") -> None:
        """The keys, and what else there is to say."""
        self.update(f"{_NAME.sub(lambda found: self._key(found[1]), self._text)}{more}")

    def _key(self, name: str) -> str:
        """The first key of a binding; none when planner.yaml took it away."""
        keys = (key for key, each in self.screen.active_bindings.items() if each.binding.id == name)
        first = spoken((next(keys, "-"),))
        return _SHORT.get(first, first)
