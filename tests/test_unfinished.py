"""``apply --resume``: a run that was not finished goes on with the very plan that it had."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.config import Config
from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.opening import Places, Stores
from tests.fakes import FakeRegistry, Fault, Status
from tests.test_cli import Planner, planner

__all__ = ["planner"]

SPEC = 'mirrors: {docker.io: {endpoint: ["https://registry.corp"]}}\n'


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """A registry that is to get ``a:1`` and ``b:1`` from a folder."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "registries.yaml").write_text(SPEC)
    (tmp_path / "images.txt").write_text("k/a:1\nk/b:1\n")
    stores = Stores(Places(Config(), write_to=f"oci:{tmp_path}/in"))
    write_samples([parse_image(f"k/{each}:1") for each in "ab"], stores.target, kib=1)
    monkeypatch.chdir(tmp_path)
    return FakeRegistry()


def apply(planner: Planner, mirror: FakeRegistry, *more: str) -> int:
    words = ("registries.yaml", "--images=images.txt", "--from=oci:in", f"--to={mirror.url}")
    return planner("apply", *words, "--auto-approve", *more).code


def test_what_failed_is_tried_again_with_the_same_plan(
    mirror: FakeRegistry, planner: Planner, tmp_path: Path
) -> None:
    with mirror:
        mirror.faults.add(Fault("PUT", "/k/b/manifests", Status(403)))
        assert apply(planner, mirror) == 1
        assert (mirror.tags("k/a"), mirror.tags("k/b")) == (["1"], [])
        assert (tmp_path / ".planner/unfinished.json").is_file()
        done = planner("apply", "--resume")
        assert (done.code, mirror.tags("k/b")) == (0, ["1"])
        assert mirror.count("PUT", "/k/a/manifests/1") == 1
        assert not (tmp_path / ".planner/unfinished.json").exists()


def test_after_a_finished_run_there_is_nothing_to_resume(
    mirror: FakeRegistry, planner: Planner
) -> None:
    with mirror:
        assert apply(planner, mirror) == 0
        refused = planner("apply", "--resume")
        assert (refused.code, "nothing to resume" in refused.err) == (64, True)


def test_resuming_names_no_other_plan(mirror: FakeRegistry, planner: Planner) -> None:
    refused = planner("apply", "--resume", "registries.yaml")
    assert (refused.code, "another one is named" in refused.err) == (64, True)


def test_a_tag_that_somebody_else_moved_is_left_alone_and_the_others_go_on(
    mirror: FakeRegistry, planner: Planner
) -> None:
    with mirror:
        mirror.faults.add(Fault("PUT", "/k/b/manifests", Status(403)))
        assert apply(planner, mirror) == 1
        mirror.add_image("k/b", "1", [b"somebody's"])
        theirs = mirror.manifest("k/b", "1").digest
        refused = planner("apply", "--resume")
        assert (refused.code, "changed since" in refused.err) == (75, True)
        assert mirror.manifest("k/b", "1").digest == theirs
