"""How long ``planner plan`` takes when nothing is to be done, beside ``regsync check`` (regclient) on the same two registries.

Both ask each registry once for each tag. The registries are real ones (distribution, on loopback, their files on tmpfs), and
hold the images that ``bench.images`` makes; the access log says how many requests planner needed. All contenders run in
turn; the ratio is the median of the ratios of all rounds, so that a machine that is slow for a while is slow for both.

    python -m bench.plan            print the tables
    python -m bench.plan --write    put them into docs/performance.md, too
    python -m bench.plan --quick    fewer rounds, and no case of 5,000 tags
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import registries
from bench.images import Set, fill
from bench.measuring import (
    DOCUMENT,
    Case,
    Target,
    install,
    measure,
    run,
    surroundings,
    table,
    write,
)
from bench.peers import (
    CONCURRENT,
    PARALLEL,
    PLANNER,
    REGSYNC,
    Copy,
    regsync_command,
    regsync_version,
    said,
)
from bench.registries import Served, copied, in_memory, served
from bench.tools import BIN, obtain

RECORDED = 100_000
NO_REGSYNC = (
    f"regsync is not here: install Go, with which it is built into {BIN}, or put it on PATH"
)


class Task(NamedTuple):
    """So many images; planner may take ``factor`` of regsync's time."""

    images: Set
    rounds: int
    factor: float

    @property
    def tags(self) -> int:
        """How many tags."""
        return self.images.repositories * self.images.tags


TASKS = (
    Task(Set("small", 20, 3), 15, 2.5),
    Task(Set("medium", 40, 10), 9, 1.0),
    Task(Set("large", 250, 20), 5, 0.7),
)


def main() -> int:
    """Measure and print; the exit status is 0 whatever comes out, 1 when a contender cannot do its task."""
    options = _options()
    install()
    regsync = obtain(REGSYNC, "regsync")
    tasks = TASKS[:2] if options.quick else TASKS
    blocks = [_surroundings(regsync)]
    with in_memory() as folder:
        blocks += _online(folder, tasks, regsync, 3 if options.quick else 1)
        blocks.append(_recorded(folder))
    text = "\n\n".join(blocks)
    sys.stdout.write(text + "\n")
    if options.write:
        write(text, "bench.plan")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.plan")
    parser.add_argument("--write", action="store_true", help=f"update {DOCUMENT.name}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no 5,000 tags")
    return parser.parse_args()


def _surroundings(regsync: str) -> str:
    server = said(*registries.program(), "--version").split(" ", 1)[-1]
    if not regsync:
        return f"{surroundings('planner')}, {server}. {NO_REGSYNC}."
    asks = f"parallel {PARALLEL}, reqConcurrent {CONCURRENT}, one entry for each tag"
    return f"{surroundings('planner')}, regsync {regsync_version(regsync)} ({asks}), {server}."


def _online(folder: Path, tasks: Sequence[Task], regsync: str, divisor: int) -> Iterator[str]:
    with served(folder / "source") as source:
        for task in tasks:
            fill(source.host, task.images)
    copied(folder / "source", folder / "target")
    with served(folder / "source") as source, served(folder / "target") as target:
        figures = []
        for task in tasks:
            case = _case(folder / task.images.prefix, task, (source, target), regsync)
            figures.append(_figures(task, case.commands["planner"], (source, target)))
            yield table(case, measure(case, max(3, task.rounds // divisor)))
            sys.stderr.write(f"{case.title}: done\n")
    yield _figures_table(figures)


def _case(folder: Path, task: Task, pair: tuple[Served, Served], regsync: str) -> Case:
    source, target = pair
    folder.mkdir()
    names = list(task.images.names())
    spec = folder / "registries.yaml"
    spec.write_text(f"mirrors: {{'{source.host}': {{endpoint: ['{target.url}']}}}}\n", "utf-8")
    listed = folder / "images.txt"
    listed.write_text("".join(f"{source.host}/{name}\n" for name in names), "utf-8")
    commands: dict[str, Sequence[str]] = {
        "planner": [PLANNER, "plan", str(spec), "--images", str(listed)]
    }
    if regsync:
        copy = Copy(names, source.host, target.host)
        commands["regsync check"] = regsync_command(folder, copy, "check")
    title = f"{task.tags:,} tags in {task.images.repositories} repositories, all in sync"
    return Case(title, task.rounds, commands, (Target("regsync check", task.factor),))


def _figures(task: Task, command: Sequence[str], pair: Sequence[Served]) -> Sequence[str]:
    """What one run asks the registries, and what it takes of memory."""
    before = [_asked(each) for each in pair]
    memory = run(command).mebibytes
    asked = [
        {method: count - had[method] for method, count in _asked(each).items()}
        for each, had in zip(pair, before, strict=True)
    ]
    expected = {"HEAD": task.tags, "GET": 1}
    if any(each != expected for each in asked):
        raise SystemExit(f"planner asked {asked}, and not {expected} on both sides")
    said = f"{task.tags:,} HEAD and 1 GET a side"
    return (f"{task.tags:,} tags", said, f"{memory:.0f}", "≤ 150" if task.tags >= 5000 else "")


def _asked(registry: Served) -> Mapping[str, int]:
    return {method: registry.requests(method) for method in ("HEAD", "GET")}


def _figures_table(rows: Sequence[Sequence[str]]) -> str:
    head = ["| | requests | peak MiB | target |", "| --- | ---: | ---: | ---: |"]
    return "**What planner asks and takes**\n\n" + "\n".join(
        [*head, *(f"| {' | '.join(row)} |" for row in rows)]
    )


def _recorded(folder: Path) -> str:
    """Planning from an inventory, without a network: half as many images should take half the time."""
    rows = [
        "| | s | peak MiB | target |",
        "| --- | ---: | ---: | ---: |",
    ]
    for count in (RECORDED // 2, RECORDED):
        took = run(_recorded_command(folder / str(count), count))
        target = "≤ 60 s, ≤ 1,536 MiB" if count == RECORDED else ""
        rows.append(f"| {count:,} images | {took.seconds:.1f} | {took.mebibytes:.0f} | {target} |")
    return "**From an inventory, one name in ten missing**\n\n" + "\n".join(rows)


def _recorded_command(folder: Path, count: int) -> Sequence[str]:
    folder.mkdir()
    names = list(Set("recorded", count // 20, 20).names())
    source: dict[str, dict[str, str]] = {}
    target: dict[str, dict[str, str]] = {}
    for number, name in enumerate(names):
        repository, _, tag = name.rpartition(":")
        digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
        source.setdefault(repository, {})[tag] = digest
        if number % 10:
            target.setdefault(repository, {})[tag] = digest
    inventory = folder / "inventory.json"
    held = {"upstream.example": source, "mirror.example": target}
    document = {name: _holdings(each) for name, each in held.items()}
    inventory.write_text(
        json.dumps({"format": "planner.inventory/1", "registries": document}), "utf-8"
    )
    spec = folder / "registries.yaml"
    spec.write_text("mirrors: {upstream.example: {endpoint: [mirror.example]}}\n", "utf-8")
    listed = folder / "images.txt"
    listed.write_text("".join(f"upstream.example/{name}\n" for name in names), "utf-8")
    return [
        *(PLANNER, "plan", str(spec), "--images", str(listed)),
        *("--against", str(inventory), "-o", str(folder / "plan.json")),
    ]


def _holdings(repositories: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    return {
        "product": "distribution",
        "listed_by": "catalog",
        "complete": True,
        "repositories": repositories,
        "errors": {},
    }


if __name__ == "__main__":
    raise SystemExit(main())
