"""``planner images``.

Every artifact that the specs need: where it comes from, under which name it must be
on the private registry, and why; and the namespaces (projects, organisations) that
must be there before anything can be pushed. Asks no registry.

Examples:
  planner images registries.yaml --release v1.35.0+k3s1
  planner images kubeone.yaml --group namespace
  planner images kubeone.yaml --format tsv
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from planner.config import load_config
from planner.core.errors import DONE, UsageError
from planner.core.platforms import of_all
from planner.core.text import plural, printable
from planner.needs import collect
from planner.ui.listing import GROUPINGS, Grouping, Namespace, Row, grouped, namespaces_of, rows_of
from planner.ui.options import add_spec_arguments, wanted_from

FORMAT = "planner.images/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_spec_arguments(parser)
    parser.add_argument("--all", dest="everything", action="store_true", help="as --everything")
    parser.add_argument(
        "--group", choices=GROUPINGS, help="the text in groups, with a heading each"
    )
    parser.add_argument("--format", default="text", choices=list(_FORMATTERS), help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print them."""
    if options.group and options.format != "text":
        raise UsageError(f"--group has no meaning for --format {options.format}", "leave it out")
    rows = rows_of(collect(load_config(options.config), wanted_from(options, tuple(options.specs))))
    if options.group:
        sys.stdout.write(_grouped_text(rows, options.group))
    else:
        sys.stdout.write(_FORMATTERS[options.format](rows))
    return DONE


def _text(rows: Sequence[Row]) -> str:
    return _page([*_row_lines(rows), "", *_end_lines(rows)] if rows else [*_end_lines(rows)])


def _grouped_text(rows: Sequence[Row], by: Grouping) -> str:
    lines: list[str] = []
    for name, members in grouped(rows, by).items():
        lines += [f"{name}  ({plural(len(members), 'name')})"]
        lines += [f"  {line}" for line in _row_lines(members)]
        lines += [""]
    return _page([*lines, *_end_lines(rows)])


def _page(lines: Sequence[str]) -> str:
    return printable("\n".join(lines)) + "\n"


def _row_lines(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield str(row.source)
        yield f"  → {row.target or 'no mirror: nodes pull it from there'}"
        for each in row.because:
            place = f"{each.file}:{each.line}:{each.column} " if each.line else ""
            yield f"    {place}{each.reason}"


def _end_lines(rows: Sequence[Row]) -> Iterator[str]:
    yield from _namespace_lines(namespaces_of(rows))
    uncovered = sum(row.target is None for row in rows)
    yield f"{plural(len(rows), 'name')}, {uncovered} without a mirror"


def _namespace_lines(namespaces: Sequence[Namespace]) -> Iterator[str]:
    """What must be there first, one line for each registry."""
    if not namespaces:
        return
    yield "Must exist before a push where a registry asks for it (Harbor: a project):"
    for registry, group in groupby(namespaces, attrgetter("registry")):
        yield f"  {registry}: {', '.join(each.name or _none_for(each.repositories) for each in group)}"
    yield ""


def _none_for(repositories: Sequence[str]) -> str:
    """Repositories without a namespace."""
    first, *more = repositories
    others = f" and {len(more)} more" if more else ""
    return f"none for {first}{others} at the root"


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
            "platforms": of_all(row.platforms),
            "because": [each._asdict() for each in row.because],
            "clusters": row.clusters,
        }
        for row in rows
    ]
    namespaces = [
        {
            "registry": each.registry,
            "namespace": each.name or None,
            "repositories": each.repositories,
            "because": [reason._asdict() for reason in each.because],
        }
        for each in namespaces_of(rows)
    ]
    document = {"format": FORMAT, "images": images, "namespaces": namespaces}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


_FORMATTERS: dict[str, Callable[[Sequence[Row]], str]] = {
    "text": _text,
    "json": _json,
    "list": _list,
    "tsv": _tsv,
}
