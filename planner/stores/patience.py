"""How long to wait before something is tried again, and who tries what.

There are three second tries, and none multiplies another:

* a request that fails is made again by ``Connection``, as often as its ``Patience`` says;
* a transfer that breaks off goes on where it was (``reading``, ``uploads``);
* a step is done again by ``perform`` when nothing below it tried again: ``pause_before_step`` decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planner.core.errors import RegistryError

LONGEST_PAUSE = 600.0
_TRIES = 5
_FIRST_PAUSE = 0.5
_FIRST_PAUSE_TOO_FAST = 1.0
_LONGEST_ASKED = 366 * 86400.0
# A registry whose storage lags behind its answers. Of ECR, whose code is the second: oras-project/oras-py#54.
_NOT_THERE_YET = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN"})
_LAG_TRIES = 3
_FIRST_LAG = 0.3
_STEP_TRIES = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to wait for a registry that is busy; the clocks and the pause can be replaced.

    ``sleep`` None: until the time is over, or the run is stopped. ``now`` is Unix time; ``clock`` never goes back. A transfer
    in which no byte has moved for ``stall`` seconds is cut.
    """

    tries: int = _TRIES
    sleep: Callable[[float], None] | None = None
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    stall: float = 60.0


def asked_pause(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from either form of Retry-After.

    A date is one by the server's clock, which its Date tells; only where that is missing, by ``now``.

    Source: RFC 9110, sections 10.2.3 and 6.6.1.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return min(float(value), _LONGEST_ASKED)
    until, since = _timestamp(value), _timestamp(headers.get("Date", ""))
    if until is None:
        return None
    return min(max(0.0, until - (now if since is None else since)), _LONGEST_ASKED)


def _timestamp(date: str) -> float | None:
    """Unix time of an HTTP date; None when it is none."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - nearly no run pauses

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def backoff(attempt: int, status: int) -> float:
    """Seconds before the next try where nobody says how long: twice as many each time, and not the same for all threads."""
    from random import uniform  # noqa: PLC0415 - nearly no run pauses

    first = _FIRST_PAUSE_TOO_FAST if status == 429 else _FIRST_PAUSE
    return first * 2.0 ** (attempt - 1) * uniform(0.8, 1.2)  # noqa: S311 - jitter


def pause_before_step(
    error: RegistryError, attempt: int, *, came_further: bool = False
) -> float | None:
    """Seconds before a step that failed is done again; None: it is not.

    It is when nobody tried the request again: its body passed by once, a stream broke off, or the registry has not seen yet
    what it took. Also when it ``came_further`` this time than ever.
    """
    if error.code in _NOT_THERE_YET and 400 <= error.status < 500:
        return _FIRST_LAG * 2.0 ** (attempt - 1) if attempt <= _LAG_TRIES else None
    is_tried = error.tries > 1 and not came_further
    if not error.retryable or is_tried or attempt >= _STEP_TRIES:
        return None
    return 0.5 * 2.0**attempt
