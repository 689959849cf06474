"""What was asked of registries, in figures that can be added up over processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Counts(NamedTuple):
    """What was asked of a registry. ``requests`` by method and first digit of the status (0: no answer), ``retries`` by reason.

    ``waited`` is seconds, ``read`` and ``written`` are bytes of bodies.
    """

    requests: Mapping[tuple[str, int], int]
    retries: Mapping[str, int]
    waited: float
    read: int
    written: int


class Tally(NamedTuple):
    """What one process asked of registries so far, by address, and how many steps it did again."""

    hosts: Mapping[str, Counts]
    steps_again: int


def sum_of(counts: Iterable[Counts]) -> Counts:
    """All of them together."""
    requests: Counter[tuple[str, int]] = Counter()
    retries: Counter[str] = Counter()
    waited, read, written = 0.0, 0, 0
    for each in counts:
        requests.update(each.requests)
        retries.update(each.retries)
        waited, read, written = waited + each.waited, read + each.read, written + each.written
    return Counts(dict(requests), dict(retries), waited, read, written)


def age(tally: Tally) -> int:
    """A number that never goes back from one word of a process to its next: they may pass each other on their way."""
    hosts = tally.hosts.values()
    return sum(sum(each.requests.values()) + each.read + each.written for each in hosts)
