"""Large plans for the review, saved as planner saves them, and logs of runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from bench.images import OCI
from planner.core.content import Manifest, digest_of
from planner.core.event_lines import header, to_line
from planner.core.events import Event, ImageDone, Started, StepDone, StepStarted
from planner.core.family import Because
from planner.core.plan import Change, Op, Plan
from planner.core.plan_file import save
from planner.core.refs import ImageRef

HOST = "registry.example:5000"
FIRST = "team-0000"  # what the first row of the review is called, among others
_SOURCES = ("docker.io", "quay.io", "registry.k8s.io")
_CLUSTERS = ("prod", "lab", "edge")
_MIB = 1024 * 1024


def write_plan(file: Path, count: int) -> None:
    """One image in ten is in sync, one in fifty moves, one in a hundred is blocked; the others are to be copied."""
    manifests: dict[str, Manifest] = {}
    changes = []
    for number in range(count):
        change, manifest = _change(number)
        changes.append(change)
        if change.is_pending:
            manifests[manifest.digest] = manifest
    changes.sort(key=lambda each: each.target)
    file.write_bytes(save(Plan(tuple(changes), manifests)).data)


def run_lines(steps: int) -> Iterator[str]:
    """The log of a run, five steps to an image; all but its end."""
    yield header()
    yield to_line(Started(0.0, steps // 5, steps, steps * 4 * _MIB))
    for number in range(steps):
        step = f"blob {HOST}/{_name(number // 5)}@{_digest(f'step {number}')}"
        yield from map(to_line, _events(number, step))


def _events(number: int, step: str) -> Iterator[Event]:
    at = number / 100
    yield StepStarted(at, step, 4 * _MIB)
    yield StepDone(at + 0.005, step, 4 * _MIB)
    if number % 5 == 4:
        yield ImageDone(at + 0.006, f"{HOST}/{_name(number // 5)}:v1", _digest(step))


def _change(number: int) -> tuple[Change, Manifest]:
    tag = f"v{number % 5}.{number % 7}.0"
    source = ImageRef(_SOURCES[number % 3], _name(number), tag)
    manifest = _manifest(number)
    line = 10 + number % 500
    clusters = _CLUSTERS[: 1 + number % 3]
    because = tuple(
        Because(f"clusters/{each}/kubeone.yaml", line, 5, "listed in images.txt", each)
        for each in clusters
    )
    change = Change(
        _op(number),
        source.moved_to(HOST, f"mirror/{source.repository}"),
        source,
        manifest.digest,
        _digest(f"old {number}") if number % 50 == 1 else "",
        "manifest unknown: the source has no such tag" if number % 100 == 0 else "",
        because,
    )
    return change, manifest


def _op(number: int) -> Op:
    if number % 100 == 0:
        return "blocked"
    return "move" if number % 50 == 1 else "same" if number % 10 == 2 else "create"


def _name(number: int) -> str:
    return f"team-{number // 25:04}/app-{number:05}"


def _manifest(number: int) -> Manifest:
    """A configuration, a base that fifty images share, a layer that two share, and one of its own."""
    layers = (f"base {number // 50}", f"shared {number // 2}", f"own {number}")
    document = {
        "schemaVersion": 2,
        "mediaType": OCI.manifest,
        "config": _descriptor(f"config {number}", OCI.config, 4096 + number % 1000),
        "layers": [
            _descriptor(name, f"{OCI.layer}+gzip", (1 + number % 9) * place * _MIB)
            for place, name in enumerate(layers, 1)
        ],
    }
    return Manifest(OCI.manifest, json.dumps(document).encode())


def _descriptor(name: str, media_type: str, size: int) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(name), "size": size}


def _digest(name: str) -> str:
    return digest_of(hashlib.sha256(name.encode()).digest())
