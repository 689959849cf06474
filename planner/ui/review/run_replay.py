"""The screen of a run that is read from a log: nothing can be done to it but to look."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from planner.core.text import printable
from planner.ui.replaying import Replay, Watch
from planner.ui.review.run import RunScreen
from planner.ui.review.run_texts import clock

_STEP = 10.0


class ReplayScreen(RunScreen):
    """A run that is over, from its end, or played."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "play", id="replay.play"),
        Binding("plus", "faster(1)", "faster", key_display="+", id="replay.faster"),
        Binding("minus", "faster(-1)", "slower", key_display="-", id="replay.slower"),
        Binding("right", "skip(1)", "ten seconds on", show=False, id="replay.on"),
        Binding("left", "skip(-1)", "ten seconds back", show=False, id="replay.back"),
        Binding("0", "start", "start", id="replay.start"),
        Binding("e", "end", "end", id="replay.end"),
    ]

    def __init__(self, replay: Replay, file: str) -> None:
        super().__init__(replay, printable(file))
        self._replay = replay

    def on_unmount(self) -> None:
        """Nobody reads on."""
        self._replay.close()

    def state(self) -> str:
        """That it was, and how it is played."""
        length = clock(self._replay.length)
        how = f"playing x{self._replay.speed}" if self._replay.is_playing else "held"
        return f"READ-ONLY replay of {length}, {how}"

    def action_play(self) -> None:
        """Play, or hold."""
        self._replay.play()
        self.draw()

    def action_faster(self, step: int) -> None:
        """Play faster or slower."""
        self._replay.faster(step)
        self.draw()

    def action_skip(self, step: int) -> None:
        """Some seconds on or back."""
        self._replay.seek(max(0.0, self.model.progress.at + step * _STEP))

    def action_start(self) -> None:
        """To the start."""
        self._replay.seek(0.0)

    def action_end(self) -> None:
        """To the end."""
        self._replay.seek(self._replay.length)


class WatchScreen(RunScreen):
    """A run of another process, as far as it has come."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch, printable(watch.file))
        self._watch = watch

    def on_unmount(self) -> None:
        """Nobody reads on."""
        self._watch.close()

    def state(self) -> str:
        """That it is another's."""
        if not self._watch.has_begun:
            return "READ-ONLY, waiting for a run to begin in"
        return f"READ-ONLY, {super().state().lower()}"
