"""``planner lint``.

Files are recognised by name and content; folders are searched for specs. Without
PATH, the working directory is searched. "-" reads standard input.

Examples:
  planner lint
  planner lint clusters/edge/registries.yaml
  kubectl … | planner lint - --kind kubeone --stdin-filename prod.yaml
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from planner.check import Checked, check, check_text, fails
from planner.config import LintSettings, load_config
from planner.core.errors import DONE, FAILED, UsageError
from planner.core.lint import Severity
from planner.ui.findings import FORMATTERS
from planner.ui.style import style_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders; - is standard input"
    )
    parser.add_argument("--kind", default="", help="what the files are: k3s, kubeone, planner")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="CODE,…", help="rules to leave out"
    )
    parser.add_argument(
        "--format",
        default="text",
        choices=list(FORMATTERS),
        help="how to print findings (default: text)",
    )
    parser.add_argument(
        "--fail-on",
        choices=[*map(str, Severity), "never"],
        help="the lowest severity that makes the run fail (default: error, or planner.yaml)",
    )
    parser.add_argument(
        "--stdin-filename", default="", metavar="NAME", help="the name of what - reads"
    )
    parser.add_argument(
        "--config", default="", metavar="FILE", help="planner.yaml (default: the nearest)"
    )


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 when one of them is severe enough."""
    settings = _settings(options)
    checked = _check(options, settings)
    sys.stdout.write(FORMATTERS[options.format](checked, style_for(sys.stdout)))
    findings = [finding for each in checked for finding in each.findings]
    return FAILED if fails(findings, settings.fail_on) else DONE


def _settings(options: argparse.Namespace) -> LintSettings:
    settings = load_config(options.config).lint
    ignored = (code for text in options.ignore for code in text.split(","))
    settings = replace(settings, ignore=(*settings.ignore, *ignored))
    if options.fail_on:
        floor = None if options.fail_on == "never" else Severity(options.fail_on)
        settings = replace(settings, fail_on=floor)
    return settings


def _check(options: argparse.Namespace, settings: LintSettings) -> list[Checked]:
    if "-" not in options.paths:
        return check(options.paths, options.kind, settings)
    if len(options.paths) > 1:
        raise UsageError(
            "standard input cannot be linted together with files", "run planner lint twice"
        )
    name = options.stdin_filename or "<stdin>"
    return [check_text(name, sys.stdin.read(), options.kind, settings)]
