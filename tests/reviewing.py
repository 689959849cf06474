"""Playing the review by keys, and reading what is on its screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from planner.core.plan import Plan
from planner.stores.opening import Places, Stores
from planner.ui.review.app import ReviewApp
from planner.ui.review.job import Job

Play = Callable[[Pilot[int]], Awaitable[None]]
NARROW, WIDE = (80, 24), (120, 40)
_FRAMES = dict.fromkeys(map(ord, "│╭╮╰╯─▌▊▎▅▁▂▃▄▆▇█"), " ")


def play(app: ReviewApp, steps: Play, screen: tuple[int, int] = WIDE) -> ReviewApp:
    """Start the app on a screen of a size, and let ``steps`` press its keys."""

    async def run() -> None:
        async with app.run_test(size=screen, notifications=True) as pilot:
            await pilot.pause()
            await steps(pilot)

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
