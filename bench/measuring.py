"""What every benchmark does: run contenders in turn, compare them in pairs, tell the surroundings, keep the tables."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.tools import ROOT

PYTHON = ROOT / ".tools" / "bench" / "bin" / "python"
DOCUMENT = ROOT / "docs" / "performance.md"

Times = Mapping[str, Sequence[float]]


class Target(NamedTuple):
    """``planner`` takes at most ``factor`` of what ``other`` takes."""

    other: str
    factor: float


class Case(NamedTuple):
    """One task for all contenders, each given as a command."""

    title: str
    rounds: int
    commands: Mapping[str, Sequence[str]]
    targets: tuple[Target, ...] = ()


def install(*others: str) -> None:
    """Make planner ready as people have it, compiled and not from the checkout, and other packages in their newest versions."""
    if not PYTHON.is_file():
        subprocess.run([sys.executable, "-m", "venv", PYTHON.parent.parent], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if others:
        subprocess.run([*pip, "--upgrade", *others], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", "--compile", str(ROOT)], check=True)
    subprocess.run([*pip, str(ROOT)], check=True)


def surroundings(*packages: str) -> str:
    """The machine, and the versions of packages."""
    listed = subprocess.run(
        [PYTHON, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        stdout=subprocess.PIPE,
        check=True,
    )
    versions = {
        each["name"].lower().replace("_", "-"): each["version"]
        for each in json.loads(listed.stdout)
    }
    told = ", ".join(f"{name} {versions[name]}" for name in packages)
    machine = f"{os.cpu_count()} cores {_processor()}, {platform.system()}, Python {platform.python_version()}"
    return f"{machine}; {told}"


class Run(NamedTuple):
    """What a command took: wall time, the processor's time in it and what it started, and memory at its peak."""

    seconds: float
    mebibytes: float
    processor: float


def run(command: Sequence[str], home: Path | None = None) -> Run:
    """Run a command to its end.

    Raises:
        SystemExit: it failed.
    """
    settings = environment() if home is None else {**environment(), "HOME": str(home)}
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=settings, cwd=home, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(max(0, output.tell() - 1000))
            raise SystemExit(
                f"{' '.join(command)} ended with {process.returncode}: {output.read()!r}"
            )
    kibibytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Run(took, kibibytes / 1024, usage.ru_utime + usage.ru_stime)


def measure(case: Case, rounds: int) -> Times:
    """Milliseconds per contender and round; the first round, which warms the caches of files, does not count."""
    found: dict[str, list[float]] = {name: [] for name in case.commands}
    for number in range(rounds + 1):
        for name, command in case.commands.items():
            start = time.perf_counter()
            done = subprocess.run(command, env=environment(), capture_output=True, check=False)
            took = (time.perf_counter() - start) * 1000
            if done.returncode:
                raise SystemExit(
                    f"{name} ended with {done.returncode}: {done.stdout[-500:]!r} {done.stderr[-500:]!r}"
                )
            if number:
                found[name].append(took)
    return found


def environment() -> dict[str, str]:
    """Nothing that changes what a contender does: compiled modules are used, and no settings of this machine."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def table(case: Case, times: Times) -> str:
    """Medians, leasts and ratios."""
    rows = [
        "| | median ms | least ms | ratio | target |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    factors = {target.other: target.factor for target in case.targets}
    for name, each in times.items():
        of_it = "" if name == "planner" else f"{ratio(times['planner'], each):.2f}"
        target = f"≤ {factors[name]:g}" if name in factors else ""
        rows.append(f"| {name} | {median(each):.0f} | {min(each):.0f} | {of_it} | {target} |")
    return f"**{case.title}**\n\n" + "\n".join(rows)


def ratio(own: Sequence[float], other: Sequence[float]) -> float:
    """The median of the ratios of all rounds."""
    return median(mine / theirs for mine, theirs in zip(own, other, strict=True))


def write(text: str, name: str) -> None:
    """Put tables between the marks of a benchmark in docs/performance.md."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = DOCUMENT.read_text("utf-8").partition(begin)
    after = rest.partition(end)[2]
    DOCUMENT.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), ""
    )
    return model or platform.machine()
