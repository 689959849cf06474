"""Work on one list by several processes, where the machine can copy a process."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Share(NamedTuple):
    """A process at work, and the file from which its results can be read."""

    process: int
    results: int


def in_shares(
    work: Callable[[Sequence[Item]], Sequence[Result]], shares: Sequence[Sequence[Item]]
) -> list[Sequence[Result]]:
    """``work`` on each share, the first in this process and each of the others in a copy of it; results in their order.

    They come back pickled. What a share raises is raised here, when all of them have ended.
    """
    others = [_begin(work, share) for share in shares[1:]]
    outcomes = [_outcome(work, share) for share in shares[:1]]
    outcomes += [_end(other) for other in others]
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


def can_share() -> bool:
    """Whether this process can be copied without harm: not on Windows, and not while it has threads."""
    threads = sys.modules.get("threading")
    return hasattr(os, "fork") and (threads is None or threads.active_count() == 1)


def cores() -> int:
    """How many processes can be at work at the same time."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _begin(work: Callable[[Sequence[Item]], Sequence[Result]], share: Sequence[Item]) -> _Share:
    sys.stdout.flush()  # or each copy would write what is waiting there
    sys.stderr.flush()
    results, sink = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(results)
        with os.fdopen(sink, "wb") as pipe:
            pickle.dump(_outcome(work, share), pipe, pickle.HIGHEST_PROTOCOL)
        os._exit(0)
    os.close(sink)
    return _Share(process, results)


def _outcome(work: Callable[[Sequence[Item]], Sequence[Result]], share: Sequence[Item]) -> Any:
    try:
        return work(share)
    except BaseException as error:  # noqa: BLE001 - it is raised in the first process
        return error


def _end(share: _Share) -> Any:
    with os.fdopen(share.results, "rb") as pipe:
        data = pipe.read()
    os.waitpid(share.process, 0)
    # It comes from a copy of this very process.
    return pickle.loads(data) if data else RuntimeError("a process ended without its results")  # noqa: S301
