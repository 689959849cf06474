"""Steps on a cluster of dask.distributed, through the executor that its client gives.

Whatever goes wrong between here and a worker is an outcome of the step that it befalls: the run decides what to make of it.
dask gives a step whose worker has died to another one, and it is harmless to do it again.

A scheduler obeys whoever can connect to it, and its workers run what they are sent. So the cluster that is started here listens
on 127.0.0.1 alone, and talks to those only who have its certificate, which is made for it and never leaves memory.

Sources: dask/distributed 2026.8.0, distributed/cfexecutor.py (executor), security.py:109 (certificate), nanny.py (restarts),
distributed.yaml ``allowed-failures`` (how often).
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import dask
from dask.system import CPU_COUNT
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, get_worker
from distributed.security import Security

from planner import __version__
from planner.core.errors import ClusterError, UsageError
from planner.core.steps import Outcome, Step
from planner.core.text import plural
from planner.remote import MOVED, Heard, Site, Told, about, forget, perform_at, site_of, stop
from planner.stores.bandwidth import LEAST
from planner.stores.opening import Places
from planner.stores.pacing import Traffic

_TO_CONNECT = 10.0
_TO_SEE_WORKERS = 30.0
_TO_SAY_GOODBYE = 5.0
_GLANCE = 0.1
_LOST = Outcome(
    error="the dask scheduler is gone",
    hint="see to it and its workers, and apply again: what is done stays done",
)


@dataclass(frozen=True, slots=True)
class Ears:
    """Whom a run on a cluster tells what happens, and where it looks whether it is ``stopping``."""

    moved: Callable[[str, int], None]
    waits: Callable[[str, float, str], None]
    traffic: Traffic
    stopping: threading.Event


@contextmanager
def crew(
    address: str, limit: int, places: Places, rate: float, ears: Ears
) -> Iterator[tuple[Executor, Callable[[Step], Outcome]]]:
    """Workers for one run: an executor, and the function that it is to be given steps with.

    ``address`` is a scheduler's; empty: a cluster of this machine's cores, for this run alone, with ``limit`` threads.

    Raises:
        ClusterError: there is no such scheduler, it has no workers, or they have another planner or none.
        UsageError: ``rate``, in bytes a second, is too low to be shared by the workers.
    """
    _be_quiet()
    with ExitStack() as stack:
        client = stack.enter_context(_connected(address) if address else _started(limit))
        count = _check_workers(client)
        if 0 < rate < count * LEAST:
            message = f"--bandwidth leaves each of {plural(count, 'worker')} less than 1Mbit/s"
            raise UsageError(message, "allow more, or use fewer workers")
        site = site_of(uuid4().hex, places, count, rate)
        yield stack.enter_context(_Crew(client, site, ears)), partial(_at_worker, site)


def _be_quiet() -> None:
    """What befalls a cluster is told as outcomes; its own log lines would break the bars."""
    for name in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=_TO_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no dask scheduler answers at {address}: {error}",
            "check --scheduler (or DASK_SCHEDULER_ADDRESS), and that this machine may reach it",
        ) from error
    with _closing(client):
        try:
            client.wait_for_workers(1, timeout=_TO_SEE_WORKERS)
        except TimeoutError as error:
            raise ClusterError(
                f"the dask scheduler at {address} has no workers",
                f"start some where planner is installed: dask worker {address}",
            ) from error
        yield client


@contextmanager
def _started(limit: int) -> Iterator[Client]:
    """One process for each core, not held to an amount of memory: blobs only pass through."""
    count = min(CPU_COUNT, limit)
    settings: dict[str, Any] = {
        "distributed.worker.profile.enabled": False,
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=count,
            threads_per_worker=-(-limit // count),
            processes=True,
            host="127.0.0.1",
            protocol="tls://",
            security=Security.temporary(),
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            plugins=(_DeafToKeys(),),
        ) as cluster,
        _closing(Client(cluster, set_as_default=False)) as client,
    ):
        yield client


@contextmanager
def _closing(client: Client) -> Iterator[Client]:
    try:
        yield client
    finally:
        client.close(timeout=_TO_SAY_GOODBYE)


class _DeafToKeys(WorkerPlugin):
    """Ctrl-C reaches all processes of a terminal; what it means, planner says."""

    name = "planner-deaf-to-keys"

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - dask passes it
        """Called in the main thread of a worker's process, whenever one starts."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _check_workers(client: Client) -> int:
    """How many there are; all of them have this planner."""
    found = client.run(about, on_error="return")
    for worker, said in found.items():
        if said != __version__:
            what = f"planner {said}" if isinstance(said, str) else f"no planner: {said}"
            raise ClusterError(
                f"the dask worker {worker} has {what}",
                f"install planner {__version__} where the workers run",
            )
    return max(1, len(found))


def _at_worker(site: Site, step: Step) -> Told:
    """One step; runs in a thread of a worker."""
    worker = get_worker()
    return perform_at(site, step, partial(worker.log_event, _topic(site)))


def _topic(site: Site) -> str:
    return f"planner-{site.run}"


class _Crew(Executor):
    """Gives steps to workers, and makes outcomes of all that comes back."""

    def __init__(self, client: Client, site: Site, ears: Ears) -> None:
        self._client = client
        self._site = site
        self._ears = ears
        self._heard = Heard(ears.moved)
        self._inner = client.get_executor(pure=False)
        self._given: set[Future[Told]] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._is_lost = False

    def __enter__(self) -> _Crew:
        self._client.subscribe_topic(_topic(self._site), self._hear)
        threading.Thread(target=self._stop_when_asked, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is waited for: what still runs is cut off, and no later run is hurt by it."""
        self._over.set()
        if self._is_lost:
            return
        with suppress(Exception):
            if self._given:
                self._client.run(stop, self._site.run, on_error="ignore")
            self._client.run(forget, self._site.run, on_error="ignore")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """A future that ends with an outcome, whatever happens. ``fn`` and the step go to a worker."""
        (step,) = args
        outer: Future[Outcome] = Future()
        if self._is_lost:
            outer.set_result(_LOST)
            return outer
        try:
            inner = self._inner.submit(fn, step)
        except Exception as error:  # noqa: BLE001 - a client that lost its scheduler raises what it likes
            outer.set_result(self._without_result(error))
            return outer
        with self._lock:
            self._given.add(inner)
        inner.add_done_callback(partial(self._settle, outer, step.id))
        return outer

    def _settle(self, outer: Future[Outcome], step: str, inner: Future[Told]) -> None:
        with self._lock:
            self._given.discard(inner)
        try:
            told = inner.result()
        except (Exception, CancelledError) as error:  # noqa: BLE001 - dask passes on whatever a worker raised
            outer.set_result(self._without_result(error))
            return
        self._heard.end(step, told)  # before anybody hears that the step is done
        if told.tally:
            self._ears.traffic.hear(told.worker, told.tally)
        outer.set_result(told)

    def _without_result(self, error: BaseException) -> Outcome:
        """What it means that a worker has said nothing."""
        if isinstance(error, KilledWorker):
            said = f"{error.allowed_failures + 1} workers died at this step"
            return Outcome(error=said, hint="their logs tell why; then apply again")
        if self._ears.stopping.is_set():
            return Outcome(error="stopped", code="CANCELLED")
        if isinstance(error, CancelledError) or self._client.status != "running":
            self._is_lost = True  # what was given is gone with it, and each try to reach it again would take seconds
            return _LOST
        said = f"a dask worker could not take up the step: {type(error).__name__}: {error}"
        return Outcome(error=said, hint=f"install planner {__version__} where the workers run")

    def _hear(self, event: tuple[float, Any]) -> None:
        kind, *rest = event[1]
        if kind == MOVED:
            self._heard.live(*rest)
        else:
            self._ears.waits(*rest)

    def _stop_when_asked(self) -> None:
        """Whoever stops a run may be a signal handler, where one does not talk to a scheduler."""
        while not self._over.wait(_GLANCE):
            if self._ears.stopping.is_set():
                break
        else:
            return
        with suppress(Exception):
            if self._client.run(stop, self._site.run, on_error="ignore"):
                return
        with self._lock:
            given = tuple(self._given)
        for each in given:
            each.cancel()
