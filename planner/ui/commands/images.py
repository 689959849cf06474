"""``planner images``.

Every artifact that the specs need: where it comes from, under which name it must be
on the private registry, and why. Asks no registry.

Examples:
  planner images registries.yaml --release v1.35.0+k3s1
  planner images kubeone.yaml --format tsv
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from planner.config import load_config
from planner.core.errors import DONE
from planner.core.family import ArtifactKind, Because
from planner.core.refs import ImageRef
from planner.core.text import plural, printable
from planner.needs import Collected, collect
from planner.ui.options import add_spec_arguments, wanted_from

FORMAT = "planner.images/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_spec_arguments(parser)
    parser.add_argument("--all", dest="everything", action="store_true", help="as --everything")
    parser.add_argument("--format", default="text", choices=list(_FORMATTERS), help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print them."""
    collected = collect(load_config(options.config), wanted_from(options, tuple(options.specs)))
    sys.stdout.write(_FORMATTERS[options.format](rows_of(collected)))
    return DONE


@dataclass
class Row:
    """One name that must exist; ``target`` is None where the spec redirects nothing."""

    source: ImageRef
    target: ImageRef | None
    kind: ArtifactKind
    because: list[Because] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)


def rows_of(collected: Collected) -> list[Row]:
    """Each pair of source and target once, with all reasons and clusters."""
    rows: dict[tuple[ImageRef, ImageRef | None], Row] = {}
    for cluster in collected.clusters:
        for need in cluster.needs:
            row = rows.setdefault(
                (need.source, need.target), Row(need.source, need.target, need.kind)
            )
            row.because += [each for each in need.because if each not in row.because]
            row.clusters += [cluster.name] if cluster.name not in row.clusters else []
    return sorted(rows.values(), key=lambda row: (row.source, str(row.target)))


def _text(rows: Sequence[Row]) -> str:
    lines: list[str] = []
    for row in rows:
        lines.append(str(row.source))
        lines.append(f"  → {row.target or 'no mirror: nodes pull it from there'}")
        lines += [
            f"    {each.file}:{each.line}:{each.column} {each.text}"
            if each.line
            else f"    {each.text}"
            for each in row.because
        ]
    uncovered = sum(row.target is None for row in rows)
    lines.append(f"{plural(len(rows), 'name')}, {uncovered} without a mirror")
    return printable("\n".join(lines)) + "\n"


def _list(rows: Sequence[Row]) -> str:
    return "".join(f"{source}\n" for source in dict.fromkeys(row.source for row in rows))


def _tsv(rows: Sequence[Row]) -> str:
    return "".join(f"{row.source}\t{row.target or ''}\n" for row in rows)


def _json(rows: Sequence[Row]) -> str:
    images = [
        {
            "source": str(row.source),
            "target": str(row.target) if row.target else None,
            "kind": row.kind,
            "platforms": [],
            "because": [each._asdict() for each in row.because],
            "clusters": row.clusters,
        }
        for row in rows
    ]
    document = {"format": FORMAT, "images": images, "namespaces": []}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


_FORMATTERS: dict[str, Callable[[Sequence[Row]], str]] = {
    "text": _text,
    "json": _json,
    "list": _list,
    "tsv": _tsv,
}
