"""How fast registries are asked, and how long they are left alone.

Each registry has lanes, by kind of request, whose width adapts: a refusal for being too fast (429, 503) or silence halves it, a
whole width of good answers adds one (additive increase, multiplicative decrease). A registry that asks to wait is left alone by
all threads.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from planner.core.refs import DOCKER_HUB
from planner.stores.bandwidth import Bucket
from planner.stores.patience import Patience
from planner.stores.tally import Counts, Tally, age, sum_of
from planner.stores.verified import InterruptedStepError

TOO_FAST = frozenset({429, 503})
_WORTH_TELLING = 1.0
_GLANCE = 0.25

Tell = Callable[[str, float, str], None]


def nobody(_host: str, _seconds: float, _reason: str) -> None:
    """Tell nobody."""


class Traffic:
    """What all requests of a run share: the registries by host, the bandwidth, and whom waiting is told. Threads may share it.

    ``steps_again`` counts the steps that were done again. What other processes of the run did is counted when it is heard of.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.bucket: Bucket | None = None
        self.tell: Tell = nobody
        self._steps_again = 0
        self._heard: dict[str, Tally] = {}
        self._stopping = threading.Event()
        self._opening = threading.Lock()
        self._hosts: dict[str, Host] = {}

    def limit(self, rate: float) -> None:
        """Read at most so many bytes a second."""
        self.bucket = Bucket(rate, self.patience.clock, self.sleep)

    def host(self, address: str) -> Host:
        """The one that is contacted at ``host[:port]``."""
        with self._opening:
            if address not in self._hosts:
                name = DOCKER_HUB if address == "registry-1.docker.io" else address
                self._hosts[address] = Host(name, self)
            return self._hosts[address]

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All that were contacted, by name."""
        return tuple(sorted(self._hosts.copy().values(), key=lambda host: host.name))

    def step_again(self) -> None:
        """Count a step that is done again."""
        with self._opening:
            self._steps_again += 1

    def tally(self) -> Tally:
        """What this process did by now, and no other."""
        with self._opening:
            hosts = {address: host.own_counts for address, host in self._hosts.items()}
            return Tally(hosts, self._steps_again)

    def hear(self, process: str, tally: Tally) -> None:
        """Count what another process did so far; a word that is older than the last one changes nothing."""
        with self._opening:
            known = self._heard.get(process)
            if known and age(known) > age(tally):
                return
            self._heard[process] = tally
        for address, counts in tally.hosts.items():
            self.host(address).hear(process, counts)

    @property
    def steps_again(self) -> int:
        """How many steps were done again, in all processes."""
        with self._opening:
            return self._steps_again + sum(each.steps_again for each in self._heard.values())

    def stop(self) -> None:
        """End all waiting, now and later. May be called from a signal handler."""
        self._stopping.set()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            InterruptedStepError: the run was stopped.
        """
        if self.patience.sleep:
            self.patience.sleep(seconds)
        else:
            self._stopping.wait(seconds)
        self.go_on()

    def go_on(self) -> None:
        """Return, unless the run was stopped.

        Raises:
            InterruptedStepError: it was.
        """
        if self._stopping.is_set():
            raise InterruptedStepError

    def throttle(self, count: int) -> None:
        """Wait until so many bytes more may be read; not at all where nothing limits them."""
        if self.bucket:
            self.bucket.take(count)


class Host:
    """One registry's pace and figures. Threads may share it."""

    def __init__(self, name: str, traffic: Traffic) -> None:
        self.name = name
        self.traffic = traffic
        self.lock = threading.Lock()
        self.pauses = 0
        self._lanes: dict[int, Lanes] = {}
        self._requests: Counter[tuple[str, int]] = Counter()
        self._retries: Counter[str] = Counter()
        self._read = self._written = 0
        self._waited = 0.0
        self._paused_until = 0.0
        self._heard: dict[str, Counts] = {}

    def lanes(self, parallelism: int) -> Lanes:
        """Those that together have at most ``parallelism`` requests under way."""
        with self.lock:
            return self._lanes.setdefault(parallelism, Lanes(self, parallelism))

    @property
    def counts(self) -> Counts:
        """The figures by now, of all processes."""
        return sum_of((self.own_counts, *self._heard.copy().values()))

    def hear(self, process: str, counts: Counts) -> None:
        """What another process asked of this registry so far."""
        self._heard[process] = counts

    @property
    def own_counts(self) -> Counts:
        """The figures of this process."""
        with self.lock:
            return Counts(
                dict(self._requests), dict(self._retries), self._waited, self._read, self._written
            )

    def pause(self, seconds: float, reason: str, *, is_shared: bool) -> None:
        """Wait; when it ``is_shared``, all requests that were not sent yet wait too, until the last such pause is over.

        Raises:
            InterruptedStepError: the run was stopped.
        """
        with self.lock:
            is_news = self._begin_pause(seconds) if is_shared else False
            self._waited += 0.0 if is_shared else seconds
        try:
            if is_news and seconds >= _WORTH_TELLING:
                self.traffic.tell(self.name, seconds, reason)
            self.traffic.sleep(seconds)
        finally:
            with self.lock:
                self.pauses -= is_shared
                if is_shared and not self.pauses:
                    for lanes in self._lanes.values():
                        lanes.wake()

    def _begin_pause(self, seconds: float) -> bool:
        """Whether all will now wait for longer than is known, and not just by a moment."""
        now = self.traffic.patience.clock()
        known, until = max(self._paused_until, now), now + seconds
        self.pauses += 1
        self._waited += max(0.0, until - known)
        self._paused_until = max(known, until)
        return until >= known + _WORTH_TELLING

    def retried(self, reason: str) -> None:
        """Something is tried again."""
        with self.lock:
            self._retries[reason] += 1

    def stalled(self, reason: str) -> None:
        """A transfer was cut, and its bytes are asked for again."""
        self.retried("stall")
        self.traffic.tell(self.name, 0.0, reason)

    def arrived(self, count: int) -> None:
        """Bytes of a streamed answer."""
        with self.lock:
            self._read += count

    def note(self, method: str, status: int, read: int, written: int) -> None:
        """A request is over: its status, 0 for no answer, and the bytes of both bodies."""
        with self.lock:
            self._requests[method, status // 100] += 1
            self._read += read
            self._written += written


class Lanes:
    """What goes to one host: blobs that are read, blobs that are written, and everything small."""

    def __init__(self, host: Host, cap: int) -> None:
        self.host = host
        self.cap = cap
        self.under_way = 0
        self.waiting = 0
        self.reads, self.writes, self.small = (Lane(self) for _ in range(3))

    def wake(self) -> None:
        """Let those on that may go by now; who calls this holds the host's ``lock``."""
        if self.waiting:
            for lane in (self.small, self.writes, self.reads):
                lane.wake()


class Lane:
    """The requests of one kind to one host, of which ``width`` may be under way: from ``cap`` down to 1, and up again.

    The body of a streamed answer is not under way: who copies within one registry would wait for itself.
    """

    def __init__(self, lanes: Lanes) -> None:
        self.width = lanes.cap
        self._lanes = lanes
        self._host = lanes.host
        self._lock = lanes.host.lock
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._under_way = 0
        self._epoch = 0
        self._clean = 0

    def enter(self) -> int:
        """Wait until a request may be sent; the result is what ``leave`` wants to know.

        Raises:
            InterruptedStepError: the run was stopped meanwhile.
        """
        lanes = self._lanes
        with self._lock:
            if self._host.pauses or self._under_way >= self.width or lanes.under_way >= lanes.cap:
                self._wait()
            self._under_way += 1
            lanes.under_way += 1
            return self._epoch

    def leave(self, epoch: int, *, is_too_fast: bool) -> None:
        """A request is over; ``is_too_fast``: it was refused for that, or not answered in time."""
        lanes = self._lanes
        with self._lock:
            self._under_way -= 1
            lanes.under_way -= 1
            if is_too_fast:
                if epoch == self._epoch:  # those that were on their way with it say nothing new
                    self._epoch += 1
                    self._clean = 0
                    self.width = max(1, self.width // 2)
            elif self.width < lanes.cap:
                self._clean += 1
                if self._clean >= self.width:
                    self._clean = 0
                    self.width += 1
            if lanes.waiting:
                lanes.wake()

    def wake(self) -> None:
        """Let as many on as there is room for."""
        if self._waiting and not self._host.pauses:
            room = min(self.width - self._under_way, self._lanes.cap - self._lanes.under_way)
            self._changed.notify(max(0, room))

    def _wait(self) -> None:
        lanes = self._lanes
        self._waiting += 1
        lanes.waiting += 1
        try:
            while (
                self._host.pauses or self._under_way >= self.width or lanes.under_way >= lanes.cap
            ):
                self._changed.wait(_GLANCE)
                self._host.traffic.go_on()
        finally:
            self._waiting -= 1
            lanes.waiting -= 1
