"""The texts of a run's screen: its figures, and a line for each thing that is listed."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from planner.core.events import describe
from planner.core.text import duration, printable, size
from planner.ui.progress import outcome
from planner.ui.review.run_model import RunModel, Transfer
from planner.ui.review.texts import cut_end, cut_start

_BAR_WIDTH = 12
_FIGURES_WIDTH = 22
_RATE_WIDTH = 12
_TIME_WIDTH = 7
_WIDE = 90
_DIGEST_DIGITS = 7

Piece = tuple[str, str]
"""A text, and the name of its style."""


def clock(seconds: float) -> str:
    """``0:42``, ``1:02:03``."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def figures(model: RunModel, width: int) -> str:
    """How far a run is, as lines."""
    now = model.progress
    if now.end:
        return outcome(now)
    waits = (printable(describe(each)) for each in now.waiting)
    words = ["paused", *_counts(model)] if now.is_paused else [*_counts(model), *_pace(model)]
    lines = [f"{bar(now.moved, now.bytes, width)}", "  ".join(words), *waits]
    if model.is_settled:
        lines.append("Nothing is left but what failed: r tries it again, q ends the run.")
    return "\n".join(cut_end(each, width) for each in lines)


def _counts(model: RunModel) -> list[str]:
    now = model.progress
    share = f", {min(100, 100 * now.moved // now.bytes)} %" if now.bytes else ""
    return [
        f"{now.images_done:,} of {now.images:,} images",
        f"{size(now.moved)} of {size(now.bytes)}{share}",
    ]


def _pace(model: RunModel) -> list[str]:
    left = model.seconds_left
    rate = [f"{size(int(model.rate))}/s"] if model.progress.moved else []
    return [*rate, f"{duration(left)} left"] if left is not None else rate


def active_line(transfer: Transfer, at: float, width: int) -> list[Piece]:
    """``blob      team/api@0123456  ████░░  1.0 MiB of 4.0 MiB   2.1 MiB/s``."""
    kind, _, name = transfer.step.partition(" ")
    has_rate = width >= _WIDE
    room = max(12, width - 11 - _BAR_WIDTH - _FIGURES_WIDTH - (_RATE_WIDTH if has_rate else 0) - 4)
    if not transfer.total:
        return [(f"{cut_end(printable(kind), 9):<9}  ", "dim"), (_label(name, width - 13), "plain")]
    label = _label(name, room)
    moved = f"{size(transfer.moved)} of {size(transfer.total)}"
    rate = f"{size(int(transfer.meter.rate(at)))}/s" if has_rate and transfer.moved else ""
    return [
        (f"{cut_end(printable(kind), 9):<9}  ", "dim"),
        (f"{set_cell_size(label, room)}  ", "plain"),
        (bar(transfer.moved, transfer.total, _BAR_WIDTH), "bar"),
        (f"  {moved:<{_FIGURES_WIDTH}}{rate:>{_RATE_WIDTH - 1 if has_rate else 0}}", "plain"),
    ]


def _label(name: str, width: int) -> str:
    """``registry/a/b@sha256:0123…`` → ``a/b@0123456``."""
    place, at, digest = name.partition("@")
    digits = digest.partition(":")[2][:_DIGEST_DIGITS]
    shown = f"{place.partition('/')[2] or place}{at}{digits}"
    return cut_start(printable(shown), width)


def log_line(at: float, said: str, width: int) -> list[Piece]:
    """``   0:42  what happened``."""
    text = printable(said).replace("\n", " ")
    return [
        (f"{clock(at):>{_TIME_WIDTH}}  ", "dim"),
        (cut_end(text, width - _TIME_WIDTH - 2), "plain"),
    ]


def image_line(mark: str, style: str, image: str, width: int, reason: str = "") -> list[Piece]:
    """A mark, the name, and where there is room what is to be said of it."""
    name = cut_start(printable(image), width - 2)
    room = width - 2 - cell_len(name) - 2
    said = cut_end(printable(reason).replace("\n", " "), room) if reason and room > 8 else ""
    return [(f"{mark} ", style), (name, "plain"), (f"  {said}", "dim")]


def bar(moved: int, total: int, width: int) -> str:
    """A bar of so many cells."""
    full = width if not total else min(width, width * moved // total)
    return f"{'█' * full}{'░' * (width - full)}"
