"""Playing the review by keys, and reading what is on its screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from textual import _wait
from textual.pilot import Pilot

from planner.core.plan import Plan
from planner.stores.opening import Places, Stores
from planner.ui.review.app import ReviewApp
from planner.ui.review.frame import Frame
from planner.ui.review.job import Job

Steps = Callable[[Pilot[int]], Awaitable[None]]
Played = TypeVar("Played", bound=Frame)
NARROW, WIDE = (80, 24), (120, 40)
_STILL = 4  # times in a row
_CALM = 0.05  # seconds: what Textual puts off, it puts off for a sixtieth or two
_wait.SLEEP_GRANULARITY = 0.001  # what Textual's pilot waits for at least
_FRAMES = dict.fromkeys(map(ord, "│╭╮╰╯─▌▊▎▅▁▂▃▄▆▇█"), " ")


class Hand(Pilot[int]):
    """Presses keys one by one, and waits behind each until the picture stands still.

    Textual's own waits until its process takes little of the processor, which on a busy machine it does before it is done.
    """

    async def press(self, *keys: str) -> None:
        for key in keys:
            await super().press(key)
            await self._settle()

    async def pause(self, delay: float | None = None) -> None:
        await super().pause(delay or 0.0)
        await self._settle()

    async def resize_terminal(self, width: int, height: int) -> None:
        await super().resize_terminal(width, height)
        await self._settle()

    async def _settle(self) -> None:
        still, last, since = 0, "", monotonic()
        while (still < _STILL or monotonic() - since < _CALM) and not self.app._exit:
            await super().pause(_CALM / _STILL)
            now = shown(self)
            if now == last:
                still += 1
            else:
                still, last, since = 0, now, monotonic()


def play(app: Played, steps: Steps, screen: tuple[int, int] = WIDE) -> Played:
    """Start the app on a screen of a size, and let ``steps`` press its keys."""

    async def run() -> None:
        async with app.run_test(size=screen, notifications=True):
            hand = Hand(app)
            await hand.pause()
            await steps(hand)

    asyncio.run(run())
    return app


def review_of(plan: Plan, stores: Stores | None = None, plan_file: str = "") -> ReviewApp:
    """A review of a plan; without ``stores`` nothing is asked."""
    return ReviewApp(Job(plan, stores or Stores(Places()), plan_file=plan_file))


def shown(pilot: Pilot[int]) -> str:
    """The screen as text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def words(pilot: Pilot[int]) -> str:
    """The same without frames and line ends."""
    return " ".join(shown(pilot).translate(_FRAMES).split())


async def until(pilot: Pilot[int], text: str) -> None:
    """Wait for a thread's message to be drawn."""
    for _ in range(1000):
        await pilot.pause(0.01)
        if text in shown(pilot) or text in words(pilot):
            return
    raise AssertionError(f"no {text!r} in:\n{shown(pilot)}")
