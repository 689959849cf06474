"""``planner lint``.

Files are recognised by name and content, unless --kind, lint.kinds of
planner.yaml or a comment in their head (# planner: kind=k3s) says what they are.
In folders, what git ignores is left out. Without PATH, the working directory is
searched. "-" reads standard input; --stdin-filename gives it a place, and so its
configuration and its neighbours.

The exit code is 1 when a finding is at or above --fail-on. A comment hides one:
# planner: ignore[CODE] and a reason. planner explain CODE shows the page of a rule.

Examples:
  planner lint
  planner lint clusters/edge/registries.yaml
  planner lint --format text --format sarif=out.sarif
  planner lint --fix clusters/
  planner lint --diff --fix=unsafe | git apply
  envsubst <prod.tmpl | planner lint - --stdin-filename prod.yaml
"""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from planner.check import (
    Checked,
    broken_config,
    check,
    check_text,
    fails,
    kinds_of,
    require_known_rules,
    require_rules,
    revealed,
)
from planner.config import Config, ConfigError, LintSettings, load_config
from planner.core.choice import words_of
from planner.core.errors import DONE, FAILED, InputError, UsageError
from planner.core.lint import Severity
from planner.core.text import plural, printable
from planner.ui.findings.counting import counted
from planner.ui.findings.output import parse_reports, refuse_statistics_beside, write_reports
from planner.ui.findings.wording import one_line
from planner.ui.lint_options import add_arguments as add_arguments  # noqa: PLC0414 - a command has them

if TYPE_CHECKING:
    from planner.fix import Relint

_NO_SPEC = """\
note: nothing here is a spec that planner knows
 hint: --kind says what a file is; planner lint --help tells which files are looked at
"""


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 when one of them is severe enough."""
    reports = parse_reports(options.format)
    if options.statistics:
        refuse_statistics_beside(reports)
    _refuse_beside_fixes(options)
    _refuse_without_effect(options)
    try:
        config = _config(options)
        require_known_rules(config)
    except ConfigError as error:
        write_reports([broken_config(error)], reports, only_statistics=options.statistics)
        message, hint = f"{error.spec.file} cannot be used", "mend it, or do without: --no-config"
        raise UsageError(message, hint) from error
    settings = _settings(options, config.lint)
    if options.show_config or options.show_files:
        return _show(options, settings, config)
    checked = _suppressed(_check(options, settings, config), options, settings)
    if options.diff:
        return FAILED if _show_diff(checked, options, settings, config) else DONE
    if options.fix:
        checked = _fixed(checked, options, settings, config)
    if not (options.hook or any(each.kind or each.findings for each in checked)):
        sys.stderr.write(_NO_SPEC)
    with redirect_stdout(sys.stderr if options.fix and "-" in options.paths else sys.stdout):
        write_reports(checked, reports, only_statistics=options.statistics)
    return FAILED if fails(counted(checked), settings.fail_on) else DONE


def _refuse_beside_fixes(options: argparse.Namespace) -> None:
    """A diff has standard output for itself, and a baseline accepts what is there, not what will be."""
    word = "--diff" if options.diff else "--fix"
    if options.diff and (options.format or options.statistics):
        raise UsageError("--diff writes a diff and no report", "run planner lint twice")
    if (options.diff or options.fix) and options.update_baseline:
        raise UsageError(
            f"{word} and --update-baseline exclude each other", "fix first, then accept"
        )


def _refuse_without_effect(options: argparse.Namespace) -> None:
    """Whoever gives an option means something by it."""
    if options.select and not words_of(options.select):
        raise UsageError("--select names no rule", "leave it out to run all of them")
    if options.jobs < 0:
        raise UsageError(
            f"--jobs {options.jobs} is no number of processes", "1 or more; 0: all cores"
        )
    if options.stdin_filename and "-" not in options.paths:
        raise UsageError(
            "--stdin-filename names what - reads, and there is no -",
            f"planner lint - --stdin-filename {options.stdin_filename}",
        )


def _fixed(
    checked: list[Checked], options: argparse.Namespace, settings: LintSettings, config: Config
) -> list[Checked]:
    """What is left after the fixes; files are read anew, since a fix in one may matter to another."""
    from planner.ui.fixing import fix_files, fix_text  # noqa: PLC0415 - most runs only look

    relint, unsafe = _relint(options, settings, config), options.fix == "unsafe"
    if "-" in options.paths:
        return [fix_text(checked[0], relint, unsafe=unsafe), *checked[1:]]
    if not fix_files(checked, relint, settings.root, unsafe=unsafe):
        return checked
    return _suppressed(_check(options, settings, config), options, settings)


def _show_diff(
    checked: list[Checked], options: argparse.Namespace, settings: LintSettings, config: Config
) -> bool:
    from planner.ui.fixing import show_diff  # noqa: PLC0415 - as above

    root = None if "-" in options.paths else settings.root
    relint = _relint(options, settings, config)
    return show_diff(checked, relint, root, unsafe=options.fix == "unsafe")


def _relint(options: argparse.Namespace, settings: LintSettings, config: Config) -> Relint:
    def relint(checked: Checked, text: str) -> Checked:
        again = check_text(checked.spec.file, text, checked.kind, settings, config.clusters)
        return _suppressed([again], options, settings)[0]

    return relint


def _config(options: argparse.Namespace) -> Config:
    if options.no_config:
        if options.config:
            raise UsageError("--config and --no-config contradict each other", "leave one out")
        return Config()
    named = options.stdin_filename if "-" in options.paths else ""
    return load_config(options.config, Path(named).parent)


def _show(options: argparse.Namespace, settings: LintSettings, config: Config) -> int:
    """Print the settings, the files, or both."""
    if options.show_config:
        from planner.ui.settings_text import settings_text  # noqa: PLC0415 - seldom asked for

        sys.stdout.write(printable(settings_text(config, settings, options)))
    if options.show_files:
        for file, kind in kinds_of(options.paths, options.kind, settings, config.clusters):
            sys.stdout.write(f"{one_line(file)}\t{kind or '-'}\n")
    return DONE


def _settings(options: argparse.Namespace, settings: LintSettings) -> LintSettings:
    settings = settings._replace(
        select=words_of(options.select) or settings.select,
        ignore=(*settings.ignore, *words_of(options.ignore)),
        baseline=options.baseline or settings.baseline,
        terraform=options.terraform,
    )
    require_rules(words_of(options.select), "--select")
    require_rules(words_of(options.ignore), "--ignore")
    if options.fail_on:
        floor = None if options.fail_on == "never" else Severity(options.fail_on)
        settings = settings._replace(fail_on=floor)
    return settings


def _suppressed(
    checked: list[Checked], options: argparse.Namespace, settings: LintSettings
) -> list[Checked]:
    """What was found, with the baseline applied, which is written before that when asked for."""
    if not (settings.baseline or options.update_baseline):
        return revealed(checked) if options.no_ignores else checked
    from planner.accepted import update_baseline, with_baseline  # noqa: PLC0415 - few runs have one

    if options.update_baseline:
        if not settings.baseline:
            raise UsageError("there is no baseline to update", "name it: --baseline FILE")
        held, new, gone = update_baseline(checked, settings)
        accepted = plural(held, "finding")
        sys.stderr.write(f"{settings.baseline}: {accepted} accepted, {new} new, {gone} gone\n")
    if settings.baseline:
        checked = with_baseline(checked, settings)
    return revealed(checked) if options.no_ignores else checked


def _check(options: argparse.Namespace, settings: LintSettings, config: Config) -> list[Checked]:
    clusters = config.clusters
    if options.hook and not options.paths:
        return []
    if "-" not in options.paths:
        jobs = 1 if options.fix or options.diff else options.jobs  # fixes need the trees
        return check(
            options.paths, options.kind, settings, clusters, only_ours=options.hook, jobs=jobs
        )
    if len(options.paths) > 1:
        raise UsageError(
            "standard input cannot be linted together with files", "run planner lint twice"
        )
    name = options.stdin_filename or "<stdin>"
    return [check_text(name, _read_stdin(name), options.kind, settings, clusters)]


def _read_stdin(name: str) -> str:
    """All of standard input; line ends stay as they are."""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: byte {error.start} is not UTF-8 text", "send UTF-8") from error
