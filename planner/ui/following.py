"""A run as whoever does not see it full-screen follows it: bars or lines on stderr, logs in files, and signals that stop it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from planner.core.errors import INTERRUPTED
from planner.core.events import Progress
from planner.stores.pacing import Traffic
from planner.ui.copying import Copying
from planner.ui.feed import Feed
from planner.ui.metrics import run_metrics
from planner.ui.progress import Lines, View, event_log

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def file_views(options: argparse.Namespace, traffic: Traffic) -> Iterator[tuple[View, ...]]:
    """What --events and --metrics ask for.

    Raises:
        InputError: a file cannot be written.
    """
    with ExitStack() as stack:
        views: list[View] = []
        if options.events:
            views.append(stack.enter_context(event_log(options.events)))
        if options.metrics:
            views.append(stack.enter_context(run_metrics(options.metrics, traffic)))
        yield tuple(views)


def follow(feed: Feed, copying: Copying, how: str = "auto") -> Progress:
    """Follow a run to its end, from wherever it is; ``how`` as --progress has it."""
    with ExitStack() as stack:
        view = stack.enter_context(_terminal_view(how, feed.progress))
        stack.enter_context(_stopping_on_signals(copying))
        stack.callback(feed.close)
        stack.callback(copying.stop)  # where a view fails, what still moves is cut off
        for event in feed.take_over():
            view(event)
    return feed.progress


@contextmanager
def _terminal_view(how: str, progress: Progress) -> Iterator[View]:
    if how == "bar" or (how == "auto" and sys.stderr.isatty()):
        from planner.ui.bars import bars  # noqa: PLC0415 - only a terminal pays for rich

        with bars(progress) as view:
            yield view
    elif how != "none":
        yield Lines(sys.stderr, progress=progress)
    else:
        yield lambda _event: None


@contextmanager
def _stopping_on_signals(copying: Copying) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM, or a terminal that is closed) stops cleanly, the second Ctrl-C at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, _leave_at_once)
        copying.stop()
        if number != signal.SIGHUP:  # nobody is there any more who could read it
            sys.stderr.write("stopping; press Ctrl-C again to leave at once\n")

    heard = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, stop) for each in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_at_once(_number: int, _frame: FrameType | None) -> None:
    """Without waiting for workers that wait for the network; the bars had hidden the cursor."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")
    os._exit(INTERRUPTED)
