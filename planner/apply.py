"""Carry a plan out: run the graph of its steps on an executor and tell what happens.

Invariants: a step starts only after everything that it needs has succeeded, so a tag is written last; what depends on a failed
step never starts; independent images go on; once cancelled, nothing new starts.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter

from planner.core.errors import RegistryError, StaleError
from planner.core.events import (
    BytesMoved,
    Event,
    Finished,
    ImageDone,
    ImageFailed,
    Started,
    StepDone,
    StepFailed,
    StepStarted,
    Ticked,
)
from planner.core.graph import Graph, build_graph, needed_for, predecessors, root_id, step_of
from planner.core.plan import Change, Plan
from planner.core.steps import Outcome, Step, size_of
from planner.core.text import plural, short_digest
from planner.stores.opening import Stores
from planner.stores.workers import workers

DEFAULT_PARALLELISM = 8
_TICK = 1.0

Perform = Callable[[Step], Outcome]


@dataclass(frozen=True, slots=True)
class Run:
    """How to run. ``drain`` returns the bytes moved per step since it was last called; ``clock`` counts seconds."""

    executor: Executor
    perform: Perform
    limit: int = DEFAULT_PARALLELISM
    tick: float = _TICK
    cancelled: Callable[[], bool] = lambda: False
    drain: Callable[[], Iterable[tuple[str, int]]] = tuple
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
    with workers(16) as pool:
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
    return found.digest if found else ""


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
        self._sorter: TopologicalSorter[str] = TopologicalSorter(predecessors(self._graph))
        self._ready: list[tuple[int, int, str]] = []
        self._order = itertools.count()
        self._running: dict[Future[Outcome], str] = {}
        self._failures: dict[str, Outcome] = {}
        self._finished: set[str] = set()
        self._images: dict[str, list[Change]] = {}
        for change in changes:
            self._images.setdefault(root_id(plan, change), []).append(change)

    def events(self) -> Iterator[Event]:
        """The whole run."""
        total = self._plan.bytes_to_send(self._changes)
        yield Started(self._now(), len(self._changes), len(self._graph), total)
        self._sorter.prepare()
        while self._sorter.is_active():
            yield from self._submit()
            if not self._running:
                break
            yield from self._collect()
        yield from self._rest()

    def _now(self) -> float:
        return round(self._run.clock() - self._start, 3)

    def _submit(self) -> Iterator[Event]:
        """Start what may start: the largest blobs first, what completes an image before all of them."""
        for step_id in self._sorter.get_ready():
            size = size_of(step_of(self._graph, step_id))
            urgency = -size if size else -(1 << 62)
            heapq.heappush(self._ready, (urgency, next(self._order), step_id))
        while self._ready and len(self._running) < self._run.limit and not self._stopped():
            _, _, step_id = heapq.heappop(self._ready)
            step = step_of(self._graph, step_id)
            self._running[self._run.executor.submit(self._run.perform, step)] = step_id
            yield StepStarted(self._now(), step_id, size_of(step))

    def _stopped(self) -> bool:
        return self._run.cancelled() or (self._run.fail_fast and bool(self._failures))

    def _collect(self) -> Iterator[Event]:
        done, _ = wait(self._running, timeout=self._run.tick, return_when=FIRST_COMPLETED)
        yield from (BytesMoved(self._now(), step, moved) for step, moved in self._run.drain())
        if not done:
            yield Ticked(self._now())
        for future in done:
            yield from self._settle(self._running.pop(future), future.result())

    def _settle(self, step_id: str, outcome: Outcome) -> Iterator[Event]:
        if outcome.error:
            self._failures[step_id] = outcome
            yield StepFailed(self._now(), step_id, outcome.error, outcome.hint)
            return
        self._finished.add(step_id)
        self._sorter.done(step_id)
        yield StepDone(self._now(), step_id, outcome.moved, outcome.mounted)
        for change in self._images.get(step_id, ()):
            yield ImageDone(self._now(), str(change.target), change.digest)

    def _rest(self) -> Iterator[Event]:
        """What became of the images that were not finished."""
        done = failed = cancelled = 0
        for root, changes in self._images.items():
            cause = None if root in self._finished else self._cause(root)
            if root in self._finished:
                done += len(changes)
            elif cause is None or cause.code == "CANCELLED":
                cancelled += len(changes)
            else:
                failed += len(changes)
                for change in changes:
                    yield ImageFailed(self._now(), str(change.target), cause.error, cause.hint)
        yield Finished(self._now(), done, failed, cancelled)

    def _cause(self, root: str) -> Outcome | None:
        """The failure that kept an image from being finished; None when it was just not reached."""
        steps = (root, *sorted(needed_for(self._graph, root)))
        causes = [self._failures[each] for each in steps if each in self._failures]
        return min(causes, key=lambda cause: cause.code == "CANCELLED", default=None)
