"""Metrics: what a plan and a run took, as Prometheus reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planner.config import Tls
from planner.core.errors import InputError
from planner.core.events import Finished, ImageDone, Started, Ticked
from planner.core.metrics import Metric, Sample, to_text
from planner.core.plan import Plan
from planner.stores.http import Connection
from planner.stores.pacing import Traffic
from planner.ui.metrics import run_metrics, write_plan_metrics
from tests.fakes import FakeRegistry, Fault, Status
from tests.making import IMPATIENT

# Source: prometheus.io/docs/instrumenting/exposition_formats, "Text format details".
SAMPLE = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([0-9.]+)'
)


def read(text: str) -> dict[str, float]:
    """The samples by name and labels; every line must be one, or belong to the family below it."""
    assert text.endswith("\n")
    found: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert kinds[match[1]] == ("counter" if match[1].endswith("_total") else "gauge")
            found[line.rpartition(" ")[0]] = float(match[3])
    return found


@pytest.fixture
def traffic() -> Traffic:
    """Two requests, the first of which had to be made again."""
    shared = Traffic(IMPATIENT)
    with FakeRegistry() as fake:
        fake.faults.add(Fault("GET", "/v2/", Status(429, headers={"Retry-After": "7"})))
        connection = Connection(fake.url, Tls(), 8, IMPATIENT, shared)
        connection.send("GET", "v2/")
        connection.send("PUT", "v2/", body=b"12345")
        shared.host(fake.host).name = "r.corp"
    return shared


def test_labels_are_escaped() -> None:
    metric = Metric("a_total", "counter", "b\\\nc", (Sample({"x": 'a"b\\c\nd', "y": "é"}, 1.5),))
    assert to_text([metric]) == (
        '# HELP a_total b\\\\\\nc\n# TYPE a_total counter\na_total{x="a\\"b\\\\c\\nd",y="é"} 1.5\n'
    )


def test_large_numbers_stay_exact() -> None:
    metric = Metric("a_total", "counter", "b", (Sample({}, 12345678901234567),))
    assert to_text([metric]).endswith("a_total 12345678901234567\n")


def test_what_was_never_seen_is_left_out() -> None:
    assert to_text([Metric("a_total", "counter", "b", ())]) == ""


def test_a_plan_has_figures(tmp_path: Path, traffic: Traffic) -> None:
    file = tmp_path / "planner.prom"
    write_plan_metrics(str(file), traffic, Plan((), {}, {}))
    found = read(file.read_text())
    assert found['planner_requests_total{registry="r.corp",method="GET",status="2xx"}'] == 1
    assert found['planner_requests_total{registry="r.corp",method="GET",status="4xx"}'] == 1
    assert found['planner_retries_total{registry="r.corp",reason="429"}'] == 1
    assert found['planner_wait_seconds_total{registry="r.corp"}'] == 7
    assert found['planner_bytes_total{registry="r.corp",direction="written"}'] == 5
    assert found['planner_images{state="create"}'] == 0


def test_a_run_writes_every_ten_seconds_and_at_its_end(tmp_path: Path, traffic: Traffic) -> None:
    file = tmp_path / "planner.prom"

    def done() -> float:
        return read(file.read_text())['planner_images{state="done"}']

    with run_metrics(str(file), traffic) as view:
        view(Started(0.0, 2, 4, 10))
        view(ImageDone(1.0, "r/a:1", "sha256:00"))
        assert done() == 0
        view(Ticked(10.0))
        assert done() == 1
        view(ImageDone(11.0, "r/b:1", "sha256:00"))
        view(Finished(12.0, 2, 0, 0))
        assert done() == 1
    assert done() == 2
    assert [each.name for each in tmp_path.iterdir()] == ["planner.prom"]


def test_a_file_that_cannot_be_written_is_an_error_at_the_start(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="cannot be written"),
        run_metrics(str(tmp_path / "no/x"), Traffic()),
    ):
        pytest.fail("went on")


def test_a_file_that_cannot_be_written_any_more_stops_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with run_metrics(str(folder / "x"), Traffic()) as view:
        (folder / "x").unlink()
        folder.rmdir()
        view(Ticked(10.0))
    assert capsys.readouterr().err.startswith("note: ")
