"""The tables of ``bench.copying``."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from bench.access import Tally
from bench.measuring import Run, ratio
from bench.peers import FLOOR
from bench.transfers import Workload
from bench.wan import BYTES_PER_SECOND, ROUND_TRIP

# planner's time may be so much of the best peer's; so many requests it may take per image, so much memory.
NEAR_TARGETS = {"W1": 0.75, "W2": 0.75, "W3": 0.9}
FAR_TARGET = 0.6
AGAIN_TARGETS = {"W2": 1.0}
REQUESTS = {"W1": 24, "W2": 14}
MEBIBYTES = 120
_COLUMNS = (
    "median s",
    "least s",
    "ratio",
    "target",
    "asked of the source",
    "of the destination, per image",
    "read MB",
    "sent MB",
    "CPU s",
    "registries' CPU s",
    "peak MiB",
)


class Figures(NamedTuple):
    """One cold run: what the client took, what the registries were asked, and the processor's seconds that they took."""

    client: Run
    source: Tally
    target: Tally
    servers: float


def cold_table(
    work: Workload, size: int, found: Mapping[str, Sequence[Figures]], *, long_way: bool
) -> str:
    """What each contender took to fill an empty registry with ``size`` bytes of blobs."""
    seconds = {name: [each.client.seconds for each in runs] for name, runs in found.items()}
    own = seconds["planner"]
    rows = [_row("", *_COLUMNS), _ruler(len(_COLUMNS))]
    for name, runs in found.items():
        theirs = seconds[name]
        of_it = "" if name == "planner" else f"{ratio(own[: len(theirs)], theirs):.2f}"
        rows.append(_row(name, *_times(theirs), of_it, "", *_figures(work, runs)))
    if best := _best(seconds):
        factor = FAR_TARGET if long_way else NEAR_TARGETS[work.name]
        of_it = f"{ratio(own, best):.2f}"
        blanks = [""] * 7
        rows.append(
            _row("the best peer of each round", *_times(best), of_it, f"≤ {factor:g}", *blanks)
        )
    title = f"{work.name}: {work.images} images in {work.repositories} repositories, {size / 1e6:,.0f} MB of different blobs"
    if long_way:
        speed = f"{BYTES_PER_SECOND / 1e6:.0f} MB/s a connection"
        title += f", {ROUND_TRIP * 1000:.0f} ms away, {speed}"
    return _block(title, rows) + f"\n\n{_demands(work, found['planner'])}"


def kinds_table(work: Workload, found: Mapping[str, Sequence[Figures]]) -> str:
    """Requests per image by kind, in the last run."""
    last = {name: runs[-1] for name, runs in found.items()}
    rows = [_row("", *last), _ruler(len(last))]
    sides = {
        "source": {name: each.source for name, each in last.items()},
        "destination": {name: each.target for name, each in last.items()},
    }
    for side, tallies in sides.items():
        for kind in sorted({kind for each in tallies.values() for kind in each.kinds}):
            counts = [each.kinds.get(kind, 0) / work.images for each in tallies.values()]
            rows.append(
                _row(f"{side}: {kind}", *(f"{each:.2f}" if each else "" for each in counts))
            )
    return _block(f"{work.name}: requests per image", rows)


def again_table(work: Workload, found: Mapping[str, Sequence[Run]]) -> str:
    """What each contender took when nothing was to be done."""
    columns = ("median s", "least s", "ratio", "target", "CPU s", "peak MiB")
    rows = [_row("", *columns), _ruler(len(columns))]
    own = [each.seconds for each in found["planner"]]
    factor = AGAIN_TARGETS.get(work.name)
    for name, runs in found.items():
        seconds = [each.seconds for each in runs]
        of_it = "" if name == "planner" else f"{ratio(own, seconds):.2f}"
        target = f"≤ {factor:g}" if factor and of_it else ""
        processor = f"{median(each.processor for each in runs):.2f}"
        rows.append(_row(name, *_times(seconds), of_it, target, processor, _peak(runs)))
    return _block(f"{work.name} again: all {work.images} images are there", rows)


def _best(seconds: Mapping[str, Sequence[float]]) -> list[float]:
    """The fastest peer of each round, among those that took part in all."""
    rounds = len(seconds["planner"])
    no_peers = ("planner", FLOOR)
    peers = [each for name, each in seconds.items() if name not in no_peers and len(each) == rounds]
    return [min(each) for each in zip(*peers, strict=True)]


def _figures(work: Workload, runs: Sequence[Figures]) -> Sequence[str]:
    return (
        f"{median(each.source.requests for each in runs) / work.images:.1f}",
        f"{median(each.target.requests for each in runs) / work.images:.1f}",
        f"{median(each.source.given for each in runs) / 1e6:.0f}",
        f"{median(each.target.got for each in runs) / 1e6:.0f}",
        f"{median(each.client.processor for each in runs):.2f}",
        f"{median(each.servers for each in runs):.2f}",
        _peak([each.client for each in runs]),
    )


def _demands(work: Workload, runs: Sequence[Figures]) -> str:
    """What planner may ask and take, beside what it did."""
    asked = median(each.source.requests + each.target.requests for each in runs) / work.images
    most = f" (at most {REQUESTS[work.name]})" if work.name in REQUESTS else ""
    memory = f"{_peak([each.client for each in runs])} MiB (at most {MEBIBYTES})"
    return f"planner asks {asked:.1f} times per image{most}, and takes {memory}."


def _peak(runs: Sequence[Run]) -> str:
    """The most memory. A program that is started begins with the peak of who started it, so that less cannot be seen."""
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    floor = kibibytes / (1024 * 1024 if sys.platform == "darwin" else 1024)
    peak = max(each.mebibytes for each in runs)
    return f"{peak:.0f}" if peak > floor + 1 else f"< {floor + 1:.0f}"


def _times(seconds: Sequence[float]) -> Sequence[str]:
    return f"{median(seconds):.2f}", f"{min(seconds):.2f}"


def _block(title: str, rows: Sequence[str]) -> str:
    return f"**{title}**\n\n" + "\n".join(rows)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _ruler(columns: int) -> str:
    return _row("---", *["---:"] * columns)
