"""Which steps of a graph may start by now, and which of them goes first."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection

from planner.core.graph import Graph
from planner.core.steps import CopyBlob, MountBlob

_SMALL = 1024 * 1024
_LARGE_SHARE = 2
# The source does not have the blob, or has another one under its digest: no use in asking it once for each image.
_NOWHERE = frozenset({"BLOB_UNKNOWN", "DIGEST_MISMATCH", "CANCELLED"})


class Order:
    """Which steps may start by now: those whose needs have all succeeded."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.dependents: dict[str, list[str]] = {}
        for step_id, needs in graph.needs.items():
            for need in needs:
                self.dependents.setdefault(need, []).append(step_id)
        self._ready: list[str] = []
        self._left: dict[str, int] = {}
        self._let_go: set[str] = set()
        self._hopeless: set[str] = set()
        self.restart(frozenset(), frozenset())

    def restart(self, finished: Collection[str], running: Collection[str]) -> None:
        """Forget all failures: every step that is not under way may start once what it needs has ``finished``."""
        self._let_go.clear()
        self._hopeless.clear()
        # Without those that began: one that only wanted to share a blob may have been done before that blob came.
        self._left = {
            step_id: sum(need not in finished for need in needs)
            for step_id, needs in self._graph.needs.items()
            if step_id not in finished and step_id not in running
        }
        self._ready = [step_id for step_id, left in self._left.items() if not left]

    def take(self) -> list[str]:
        """Those that were not taken before."""
        taken, self._ready = self._ready, []
        return taken

    def done(self, step_id: str) -> None:
        """What waited for this step alone may start."""
        for each in self.dependents.get(step_id, ()):
            if step_id not in self._let_go or not isinstance(self._graph.steps[each], MountBlob):
                self._let(each)

    def failed(self, step_id: str, code: str) -> list[str]:
        """The step, and what never starts now: all that needs it.

        Who only wanted to share a blob that will not come may still fetch that itself.
        """
        hopeless, waiting = [], [step_id]
        while waiting:
            each = waiting.pop()
            if each in self._hopeless:
                continue
            self._hopeless.add(each)
            hopeless.append(each)
            lets_go = isinstance(self._graph.steps[each], CopyBlob) and code not in _NOWHERE
            for dependent in self.dependents.get(each, ()):
                if not lets_go or not isinstance(self._graph.steps[dependent], MountBlob):
                    waiting.append(dependent)
                elif each not in self._let_go:
                    self._let(dependent)
            if lets_go:
                self._let_go.add(each)
        return hopeless

    def _let(self, step_id: str) -> None:
        if step_id in self._left:
            self._left[step_id] -= 1
            if not self._left[step_id]:
                self._ready.append(step_id)


class Ready:
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

    def __bool__(self) -> bool:
        return bool(self._large or self._small)

    def add(self, step_id: str, size: int) -> None:
        """Something may start by now."""
        urgency = -size if size else -(1 << 62)
        lane = self._large if size > _SMALL else self._small
        heapq.heappush(lane, (urgency, next(self._order), step_id))

    def clear(self) -> None:
        """Forget what may start."""
        self._large.clear()
        self._small.clear()

    def drop(self, unwanted: Collection[str]) -> None:
        """Forget some steps."""
        for lane in (self._large, self._small):
            lane[:] = [each for each in lane if each[-1] not in unwanted]
            heapq.heapify(lane)

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
