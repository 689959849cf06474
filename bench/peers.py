"""How planner and its peers are asked to copy the same images: each in the strongest way that was found.

A contender gets an empty folder, which is its home, and writes its settings there.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.measuring import PYTHON
from bench.tools import ROOT, find, obtain

PLANNER = str(PYTHON.parent / "planner")
REGSYNC = "github.com/regclient/regclient/cmd/regsync@latest"
CRANE = "github.com/google/go-containerregistry/cmd/crane@latest"
FLOOR = "bare floor"
_RUN_FLOOR = (
    "import sys; sys.path.insert(0, {root!r}); from bench.floor import main; sys.exit(main())"
)
# regsync, as strong as it gets: more of either makes it slower here.
PARALLEL, CONCURRENT = 8, 16
_CRANE_JOBS = 8
# Where skopeo remembers which registry has which blob: containers/image pkg/blobinfocache/default/default.go.
_BLOB_INFO = Path("/var/lib/containers/cache")
_BLOB_INFO_FILES = ("blob-info-cache-v1.boltdb", "blob-info-cache-v1.sqlite")


class Copy(NamedTuple):
    """What is to be done: images, ``repository:tag``, that come from one ``host:port`` to another over plain HTTP."""

    names: Sequence[str]
    source: str
    target: str


class Contender(NamedTuple):
    """``command`` makes what is to be run of an empty folder and what is to be copied."""

    name: str
    version: str
    command: Callable[[Path, Copy], Sequence[str]]


def contenders() -> Sequence[Contender]:
    """All that are there, planner first, ``bench.floor`` last; what is missing is built where there is Go."""
    found = [Contender("planner", "", planner_command)]
    if regsync := obtain(REGSYNC, "regsync"):
        asks = f"parallel {PARALLEL}, reqConcurrent {CONCURRENT}, one entry for each tag"
        version = f"regsync {regsync_version(regsync)} ({asks})"
        found.append(Contender("regsync once", version, _regsync))
    if crane := obtain(CRANE, "crane"):
        version = f"crane {said(crane, 'version')} (-a -j {_CRANE_JOBS}, for each repository)"
        found.append(Contender("crane copy", version, _crane))
    if skopeo := find("skopeo"):
        version = f"skopeo {said(skopeo, '--version').rpartition(' ')[2]} (--all)"
        found.append(Contender("skopeo sync", version, _skopeo))
    found.append(Contender(FLOOR, "", _floor))
    return found


def planner_command(folder: Path, copy: Copy, command: str = "apply") -> Sequence[str]:
    """Images of Docker Hub, for which planner.yaml names the source, and a K3s spec the target."""
    spec = folder / "registries.yaml"
    spec.write_text(f"mirrors: {{docker.io: {{endpoint: ['http://{copy.target}']}}}}\n", "utf-8")
    config = folder / "planner.yaml"
    config.write_text(
        f"version: 1\nregistries: {{docker.io: {{endpoint: 'http://{copy.source}'}}}}\n", "utf-8"
    )
    listed = folder / "images.txt"
    listed.write_text("".join(f"docker.io/{name}\n" for name in copy.names), "utf-8")
    return [
        *(PLANNER, command, str(spec), "--config", str(config), "--images", str(listed)),
        *(("--auto-approve", "--progress", "none") if command == "apply" else ()),
    ]


def regsync_command(folder: Path, copy: Copy, command: str) -> Sequence[str]:
    """``once`` or ``check``: one entry for each tag, so that all of them are worked on at a time."""
    hosts = (copy.source, copy.target)
    config = folder / "regsync.yml"
    document = {
        "version": 1,
        "creds": [
            {"registry": host, "tls": "disabled", "reqConcurrent": CONCURRENT} for host in hosts
        ],
        "defaults": {"parallel": PARALLEL},
        "sync": [
            {"source": f"{copy.source}/{name}", "target": f"{copy.target}/{name}", "type": "image"}
            for name in copy.names
        ],
    }
    config.write_text(json.dumps(document), "utf-8")  # JSON is YAML
    return [find("regsync"), "-v", "error", command, "-c", str(config)]


def regsync_version(program: str) -> str:
    """Which release it is."""
    words = said(program, "version").split()
    return words[words.index("VCSTag:") + 1] if "VCSTag:" in words else "of this machine"


def said(*command: str) -> str:
    """What a command prints, as for its version."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def forget_blobs() -> None:
    """Empty skopeo's memory of which registry has which blob: it is root's, whoever's home it runs with."""
    if os.geteuid() == 0:
        for name in _BLOB_INFO_FILES:
            (_BLOB_INFO / name).unlink(missing_ok=True)


def _regsync(folder: Path, copy: Copy) -> Sequence[str]:
    return regsync_command(folder, copy, "once")


def _crane(folder: Path, copy: Copy) -> Sequence[str]:
    crane = shlex.quote(find("crane"))
    lines = [
        f"{crane} copy --insecure -a -j {_CRANE_JOBS} {copy.source}/{each} {copy.target}/{each}\n"
        for each in _tags(copy)
    ]
    script = folder / "crane.sh"
    script.write_text(f"set -e\n{''.join(lines)}", "utf-8")
    return ["sh", str(script)]


def _floor(folder: Path, copy: Copy) -> Sequence[str]:
    listed = folder / "images.txt"
    listed.write_text("\n".join(copy.names), "utf-8")
    program = [str(PYTHON), "-c", _RUN_FLOOR.format(root=str(ROOT))]
    return [*program, copy.source, copy.target, str(listed)]


def _skopeo(folder: Path, copy: Copy) -> Sequence[str]:
    forget_blobs()
    document = {copy.source: {"tls-verify": False, "images": _tags(copy)}}
    config = folder / "sync.yml"
    config.write_text(json.dumps(document), "utf-8")  # JSON is YAML
    base = {each.rpartition("/")[0] for each in _tags(copy)}
    return [
        *(find("skopeo"), "--insecure-policy", "sync", "--all", "--preserve-digests"),
        *("--src", "yaml", "--dest", "docker", "--dest-tls-verify=false"),
        *(str(config), f"{copy.target}/{base.pop()}"),
    ]


def _tags(copy: Copy) -> Mapping[str, list[str]]:
    """By repository."""
    found: dict[str, list[str]] = {}
    for name in copy.names:
        repository, _, tag = name.rpartition(":")
        found.setdefault(repository, []).append(tag)
    return found
