"""The registry's garbage collection in the middle of a run: what it takes away is sent again, and nothing stays incomplete.

distribution 2.8 wants nobody to write meanwhile, and people run it all the same. With ``--delete-untagged`` it also takes the
manifests of an index away whose tag is there (distribution/distribution#3178).
"""

from __future__ import annotations

import contextlib
import threading

import pytest

from planner.sample import write_samples
from planner.ui.cli import main
from tests.fakes import ChangeCall, Fault
from tests.fakes.messages import Call
from tests.real.faulty import IMAGES, Site, filled, site, store_at, waits

__all__ = ["filled", "site", "waits"]

Output = pytest.CaptureFixture[str]


@pytest.fixture
def used(site: Site) -> Site:
    """A target whose repositories hold something else already: without any tag, this program gives up."""
    store = store_at(site.mirror.url)
    write_samples([each._replace(tag="old") for each in IMAGES], lambda _: store, kib=1)
    return site


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("PATCH", "/blobs/uploads/", id="between chunks"),
        pytest.param("PUT", "/extra/manifests/1", id="before a manifest"),
        pytest.param("PUT", "/app/manifests/1", id="before an index, behind its images"),
    ],
)
def test_what_is_collected_before_it_has_a_tag_is_sent_again(
    used: Site, method: str, path: str, capsys: Output
) -> None:
    def collect(call: Call) -> Call:
        used.mirror.collect_garbage()
        return call

    used.target.faults.add(
        Fault(method, path, ChangeCall(collect), nth=2 if method == "PATCH" else 1)
    )
    ended = main(["apply", "--auto-approve", "--parallelism", "1"])
    said = capsys.readouterr().err
    assert used.target.faults.unused() == ()
    assert ended == (0 if method == "PATCH" else 1), said
    if ended:
        assert "UNKNOWN" in said
        assert main(["apply", "--resume"]) == 0, said + capsys.readouterr().err
    assert main(["verify", "--blobs"]) == 0, capsys.readouterr().out
    used.assert_has(*IMAGES)


def test_what_is_collected_behind_a_tag_is_found_by_a_look_at_the_content_and_repaired(
    used: Site, capsys: Output
) -> None:
    """Here all the time while planner writes, so that anything may be gone at any moment."""
    over, times = threading.Event(), 0

    def collect() -> None:
        nonlocal times
        while not over.is_set():
            with contextlib.suppress(RuntimeError):  # it stumbles over what just goes
                used.mirror.collect_garbage()
                times += 1

    collecting = threading.Thread(target=collect)
    collecting.start()
    try:
        assert main(["apply", "--auto-approve"]) in (0, 1)
    finally:
        over.set()
        collecting.join()
    assert times
    used.mirror.collect_garbage()
    assert main(["verify", "--blobs"]) == 1
    assert main(["plan", "--deep", "-o", "plan.json"]) == 0
    assert main(["apply", "plan.json"]) == 0, capsys.readouterr().err
    assert main(["verify", "--blobs"]) == 0, capsys.readouterr().out
    used.incomplete.clear()
    used.assert_has(*IMAGES)
