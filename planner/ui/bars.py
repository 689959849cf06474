"""The view of a run for terminals: one bar for all, and one for each large transfer, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TransferSpeedColumn
from rich.progress import Progress as RichProgress
from rich.table import Column

from planner.core.events import (
    Event,
    ImageCancelled,
    ImageDone,
    ImageFailed,
    Paused,
    Progress,
    Resumed,
    Retried,
    StepDone,
    StepFailed,
    StepStarted,
    Waiting,
    describe,
)
from planner.core.text import printable
from planner.ui.progress import View

_MOST_BARS = 8


@contextmanager
def bars(progress: Progress | None = None) -> Iterator[View]:
    """Draw from where ``progress`` is until the end of the block; what is finished stays above as lines."""
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(binary_units=True, table_column=Column(no_wrap=True)),
        TransferSpeedColumn(table_column=Column(no_wrap=True)),
    )
    with RichProgress(*columns, console=console, refresh_per_second=10, transient=True) as drawing:
        yield _Bars(drawing, console, progress or Progress())


class _Bars:
    """Keeps rich's tasks in step with the fold."""

    def __init__(self, drawing: RichProgress, console: Console, progress: Progress) -> None:
        self._drawing = drawing
        self._console = console
        self._progress = progress
        self._total = drawing.add_task("all", total=None)
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        self._progress = self._progress.after(event)
        match event:
            case StepStarted() if event.bytes and len(self._tasks) < _MOST_BARS:
                self._tasks[event.step] = self._drawing.add_task(
                    _short(event.step), total=event.bytes
                )
            case StepDone() | StepFailed() if event.step in self._tasks:
                self._drawing.remove_task(self._tasks.pop(event.step))
            case ImageDone():
                self._print(f"done    {event.image}")
            case ImageFailed():
                self._print(f"failed  {event.image}: {event.reason}")
            case Waiting():
                self._print(f"waiting {describe(event)}")
            case ImageCancelled() | Paused() | Resumed() | Retried():
                self._print(describe(event))
            case _:
                pass
        self._draw()

    def _print(self, text: str) -> None:
        self._console.print(printable(text), markup=False)

    def _draw(self) -> None:
        now = self._progress
        label = f"[{now.images_done}/{now.images}] all"
        total = max(now.bytes, now.moved) or None
        self._drawing.update(self._total, completed=now.moved, total=total, description=label)
        for step, task in self._tasks.items():
            self._drawing.update(task, completed=now.active.get(step, 0))


def _short(step: str) -> str:
    """``blob registry/a/b@sha256:0123…`` → ``a/b@sha256:012345``."""
    name, _, digest = step.partition(" ")[2].partition("/")[2].partition("@")
    return printable(f"…{name[-22:]}@{digest[:13]}" if len(name) > 23 else f"{name}@{digest[:13]}")
