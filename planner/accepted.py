"""What lint finds, against the baseline: what is accepted, what is stale in it, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from planner import baseline as baselines
from planner.check import Checked, check_spec, codes_run, configured, names_of_rules
from planner.config import Cluster, LintSettings
from planner.core.document import Spec
from planner.core.errors import InputError
from planner.core.family import Family
from planner.core.lint import Severity
from planner.files import is_there, read_text

_STALE = "SUP005"


def with_baseline(checked: Sequence[Checked], settings: LintSettings) -> list[Checked]:
    """The same, with what the baseline accepts suppressed, and the baseline as a last file with what is stale in it."""
    path = Path(settings.baseline)
    if not is_there(path):
        raise InputError(
            f"{path}: there is no such baseline",
            "planner lint --update-baseline writes it: what is found now is accepted then",
        )
    text, accepted = read_text(path), baselines.load_baseline(path)
    result = _accepted(checked, accepted)
    run = codes_run(settings)
    if run is None or _STALE in run:
        old = baselines.stale(accepted, _present(result), _Judge(checked, settings))
        if found := tuple(baselines.stale_findings(path, text, old)):
            spec = Spec(str(path), text, ())
            result.append(Checked(spec, "", configured(found, str(path), settings)))
    return result


def update_baseline(checked: Sequence[Checked], settings: LintSettings) -> tuple[int, int, int]:
    """Write the baseline anew from what was found: how many it holds now, how many are new, and how many are gone."""
    path = Path(settings.baseline)
    before = baselines.load_baseline(path) if is_there(path) else {}
    present = _present(_accepted(checked, before))
    after = baselines.updated(before, present, _Judge(checked, settings))
    baselines.save_baseline(path, after)
    return len(after), len(after.keys() - before.keys()), len(before.keys() - after.keys())


def error_count(
    spec: Spec, family: Family, settings: LintSettings, clusters: Sequence[Cluster] = ()
) -> int:
    """How many errors a spec has that nobody chose to ignore."""
    checked = [check_spec(spec, family.name, settings, clusters)]
    if settings.baseline and is_there(settings.baseline):
        checked = with_baseline(checked, settings)[:1]
    found = checked[0].findings
    return sum(each.severity is Severity.ERROR and each.suppressed is None for each in found)


def _accepted(checked: Iterable[Checked], baseline: baselines.Baseline) -> list[Checked]:
    return [
        each._replace(findings=tuple(baselines.accept(each.findings, baseline))) for each in checked
    ]


def _present(checked: Iterable[Checked]) -> baselines.Baseline:
    return baselines.baseline_of(found for each in checked for found in each.findings)


class _Judge:
    """Tells whether this run says anything about an entry: its file was checked, or is gone, and so for its rule."""

    def __init__(self, checked: Iterable[Checked], settings: LintSettings) -> None:
        self._files = frozenset(each.place for each in checked)
        self._root = Path(settings.root)
        self._run = codes_run(settings)

    def __call__(self, entry: baselines.Accepted) -> bool:
        has_run = self._run is None or entry.code in self._run or entry.code not in names_of_rules()
        return has_run and (entry.file in self._files or not is_there(self._root / entry.file))
