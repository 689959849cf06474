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
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench import specs
from bench.measuring import (
    DOCUMENT,
    PYTHON,
    Case,
    Target,
    Times,
    install,
    measure,
    surroundings,
    table,
    write,
)
from bench.tools import ROOT, find, obtain

BIN = PYTHON.parent
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


def main() -> int:
    """Measure and print; the exit status is 0 whatever comes out, 1 when a contender cannot do its task."""
    options = _options()
    install("yamllint", "check-jsonschema")
    obtain(KUBECONFORM, "kubeconform")
    with tempfile.TemporaryDirectory(prefix="planner-bench-") as folder:
        blocks = [_surroundings(), *_tables(Path(folder), 3 if options.quick else 1)]
    text = "\n\n".join(blocks)
    sys.stdout.write(text + "\n")
    if options.write:
        write(text, "bench.lint")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.lint")
    parser.add_argument("--write", action="store_true", help=f"update {DOCUMENT.name}")
    parser.add_argument("--quick", action="store_true", help="a third of the rounds")
    return parser.parse_args()


def _surroundings() -> str:
    told = surroundings("planner", "yamllint", "check-jsonschema", "pyyaml", "jsonschema-rs")
    if tool := find("kubeconform"):
        version = subprocess.run([tool, "-v"], capture_output=True, text=True, check=False)
        told += f", kubeconform {version.stdout.strip()}"
    return f"{told}."


def _tables(folder: Path, divisor: int) -> Iterator[str]:
    measured: list[Times] = []
    for case in (_one(folder), _many(folder), _long(folder), _mirrors(folder), _repository(folder)):
        measured.append(measure(case, max(3, case.rounds // divisor)))
        yield table(case, measured[-1])
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
    if tool := find("kubeconform"):
        commands["kubeconform"] = [tool, "-n", "1", "-schema-location", str(SCHEMA), *files]
    return commands


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
