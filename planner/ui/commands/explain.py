"""``planner explain CODE``.

The page of a rule: what is wrong, why it matters, where that is known from, and a
bad and a good example.
"""

from __future__ import annotations

import argparse
import json
import sys

from planner.check import describe_built_in, find_rule, names_of_rules
from planner.core.errors import DONE, UsageError
from planner.core.lint import built_in_severity
from planner.core.text import closest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("rule", metavar="CODE", help="a rule's code or name, as a finding shows it")
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print the page."""
    code, name, severity, doc = _page(options.rule)
    if options.format == "json":
        page = {"code": code, "name": name, "severity": severity, "doc": doc}
        sys.stdout.write(json.dumps(page, indent=1) + "\n")
    else:
        sys.stdout.write(f"{code} {name} ({severity})\n\n{doc.strip()}\n")
    return DONE


def _page(text: str) -> tuple[str, str, str, str]:
    if rule := find_rule(text):
        return rule.code, rule.name, rule.severity, rule.doc
    if built_in := describe_built_in(text):
        code, name, sentence = built_in
        return code, name, built_in_severity(code), sentence
    known = [word for pair in names_of_rules().items() for word in pair]
    near = closest(text, known)
    hint = f"did you mean {near}?" if near else "planner rules lists them"
    raise UsageError(f"there is no rule {text!r}", hint)
