"""How the screens of the review look: as text in ``tests/data/review``, and as the README's pictures in ``docs/pictures``.

``make pictures`` writes both anew.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from textual.pilot import Pilot

from planner.core.events import (
    BytesMoved,
    Event,
    ImageDone,
    ImageFailed,
    Started,
    StepDone,
    StepFailed,
    StepStarted,
    Ticked,
)
from planner.core.plan import Input, Plan
from planner.core.plan_file import plan_id
from planner.ui.feed import Feed
from planner.ui.review.app import ReviewApp
from planner.ui.review.confirm import Confirm
from planner.ui.review.question import Checked
from planner.ui.review.run_live import LiveRun
from tests.plans import CORP, MIB, blob, full_plan, image
from tests.reviewing import Steps, play, review_of, shown, until

DUMPS = Path(__file__).parent / "data" / "review"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
_PICTURE = (110, 30)
_ETCD = f"{CORP}/k8s/etcd:3.6.8-0"
_NOW = 38.0
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


# What the plan was made from; "endpoints" is not what K3s calls it.
_SPEC = "mirrors:\n  docker.io:\n    endpoints:\n      - https://registry.corp:5000\n"
_INPUT = Input("registries.yaml", hashlib.sha256(_SPEC.encode()).hexdigest(), "k3s")


class Screen(NamedTuple):
    """How one gets to a screen, and which sizes of it are kept."""

    name: str
    steps: Steps
    sizes: tuple[tuple[int, int], ...] = (SMALL, MIDDLE)


@cache
def scene() -> Plan:
    """The plan by hand, without the name that is there to be a nuisance, and with what stands under the tag that moves."""
    plan = full_plan()
    old = image("etcd before", 2.5, blob("base", 30))
    changes = (
        replace(each, current=old.digest) if str(each.target) == _ETCD else each
        for each in plan.changes
        if "a-team" not in each.target.repository
    )
    manifests = {**plan.manifests, old.digest: old}
    return replace(plan, changes=tuple(changes), manifests=manifests, inputs=(_INPUT,))


async def review(pilot: Pilot[int]) -> None:
    """The main screen, with the tag that moves under the cursor."""
    app = pilot.app
    assert isinstance(app, ReviewApp)
    index = [str(each.target) for each in scene().changes].index(_ETCD)
    app._review._go_to(index)
    await pilot.pause()


async def diff(pilot: Pilot[int]) -> None:
    """What stands there and what comes, layer by layer."""
    await review(pilot)
    await pilot.press("d")
    await until(pilot, "to send")


async def why(pilot: Pilot[int]) -> None:
    """Who needs it."""
    await review(pilot)
    await pilot.press("w")
    await pilot.pause()


async def problems(pilot: Pilot[int]) -> None:
    """What is blocked, and what lint says of the spec."""
    await pilot.press("p")
    await until(pilot, "SCH001")


async def help_of_review(pilot: Pilot[int]) -> None:
    """The keys."""
    await pilot.press("question_mark")
    await pilot.pause()


async def narrowed(pilot: Pilot[int]) -> None:
    """With a filter."""
    await pilot.press("slash", *"k8s op:create", "enter")
    await pilot.pause()


async def confirm(pilot: Pilot[int]) -> None:
    """The last question."""
    await review(pilot)
    pending = scene().pending
    await pilot.app.push_screen(Confirm(scene(), Checked(pending, len(pending)), CORP))
    await pilot.pause()


async def run(pilot: Pilot[int]) -> None:
    """A run after half a minute, which goes no further while somebody looks."""
    app = pilot.app
    assert isinstance(app, ReviewApp)
    over = threading.Event()
    steering: Any = SimpleNamespace(stay=lambda **_: None, stop=over.set, is_paused=False)
    app.begin(LiveRun(scene(), scene().pending, steering, Feed(_events(over))))
    await until(pilot, "Done (4)")


def _events(over: threading.Event) -> Iterator[Event]:
    names = [str(each.target) for each in scene().pending if each.op != "delete"]
    steps = [f"blob {name.rpartition(':')[0]}@{blob(name, 1).digest}" for name in names]
    yield Started(0.0, len(names), 3 * len(names), 120 * MIB, tuple(names))
    for number, (name, step) in enumerate(zip(names, steps, strict=True)):
        at = 4.0 * (number + 1)
        yield StepStarted(at, step, 12 * MIB)
        yield BytesMoved(at + 1, step, (2 + number) * MIB)
        if number == 1:
            reason = "403 DENIED: the project is read-only"
            yield StepFailed(at + 2, step, reason, "ask for the right to push")
            yield ImageFailed(at + 2, name, reason, "ask for the right to push")
        elif number < len(names) - 3:
            yield StepDone(at + 2, step, 12 * MIB)
            yield ImageDone(at + 2, name, blob(name, 1).digest)
    while not over.wait(0.05):  # a batch is handed out when something follows it
        yield Ticked(_NOW)


SCREENS = (
    Screen("review", review, (SMALL, MIDDLE, LARGE)),
    Screen("narrowed", narrowed),
    Screen("diff", diff),
    Screen("why", why),
    Screen("problems", problems),
    Screen("run", run),
    Screen("confirm", confirm),
    Screen("help", help_of_review),
)
IN_README = ("review", "diff", "why", "run", "confirm")


def dumps() -> Iterator[tuple[str, str]]:
    """Names of files, and what is on the screens."""
    for screen in SCREENS:
        for width, height in screen.sizes:
            yield f"{screen.name}-{width}x{height}.txt", dump(screen, (width, height))
    with _variable("PLANNER_ASCII", "1"):
        yield "review-ascii.txt", dump(SCREENS[0], SMALL)
    with _variable("NO_COLOR", "1"):
        yield "review-no-color.txt", dump(SCREENS[0], SMALL)


def pictures() -> Iterator[tuple[str, str]]:
    """Names of files, and the pictures: they need nothing from elsewhere, as fonts are."""
    for screen in SCREENS:
        if screen.name in IN_README:
            found = _seen(
                screen, _PICTURE, lambda pilot: pilot.app.export_screenshot(title="planner review")
            )
            yield f"{screen.name}.svg", _FONTS.sub("", found)


def dump(screen: Screen, size: tuple[int, int]) -> str:
    """A screen as text."""
    return f"{_seen(screen, size, shown)}\n"


def _seen(screen: Screen, size: tuple[int, int], look: Callable[[Pilot[int]], str]) -> str:
    found = []

    async def steps(pilot: Pilot[int]) -> None:
        await screen.steps(pilot)
        await pilot.pause()
        found.append(look(pilot))

    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path(_INPUT.path).write_text(_SPEC, "utf-8")
        play(review_of(scene()), steps, size)
    # The release that made the plan is in its id.
    return found[0].replace(plan_id(scene())[7:19], "0123456789ab")


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)  # textual takes NO_COLOR out itself


def main() -> None:
    """Write all of it anew."""
    for name in ("NO_COLOR", "PLANNER_ASCII", "TEXTUAL_THEME", "LC_ALL", "LC_CTYPE"):
        os.environ.pop(name, None)
    os.environ["LANG"] = "C.UTF-8"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        for where, looks in ((DUMPS, dumps()), (PICTURES, pictures())):
            where.mkdir(exist_ok=True)
            for file, look in looks:
                (where / file).write_text(look, "utf-8")


if __name__ == "__main__":
    main()
