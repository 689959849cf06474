"""Who carries out the steps of a run: threads of this process, or workers of a dask cluster (``--executor``)."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from planner.apply import Perform
from planner.core.errors import UsageError
from planner.stores.opening import Stores
from planner.stores.perform import perform

_VARIABLE = "DASK_SCHEDULER_ADDRESS"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a run gives to those who carry out its steps, ``limit`` at a time, and where it is told.

    ``report`` hears of bytes where they move, and may raise ``InterruptedStepError``; ``moved`` hears of those that moved
    elsewhere, as ``waits`` does of registries. ``is_fresh`` is what ``perform`` says of it.
    """

    stores: Stores
    limit: int
    report: Callable[[str, int], None]
    moved: Callable[[str, int], None]
    waits: Callable[[str, float, str], None]
    is_fresh: Callable[[], bool]
    stopping: threading.Event


Crew = Callable[[Desk], AbstractContextManager[tuple[Executor, Perform]]]


@contextmanager
def threads(desk: Desk) -> Iterator[tuple[Executor, Perform]]:
    """Threads of this process."""
    with ThreadPoolExecutor(desk.limit, thread_name_prefix="copy") as executor:
        yield executor, partial(perform, desk.stores, desk.report, is_fresh=desk.is_fresh)


def add_executor_arguments(parser: argparse.ArgumentParser) -> None:
    """--executor and --scheduler."""
    parser.add_argument(
        "--executor",
        choices=["threads", "dask"],
        default="threads",
        help="who copies: threads of this process, or the workers of a dask cluster, where one machine is not enough",
    )
    parser.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="with --executor dask: a scheduler that runs, like tls://10.0.0.5:8786, whose workers have planner, credentials "
        f"of their own and a way to the registries (default: {_VARIABLE}; without either, a process for each core of this "
        "machine, for this run alone, on 127.0.0.1)",
    )


def crew_for(options: argparse.Namespace) -> Crew:
    """Whom the options ask for.

    Raises:
        UsageError: they contradict each other, or dask is not installed.
    """
    if options.executor == "threads":
        if options.scheduler:
            raise UsageError("--scheduler belongs to --executor dask", "add --executor dask")
        return threads
    missing = [each for each in ("dask", "distributed", "cryptography") if find_spec(each) is None]
    if missing:
        raise UsageError(
            f"--executor dask needs {' and '.join(missing)}, which planner does not bring along",
            "pip install 'planner[dask]'",
        )
    address = options.scheduler or os.environ.get(_VARIABLE, "")
    return partial(_dask, address, options.bandwidth or 0.0)


@contextmanager
def _dask(address: str, rate: float, desk: Desk) -> Iterator[tuple[Executor, Perform]]:
    from planner.cluster import Ears, crew  # noqa: PLC0415 - takes a second, and is an extra

    ears = Ears(desk.moved, desk.waits, desk.stores.traffic, desk.stopping)
    with crew(address, desk.limit, desk.stores.places, rate, ears) as hands:
        yield hands
