"""Lint: from files to findings. Loads neither the HTTP client nor the graph library."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path, PurePath

from planner import baseline as baselines
from planner.config import FILE_NAME, Cluster, LintSettings, config_findings, read_spec
from planner.core.choice import codes_of, codes_of_all, suggestion
from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Family
from planner.core.fingerprint import identified
from planner.core.lint import BUILT_IN, Finding, Rule, Severity, Suppression, lint, yaml_only
from planner.core.reader import read
from planner.core.suppression import Rules, suppress
from planner.files import read_text
from planner.peers import Peers
from planner.specs import NAMES, families, family_named, family_of

CONFIG_KIND = "planner"
_ALWAYS = frozenset({"YAM001", "YAM003"})  # a file that cannot be read is never fine
_SPEC_NAMES = ("*.yaml", "*.yml")
_SKIPPED_FOLDERS = frozenset({".git", ".venv", "node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what is wrong with it, including what is suppressed.

    ``kind`` is empty for a file that is not a spec of ours. ``place`` is its name relative to the project.
    """

    spec: Spec
    kind: str
    findings: tuple[Finding, ...]
    place: str = ""


def check(
    paths: Sequence[str],
    kind: str,
    settings: LintSettings,
    clusters: Sequence[Cluster] = (),
    *,
    today: date | None = None,
) -> list[Checked]:
    """Lint files, and the specs below folders; files that are of no known family pass in silence.

    ``clusters`` name specs to compare with. ``today`` decides which suppressions have expired (None: the date of this
    machine).
    """
    day, peers = today or date.today(), Peers(clusters)
    given = [(spec, kind or _kind_of(spec)) for spec in map(read_spec, _files(paths))]
    for spec, name in given:
        peers.add(spec, name)
    return [_check(spec, name, settings, day, peers) for spec, name in given]


def check_text(
    name: str,
    text: str,
    kind: str,
    settings: LintSettings,
    clusters: Sequence[Cluster] = (),
    *,
    today: date | None = None,
) -> Checked:
    """Lint a text that came from elsewhere, under the name of a file."""
    spec = read(name, text)
    return _check(spec, kind or _kind_of(spec), settings, today or date.today(), Peers(clusters))


def error_count(spec: Spec, family: Family, settings: LintSettings) -> int:
    """How many errors a spec has that nobody chose to ignore."""
    checked = [_check(spec, family.name, settings, date.today(), Peers(()))]
    if settings.baseline and Path(settings.baseline).exists():
        checked = with_baseline(checked, settings)[:1]
    found = checked[0].findings
    return sum(each.severity is Severity.ERROR and each.suppressed is None for each in found)


def with_baseline(checked: Sequence[Checked], settings: LintSettings) -> list[Checked]:
    """The same, with what the baseline accepts suppressed, and the baseline as a last file with what is stale in it."""
    path = Path(settings.baseline)
    text, accepted = read_text(path), baselines.load_baseline(path)
    result = _accepted(checked, accepted)
    old = baselines.stale(accepted, _present(result), _Judge(checked, settings))
    found = tuple(baselines.stale_findings(path, text, old)) if "SUP005" in _run(settings) else ()
    if found:
        spec = Spec(str(path), text, ())
        result.append(Checked(spec, "", _configured(found, str(path), settings)))
    return result


def update_baseline(checked: Sequence[Checked], settings: LintSettings) -> tuple[int, int, int]:
    """Write the baseline anew from what was found: how many it holds now, how many are new, and how many are gone."""
    path = Path(settings.baseline)
    before = baselines.load_baseline(path) if path.exists() else {}
    present = _present(_accepted(checked, before))
    after = baselines.updated(before, present, _Judge(checked, settings))
    baselines.save_baseline(path, after)
    return len(after), len(after.keys() - before.keys()), len(before.keys() - after.keys())


def revealed(checked: Iterable[Checked]) -> list[Checked]:
    """The same, with nothing suppressed."""
    return [
        replace(each, findings=tuple(replace(found, suppressed=None) for found in each.findings))
        for each in checked
    ]


@cache
def names_of_rules() -> Mapping[str, str]:
    """The name of every code there is, those of no family's rules included."""
    built_in = {code: name for code, (name, _) in BUILT_IN.items()}
    return built_in | {rule.code: rule.name for rule in rules()}


def require_rules(words: Iterable[str], what: str) -> None:
    """Refuse words that stand for no rule.

    Raises:
        UsageError: one of them does not; ``what`` says where they stand.
    """
    known = names_of_rules()
    for word in words:
        if not codes_of(word, known):
            raise UsageError(f"{what}: there is no rule {word!r}", suggestion(word, known))


def rules() -> tuple[Rule, ...]:
    """Every rule of every family, by code."""
    from planner.across import RULES  # noqa: PLC0415 - as above

    found = (rule for family in families() for rule in family.rules)
    return tuple(sorted((*found, *RULES), key=lambda rule: rule.code))


def find_rule(text: str) -> Rule | None:
    """The rule with this code or name."""
    return next((rule for rule in rules() if text in (rule.code, rule.name)), None)


def fails(findings: Iterable[Finding], fail_on: Severity | None) -> bool:
    """Whether a finding that nobody suppressed is at or above the floor (None: nothing ever is)."""
    order = list(Severity)
    return fail_on is not None and any(
        order.index(finding.severity) <= order.index(fail_on)
        for finding in findings
        if finding.suppressed is None
    )


def _check(spec: Spec, name: str, settings: LintSettings, today: date, peers: Peers) -> Checked:
    run = _run(settings)
    place = _place(spec.file, settings.root)
    found = suppress(
        spec,
        [each for each in _found(spec, name, run, peers) if each.code in run],
        # In a file of no kind no rules are looked for, so nothing can be said about its comments.
        Rules(names_of_rules(), run if name else frozenset()),
        today=today,
    )
    findings = _configured(identified(spec, found, place), place, settings)
    return Checked(spec, name, findings, place)


def _found(spec: Spec, name: str, run: frozenset[str], peers: Peers) -> list[Finding]:
    if name == CONFIG_KIND:
        return config_findings(spec)
    if family := family_named(name):
        rules_run = [rule for rule in family.rules if rule.code in run]
        around = peers.of(spec)
        if around or peers.needs(spec):
            rules_run.extend(_across(spec, family, peers))
        return lint(spec, family.layers(spec), rules_run, around)
    if name:
        known = ", ".join([*NAMES, CONFIG_KIND])
        raise UsageError(f"{name!r} is not a kind of spec", f"one of {known}")
    return yaml_only(spec) if _is_named_like_ours(spec) else []


def _across(spec: Spec, family: Family, peers: Peers) -> list[Rule]:
    from planner.across import rules_across  # noqa: PLC0415 - a spec on its own has no use for them

    return rules_across(spec, family, peers)


def _run(settings: LintSettings) -> frozenset[str]:
    """The codes that are looked for."""
    known = names_of_rules()
    return codes_of_all(settings.select, known) | _ALWAYS if settings.select else frozenset(known)


def _place(file: str, root: str) -> str:
    """A file's name relative to the project, with slashes; as it is when it lies elsewhere."""
    path, base = (Path(os.path.abspath(each)) for each in (file, root or "."))  # noqa: PTH100 - links keep their names
    return (path.relative_to(base) if path.is_relative_to(base) else Path(file)).as_posix()


def _kind_of(spec: Spec) -> str:
    if PurePath(spec.file).name == FILE_NAME:
        return CONFIG_KIND
    family = family_of(spec)
    return family.name if family else ""


def _is_named_like_ours(spec: Spec) -> bool:
    """A broken file cannot be recognised by its content; only one that could be ours is worth a finding."""
    return not spec.documents


def _configured(
    findings: Iterable[Finding], place: str, settings: LintSettings
) -> tuple[Finding, ...]:
    """The findings, those that planner.yaml or an option ignores suppressed."""
    known = names_of_rules()
    lists = [("", "*", settings.ignore)]
    lists.extend((f"per_file {glob}: ", glob, words) for glob, words in settings.per_file)
    hidden = {
        code: Suppression("config", f"{where or 'ignore '}{word}")
        for where, glob, words in reversed(lists)
        for word in words
        for code in codes_of(word, known)
        if fnmatch.fnmatch(place, glob)
    }
    return tuple(
        replace(each, suppressed=each.suppressed or hidden.get(each.code)) for each in findings
    )


def _accepted(checked: Iterable[Checked], baseline: baselines.Baseline) -> list[Checked]:
    return [
        replace(each, findings=tuple(baselines.accept(each.findings, baseline))) for each in checked
    ]


def _present(checked: Iterable[Checked]) -> baselines.Baseline:
    return baselines.baseline_of(found for each in checked for found in each.findings)


class _Judge:
    """Tells whether this run says anything about an entry: its file was checked, or is gone, and so for its rule."""

    def __init__(self, checked: Iterable[Checked], settings: LintSettings) -> None:
        self._files = frozenset(each.place for each in checked)
        self._root = Path(settings.root)
        self._run = _run(settings)

    def __call__(self, entry: baselines.Accepted) -> bool:
        has_run = entry.code in self._run or entry.code not in names_of_rules()
        return has_run and (entry.file in self._files or not (self._root / entry.file).exists())


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
