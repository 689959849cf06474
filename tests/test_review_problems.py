"""The screen of problems: what is blocked, and what lint finds in the specs of the plan."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from textual.pilot import Pilot

from planner.config import Config, load_config
from planner.core.plan import Change, Input, Plan
from planner.stores.opening import Places, Stores
from planner.ui.cli import main
from planner.ui.review.lines import Lines
from planner.ui.review.list import PlanList
from planner.ui.review.problems import causes, lint_report
from planner.ui.review.problems_screen import ProblemsScreen
from tests.plans import CORP, change, full_plan
from tests.reviewing import NARROW, WIDE, play, review_of, shown, until, words

SPEC = "mirrors:\n  docker.io:\n    endpoints:\n      - https://registry.corp:5000\n"
GOOD = SPEC.replace("endpoints", "endpoint")


def plan_from(*paths: str, text: str = SPEC, changes: tuple[Change, ...] = ()) -> Plan:
    """A plan that was made from specs with a text."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    inputs = tuple(Input(path, digest, "k3s") for path in paths)
    return Plan(changes or full_plan().changes, full_plan().manifests, inputs=inputs)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("registries.yaml").write_text(SPEC)
    return Path("registries.yaml")


def test_the_text_is_that_of_lint(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--kind", "k3s", str(spec)]) == 1
    printed = capsys.readouterr().out
    report = lint_report(plan_from(str(spec)), Config())
    assert report.findings
    assert not report.notes
    assert "\n\n".join(text for _, text in report.findings) == printed.rpartition("\n\n")[0]


def test_settings_of_the_project_count(spec: Path) -> None:
    Path("planner.yaml").write_text("version: 1\nlint: {ignore: [SCH001]}\n")
    assert lint_report(plan_from(str(spec)), load_config()).findings == ()


@pytest.mark.parametrize(
    ("paths", "text", "said"),
    [
        pytest.param(("gone.yaml",), SPEC, "gone.yaml is gone: it cannot be looked at", id="gone"),
        pytest.param(
            ("registries.yaml",),
            GOOD,
            "registries.yaml changed since the plan was made: plan again",
            id="changed",
        ),
        pytest.param((), SPEC, "the plan names no spec that it was made from", id="none"),
    ],
)
@pytest.mark.usefixtures("spec")
def test_specs_that_are_not_what_they_were_are_told_of(
    paths: tuple[str, ...], text: str, said: str
) -> None:
    assert said in lint_report(plan_from(*paths, text=text), Config()).notes


def test_causes_come_with_what_to_do_the_greatest_first() -> None:
    found = causes(full_plan())
    assert [len(each.members) for each in found] == [2, 2]
    steps = {each.reason: each.steps for each in found}
    assert steps["no mirror: the nodes pull it from docker.io itself"][0].startswith(
        "name a mirror"
    )
    (step,) = steps["there is no project eksa, and robot$planner may not create one"]
    assert step.startswith("an administrator runs: curl -X POST")


@pytest.mark.parametrize("screen", [NARROW, WIDE, (200, 60)])
def test_blocked_images_stand_beside_the_findings(spec: Path, screen: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("p")
        await until(pilot, "error[SCH001")
        text = words(pilot)
        assert "Blocked (4)" in text
        assert "2 images: no mirror" in text
        assert "! docker.io/library/busybox:1" in text
        assert f"--> {spec}:3:5" in pilot.app.screen.query_one("#findings", Lines).text

    play(review_of(plan_from(str(spec))), steps, screen)


def test_enter_goes_to_the_row_out_of_filters_and_collapsed_groups() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"etcd", "enter", "p", "j", "enter")
        await pilot.pause()
        row = pilot.app.screen.query_one(PlanList).row
        assert isinstance(row, int)
        assert str(full_plan().changes[row].target) == "docker.io/library/nginx:1"
        await pilot.press("h", "p", "G", "enter")
        await pilot.pause()
        row = pilot.app.screen.query_one(PlanList).row
        assert isinstance(row, int)
        assert str(full_plan().changes[row].target) == f"{CORP}/eksa/eks-distro/coredns:v2"

    play(review_of(full_plan()), steps)


def test_tab_goes_to_the_findings_and_escape_back(spec: Path) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("p")
        await until(pilot, "error[SCH001")
        for key, pane in (
            ("tab", "findings"),
            ("tab", "blocked"),
            ("2", "findings"),
            ("h", "blocked"),
        ):
            await pilot.press(key)
            assert pilot.app.focused is not None
            assert pilot.app.focused.id == pane
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, ProblemsScreen)

    play(review_of(plan_from(str(spec))), steps)


def test_where_nothing_is_wrong_it_says_so(spec: Path) -> None:
    spec.write_text(GOOD)
    fine = change("create", "docker.io/a/b:1", f"{CORP}/a/b:1")

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("p")
        await until(pilot, "No findings.")
        assert "Nothing is blocked." in shown(pilot)

    play(review_of(plan_from(str(spec), text=GOOD, changes=(fine,))), steps)


def test_a_baseline_that_is_gone_is_told_of(spec: Path) -> None:
    Path("planner.yaml").write_text("version: 1\nlint: {baseline: base.json}\n")
    stores = Stores(Places(load_config()))

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("p")
        await until(pilot, "there is no such baseline")

    play(review_of(plan_from(str(spec)), stores), steps)
