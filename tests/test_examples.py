"""What stands beside the examples is what planner says about them. ``make examples`` writes it anew."""

from __future__ import annotations

import pytest

from planner.core.reader import read
from planner.specs import family_of
from tests.examples import CASES, FOLDER, Case, said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_planner_says_what_stands_beside_the_example(case: Case) -> None:
    kept = {path.name: path.read_text("utf-8") for path in case.folder.glob("*")}
    now = said(case)
    changed = sorted(name for name in kept.keys() | now.keys() if kept.get(name) != now.get(name))
    assert not changed, (
        f"{case.folder}: {', '.join(changed)} changed: run make examples, and look at the difference"
    )


def test_every_spec_is_an_example() -> None:
    specs = {
        str(path.relative_to(FOLDER).with_suffix(""))
        for path in FOLDER.rglob("*.yaml")
        if family_of(read(str(path), path.read_text("utf-8")))
    }
    beside = {
        str((case.spec.parent / word).relative_to(FOLDER).with_suffix(""))
        for case in CASES
        for word in case.chosen
    }
    assert specs - beside == {case.name for case in CASES}
