"""Lint: from files to findings. Loads neither the HTTP client nor the graph library."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from planner.config import FILE_NAME, LintSettings, config_findings, read_spec
from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Family
from planner.core.lint import BUILT_IN, Finding, Rule, Severity, lint, yaml_only
from planner.core.reader import read
from planner.specs import FAMILIES, family_named, family_of

CONFIG_KIND = "planner"
_SPEC_NAMES = ("*.yaml", "*.yml")
_SKIPPED_FOLDERS = frozenset({".git", ".venv", "node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what is wrong with it. ``kind`` is empty for a file that is not a spec of ours."""

    spec: Spec
    kind: str
    findings: tuple[Finding, ...]


def check(paths: Sequence[str], kind: str, settings: LintSettings) -> list[Checked]:
    """Lint files, and the specs below folders; files that are of no known family pass in silence."""
    return [_check(read_spec(path), kind, settings) for path in _files(paths)]


def check_text(name: str, text: str, kind: str, settings: LintSettings) -> Checked:
    """Lint a text that came from elsewhere, under the name of a file."""
    return _check(read(name, text), kind, settings)


def error_count(spec: Spec, family: Family, settings: LintSettings) -> int:
    """How many errors a spec has that nobody chose to ignore."""
    found = lint(spec, family.structure, family.rules)
    return sum(
        each.severity is Severity.ERROR and not _is_ignored(each, settings) for each in found
    )


def rules() -> tuple[Rule, ...]:
    """Every rule of every family, by code."""
    found = (rule for family in FAMILIES for rule in family.rules)
    return tuple(sorted(found, key=lambda rule: rule.code))


def find_rule(text: str) -> Rule | None:
    """The rule with this code or name."""
    return next((rule for rule in rules() if text in (rule.code, rule.name)), None)


def fails(findings: Iterable[Finding], fail_on: Severity | None) -> bool:
    """Whether a finding is at or above the floor (None: nothing ever is)."""
    order = list(Severity)
    return fail_on is not None and any(
        order.index(finding.severity) <= order.index(fail_on) for finding in findings
    )


def _check(spec: Spec, kind: str, settings: LintSettings) -> Checked:
    name = kind or _kind_of(spec)
    if name == CONFIG_KIND:
        found = config_findings(spec)
    elif family := family_named(name):
        found = lint(spec, family.structure, family.rules)
    elif name:
        known = ", ".join([*(each.name for each in FAMILIES), CONFIG_KIND])
        raise UsageError(f"{name!r} is not a kind of spec", f"one of {known}")
    else:
        found = yaml_only(spec) if _is_named_like_ours(spec) else []
    return Checked(spec, name, tuple(each for each in found if not _is_ignored(each, settings)))


def _kind_of(spec: Spec) -> str:
    if PurePath(spec.file).name == FILE_NAME:
        return CONFIG_KIND
    family = family_of(spec)
    return family.name if family else ""


def _is_named_like_ours(spec: Spec) -> bool:
    """A broken file cannot be recognised by its content; only one that could be ours is worth a finding."""
    return not spec.documents


def _is_ignored(finding: Finding, settings: LintSettings) -> bool:
    ignored = set(settings.ignore)
    for glob, names in settings.per_file:
        if fnmatch.fnmatch(finding.file, glob):
            ignored.update(names)
    return finding.code in ignored or finding.name in ignored


def _files(paths: Sequence[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for text in paths or (".",):
        path = Path(text)
        if path.is_dir():
            found.update(dict.fromkeys(_below(path)))
        elif path.exists():
            found[path] = None
        else:
            raise InputError(f"{text}: no such file or folder", "check the path")
    return list(found)


def _below(folder: Path) -> list[Path]:
    matches = (path for pattern in _SPEC_NAMES for path in folder.rglob(pattern) if path.is_file())
    return sorted(
        path for path in matches if not _SKIPPED_FOLDERS & set(path.relative_to(folder).parts)
    )


def describe_built_in(text: str) -> tuple[str, str, str] | None:
    """Code, name and sentence of a finding that is no family's rule."""
    for code, (name, sentence) in BUILT_IN.items():
        if text in (code, name):
            return code, name, sentence
    return None
