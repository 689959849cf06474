"""``planner lint``.

Files are recognised by name and content; folders are searched for specs. Without
PATH, the working directory is searched. "-" reads standard input.

Examples:
  planner lint
  planner lint clusters/edge/registries.yaml
  planner lint --format text --format sarif=out.sarif
  kubectl … | planner lint - --kind kubeone --stdin-filename prod.yaml
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from planner.check import (
    Checked,
    check,
    check_text,
    fails,
    require_rules,
    revealed,
    update_baseline,
    with_baseline,
)
from planner.config import Cluster, LintSettings, load_config
from planner.core.errors import DONE, FAILED, UsageError
from planner.core.lint import Severity
from planner.core.text import plural
from planner.ui.findings import FORMATS
from planner.ui.findings.counting import counted
from planner.ui.findings.output import parse_reports, refuse_statistics_beside, write_reports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders; - is standard input"
    )
    parser.add_argument("--kind", default="", help="what the files are: k3s, kubeone, planner")
    parser.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="RULE,…",
        help="only these rules: codes, names, or beginnings of codes",
    )
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="RULE,…", help="rules to leave out"
    )
    parser.add_argument(
        "--no-ignores", action="store_true", help="show what comments, --ignore or a baseline hide"
    )
    parser.add_argument(
        "--baseline", default="", metavar="FILE", help="findings that are accepted for now"
    )
    parser.add_argument(
        "--update-baseline", action="store_true", help="accept all findings: write the baseline"
    )
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="FORMAT[=FILE]",
        help=f"{', '.join(FORMATS)} (default: text); may be repeated, one without FILE",
    )
    parser.add_argument(
        "--statistics", action="store_true", help="count findings by rule instead of listing them"
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
    reports = parse_reports(options.format)
    if options.statistics:
        refuse_statistics_beside(reports)
    config = load_config(options.config)
    settings = _settings(options, config.lint)
    checked = _suppressed(_check(options, settings, config.clusters), options, settings)
    write_reports(checked, reports, only_statistics=options.statistics)
    return FAILED if fails(counted(checked), settings.fail_on) else DONE


def _settings(options: argparse.Namespace, settings: LintSettings) -> LintSettings:
    settings = replace(
        settings,
        select=_words(options.select) or settings.select,
        ignore=(*settings.ignore, *_words(options.ignore)),
        baseline=options.baseline or settings.baseline,
    )
    require_rules(settings.select, "select")
    require_rules(settings.ignore, "ignore")
    require_rules((word for _, words in settings.per_file for word in words), "per_file")
    if options.fail_on:
        floor = None if options.fail_on == "never" else Severity(options.fail_on)
        settings = replace(settings, fail_on=floor)
    return settings


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


def _suppressed(
    checked: list[Checked], options: argparse.Namespace, settings: LintSettings
) -> list[Checked]:
    """What was found, with the baseline applied, which is written before that when asked for."""
    if options.update_baseline:
        if not settings.baseline:
            raise UsageError("there is no baseline to update", "name it: --baseline FILE")
        held, new, gone = update_baseline(checked, settings)
        accepted = plural(held, "finding")
        sys.stderr.write(f"{settings.baseline}: {accepted} accepted, {new} new, {gone} gone\n")
    if settings.baseline:
        checked = with_baseline(checked, settings)
    return revealed(checked) if options.no_ignores else checked


def _check(
    options: argparse.Namespace, settings: LintSettings, clusters: Sequence[Cluster]
) -> list[Checked]:
    if "-" not in options.paths:
        return check(options.paths, options.kind, settings, clusters)
    if len(options.paths) > 1:
        raise UsageError(
            "standard input cannot be linted together with files", "run planner lint twice"
        )
    name = options.stdin_filename or "<stdin>"
    return [check_text(name, sys.stdin.read(), options.kind, settings, clusters)]
