"""``--metrics``: the figures of a plan or a run, in a file for Prometheus."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import get_args

from planner.core.errors import PlannerError
from planner.core.events import Event, Progress
from planner.core.metrics import Metric, Sample, to_text
from planner.core.plan import Op, Plan
from planner.core.text import printable
from planner.files import write_whole
from planner.stores.pacing import Host, Traffic
from planner.ui.progress import View

_INTERVAL = 10.0


def add_metrics_argument(parser: argparse.ArgumentParser) -> None:
    """--metrics."""
    parser.add_argument(
        "--metrics",
        default="",
        metavar="FILE",
        help="write figures for Prometheus there: bytes, requests, retries, waiting, images",
    )


def write_plan_metrics(file: str, traffic: Traffic, plan: Plan) -> None:
    """What making a plan took, and what it says.

    Raises:
        InputError: it cannot be written.
    """
    write_whole(file, _text(traffic, {op: plan.count(op) for op in get_args(Op)}))


@contextmanager
def run_metrics(file: str, traffic: Traffic) -> Iterator[View]:
    """A view of a run that writes every ten seconds, and at the end.

    A file that cannot be written any more stops no run; it is told at the end.

    Raises:
        InputError: it cannot be written at the start.
    """
    view = _RunMetrics(file, traffic)
    view.write()
    try:
        yield view
    finally:
        try:
            view.write()
        except PlannerError as error:
            sys.stderr.write(f"note: {printable(error.message)}\n")


class _RunMetrics:
    def __init__(self, file: str, traffic: Traffic) -> None:
        self._file = file
        self._traffic = traffic
        self._progress = Progress()
        self._written_at = 0.0

    def __call__(self, event: Event) -> None:
        self._progress = self._progress.after(event)
        if self._progress.at - self._written_at >= _INTERVAL:
            self._written_at = self._progress.at
            with suppress(PlannerError):
                self.write()

    def write(self) -> None:
        write_whole(self._file, _text(self._traffic, _states(self._progress)))


def _states(progress: Progress) -> dict[str, int]:
    done = progress.images_done
    failed = progress.end.failed if progress.end else len(progress.failed)
    return {"done": done, "failed": failed, "pending": progress.images - done - failed}


def _text(traffic: Traffic, images: Mapping[str, int]) -> bytes:
    return to_text(_metrics(traffic.hosts, traffic.steps_again, images)).encode()


def _metrics(hosts: Iterable[Host], steps: int, images: Mapping[str, int]) -> Iterator[Metric]:
    counts = [(host.name, host.counts) for host in hosts]
    yield Metric(
        "planner_bytes_total",
        "counter",
        "Bytes of the bodies of requests and answers.",
        tuple(
            Sample({"registry": name, "direction": direction}, amount)
            for name, each in counts
            for direction, amount in (("read", each.read), ("written", each.written))
        ),
    )
    yield Metric(
        "planner_requests_total",
        "counter",
        "Requests by the class of their answer's status; none: there was no answer.",
        tuple(
            Sample(
                {"registry": name, "method": method, "status": f"{status}xx" if status else "none"},
                amount,
            )
            for name, each in counts
            for (method, status), amount in sorted(each.requests.items())
        ),
    )
    again = [
        Sample({"registry": name, "reason": reason}, amount)
        for name, each in counts
        for reason, amount in sorted(each.retries.items())
    ]
    again += [Sample({"registry": "", "reason": "step"}, steps)] if steps else []
    yield Metric(
        "planner_retries_total",
        "counter",
        "Requests, transfers and steps (of no single registry) that were tried again.",
        tuple(again),
    )
    yield Metric(
        "planner_wait_seconds_total",
        "counter",
        "How long registries were left alone, since they asked for it or failed.",
        tuple(Sample({"registry": name}, each.waited) for name, each in counts),
    )
    yield Metric(
        "planner_images",
        "gauge",
        "Images by what becomes or became of them.",
        tuple(Sample({"state": state}, amount) for state, amount in images.items()),
    )
