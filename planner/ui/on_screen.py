"""Full-screen programs from their start to what is left to say when the terminal is itself again."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from planner.config import Config
from planner.core.errors import BUG, DONE, UsageError
from planner.core.text import printable
from planner.own_folder import folder_of, make_folder
from planner.stores.pacing import nobody
from planner.ui.following import follow
from planner.ui.remembering import tell
from planner.ui.saved import conclude

if TYPE_CHECKING:
    from planner.ui.review.frame import Frame
    from planner.ui.review.job import Job
    from planner.ui.review.model import PlanModel
    from planner.ui.review.run_live import LiveRun

_OFTEN = 10_000
_IN_BROWSER = "textual.drivers.web_driver:WebDriver"  # what textual-serve has a process draw with


def is_in_browser() -> bool:
    """Whether a page is drawn on."""
    return os.environ.get("TEXTUAL_DRIVER") == _IN_BROWSER


def require_terminal(instead: str) -> None:
    """A screen that nobody sees would wait for ever for a key.

    Raises:
        UsageError: there is no terminal; its hint says what to do ``instead``.
    """
    if is_in_browser():
        return
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream.isatty() for stream in streams) or os.environ.get("TERM") == "dumb":
        raise UsageError("the review needs a terminal to draw on and to read keys from", instead)


def review(job: Job, how: str = "auto", model: PlanModel | None = None) -> int | None:
    """Review a plan, and whatever comes of it; None when nothing was applied. ``how`` a detached run is shown."""
    gc.freeze()  # looking through all that a large plan consists of takes longer than a key may
    gc.set_threshold(_OFTEN)  # the rest is little, and screens leave cycles behind
    # Only here: it takes as long to load as all the rest.
    from planner.ui.review.app import ReviewApp  # noqa: PLC0415

    job.stores.traffic.tell = nobody  # the screen belongs to the review
    app = ReviewApp(job, model)
    code = app.run()
    if is_in_browser():
        sys.stdout = sys.stderr  # the page's own stream would not understand last words
    run = app.live
    if run is None:
        if app.broke:
            return _crashed(app.broke, job.stores.places.config)
        return code or None
    if app.is_detached and not app.broke:
        sys.stderr.write("the run goes on here; Ctrl-C stops it cleanly\n")
        follow(run.feed, run.copying, how)
    else:
        _wind_down(run)
    tell(job.recording.note if job.recording else "")
    if error := run.feed.error or app.broke:
        return _crashed(error, job.stores.places.config)
    return conclude(job.plan, run.feed.progress)


def look_at(app: Frame, config: Config) -> int:
    """Show something that cannot be changed."""
    code = app.run()
    if app.broke:
        return _crashed(app.broke, config)
    return code or DONE


def _wind_down(run: LiveRun) -> None:
    """A run that its screen left behind is stopped, and writes down what it did."""
    run.feed.leave()
    if run.feed.progress.end is None and run.feed.error is None:
        run.copying.stop()
        for _ in run.feed.take_over():
            pass
    run.feed.close()


def _crashed(error: BaseException, config: Config) -> int:
    """Say in two lines what happened; the rest goes to a file. No local variables: they may hold secrets."""
    cause = error.__cause__ or error
    said = printable(f"{type(cause).__name__}: {cause}")
    report = _report(cause, config)
    sys.stderr.write(f"error: a bug in planner: {said}\n")
    sys.stderr.write(f" hint: please report it{f' with {report}' if report else ''}\n")
    return BUG


def _report(error: BaseException, config: Config) -> str:
    """The file with all that is known; empty where none can be written."""
    folder = folder_of(config)
    file = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.txt"
    try:
        make_folder(folder)
        file.write_text("".join(traceback.format_exception(error)), "utf-8", "backslashreplace")
    except OSError:
        return ""
    return str(Path(file))
