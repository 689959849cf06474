"""Options about how a plan is shown, and what is printed for them: the same for ``plan`` and ``show``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from planner.core.cost import Pace
from planner.core.errors import UsageError
from planner.core.plan import Plan
from planner.core.plan_file import to_json
from planner.ui.plan.groups import GROUPINGS
from planner.ui.plan.lines import LINES
from planner.ui.plan.words import one_line
from planner.ui.plan_text import Detail, plan_text
from planner.ui.style import style_for

if TYPE_CHECKING:  # it knows registries, which a saved plan needs not
    from planner.pulls import Pulls


def add_showing_arguments(parser: argparse.ArgumentParser) -> None:
    """--format, and how much of the text."""
    parser.add_argument(
        "--format", default="text", choices=["text", *_FORMATS], help="default: text"
    )
    group = parser.add_argument_group("what the text shows")
    group.add_argument("--all", action="store_true", help="also what is in sync")
    group.add_argument("--summary", action="store_true", help="only figures, and what is blocked")
    group.add_argument("--concise", action="store_true", help="only a line for each change")
    group.add_argument(
        "--group-by", choices=GROUPINGS, default=GROUPINGS[0], help="default: repository"
    )
    group.add_argument(
        "--limit",
        type=_whole_number,
        metavar="N",
        help=f"lines for each group; deletes and what is blocked always show (default: {LINES}; in a pipe, all)",
    )
    group.add_argument(
        "--why",
        action="append",
        default=[],
        metavar="GLOB",
        help="only where names come from and what they bring, for targets or sources that match; may be given several times",
    )


def shown(
    plan: Plan,
    options: argparse.Namespace,
    pulls: Iterable[Pulls] = (),
    pace: Pace | None = None,
) -> str:
    """The plan as the options ask for it; ``pulls`` and ``pace`` are what ``plan_text`` says of them.

    Raises:
        UsageError: the options contradict each other, or name nothing.
    """
    if options.format != "text":
        _check_text_alone(options)
        if options.format == "markdown":
            return _markdown(plan, everything=options.all)
        return _FORMATS[options.format](plan)
    style = style_for(sys.stdout)
    if options.why:
        from planner.ui.plan.reasons import why_text  # noqa: PLC0415 - asked for seldom

        return why_text(plan, options.why, style)
    detail = Detail(
        everything=options.all,
        summary=options.summary,
        concise=options.concise,
        limit=options.limit,
        group_by=options.group_by,
    )
    return plan_text(plan, style, detail, pulls, pace)


def _check_text_alone(options: argparse.Namespace) -> None:
    if options.why:
        message = f"--why has no meaning for --format {options.format}"
        raise UsageError(message, "leave one of them out")


def _json(plan: Plan) -> str:
    return to_json(plan).decode("utf-8", "surrogatepass")


def _images(plan: Plan) -> str:
    return "".join(f"{one_line(str(change.target))}\n" for change in plan.pending)


def _tsv(plan: Plan) -> str:
    rows = ((str(each.source), str(each.target), each.digest) for each in plan.pending)
    return "".join("\t".join(map(one_line, row)) + "\n" for row in rows)


def _dot(plan: Plan) -> str:
    """The graph of steps, for graphviz; what follows from other edges is left out."""
    from networkx import transitive_reduction  # noqa: PLC0415 - it takes long to load

    from planner.core.graph import build_graph  # noqa: PLC0415 - one format of several

    graph = transitive_reduction(build_graph(plan, plan.pending).as_networkx())
    nodes = "".join(f"  {_quoted(step)};\n" for step in sorted(graph))
    edges = "".join(
        f"  {_quoted(one)} -> {_quoted(other)};\n" for one, other in sorted(graph.edges)
    )
    return f"digraph plan {{\n  rankdir=LR;\n{nodes}{edges}}}\n"


def _quoted(text: str) -> str:
    return '"' + one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _markdown(plan: Plan, *, everything: bool = False) -> str:
    from planner.ui.plan.markdown import markdown  # noqa: PLC0415 - one format of several

    return markdown(plan, everything=everything)


def _svg(plan: Plan) -> str:
    from planner.ui.plan.picture import svg  # noqa: PLC0415 - one format of several

    return svg(plan)


_FORMATS: Mapping[str, Callable[[Plan], str]] = {
    "json": _json,
    "markdown": _markdown,
    "images": _images,
    "tsv": _tsv,
    "svg": _svg,
    "dot": _dot,
}


def _whole_number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number
