"""Several processes: what they find is what one finds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from planner import shares
from planner.check import check
from planner.config import LintSettings
from planner.core.errors import InputError
from planner.shares import in_shares

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no way to copy a process here")


def test_results_come_in_the_order_of_the_shares() -> None:
    done = in_shares(lambda share: [(each, os.getpid()) for each in share], [[1, 2], [3], [4]])
    assert [[each for each, _ in share] for share in done] == [[1, 2], [3], [4]]
    assert len({process for share in done for _, process in share}) == 3


@pytest.mark.parametrize("bad", [1, 2])
def test_what_a_share_raises_is_raised_with_its_hint(bad: int) -> None:
    def work(share: Sequence[int]) -> list[int]:
        if bad in share:
            raise InputError("cannot be read", "try again")
        return list(share)

    with pytest.raises(InputError, match="cannot be read") as caught:
        in_shares(work, [[1], [2]])
    assert caught.value.hint == "try again"


def test_a_process_that_dies_is_noticed() -> None:
    own = os.getpid()

    def work(share: Sequence[int]) -> list[int]:
        if os.getpid() != own:
            os._exit(9)
        return list(share)

    with pytest.raises(RuntimeError, match="without its results"):
        in_shares(work, [[1], [2]])


def _project(folder: Path, count: int) -> None:
    """Every third folder has a mistake, and every fifth two specs that contradict each other."""
    for number in range(count):
        own = folder / f"{number:03}"
        own.mkdir()
        key = "mirror" if number % 3 == 0 else "mirrors"
        scheme = "http" if number % 5 == 0 else "https"
        text = f"{key}:\n  quay.io:\n    endpoint: ['{scheme}://r{number}.corp']\n"
        (own / "registries.yaml").write_text(text)
        (own / "kubeone.yaml").write_text(
            "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\n"
            f"registryConfiguration: {{overwriteRegistry: r{number}.corp}}\n"
        )


def test_many_files_have_the_findings_that_one_process_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(tmp_path, 40)
    monkeypatch.setattr(shares, "can_share", lambda: True)
    alone = check([str(tmp_path)], "", LintSettings())
    shared = check([str(tmp_path)], "", LintSettings(), jobs=3)
    assert [each.spec.file for each in shared] == [each.spec.file for each in alone]
    assert [each.findings for each in shared] == [each.findings for each in alone]
    codes = {found.code for each in shared for found in each.findings}
    assert {"SCH001", "ACR001"} <= codes
    assert not any(each.spec.documents for each in shared)
    assert all(each.spec.documents for each in alone)


def test_few_files_are_not_shared(tmp_path: Path) -> None:
    _project(tmp_path, 3)
    assert all(each.spec.documents for each in check([str(tmp_path)], "", LintSettings(), jobs=3))
