"""The options of ``planner lint``, in the groups that --help shows."""

from __future__ import annotations

import argparse

from planner.config import KIND
from planner.core.lint import Severity
from planner.specs import NAMES
from planner.ui.findings import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders; - is standard input"
    )
    _add_file_arguments(parser)
    _add_rule_arguments(parser)
    _add_fix_arguments(parser)
    _add_report_arguments(parser)
    _add_config_arguments(parser)


def _add_file_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    group.add_argument(
        "--kind",
        default="",
        choices=[*NAMES, KIND],
        metavar="KIND",
        help=f"what the files are: {', '.join(NAMES)}, {KIND}",
    )
    group.add_argument(
        "--stdin-filename", default="", metavar="NAME", help="the name of what - reads"
    )
    group.add_argument(
        "--terraform",
        action="store_true",
        help="terraform output supplies what the specs do not say (kubeone -t): do not miss it",
    )
    group.add_argument(
        "--hook",
        action="store_true",
        help="as a hook of pre-commit: files that are no specs pass unread, and no PATH is nothing",
    )
    group.add_argument(
        "--show-files", action="store_true", help="list what would be linted, and its kind"
    )
    group.add_argument(
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help="how many processes share many files (default: one for each core)",
    )


def _add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "what counts (RULE: a code, a name, or the beginning of codes)"
    )
    group.add_argument(
        "--select", action="append", default=[], metavar="RULE,…", help="run only these rules"
    )
    group.add_argument(
        "--ignore", action="append", default=[], metavar="RULE,…", help="rules to leave out"
    )
    group.add_argument(
        "--baseline", default="", metavar="FILE", help="findings that are accepted for now"
    )
    group.add_argument(
        "--update-baseline", action="store_true", help="accept all findings: write the baseline"
    )
    group.add_argument(
        "--no-ignores", action="store_true", help="show what comments, --ignore or a baseline hide"
    )
    group.add_argument(
        "--fail-on",
        choices=[*map(str, Severity), "never"],
        metavar="SEVERITY",
        help="the lowest severity that makes the run fail: error (default), warning, info; or never",
    )


def _add_fix_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("fixes")
    group.add_argument(
        "--fix",
        action="store_const",
        const="safe",
        help="apply safe fixes: the system makes the same of the files as before; with -, the fixed "
        "text goes to standard output, and the findings to standard error",
    )
    group.add_argument(
        "--fix=unsafe",
        dest="fix",
        action="store_const",
        const="unsafe",
        help="apply unsafe fixes, too: the system makes of the files what was evidently meant",
    )
    group.add_argument(
        "--diff",
        action="store_true",
        help="print what --fix or --fix=unsafe would change, and write nothing; exit code 1 when there is something",
    )


def _add_report_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("report")
    group.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="FORMAT[=FILE]",
        help=f"{', '.join(FORMATS)} (default: text); may be repeated, one without FILE",
    )
    group.add_argument(
        "--statistics", action="store_true", help="count findings by rule instead of listing them"
    )


def _add_config_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("configuration")
    group.add_argument(
        "--config",
        default="",
        metavar="FILE",
        help="planner.yaml, or pyproject.toml with [tool.planner] (default: the nearest)",
    )
    group.add_argument("--no-config", action="store_true", help="use no configuration file")
    group.add_argument(
        "--show-config", action="store_true", help="list the settings, and where they come from"
    )
