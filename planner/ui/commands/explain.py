"""``planner explain CODE``.

The page of a rule: what is wrong, why it matters, where that is known from, and a
bad and a good example; "Fixed:" is what planner lint --fix (or --fix=unsafe) makes of
the bad one. A mark "# <- CODE" stands where the finding is.

Examples:
  planner explain K3S002
  planner explain invalid_rewrite_pattern
"""

from __future__ import annotations

import argparse
import json
import sys

from planner.check import describe_built_in, find_rule, names_of_rules
from planner.core.choice import codes_of
from planner.core.errors import DONE, UsageError
from planner.core.lint import built_in_severity
from planner.core.text import closest
from planner.ui.paragraphs import wrapped
from planner.ui.style import style_for


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
        return DONE
    style = style_for(sys.stdout)
    head = style.paint(f"{code} {name} ({severity})", "bold")
    text = doc.strip().replace("``", "`")
    sys.stdout.write(f"{head}\n\n{wrapped(text, style.width or 80)}\n")
    return DONE


def _page(text: str) -> tuple[str, str, str, str]:
    if rule := find_rule(text):
        return rule.code, rule.name, rule.severity, rule.doc
    if built_in := describe_built_in(text):
        code, name, sentence = built_in
        return code, name, built_in_severity(code), sentence
    raise UsageError(f"there is no rule {text!r}", _hint(text))


def _hint(text: str) -> str:
    names = names_of_rules()
    if codes_of(text, names):
        return f"it is the beginning of codes: planner rules {text} lists them"
    near = closest(text, [word for pair in names.items() for word in pair])
    return f"did you mean {near}?" if near else "planner rules lists them"
