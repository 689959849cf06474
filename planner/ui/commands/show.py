"""``planner show PLAN``.

A saved plan can always be shown, also one that is stale by now. Asks no registry.

Examples:
  planner show plan.json
  planner show plan.json --format tsv    # source, target, digest of each change
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from planner.core.errors import DONE, InputError
from planner.core.plan import Plan, from_json, to_json
from planner.core.text import printable
from planner.needs import unchanged
from planner.ui.plan_text import Detail, plan_text
from planner.ui.style import style_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "plan", metavar="PLAN", help="a file that planner plan -o saved; - is standard input"
    )
    parser.add_argument(
        "--format",
        default="text",
        choices=["text", "json", "images", "tsv", "dot"],
        help="default: text",
    )
    parser.add_argument("--all", action="store_true", help="show what is in sync, too")


def run(options: argparse.Namespace) -> int:
    """Print it."""
    plan = load_plan(options.plan)
    for path in unchanged(plan.inputs):
        sys.stderr.write(f"note: {printable(path)} changed since this plan was made\n")
    sys.stdout.write(_formatted(plan, options))
    return DONE


def load_plan(file: str) -> Plan:
    """Read a saved plan."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror or error}"
        raise InputError(message, "make one with planner plan -o FILE") from error
    return from_json(data, file)


def _formatted(plan: Plan, options: argparse.Namespace) -> str:
    match options.format:
        case "json":
            return to_json(plan).decode("utf-8", "surrogatepass")
        case "images":
            return "".join(f"{printable(str(change.target))}\n" for change in plan.pending)
        case "tsv":
            rows = ((str(each.source), str(each.target), each.digest) for each in plan.pending)
            return "".join("\t".join(map(printable, row)) + "\n" for row in rows)
        case "dot":
            return _dot(plan)
        case _:
            return plan_text(plan, style_for(sys.stdout), Detail(everything=options.all))


def _dot(plan: Plan) -> str:
    """The graph of steps, for graphviz."""
    from planner.core.graph import build_graph  # noqa: PLC0415 - the graph library takes long to load

    graph = build_graph(plan, plan.pending)
    nodes = "".join(f'  "{step}";\n' for step in sorted(graph))
    edges = "".join(f'  "{one}" -> "{other}";\n' for one, other in sorted(graph.edges))
    return f"digraph plan {{\n  rankdir=LR;\n{nodes}{edges}}}\n"
