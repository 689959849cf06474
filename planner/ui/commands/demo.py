"""``planner demo``.

Runs lint, plan, apply, plan again and verify, on small images that are made on the spot: no
server, no network, nothing outside the folder. Each step shows the command that you
would type.

Examples:
  planner demo
  planner demo --keep try-it      # leaves the folder, to go on by hand
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from planner.core.errors import DONE, FAILED, InputError
from planner.core.family import NodeFlags, Selection
from planner.core.reader import read
from planner.sample import write_samples
from planner.specs import k3s
from planner.stores.layout import Layout, LayoutFolder
from planner.ui.style import style_for

RELEASE = "v1.35.0+k3s1"
_UPSTREAM = "upstream"

_SPEC = """\
# How the nodes of the cluster "edge" reach registries.
mirrors:
  docker.io:
    endpoint:
      - https://registry.corp:5000
    rewrite:
      "^(.*)$": "dockerhub/$1"
configs:
  registry.corp:5000:
    tls:
      ca_file: /etc/ssl/certs/corp-ca.pem
"""

# The commonest mistakes: a key that is silently dropped, and a rewrite that Go cannot read.
_MISTAKES = """\
mirrors:
  docker.io:
    endpoints:
      - https://registry.corp:5000
    rewrite:
      "^(?!rancher/)(.*)": "dockerhub/$1"
"""

_CONFIG = f"""\
version: 1
clusters:
  - name: edge
    spec: registries.yaml
    release: {RELEASE}
"""


@dataclass(frozen=True, slots=True)
class _Step:
    """One command of the story, what it shows, and the exit code that it ends with."""

    title: str
    command: tuple[str, ...]
    code: int = DONE


_STORY = (
    _Step(
        "A spec with mistakes that K3s would swallow without a word:",
        ("lint", "mistakes/registries.yaml"),
        FAILED,
    ),
    _Step("The spec as it should be:", ("lint", "registries.yaml")),
    _Step(
        "What the nodes need, against a registry that is still empty (here: a folder):",
        ("plan", "--from", f"oci:{_UPSTREAM}", "--to", "oci:registry", "-o", "plan.json"),
    ),
    _Step("Carry the saved plan out:", ("apply", "plan.json")),
    _Step(
        "Plan again: nothing is left to do.",
        ("plan", "--from", f"oci:{_UPSTREAM}", "--to", "oci:registry", "--detailed-exitcode"),
    ),
    _Step(
        "Proof, by the nodes' own order of attempts:",
        ("verify", "--blobs", "--to", "oci:registry"),
    ),
)
_REVIEW = _Step("Look at the plan full-screen:", ("review", "plan.json"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "--review", action="store_true", help="show the plan full-screen before it is applied"
    )
    parser.add_argument("--keep", default="", metavar="DIR", help="work in DIR and leave it there")


def run(options: argparse.Namespace) -> int:
    """Tell the story; 1 when a step does not end as it should."""
    with _folder(options.keep) as folder, contextlib.chdir(folder):
        write_inputs()
        for number, step in enumerate(_steps(review=options.review), 1):
            if not _play(number, step):
                return FAILED
    kept = f"\nThe folder {options.keep} is yours to go on with.\n" if options.keep else ""
    sys.stdout.write(
        f"\nThat is the whole story: every image is where the nodes will look.\n{kept}"
    )
    return DONE


def _steps(*, review: bool) -> Iterator[_Step]:
    for step in _STORY:
        if review and step.command[0] == "apply":
            yield _REVIEW
        yield step


def _play(number: int, step: _Step) -> bool:
    from planner.ui.cli import main  # noqa: PLC0415 - the command line loads this module

    style = style_for(sys.stdout)
    typed = " ".join(("planner", *step.command))
    sys.stdout.write(f"\n{style.paint(f'{number}. {step.title}', 'bold')}\n\n$ {typed}\n")
    sys.stdout.flush()
    code = main(step.command)
    sys.stdout.flush()
    if code == step.code:
        return True
    sys.stderr.write(f"the demo expected exit code {step.code}, got {code}\n")
    return False


@contextlib.contextmanager
def _folder(keep: str) -> Iterator[Path]:
    if not keep:
        with tempfile.TemporaryDirectory(prefix="planner-demo-") as name:
            yield Path(name)
        return
    path = Path(keep)
    try:
        path.mkdir(parents=True, exist_ok=True)
        is_empty = not any(path.iterdir())
    except OSError as error:
        message = f"{keep}: cannot be made a folder: {error.strerror or error}"
        raise InputError(message, "name a folder that does not exist yet") from error
    if not is_empty:
        raise InputError(f"{keep} is not empty", "name a folder that does not exist yet")
    yield path


def write_inputs() -> None:
    """Make the story's files in the working directory."""
    Path("mistakes").mkdir()
    Path("mistakes", "registries.yaml").write_text(_MISTAKES, "utf-8")
    Path("registries.yaml").write_text(_SPEC, "utf-8")
    Path("planner.yaml").write_text(_CONFIG, "utf-8")
    upstream = LayoutFolder(Path(_UPSTREAM))
    needs = k3s.FAMILY.images().needs(
        read("registries.yaml", _SPEC), Selection(RELEASE, (), NodeFlags())
    )
    write_samples((need.source for need in needs), lambda registry: Layout(upstream, registry))
