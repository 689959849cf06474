"""``planner rules``.

All rules with their severity and first line; planner explain CODE shows a page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from planner.check import rules
from planner.core.errors import DONE
from planner.core.lint import BUILT_IN, built_in_severity


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    rows = list(_rows())
    if options.format == "json":
        keys = ("code", "severity", "name", "title")
        sys.stdout.write(
            json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=1) + "\n"
        )
        return DONE
    for code, severity, name, title in rows:
        sys.stdout.write(f"{code}  {severity:7}  {name}\n        {title}\n")
    return DONE


def _rows() -> Iterator[tuple[str, str, str, str]]:
    for code, (name, sentence) in BUILT_IN.items():
        yield code, built_in_severity(code), name, sentence.rstrip(".")
    for rule in rules():
        yield rule.code, rule.severity, rule.name, rule.title
