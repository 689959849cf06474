"""Steps in another process, perhaps on another machine: what is sent there, and what is kept there.

Such a process gets a ``Site``, which says where content is and holds no secret. It opens stores of its own for it, once per
run, and finds credentials as planner does anywhere: on its own machine, in its own environment. Nothing here knows who brings
the steps.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple
from uuid import uuid4

from planner import __version__
from planner.config import Config, RegistrySettings
from planner.core.errors import PlannerError
from planner.core.steps import Outcome, Step
from planner.stores.opening import Places, Stores
from planner.stores.perform import perform
from planner.stores.tally import Tally
from planner.stores.verified import InterruptedStepError

MOVED = "moved"
WAITS = "waits"
_LAYOUT = "oci:"
_MOST_RUNS = 8
_EVERY = 0.5

Message = tuple[str | int | float, ...]
Live = Callable[[Message], None]


class Site(NamedTuple):
    """What a process needs to know of a run: of ``Places``, what says where content is and how to get there.

    ``rate`` is how many bytes it may read in a second, 0 for no limit.
    """

    run: str
    registries: Mapping[str, RegistrySettings]
    read_from: str = ""
    write_to: str = ""
    schemes: Mapping[str, str] = {}
    logins: tuple[str, ...] = ()
    authorities: Mapping[str, tuple[str, ...]] = {}
    rate: float = 0.0

    @property
    def places(self) -> Places:
        """The places, as far as they are of use elsewhere."""
        return Places(
            Config(registries=self.registries),
            self.read_from,
            self.write_to,
            self.schemes,
            self.logins,
            self.authorities,
        )


@dataclass(frozen=True, slots=True)
class Told(Outcome):
    """An outcome from elsewhere, with what could not be seen from here.

    ``passed`` counts the bytes that passed in this ``attempt`` at the step, whatever came of it. ``tally`` is what the process
    called ``worker`` asked of registries in this run so far.
    """

    attempt: str = ""
    passed: int = 0
    worker: str = ""
    tally: Tally | None = None


def site_of(run: str, places: Places, workers: int, rate: float = 0.0) -> Site:
    """What is said to each of some ``workers``; together they keep to the limits that one process would keep to.

    Files and folders are named in full, since others work in other folders. Of planner.yaml only the registries go along.
    """
    registries = {
        name: _shared(each, workers) for name, each in sorted(places.config.registries.items())
    }
    return Site(
        run,
        registries,
        _in_full(places.read_from),
        _in_full(places.write_to),
        dict(places.schemes),
        places.logins,
        dict(places.authorities),
        rate / workers,
    )


def _shared(settings: RegistrySettings, workers: int) -> RegistrySettings:
    files = settings.tls
    return settings._replace(
        endpoint=_in_full(settings.endpoint),
        parallelism=settings.parallelism and max(1, settings.parallelism // workers),
        tls=files._replace(
            ca_file=_path_in_full(files.ca_file),
            cert_file=_path_in_full(files.cert_file),
            key_file=_path_in_full(files.key_file),
        ),
    )


def _in_full(place: str) -> str:
    """A layout's folder from the root on; whatever else it is stays."""
    if not place.startswith(_LAYOUT):
        return place
    return f"{_LAYOUT}{_path_in_full(place.removeprefix(_LAYOUT))}"


def _path_in_full(path: str) -> str:
    return os.path.abspath(path) if path else ""  # noqa: PTH100 - links stay as they are


def perform_at(site: Site, step: Step, live: Live) -> Told:
    """Do one step, in the process that it was brought to.

    ``live`` hears of bytes, by the attempt and since it began, and of registries that are waited for: ``(MOVED, step, attempt,
    bytes)`` and ``(WAITS, host, seconds, reason)``. What it misses of the former stands in the result.
    """
    seat = _seat(site.run)
    if seat.stopping.is_set():
        return Told(error="stopped", code="CANCELLED")
    try:
        stores = seat.open(site, live)
    except PlannerError as error:
        return Told(error=error.message, hint=error.hint)
    attempt = _Attempt(step, seat.stopping, live)
    outcome = perform(stores, attempt.report, step)
    known = {each.name: getattr(outcome, each.name) for each in fields(Outcome)}
    tally = stores.traffic.tally()
    return Told(**known, attempt=attempt.name, passed=attempt.passed, worker=seat.name, tally=tally)


def stop(run: str) -> None:
    """In this process: cut off what moves for a run, and begin nothing more."""
    _seat(run).stop()


def forget(run: str) -> None:
    """In this process: close what was opened for a run that is over."""
    with _opening:
        _seats.pop(run, None)


def about() -> str:
    """Which planner this process has."""
    return __version__


class _Attempt:
    """Counts the bytes of one attempt at a step, and tells of them now and then."""

    def __init__(self, step: Step, stopping: threading.Event, live: Live) -> None:
        self.name = uuid4().hex
        self.passed = 0
        self._step = step.id
        self._stopping = stopping
        self._live = live
        self._told_at = time.monotonic()

    def report(self, _step: str, count: int) -> None:
        """Some bytes more.

        Raises:
            InterruptedStepError: the run was stopped.
        """
        if self._stopping.is_set():
            raise InterruptedStepError
        self.passed += count
        now = time.monotonic()
        if now - self._told_at >= _EVERY:
            self._told_at = now
            self._live((MOVED, self._step, self.name, self.passed))


class _Seat:
    """What this process keeps for one run."""

    def __init__(self) -> None:
        self.name = uuid4().hex
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._stores: Stores | None = None

    def open(self, site: Site, live: Live) -> Stores:
        """The stores. Uploads are remembered in memory alone: another run's journal is no business of this process."""
        with self._lock:
            if self._stores is None:
                stores = Stores(site.places)
                stores.traffic.tell = lambda *wait: live((WAITS, *wait))
                if site.rate:
                    stores.traffic.limit(site.rate)
                if self.stopping.is_set():
                    stores.traffic.stop()
                self._stores = stores
            return self._stores

    def stop(self) -> None:
        self.stopping.set()
        with self._lock:
            if self._stores:
                self._stores.traffic.stop()


_opening = threading.Lock()
_seats: OrderedDict[str, _Seat] = OrderedDict()


def _seat(run: str) -> _Seat:
    """The one for a run; a run that nobody ended, since whoever led it is gone, gives way to later ones."""
    with _opening:
        seat = _seats.setdefault(run, _Seat())
        _seats.move_to_end(run)
        while len(_seats) > _MOST_RUNS:
            _seats.popitem(last=False)
        return seat


class Heard:
    """Adds up the bytes of a run from what is told of them, early, late, twice or never. Threads may share it."""

    def __init__(self, moved: Callable[[str, int], None]) -> None:
        self._moved = moved
        self._lock = threading.Lock()
        self._passed: dict[str, int] = {}
        self._over: set[str] = set()

    def live(self, step: str, attempt: str, passed: int) -> None:
        """So much of an attempt went by."""
        with self._lock:
            more = 0 if attempt in self._over else self._count(attempt, passed)
        if more:
            self._moved(step, more)

    def end(self, step: str, told: Told) -> None:
        """An attempt is over, and what it says now is all of it."""
        with self._lock:
            more = self._count(told.attempt, told.passed)
            self._passed.pop(told.attempt, None)
            self._over.add(told.attempt)
        if more:
            self._moved(step, more)

    def _count(self, attempt: str, passed: int) -> int:
        known = self._passed.get(attempt, 0)
        self._passed[attempt] = max(known, passed)
        return max(0, passed - known)
