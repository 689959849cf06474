"""What carrying out a plan costs: requests, bytes, and the time that earlier runs let one expect.

Counted without the graph, which takes long to load; the tests hold it against the graph, and against what a registry is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from planner.core.place import Place
from planner.core.plan import Access, Change, Plan
from planner.core.record import PastRun, Record

# What ``stores.registry`` does for each step when nothing is in the way.
_LOOK = 1  # HEAD a name before it is written: it may have moved since the plan was made
_READ_BACK = 1  # HEAD a tag after it was written
_COPY = 2  # POST, PUT on the target
_FETCH = 1  # GET from the source; where that redirects to, somebody else answers
_MOUNT = 1  # POST
_PUT = 1
_DELETE = 2  # HEAD, DELETE
_CREATE = 1

_LAYOUT = "oci:"
_ENOUGH_BYTES = 16 * 1024 * 1024
_ENOUGH_SECONDS = 2.0
_MOST_RUNS = 3


class Cost(NamedTuple):
    """What it takes: ``copies`` blobs of ``bytes`` together are sent, ``mounts`` are shared within a registry instead.

    ``requests`` are those to registries, without logins and tries again. ``shared`` counts the blobs that several of the
    images have in common.
    """

    requests: int
    bytes: int
    copies: int
    mounts: int
    shared: int


class Pace(NamedTuple):
    """How fast earlier runs were, in bytes a second, and how many runs tell."""

    rate: float
    runs: int

    def seconds_for(self, count: int) -> float:
        """How long ``count`` bytes would take."""
        return count / self.rate


def cost_of(plan: Plan, changes: Iterable[Change]) -> Cost:
    """What carrying out pending ``changes`` of ``plan`` takes."""
    tally = _Tally(plan)
    for change in changes:
        tally.add(change)
    return tally.cost()


def pace_of(record: Record, read: Iterable[str], written: Iterable[str]) -> Pace | None:
    """How fast the last runs were that read from and wrote to such places; None when none of them tells.

    A run that moved little tells more of how long a registry thinks than of how fast it is.
    """
    sources, targets = set(read), set(written)
    telling = [
        run
        for run in record.runs
        if run.bytes >= _ENOUGH_BYTES
        and run.seconds >= _ENOUGH_SECONDS
        and sources.intersection(run.read)
        and targets.intersection(run.written)
    ][-_MOST_RUNS:]
    return _mean(telling) if telling else None


def _mean(runs: list[PastRun]) -> Pace:
    return Pace(sum(run.bytes for run in runs) / sum(run.seconds for run in runs), len(runs))


class _Tally:
    """Counts change by change, as the graph is built. Lives for one count."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests: Counter[str] = Counter()
        self._brought: set[tuple[Place, str]] = set()
        self._sent: dict[tuple[str, str], int] = {}
        self._mounts = 0
        self._put: set[tuple[Place, str]] = set()
        self._created: set[tuple[str, str]] = set()
        self._uses: Counter[tuple[str, str]] = Counter()
        self._reads = 0

    def add(self, change: Change) -> None:
        """Count one change."""
        registry = change.target.registry
        self._requests[registry] += _LOOK + (_READ_BACK if _has_tag(change) else 0)
        if change.op == "delete":
            self._requests[registry] += _DELETE
            return
        namespace = self._plan.new_namespaces.get(change.place)
        if namespace and (registry, namespace.name) not in self._created:
            self._created.add((registry, namespace.name))
            self._requests[registry] += _CREATE
        for digest, blob in self._plan.blobs(change).items():
            self._uses[registry, digest] += 1
            self._bring(change, digest, blob.size)
        self._store(change.place, change.target.tag or change.digest)
        self._store_children(change.place, change.digest)

    def cost(self) -> Cost:
        """The sums."""
        access = self._plan.access
        asked = sum(
            count
            for registry, count in self._requests.items()
            if not _is_layout(access, registry, access.write_to)
        )
        return Cost(
            asked + self._reads,
            sum(self._sent.values()),
            len(self._sent),
            self._mounts,
            sum(uses > 1 for uses in self._uses.values()),
        )

    def _bring(self, change: Change, digest: str, size: int) -> None:
        registry, key = change.target.registry, (change.target.registry, digest)
        holders = self._plan.holders(registry, digest)
        if change.place in holders or (change.place, digest) in self._brought:
            return
        self._brought.add((change.place, digest))
        if holders or key in self._sent:
            self._mounts += 1
            self._requests[registry] += _MOUNT
            return
        self._sent[key] = size
        self._requests[registry] += _COPY
        access = self._plan.access
        self._reads += 0 if _is_layout(access, change.source.registry, access.read_from) else _FETCH

    def _store(self, place: Place, reference: str) -> None:
        if (place, reference) not in self._put:
            self._put.add((place, reference))
            self._requests[place.registry] += _PUT

    def _store_children(self, place: Place, digest: str) -> None:
        manifest = self._plan.manifests.get(digest)
        for child in manifest.children if manifest else ():
            self._store(place, child.digest)
            self._store_children(place, child.digest)


def _is_layout(access: Access, registry: str, override: str) -> bool:
    return (override or access.endpoints.get(registry, "")).startswith(_LAYOUT)


def _has_tag(change: Change) -> bool:
    return change.op != "delete" and bool(change.target.tag) and not change.subject
