"""Carry a plan out: run the graph of its steps on an executor and tell what happens.

Invariants: a step starts only after everything that it needs has succeeded, so a tag is written last; what depends on a failed
step never starts; independent images go on; once cancelled, nothing new starts.

While it runs it obeys ``core.controls``: paused, it starts nothing; an image that is cancelled takes along what nobody else
needs, and keeps no other from being finished, but for what makes no sense without it (``core.demand``); what is retried starts
after all that it needs, too.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from planner.core.controls import Cancel, Control, Pause, Resume, Retry
from planner.core.demand import Demand
from planner.core.errors import RegistryError, StaleError
from planner.core.events import (
    BytesMoved,
    Event,
    Finished,
    ImageCancelled,
    ImageDone,
    ImageFailed,
    Paused,
    Resumed,
    Retried,
    Started,
    StepDone,
    StepFailed,
    StepStarted,
    Ticked,
    Waiting,
)
from planner.core.graph import Graph, build_graph, root_id
from planner.core.plan import Change, Plan
from planner.core.schedule import Order, Ready
from planner.core.steps import CopyBlob, Outcome, Step, size_of
from planner.core.text import plural, short_digest
from planner.stores.opening import Stores
from planner.stores.referring import is_listed
from planner.stores.workers import workers

DEFAULT_PARALLELISM = 32
_TICK = 1.0

Perform = Callable[[Step], Outcome]


@dataclass(frozen=True, slots=True)
class Run:
    """How to run. ``limit`` is how many steps there may be at a time.

    ``drain`` returns the bytes moved per step since it was last called, ``waits`` the hosts that ask for patience, for how many
    seconds and why; ``clock`` counts seconds. ``controls`` returns what was asked for since it was last called; ``unwanted``
    are steps that nobody needs any more, of which those that are under way are to break off. Where something failed, the run
    is over only when nobody ``stays`` to have it retried.
    """

    executor: Executor
    perform: Perform
    limit: int = DEFAULT_PARALLELISM
    tick: float = _TICK
    cancelled: Callable[[], bool] = lambda: False
    drain: Callable[[], Iterable[tuple[str, int]]] = tuple
    waits: Callable[[], Iterable[tuple[str, float, str]]] = tuple
    controls: Callable[[], Iterable[Control]] = tuple
    unwanted: set[str] = field(default_factory=set)
    stays: Callable[[], bool] = lambda: False
    fail_fast: bool = False
    clock: Callable[[], float] = time.monotonic


def apply(plan: Plan, changes: Sequence[Change], run: Run) -> Iterator[Event]:
    """Carry out ``changes`` of ``plan``; the last event is ``Finished``."""
    return _Engine(plan, changes, run).events()


def still_to_do(plan: Plan, changes: Sequence[Change], stores: Stores) -> list[Change]:
    """Those of a plan's ``changes`` that are not done yet.

    One HEAD per name: what already holds the planned digest is done, unless its content is to be repaired.

    Raises:
        StaleError: a name holds neither what the plan saw nor what it wants.
    """
    with workers(DEFAULT_PARALLELISM) as pool:
        held = list(pool.map(lambda change: _held(plan, change, stores), changes))
    stale = [
        (change, digest)
        for change, digest in zip(changes, held, strict=True)
        if digest not in (change.current, change.digest)
    ]
    if stale:
        raise _stale(stale)
    pairs = zip(changes, held, strict=True)
    return [change for change, digest in pairs if change.op == "repair" or digest != change.digest]


def _held(plan: Plan, change: Change, stores: Stores) -> str:
    try:
        found = stores.target(change.target.registry).head(
            change.target.repository, change.target.reference
        )
    except RegistryError as error:
        # Some registries do not tell a namespace that is not there from one that is hidden.
        if change.place in plan.new_namespaces and error.status in (401, 403, 404):
            return ""
        raise
    if found and change.subject and change.op == "create" and _is_untold(plan, change, stores):
        return ""
    return found.digest if found else ""


def _is_untold(plan: Plan, change: Change, stores: Stores) -> bool:
    """Whether a signature is there that nobody is told of: a run broke off before it was listed."""
    manifest, store = plan.manifests[change.digest], stores.target(change.target.registry)
    is_tagged = change.target.tag or not manifest.subject
    return not is_tagged and not is_listed(store, change.target.repository, manifest)


def _stale(stale: Sequence[tuple[Change, str]]) -> StaleError:
    lines = "".join(
        f"\n  {change.target}: the plan saw {_said(change.current)}, now it holds {_said(digest)}"
        for change, digest in stale[:20]
    )
    more = f"\n  … {len(stale) - 20} more" if len(stale) > 20 else ""
    message = (
        f"the plan is stale: {plural(len(stale), 'tag')} changed since it was made{lines}{more}"
    )
    return StaleError(message, "plan again, and review what changed")


def _said(digest: str) -> str:
    return short_digest(digest) or "nothing"


class _Engine:
    """One run. Single-threaded itself; the executor does the work."""

    def __init__(self, plan: Plan, changes: Sequence[Change], run: Run) -> None:
        self._plan = plan
        self._changes = changes
        self._run = run
        self._start = run.clock()
        self._graph: Graph = build_graph(plan, changes)
        self._order = Order(self._graph)
        self._ready = Ready(run.limit)
        self._running: dict[Future[Outcome], str] = {}
        self._done: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        self._is_paused = False
        self._demand: Demand | None = None
        self._failures: set[str] = set()
        self._finished: set[str] = set()
        self._images: dict[str, list[Change]] = {}
        self._failed: dict[str, None] = {}
        for change in changes:
            self._images.setdefault(root_id(plan, change), []).append(change)

    def events(self) -> Iterator[Event]:
        """The whole run."""
        total = self._plan.bytes_to_send(self._changes)
        names = tuple(str(change.target) for change in self._changes)
        yield Started(self._now(), len(self._changes), len(self._graph), total, names)
        yield from self._obey()
        yield from self._submit()
        while self._running or self._is_held():
            yield from self._collect()
            yield from self._obey()
            yield from self._submit()
        yield self._end()

    def _now(self) -> float:
        return round(self._run.clock() - self._start, 3)

    def _submit(self) -> Iterator[Event]:
        """Start what may start."""
        for step_id in self._order.take():
            if step_id not in self._run.unwanted:
                self._ready.add(step_id, size_of(self._graph.steps[step_id]))
        while not (self._is_paused or self._is_stopped()) and (step_id := self._ready.pop()):
            step = self._graph.steps[step_id]
            future = self._run.executor.submit(self._run.perform, step)
            self._running[future] = step_id
            # Asking all running futures which one is done would take longer than many a request.
            future.add_done_callback(self._done.put)
            yield StepStarted(self._now(), step_id, size_of(step))

    def _is_stopped(self) -> bool:
        return self._run.cancelled() or (self._run.fail_fast and bool(self._failures))

    def _is_held(self) -> bool:
        """Whether something may still begin although nothing runs."""
        if self._run.cancelled():
            return False
        waits = self._is_paused and bool(self._ready) and not self._is_stopped()
        return waits or (bool(self._failures - self._run.unwanted) and self._run.stays())

    def _collect(self) -> Iterator[Event]:
        done = list(_all_of(self._done, self._run.tick))
        yield from (BytesMoved(self._now(), step, moved) for step, moved in self._run.drain())
        yield from (Waiting(self._now(), *each) for each in self._run.waits())
        if not done:
            yield Ticked(self._now())
        for future in done:
            yield from self._settle(self._running.pop(future), future.result())

    def _settle(self, step_id: str, outcome: Outcome) -> Iterator[Event]:
        self._ready.free(size_of(self._graph.steps[step_id]))
        if outcome.error:
            yield StepFailed(self._now(), step_id, outcome.error, outcome.hint)
            yield from self._fail(step_id, outcome)
            return
        self._finished.add(step_id)
        self._order.done(step_id)
        step = self._graph.steps[step_id]
        # Of what is mounted from elsewhere, nothing was expected to be sent.
        spared = max(0, step.size - outcome.moved) if isinstance(step, CopyBlob) else 0
        yield StepDone(self._now(), step_id, outcome.moved, outcome.mounted, spared)
        for change in self._images.get(step_id, ()):
            yield ImageDone(self._now(), str(change.target), change.digest)

    def _fail(self, step_id: str, outcome: Outcome) -> Iterator[Event]:
        """What becomes of those that need a failed step; one that was stopped is no failure."""
        if outcome.code == "CANCELLED":
            return
        self._failures.add(step_id)
        for root in self._order.failed(step_id, outcome.code):
            if root in self._images and root not in self._run.unwanted:
                self._failed[root] = None
                for change in self._images[root]:
                    yield ImageFailed(self._now(), str(change.target), outcome.error, outcome.hint)

    def _obey(self) -> Iterator[Event]:
        """Do what was asked for."""
        for control in self._run.controls():
            match control:
                case Pause() if not self._is_paused:
                    self._is_paused = True
                    yield Paused(self._now())
                case Resume() if self._is_paused:
                    self._is_paused = False
                    yield Resumed(self._now())
                case Cancel():
                    yield from self._cancel(control.image)
                case Retry():
                    yield from self._retry()
                case _:
                    pass

    def _cancel(self, image: str) -> Iterator[Event]:
        """Leave an image out; one that is over, or whose name is being written, stays as it is."""
        over = {*self._finished, *self._failed, *self._running.values(), *self._run.unwanted}
        root = next((root for root in self._images if self._is_named(root, image)), None)
        if root is None or root in over:
            return
        if self._demand is None:
            self._demand = Demand(self._plan, self._changes, self._graph, self._order.dependents)
        cancelled = self._demand.cancel(root, self._run.unwanted)
        self._ready.drop(self._run.unwanted)
        for each in cancelled:
            self._failed.pop(each, None)
            for change in self._images[each]:
                yield ImageCancelled(self._now(), str(change.target))

    def _is_named(self, root: str, image: str) -> bool:
        return any(str(change.target) == image for change in self._images[root])

    def _retry(self) -> Iterator[Event]:
        again = self._failures - self._run.unwanted
        if not again:
            return
        images = (change for root in self._failed for change in self._images[root])
        yield Retried(self._now(), len(again), tuple(str(change.target) for change in images))
        self._failures.clear()
        self._failed.clear()
        self._ready.clear()
        self._order.restart(self._finished, frozenset(self._running.values()))

    def _end(self) -> Finished:
        counts = {root: len(changes) for root, changes in self._images.items()}
        done = sum(counts[root] for root in counts if root in self._finished)
        failed = sum(counts[root] for root in self._failed)
        return Finished(self._now(), done, failed, len(self._changes) - done - failed)


def _all_of(done: queue.SimpleQueue[Future[Outcome]], tick: float) -> Iterator[Future[Outcome]]:
    """What ended by now, or ends within ``tick`` seconds."""
    try:
        yield done.get(timeout=tick)
        while True:
            yield done.get_nowait()
    except queue.Empty:
        return
