"""How many bytes a second may be read, over all transfers together."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from planner.core.errors import UsageError

LEAST = 125_000
_FORM = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]+)(?:/s)?")
_UNITS = {
    unit: 1000**power
    for power, units in enumerate((("B",), ("kB", "KB"), ("MB",), ("GB",)))
    for unit in units
}
_UNITS |= {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_BITS = {"bit": 1, "kbit": 1000, "Kbit": 1000, "Mbit": 1000**2, "Gbit": 1000**3}
_BURST = 0.25
_LARGEST_PIECE = 1024 * 1024
_HINT = "write it like 50MiB/s, 50MB/s or 400Mbit/s"


def parse_rate(text: str) -> float:
    """Bytes a second of ``50MiB/s`` or ``400Mbit/s``; ``/s`` may be left out.

    Raises:
        UsageError: it is no rate, or so low that registries would take a transfer for dead.
    """
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{text!r} is no rate", _HINT)
    number, unit = found.groups()
    if unit not in _UNITS and unit not in _BITS:
        raise UsageError(f"{text!r}: {unit} may mean bits or bytes, or is no unit", _HINT)
    rate = float(number) * (_UNITS[unit] if unit in _UNITS else _BITS[unit] / 8)
    if rate < LEAST:
        raise UsageError(
            f"{text!r} is too slow: registries give up on transfers that hardly move",
            "the least is 1Mbit/s",
        )
    return rate


class Bucket:
    """A token bucket of bytes: ``rate`` flow in each second, and a quarter of a second's worth fits in. Threads may share it.

    Who takes bytes gets the next place in the stream of bytes, and sleeps until it has gone by: nobody is passed over, and
    nobody is woken in vain.
    """

    def __init__(
        self, rate: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self.piece = int(min(rate * _BURST, _LARGEST_PIECE))
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = clock() - _BURST

    def take(self, count: int) -> None:
        """Wait until ``count`` more bytes may be read."""
        with self._lock:
            now = self._clock()
            start = max(self._free_at, now - _BURST)
            self._free_at = start + count / self._rate
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)
