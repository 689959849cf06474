"""How long ``planner lint`` takes beside yamllint, check-jsonschema, kubeconform and the bare libraries that it stands on.

All contenders run in turn on the same files, which ``bench.specs`` makes. The ratio says how much of a contender's time
planner takes: the median of the ratios of all rounds, so that a machine that is slow for a while is slow for all of them.
What is missing is installed into ``.tools``.

    python -m bench.lint            print the tables
    python -m bench.lint --write    put them into docs/performance.md, too
    python -m bench.lint --quick    a third of the rounds
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import specs

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
BIN = TOOLS / "bench" / "bin"
DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench.lint -->", "<!-- end of bench.lint -->"
SCHEMA = ROOT / "schemas" / "kubeone" / "kubeonecluster.json"
MANY = 200
KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@latest"
BARE = """\
import json, sys, yaml, jsonschema_rs
node = yaml.compose(open(sys.argv[1], encoding="utf-8"), Loader=yaml.CSafeLoader)
value = yaml.constructor.SafeConstructor().construct_document(node)
validator = jsonschema_rs.Draft202012Validator(json.load(open(sys.argv[2], encoding="utf-8")))
sys.exit(len(list(validator.iter_errors(value))))
"""

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
    targets: tuple[Target, ...]


def main() -> int:
    """Measure and print; the exit status is 0 whatever comes out, 1 when a contender cannot do its task."""
    options = _options()
    _install()
    with tempfile.TemporaryDirectory(prefix="planner-bench-") as folder:
        blocks = [_surroundings(), *_tables(Path(folder), 3 if options.quick else 1)]
    text = "\n\n".join(blocks)
    sys.stdout.write(text + "\n")
    if options.write:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.lint")
    parser.add_argument("--write", action="store_true", help=f"update {DOCUMENT.name}")
    parser.add_argument("--quick", action="store_true", help="a third of the rounds")
    return parser.parse_args()


def _install() -> None:
    """The tools in their newest versions, and planner as people install it: compiled, and not from the checkout."""
    if not BIN.is_dir():
        subprocess.run([sys.executable, "-m", "venv", BIN.parent], check=True)
    pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--upgrade", "yamllint", "check-jsonschema"], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", "--compile", str(ROOT)], check=True)
    subprocess.run([*pip, str(ROOT)], check=True)
    if not _kubeconform() and (go := shutil.which("go")):
        environment = {**os.environ, "GOBIN": str(TOOLS / "bin")}
        subprocess.run([go, "install", KUBECONFORM], env=environment, check=False)


def _kubeconform() -> str:
    own = TOOLS / "bin" / "kubeconform"
    return str(own) if own.is_file() else shutil.which("kubeconform") or ""


def _surroundings() -> str:
    listed = subprocess.run(
        [BIN / "python", "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        stdout=subprocess.PIPE,
        check=True,
    )
    versions = {
        each["name"].lower().replace("_", "-"): each["version"]
        for each in json.loads(listed.stdout)
    }
    names = ("planner", "yamllint", "check-jsonschema", "pyyaml", "jsonschema-rs")
    told = [f"{name} {versions[name]}" for name in names]
    if tool := _kubeconform():
        version = subprocess.run(
            [tool, "-v"], capture_output=True, text=True, check=False
        ).stdout.strip()
        told.append(f"kubeconform {version}")
    machine = f"{os.cpu_count()} cores {_processor()}, {platform.system()}, Python {platform.python_version()}"
    return f"{machine}; {', '.join(told)}."


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), ""
    )
    return model or platform.machine()


def _tables(folder: Path, divisor: int) -> Iterator[str]:
    measured: list[Times] = []
    for case in (_one(folder), _many(folder), _long(folder), _mirrors(folder), _repository(folder)):
        measured.append(_measure(case, max(3, case.rounds // divisor)))
        yield f"**{case.title}**\n\n{_table(case, measured[-1])}"
        sys.stderr.write(f"{case.title}: done\n")
    yield _further(*measured[:2])


def _one(folder: Path) -> Case:
    spec = specs.write(folder / "one" / "kubeone.yaml", specs.kubeone(60))
    targets = (Target("yamllint", 0.8), Target("check-jsonschema", 0.35))
    return Case("One spec of 60 lines, a new process", 31, _contenders(spec.parent), targets)


def _many(folder: Path) -> Case:
    for number in range(MANY):
        name = f"cluster-{number}"
        specs.write(folder / "many" / name / "kubeone.yaml", specs.kubeone(60, name))
    targets = (Target("yamllint", 0.25), Target("check-jsonschema", 0.2))
    title = f"{MANY} specs of 60 lines in one call"
    return Case(title, 9, _contenders(folder / "many"), targets)


def _long(folder: Path) -> Case:
    spec = specs.write(folder / "long" / "kubeone.yaml", specs.kubeone(1500))
    targets = (Target("bare stack", 1.5),)
    return Case("One KubeOne manifest of 1,500 lines", 21, _beside_bare(spec, SCHEMA), targets)


def _mirrors(folder: Path) -> Case:
    spec = specs.write(folder / "mirrors" / "registries.yaml", specs.registries(1500))
    schema = ROOT / "schemas" / "k3s" / "registries.json"
    title = "One registries.yaml of 1,500 lines, nearly 300 mirrors with rewrites"
    return Case(title, 21, _beside_bare(spec, schema), ())


def _repository(folder: Path) -> Case:
    repository = folder / "repository"
    for number in range(5000):
        text = specs.deployment(number) if number % 100 else specs.kubeone(60, f"c{number}")
        specs.write(repository / f"service-{number % 250}" / f"part-{number}.yaml", text)
    commands = {
        "planner": [str(BIN / "planner"), "lint", str(repository)],
        "yamllint": [str(BIN / "yamllint"), str(repository)],
    }
    title = "A folder of 5,000 YAML files, 50 of them specs"
    return Case(title, 3, commands, (Target("yamllint", 0.5),))


def _beside_bare(spec: Path, schema: Path) -> dict[str, Sequence[str]]:
    return {
        "planner": [str(BIN / "planner"), "lint", str(spec)],
        "bare stack": [str(BIN / "python"), "-c", BARE, str(spec), str(schema)],
    }


def _contenders(folder: Path) -> dict[str, Sequence[str]]:
    """All of them on the files of a folder, which are named one by one, as pre-commit does."""
    files = sorted(map(str, folder.rglob("*.yaml")))
    commands: dict[str, Sequence[str]] = {
        "planner": [str(BIN / "planner"), "lint", *files],
        "yamllint": [str(BIN / "yamllint"), *files],
        "check-jsonschema": [str(BIN / "check-jsonschema"), "--schemafile", str(SCHEMA), *files],
    }
    if tool := _kubeconform():
        commands["kubeconform"] = [tool, "-n", "1", "-schema-location", str(SCHEMA), *files]
    return commands


def _measure(case: Case, rounds: int) -> Times:
    """Milliseconds per contender and round; the first round, which warms the caches of files, does not count."""
    found: dict[str, list[float]] = {name: [] for name in case.commands}
    for number in range(rounds + 1):
        for name, command in case.commands.items():
            start = time.perf_counter()
            done = subprocess.run(command, env=_environment(), capture_output=True, check=False)
            took = (time.perf_counter() - start) * 1000
            if done.returncode:
                raise SystemExit(
                    f"{name} ended with {done.returncode}: {done.stdout[-500:]!r} {done.stderr[-500:]!r}"
                )
            if number:
                found[name].append(took)
    return found


def _environment() -> dict[str, str]:
    """Nothing that changes what a contender does: compiled modules are used, and no settings of this machine."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _table(case: Case, times: Times) -> str:
    rows = [
        "| | median ms | least ms | ratio | target |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    factors = {target.other: target.factor for target in case.targets}
    for name, each in times.items():
        ratio = _ratio(times["planner"], each)
        of_it = "" if name == "planner" else f"{ratio:.2f}"
        target = f"≤ {factors[name]:g}" if name in factors else ""
        rows.append(f"| {name} | {median(each):.0f} | {min(each):.0f} | {of_it} | {target} |")
    return "\n".join(rows)


def _ratio(own: Sequence[float], other: Sequence[float]) -> float:
    return median(mine / theirs for mine, theirs in zip(own, other, strict=True))


def _further(one: Times, many: Times) -> str:
    """What each file after the first costs."""
    cost = {name: (median(many[name]) - median(one[name])) / (MANY - 1) for name in many}
    rows = ["| | ms | ratio | target |", "| --- | ---: | ---: | ---: |"]
    for name, each in cost.items():
        of_it = "" if name == "planner" else f"{cost['planner'] / each:.2f}"
        rows.append(f"| {name} | {each:.2f} | {of_it} | {'≤ 4' if name == 'kubeconform' else ''} |")
    if "kubeconform" not in cost:
        rows.append("| kubeconform | not here: no Go to install it with | | ≤ 4 |")
    return "**Each further spec of 60 lines**\n\n" + "\n".join(rows)


if __name__ == "__main__":
    raise SystemExit(main())
