"""Lint: from files to findings. Loads neither the HTTP client nor the graph library."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from planner.config import (
    FILE_NAME,
    KIND,
    Cluster,
    Config,
    ConfigError,
    LintSettings,
    config_findings,
    parse_spec,
    read_spec,
)
from planner.core.choice import codes_of, codes_of_all, suggestion
from planner.core.document import Spec
from planner.core.errors import UsageError
from planner.core.family import Family
from planner.core.lint import (
    BUILT_IN,
    MARK,
    Finding,
    Rule,
    Severity,
    Suppression,
    lint,
    yaml_only,
)
from planner.discovery import Project, files_of
from planner.files import is_there, place_of
from planner.peers import Peers
from planner.specs import NAMES, families, family_named
from planner.unreadable import is_broken_spec, is_template, of_template, unknown_kind

_MANY = 64  # files from which on it pays to begin another process
_FEW = 16  # files that such a process should have at least
_ALWAYS = frozenset({"YAM001", "YAM003"})  # a file that cannot be read is never fine


class Checked(NamedTuple):
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
    only_ours: bool = False,
    jobs: int = 1,
    today: date | None = None,
) -> list[Checked]:
    """Lint files, and the specs below folders; files that are of no known family pass in silence.

    ``clusters`` name specs to compare with. With ``only_ours``, a given file that shows no sign of being a spec is not even
    read. With many files, up to ``jobs`` processes share them (0: as many as there are cores); then the results have their
    texts, and no trees. ``today`` decides which suppressions have expired (None: the date of this machine).
    """
    project = Project(settings, clusters)
    files = files_of(paths, project, kind, only_ours=only_ours)

    def work(share: Sequence[Path]) -> list[Checked]:
        peers = Peers(clusters, settings.root)
        given = [(spec, kind or project.kind(spec)) for spec in map(read_spec, share)]
        for spec, name in given:
            peers.add(spec, name)
        return [_check(spec, name, project, peers, today) for spec, name in given]

    done = _shared(work, files, jobs) if jobs != 1 and len(files) >= _MANY else work(files)
    return done if paths else _with_dead_globs(done, settings)


def _shared(
    work: Callable[[Sequence[Path]], list[Checked]], files: Sequence[Path], jobs: int
) -> list[Checked]:
    """``work`` on all files by several processes. Files of one folder stay together: each is a peer of the others."""
    from planner.shares import can_share, cores, in_shares  # noqa: PLC0415 - few runs have many files

    count = min(jobs or cores(), len(files) // _FEW)
    if count < 2 or not can_share():
        return work(files)
    folders: dict[Path, list[Path]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    shares: list[list[Path]] = [[] for _ in range(count)]
    for each in sorted(folders.values(), key=len, reverse=True):
        min(shares, key=len).extend(each)

    def light(share: Sequence[Path]) -> list[Checked]:
        return [each._replace(spec=each.spec._replace(documents=())) for each in work(share)]

    results = in_shares(light, [share for share in shares if share])
    found = {each.spec.file: each for share in results for each in share}
    return [found[str(file)] for file in files]


def kinds_of(
    paths: Sequence[str], kind: str, settings: LintSettings, clusters: Sequence[Cluster] = ()
) -> list[tuple[str, str]]:
    """Which files would be linted, and their kinds; empty for one that is given, and no spec."""
    project = Project(settings, clusters)
    specs = map(read_spec, files_of(paths, project, kind))
    found = [(spec.file, kind or project.kind(spec), spec) for spec in specs]
    given = frozenset(map(os.path.normpath, paths))
    return [
        (file, kind)
        for file, kind, spec in found
        if kind or os.path.normpath(file) in given or is_broken_spec(spec)
    ]


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
    spec, project = parse_spec(name, text), Project(settings, clusters)
    return _check(spec, kind or project.kind(spec), project, Peers(clusters, settings.root), today)


def check_spec(
    spec: Spec, kind: str, settings: LintSettings, clusters: Sequence[Cluster] = ()
) -> Checked:
    """Lint what has been read already, on its own."""
    return _check(spec, kind, Project(settings, clusters), Peers(()), None)


@cache
def codes_run(settings: LintSettings) -> frozenset[str] | None:
    """The codes that are looked for; None for all, which need not be known then."""
    if not settings.select:
        return None
    return codes_of_all(settings.select, names_of_rules()) | _ALWAYS


def _is_run(code: str, run: frozenset[str] | None) -> bool:
    return run is None or code in run


def configured(
    findings: Sequence[Finding], place: str, settings: LintSettings
) -> tuple[Finding, ...]:
    """The findings, those that planner.yaml or an option ignores suppressed."""
    if not findings or not (settings.ignore or settings.per_file):
        return tuple(findings)
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
        each._replace(suppressed=each.suppressed or hidden.get(each.code)) for each in findings
    )


def revealed(checked: Iterable[Checked]) -> list[Checked]:
    """The same, with nothing suppressed."""
    return [
        each._replace(findings=tuple(found._replace(suppressed=None) for found in each.findings))
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
    for word in words:
        known = names_of_rules()
        if not codes_of(word, known):
            raise UsageError(f"{what}: there is no rule {word!r}", suggestion(word, known))


def require_known_rules(config: Config) -> None:
    """Refuse a planner.yaml with words that stand for no rule.

    Raises:
        ConfigError: it has some.
    """
    if config.spec and (found := _unknown_rules(config.spec)):
        raise ConfigError(config.spec, found)


def broken_config(error: ConfigError) -> Checked:
    """What is wrong with a planner.yaml that cannot be used."""
    return _checked(error.spec, KIND, list(error.findings), LintSettings())


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


def _check(spec: Spec, name: str, project: Project, peers: Peers, today: date | None) -> Checked:
    settings = project.settings
    run = codes_run(settings)
    found = [*unknown_kind(spec), *_found(spec, name, run, project, peers)]
    found = [each for each in found if _is_run(each.code, run)]
    if MARK in spec.text:
        found = _suppressed(spec, name, found, run, today)
    return _checked(spec, name, found, settings)


def _checked(spec: Spec, name: str, found: list[Finding], settings: LintSettings) -> Checked:
    place = place_of(spec.file, settings.root)
    if found:
        from planner.core.fingerprint import identified  # noqa: PLC0415 - most specs have no findings

        found = identified(spec, found, place)
    return Checked(spec, name, configured(found, place, settings), place)


def _suppressed(
    spec: Spec, name: str, found: list[Finding], run: frozenset[str] | None, today: date | None
) -> list[Finding]:
    """The findings and those about the comments, of which most specs have none: what they need is loaded here."""
    from planner.core.suppression import Rules, suppress  # noqa: PLC0415 - as above
    from planner.core.templated import readable  # noqa: PLC0415 - as above

    known, shown = names_of_rules(), readable(spec)
    # In a file of no kind no rules are looked for, and in a template few: nothing can be said about its comments then.
    judged = frozenset(known) if run is None else run
    rules_run = Rules(known, judged if name and shown is spec else frozenset())
    return suppress(shown, found, rules_run, today=today or date.today())


def _found(
    spec: Spec, name: str, run: frozenset[str] | None, project: Project, peers: Peers
) -> list[Finding]:
    if name == KIND:
        about_files = (*_missing_files(spec), *_about_lock(spec, peers))
        return config_findings(spec) or [*_unknown_rules(spec), *about_files]
    family = family_named(name)
    spec = family.as_read(spec) if family else spec
    if spec.problems and is_template(spec) and (name or is_broken_spec(spec)):
        return of_template(spec, name)
    if family:
        rules_run = [rule for rule in family.rules if run is None or rule.code in run]
        around = peers.of(spec)
        if around or peers.needs(spec):
            rules_run.extend(_across(spec, family, peers))
        return lint(spec, family.layers(spec), rules_run, around, project.suppliers(spec.file))
    if name:
        known = ", ".join([*NAMES, KIND])
        raise UsageError(f"{name!r} is not a kind of spec", f"one of {known}")
    return yaml_only(spec) if is_broken_spec(spec) else []


def _across(spec: Spec, family: Family, peers: Peers) -> list[Rule]:
    from planner.across import rules_across  # noqa: PLC0415 - a spec on its own has no use for them

    return rules_across(spec, family, peers)


def _about_lock(spec: Spec, peers: Peers) -> list[Finding]:
    if not peers.is_config(spec):
        return []
    from planner.across import rules_of_config  # noqa: PLC0415 - a project without clusters has no lock

    return lint(spec, (), rules_of_config(spec, peers))


def _unknown_rules(spec: Spec) -> list[Finding]:
    if not spec.root.get("lint"):
        return []
    from planner.core.config_words import unknown_rules  # noqa: PLC0415 - few say anything of rules

    return unknown_rules(spec, names_of_rules())


def _missing_files(spec: Spec) -> list[Finding]:
    if not spec.root.get("clusters"):
        return []
    from planner.core.config_words import missing_files  # noqa: PLC0415 - few lint a project's own file

    folder = Path(spec.file).parent
    return missing_files(spec, lambda name: is_there(folder / name))


def _with_dead_globs(checked: list[Checked], settings: LintSettings) -> list[Checked]:
    """The same, with what the project's planner.yaml says about files that do not exist."""
    from planner.core.config_words import dead_globs  # noqa: PLC0415 - as above

    places, run = [each.place for each in checked], codes_run(settings)
    for at, each in enumerate(checked):
        if each.kind == KIND and each.place == FILE_NAME and (settings.per_file or settings.kinds):
            dead = dead_globs(each.spec, places)
            added = _checked(
                each.spec, KIND, dead if _is_run("CFG002", run) else [], settings
            ).findings
            checked[at] = each._replace(findings=(*each.findings, *added))
    return checked


def describe_built_in(text: str) -> tuple[str, str, str] | None:
    """Code, name and sentence of a finding that is no family's rule."""
    for code, (name, sentence) in BUILT_IN.items():
        if text in (code, name):
            return code, name, sentence
    return None
