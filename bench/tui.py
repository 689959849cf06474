"""How fast ``planner review`` is, beside the same plan in a stock DataTable of textual, in a terminal (120 x 40).

A plan is saved by planner and opened by a process of its own in a pseudo-terminal. *Framed* is when its first frame stands, for
a large plan the one with the bar; *complete* when the first row does. *Repaint* is from a key until its frame is complete,
for a letter of a filter that with the narrowed list; *last byte* is when the details beside the list have followed, too. Memory
is that of the process at its peak, with all the keys. A run of 5,000 steps is watched in its log, which grows by 200 events a
second; what it takes is the processor's time.

    python -m bench.tui            print the tables
    python -m bench.tui --write    put them into docs/performance.md, too
    python -m bench.tui --quick    fewer starts and keys, and a shorter run
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.measuring import DOCUMENT, PYTHON, install, surroundings, write
from bench.peers import PLANNER
from bench.tui_plan import FIRST, run_lines, write_plan
from bench.tui_session import Repaint, Session

FEW, MANY = 45, 50_000
STEPS, EVENTS_A_SECOND = 5_000, 200
STARTS, KEYS = 7, 40
_TABLE = Path(__file__).with_name("tui_table.py")
_DOWN, _PAGE_DOWN, _LEFT, _RIGHT = "\x1b[B", "\x1b[6~", "\x1b[D", "\x1b[C"
_LETTERS = "app-1234"
_LEAVE = "\x11"


class Key(NamedTuple):
    """What is pressed, in turn; ``peer`` says whether the table knows it."""

    name: str
    keys: Sequence[str]
    target: int
    peer: bool = False


LIST_KEYS = (
    Key("down", (_DOWN,), 50, peer=True),
    Key("page down", (_PAGE_DOWN,), 50, peer=True),
    Key("space", (" ",), 50, peer=True),
    Key("fold and unfold", (_LEFT, _RIGHT), 50),
    Key("v", ("v",), 50),
    Key("s", ("s",), 50, peer=True),
)
FILTER_KEY = Key("a letter of a filter", tuple(_LETTERS), 80, peer=True)


class Opened(NamedTuple):
    """One start: milliseconds until there is a frame and until there is a row, and MiB."""

    framed: float
    complete: float
    memory: float


def main() -> int:
    """Measure and print; the exit status is 0 whatever comes out, 1 when a contender cannot do its task."""
    options = _options()
    install()
    starts, keys = (3, 12) if options.quick else (STARTS, KEYS)
    with tempfile.TemporaryDirectory(prefix="bench-tui-") as name:
        folder = Path(name)
        files = {count: folder / f"plan-{count}.json" for count in (FEW, MANY)}
        for count, file in files.items():
            write_plan(file, count)
        blocks = [
            f"{surroundings('planner', 'textual', 'rich')}, 120 x 40.",
            *(_starts(file, count, starts) for count, file in files.items()),
            _keys(files[MANY], keys),
            _run(folder, 10 if options.quick else STEPS * 2.2 / EVENTS_A_SECOND),
        ]
    text = "\n\n".join(blocks)
    sys.stdout.write(text + "\n")
    if options.write:
        write(text, "bench.tui")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.tui")
    parser.add_argument("--write", action="store_true", help=f"update {DOCUMENT.name}")
    parser.add_argument("--quick", action="store_true", help="fewer starts, keys and seconds")
    return parser.parse_args()


def _review(file: Path) -> Session:
    return Session([PLANNER, "review", str(file)], file.parent)


def _table(file: Path) -> Session:
    return Session([str(PYTHON), str(_TABLE), str(file)], file.parent)


def _starts(file: Path, count: int, starts: int) -> str:
    """The first start warms the caches of files, and does not count."""
    own, other = [], []
    for _ in range(starts + 1):
        with _review(file) as session:
            framed, complete = session.until("planner review"), session.until(FIRST)
            session.settle()
            own.append(Opened(framed, complete, session.end(_LEAVE)))
        with _table(file) as session:
            complete = session.until(FIRST)
            session.settle()
            other.append(Opened(complete, complete, session.end(_LEAVE)))
    del own[0], other[0]
    goal = "≤ 400" if count == FEW else "≤ 700"
    rows = [
        _row("framed", [each.framed for each in own], [each.framed for each in other], goal),
        _row(
            "complete",
            [each.complete for each in own],
            [each.complete for each in other],
            goal if count == FEW else "",
        ),
        _memory_row(
            "peak MiB", max(each.memory for each in own), max(each.memory for each in other)
        ),
    ]
    head = "| ms | median | least | DataTable, median | ratio | target |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    return "\n".join([f"**Opening {count:,} images**\n", head, *rows])


def _memory_row(name: str, own: float, other: float) -> str:
    return f"| {name} | {own:.0f} |  | {other:.0f} | {own / other:.2f} |  |"


def _row(name: str, own: Sequence[float], other: Sequence[float], aim: str) -> str:
    ratio = median(own) / median(other)
    return f"| {name} | {median(own):.0f} | {min(own):.0f} | {median(other):.0f} | {ratio:.2f} | {aim} |"


def _keys(file: Path, count: int) -> str:
    with _review(file) as session:
        session.until(FIRST)
        session.settle(1.0)
        own = _pressed(session, LIST_KEYS, count)
        own[FILTER_KEY.name] = _filtered(session, f"of {MANY:,}", count)
        memory = session.end(_LEAVE)
    with _table(file) as session:
        session.until(FIRST)
        session.settle(1.0)
        other = _pressed(session, [each for each in LIST_KEYS if each.peer], 6)
        other[FILTER_KEY.name] = _filtered(session, "", 8)
        other_memory = session.end(_LEAVE)
    rows = [
        _key_row(each, own[each.name], other.get(each.name, ()))
        for each in (*LIST_KEYS, FILTER_KEY)
    ]
    ratio = memory / other_memory
    return "\n".join(
        [
            f"**Keys at {MANY:,} images, from the key to its repaint**\n",
            "| ms | median | p95 | least | last byte | DataTable | ratio | target for p95 |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            "| | peak MiB | DataTable | ratio | target |",
            "| --- | ---: | ---: | ---: | ---: |",
            f"| the process, with all of these keys | {memory:.0f} | {other_memory:.0f} | {ratio:.2f} | ≤ 150 |",
        ]
    )


def _pressed(session: Session, keys: Sequence[Key], count: int) -> dict[str, list[Repaint]]:
    found: dict[str, list[Repaint]] = {}
    for each in keys:
        presses = islice(_round(each.keys), count)
        found[each.name] = [session.press(key) for key in presses]
        session.settle()
    return found


def _filtered(session: Session, sign: str, count: int) -> list[Repaint]:
    """Type a word, letter by letter; ``sign`` is in the frame with the narrowed list, which for the table is the last one."""
    session.press("/")
    session.settle()
    found: list[Repaint] = []
    while len(found) < count:
        found += [session.press(letter, sign, 0.25) for letter in _LETTERS]
        for _ in _LETTERS:
            session.press("\x7f", quiet=0.25)
    return found[:count]


def _round(keys: Sequence[str]) -> Iterator[str]:
    while True:
        yield from keys


def _key_row(key: Key, own: Sequence[Repaint], other: Sequence[Repaint]) -> str:
    first, last = [each.first for each in own], [each.last for each in own]
    is_typed = key is FILTER_KEY
    theirs = [each.last if is_typed else each.first for each in other]
    peer = f"{median(theirs):.0f} | {median(first) / median(theirs):.2f}" if theirs else " | "
    figures = f"{median(first):.0f} | {_p95(first):.0f} | {min(first):.0f} | {median(last):.0f}"
    return f"| {key.name} | {figures} | {peer} | ≤ {key.target} |"


def _p95(found: Sequence[float]) -> float:
    return sorted(found)[max(0, round(0.95 * len(found)) - 1)]


def _run(folder: Path, seconds: float) -> str:
    """The log grows as fast as the clock goes."""
    log = folder / "events.jsonl"
    lines = run_lines(STEPS)
    with log.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{each}\n" for each in islice(lines, 2))
        stream.flush()
        with Session([PLANNER, "review", "--watch", str(log)], folder) as session:
            session.until("Queued (")
            session.settle(0.3)
            start, before, written = time.perf_counter(), session.processor(), 0
            while (passed := time.perf_counter() - start) < seconds:
                due = int(passed * EVENTS_A_SECOND) - written
                stream.writelines(f"{each}\n" for each in islice(lines, due))
                stream.flush()
                written += due
                session.settle(0.02)
            share = (session.processor() - before) / (time.perf_counter() - start)
            memory = session.end(_LEAVE)
    return "\n".join(
        [
            f"**A run of {STEPS:,} steps, {EVENTS_A_SECOND} events a second**\n",
            "| | | target |",
            "| --- | ---: | ---: |",
            f"| of one core, in {seconds:.0f} s | {100 * share:.0f} % | ≤ 25 % |",
            f"| peak MiB | {memory:.0f} |  |",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
