"""How long ``planner apply`` takes to fill an empty registry, beside regsync, crane and skopeo.

Source and destination are real registries (distribution, on loopback, their files on tmpfs). Each cold run has a destination
and a home of its own and is checked afterwards: every tag has the source's digest. The contenders run in turn; the ratio is
the median of the ratios of all rounds, so that a machine that is slow for a while is slow for all of them. What is missing is
built into ``.tools`` where there is Go.

    python -m bench.copying              print the tables
    python -m bench.copying --write      put them into docs/performance.md, too
    python -m bench.copying --scale 0.1 --only W2 --runs 2      a quick look
    python -m bench.copying --only far   W1 and W2 over a long way (see bench.wan)
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from bench import registries
from bench.access import tally
from bench.copy_tables import Figures, again_table, cold_table, kinds_table
from bench.images import DOCKER, OCI
from bench.measuring import DOCUMENT, Run, install, run, surroundings, write
from bench.peers import Contender, Copy, contenders, said
from bench.registries import Served, in_memory, served
from bench.transfers import Filled, Workload, fill
from bench.wan import far

WORKLOADS = (
    Workload("W1", 20, 3, 6, 1.2e9, shared=3, changing=2, bases=4, indexes=0.4),
    Workload("W2", 40, 10, 5, 6e7, shared=3, bases=3, indexes=0.15, spread=0.9),
    Workload("W3", 4, 1, 5, 4e9, spread=0.3),
)
FAR = "far"
_SLOW = "skopeo sync"
_ACCEPT = {"Accept": ", ".join(kind for each in (OCI, DOCKER) for kind in each[:2])}
_SPARE = 2e9


class Options(NamedTuple):
    """How much is measured."""

    runs: int
    slow_runs: int
    seed: int
    long_way: bool


def main() -> int:
    """Measure and print; the exit status is 0 whatever comes out, 1 when a contender cannot do its task."""
    parsed = _parse()
    install()
    beside = contenders()
    blocks = [_surroundings(beside)]
    for work in (each.scaled(parsed.scale) for each in WORKLOADS):
        ways = [far for far in (False, True) if _is_wanted(work, parsed.only, long_way=far)]
        if not ways:
            continue
        blocks += _measured(work, beside, parsed, ways)
        sys.stderr.write(f"{work.name}: done\n")
    text = "\n\n".join(blocks)
    sys.stdout.write(text + "\n")
    if parsed.write:
        write(text, "bench.copying")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.copying")
    parser.add_argument("--write", action="store_true", help=f"update {DOCUMENT.name}")
    parser.add_argument("--runs", type=int, default=5, help="cold runs of each contender")
    parser.add_argument("--skopeo-runs", type=int, default=1, help="of skopeo; 0 leaves it out")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of each workload")
    parser.add_argument("--seed", type=int, default=1, help="other bytes")
    names = (*(each.name for each in WORKLOADS), FAR)
    parser.add_argument(
        "--only", action="append", choices=names, help="a part, several times for several"
    )
    return parser.parse_args()


def _is_wanted(work: Workload, only: Sequence[str] | None, *, long_way: bool) -> bool:
    if long_way:
        return work.name != "W3" and (not only or FAR in only)
    return not only or work.name in only


def _measured(
    work: Workload, beside: Sequence[Contender], parsed: argparse.Namespace, ways: Sequence[bool]
) -> Iterator[str]:
    with in_memory() as folder:
        needed = 2 * work.size + _SPARE
        if (free := _free(folder)) < needed:
            needs = (
                f"two registries need {needed / 1e9:.0f} GB of memory, {free / 1e9:.0f} are free"
            )
            yield f"**{work.name}: left out.** Its {needs}."
            return
        with served(folder / "source") as source:
            filled = fill(source.host, work, parsed.seed)
            for long_way in ways:
                options = Options(parsed.runs, parsed.skopeo_runs, parsed.seed, long_way)
                bench = _Bench(folder, work, source, filled, options)
                yield from bench.tables(beside)


def _free(folder: Path) -> float:
    """Bytes that fit: what tmpfs takes is memory."""
    free = float(shutil.disk_usage(folder).free)
    info = Path("/proc/meminfo")
    if info.is_file():
        fields = dict(line.split(":", 1) for line in info.read_text("ascii").splitlines())
        free = min(free, int(fields["MemAvailable"].split()[0]) * 1024)
    return free


def _surroundings(beside: Sequence[Contender]) -> str:
    server = said(*registries.program(), "--version").split(" ", 1)[-1]
    versions = [each.version for each in beside if each.version]
    return f"{', '.join((surroundings('planner'), *versions, server))}."


class _Bench:
    """One workload, near or far: its source is filled, destinations come and go."""

    def __init__(
        self, folder: Path, work: Workload, source: Served, filled: Filled, options: Options
    ) -> None:
        self._folder = folder
        self._work = work
        self._source = source
        self._filled = filled
        self._options = options
        self._number = 0

    def tables(self, beside: Sequence[Contender]) -> Iterator[str]:
        """All that is told of it."""
        found: dict[str, list[Figures]] = {each.name: [] for each in beside}
        for number in range(self._options.runs):
            # Whoever is first in one round is not in the next.
            turn = number % len(beside)
            for each in (*beside[turn:], *beside[:turn]):
                if each.name != _SLOW or number < self._slow_runs():
                    found[each.name].append(self._cold(each))
                    self._tell(each.name, found[each.name][-1].client)
        found = {name: figures for name, figures in found.items() if figures}
        size = sum(self._filled.blobs.values())
        yield cold_table(self._work, size, found, long_way=self._options.long_way)
        if not self._options.long_way:
            yield kinds_table(self._work, found)
            if self._work.name != "W3":
                yield self._again(beside)

    def _slow_runs(self) -> int:
        return 0 if self._options.long_way else self._options.slow_runs

    def _tell(self, name: str, took: Run) -> None:
        way = " far" if self._options.long_way else ""
        sys.stderr.write(f"{self._work.name}{way}: {name} {took.seconds:.2f} s\n")

    def _cold(self, contender: Contender) -> Figures:
        """One run into an empty registry."""
        self._number += 1
        place = self._folder / f"run-{self._number}"
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, place)
            target = stack.enter_context(served(place / "target"))
            copy = self._copy(stack, target)
            home = place / "home"
            home.mkdir()
            command = contender.command(home, copy)
            seen = self._source.log.stat().st_size
            before = self._source.processor + target.processor
            took = run(command, home)
            servers = self._source.processor + target.processor - before
            time.sleep(0.1)  # for the last lines of the logs
            found = Figures(
                took,
                tally(self._source.log, seen, self._filled.blobs),
                tally(target.log, 0, self._filled.blobs),
                servers,
            )
            _check(target, self._filled, contender.name)
        return found

    def _copy(self, stack: ExitStack, target: Served) -> Copy:
        hosts = [self._source.host, target.host]
        if self._options.long_way:
            hosts = [stack.enter_context(far(host)) for host in hosts]
        return Copy(list(self._filled.digests), *hosts)

    def _again(self, beside: Sequence[Contender]) -> str:
        """When everything is there already."""
        with ExitStack() as stack:
            place = self._folder / "again"
            stack.callback(shutil.rmtree, place)
            target = stack.enter_context(served(place / "target"))
            copy = self._copy(stack, target)
            homes = {each: place / each.name.replace(" ", "-") for each in beside[:2]}
            commands = {}
            for each, home in homes.items():
                home.mkdir()
                commands[each.name] = (each.command(home, copy), home)
            for command, home in commands.values():
                run(command, home)
            found: dict[str, list[Run]] = {name: [] for name in commands}
            for _ in range(3 * self._options.runs):
                for name, (command, home) in commands.items():
                    found[name].append(run(command, home))
        return again_table(self._work, found)


def _check(target: Served, filled: Filled, name: str) -> None:
    """Every tag has the source's digest."""
    connection = HTTPConnection(target.host, timeout=60)
    for image, digest in filled.digests.items():
        repository, _, tag = image.rpartition(":")
        connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers=_ACCEPT)
        response = connection.getresponse()
        response.read()
        if response.headers.get("Docker-Content-Digest") != digest:
            raise SystemExit(f"{name} left {image} as {response.status}, not as {digest}")
    connection.close()


if __name__ == "__main__":
    raise SystemExit(main())
