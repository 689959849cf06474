"""Carry a plan out: run the graph of its steps on an executor and tell what happens.

Invariants: a step starts only after everything that it needs has succeeded, so a tag is written last; what depends on a failed
step never starts; independent images go on; once cancelled, nothing new starts.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

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
    Waiting,
)
from planner.core.graph import Graph, build_graph, root_id
from planner.core.plan import Change, Plan
from planner.core.steps import CopyBlob, MountBlob, Outcome, Step, size_of
from planner.core.text import plural, short_digest
from planner.stores.opening import Stores
from planner.stores.referring import is_listed
from planner.stores.workers import workers

DEFAULT_PARALLELISM = 32
_TICK = 1.0
_SMALL = 1024 * 1024
_LARGE_SHARE = 4
# The source does not have the blob, or has another one under its digest: no use in asking it once for each image.
_NOWHERE = frozenset({"BLOB_UNKNOWN", "DIGEST_MISMATCH", "CANCELLED"})

Perform = Callable[[Step], Outcome]


@dataclass(frozen=True, slots=True)
class Run:
    """How to run. ``limit`` is how many steps there may be at a time.

    ``drain`` returns the bytes moved per step since it was last called, ``waits`` the hosts that ask for patience, for how many
    seconds and why; ``clock`` counts seconds.
    """

    executor: Executor
    perform: Perform
    limit: int = DEFAULT_PARALLELISM
    tick: float = _TICK
    cancelled: Callable[[], bool] = lambda: False
    drain: Callable[[], Iterable[tuple[str, int]]] = tuple
    waits: Callable[[], Iterable[tuple[str, float, str]]] = tuple
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
        self._order = _Order(self._graph)
        self._ready = _Ready(run.limit)
        self._running: dict[Future[Outcome], str] = {}
        self._done: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        self._failures: dict[str, Outcome] = {}
        self._finished: set[str] = set()
        self._images: dict[str, list[Change]] = {}
        for change in changes:
            self._images.setdefault(root_id(plan, change), []).append(change)

    def events(self) -> Iterator[Event]:
        """The whole run."""
        total = self._plan.bytes_to_send(self._changes)
        yield Started(self._now(), len(self._changes), len(self._graph), total)
        yield from self._submit()
        while self._running:
            yield from self._collect()
            yield from self._submit()
        yield from self._rest()

    def _now(self) -> float:
        return round(self._run.clock() - self._start, 3)

    def _submit(self) -> Iterator[Event]:
        """Start what may start."""
        for step_id in self._order.take():
            self._ready.add(step_id, size_of(self._graph.steps[step_id]))
        while not self._stopped() and (step_id := self._ready.pop()):
            step = self._graph.steps[step_id]
            future = self._run.executor.submit(self._run.perform, step)
            self._running[future] = step_id
            # Asking all running futures which one is done would take longer than many a request.
            future.add_done_callback(self._done.put)
            yield StepStarted(self._now(), step_id, size_of(step))

    def _stopped(self) -> bool:
        return self._run.cancelled() or (self._run.fail_fast and bool(self._failures))

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
            self._failures[step_id] = outcome
            self._order.failed(step_id, outcome)
            yield StepFailed(self._now(), step_id, outcome.error, outcome.hint)
            return
        self._finished.add(step_id)
        self._order.done(step_id)
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
        steps = (root, *sorted(self._graph.needed_for(root))) if self._failures else ()
        causes = [self._failures[each] for each in steps if each in self._failures]
        return min(causes, key=lambda cause: cause.code == "CANCELLED", default=None)


class _Order:
    """Which steps may start by now."""

    def __init__(self, graph: Graph) -> None:
        self._steps = graph.steps
        self._left = {step_id: len(needs) for step_id, needs in graph.needs.items()}
        self._waiting: dict[str, list[str]] = {}
        for step_id, needs in graph.needs.items():
            for need in needs:
                self._waiting.setdefault(need, []).append(step_id)
        self._ready = [step_id for step_id, left in self._left.items() if not left]

    def take(self) -> list[str]:
        """Those that were not taken before."""
        taken, self._ready = self._ready, []
        return taken

    def done(self, step_id: str) -> None:
        """What waited for this step alone may start."""
        for each in self._waiting.get(step_id, ()):
            self._let(each)

    def failed(self, step_id: str, outcome: Outcome) -> None:
        """What needs the step never starts, but who only wanted to share its blob may still fetch that itself."""
        if isinstance(self._steps[step_id], CopyBlob) and outcome.code not in _NOWHERE:
            for each in self._waiting.get(step_id, ()):
                if isinstance(self._steps[each], MountBlob):
                    self._let(each)

    def _let(self, step_id: str) -> None:
        self._left[step_id] -= 1
        if not self._left[step_id]:
            self._ready.append(step_id)


class _Ready:
    """What may start, at most ``limit`` steps at a time, in two lanes: large blobs, and everything that is a request or two.

    Large blobs have a part of the places, the largest first; so none of them keeps the small steps waiting, which wait for
    answers and not for bytes. Of these, what completes an image goes first.
    """

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._free_for_large = max(1, limit // _LARGE_SHARE)
        self._large: list[tuple[int, int, str]] = []
        self._small: list[tuple[int, int, str]] = []
        self._order = itertools.count()

    def add(self, step_id: str, size: int) -> None:
        """Something may start by now."""
        urgency = -size if size else -(1 << 62)
        lane = self._large if size > _SMALL else self._small
        heapq.heappush(lane, (urgency, next(self._order), step_id))

    def pop(self) -> str:
        """What to start next; empty when nothing may start."""
        if not self._free:
            return ""
        completes = self._small and self._small[0][0] < -_SMALL
        if self._large and self._free_for_large and not (completes and self._free == 1):
            self._free_for_large -= 1
            lane = self._large
        elif self._small:
            lane = self._small
        else:
            return ""
        self._free -= 1
        return heapq.heappop(lane)[-1]

    def free(self, size: int) -> None:
        """A step of this size has ended."""
        self._free += 1
        self._free_for_large += size > _SMALL


def _all_of(done: queue.SimpleQueue[Future[Outcome]], tick: float) -> Iterator[Future[Outcome]]:
    """What ended by now, or ends within ``tick`` seconds."""
    try:
        yield done.get(timeout=tick)
        while True:
            yield done.get_nowait()
    except queue.Empty:
        return
