"""``planner resolve``: what it says beside the URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.ui.cli import main

VALUES = """\
config:
  imageSwapConfig: {isEKSCluster: false}
  ociImageRegistry:
    endpoint: harbor.corp
    mirrorRegistries: "docker.io::harbor.corp/hub"
"""
K3S = "mirrors: {docker.io: {endpoint: ['https://harbor.corp/v2/hub']}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("values.yaml").write_text(VALUES, "utf-8")
    Path("registries.yaml").write_text(K3S, "utf-8")


def lines(capsys: pytest.CaptureFixture[str], image: str, spec: str) -> list[str]:
    assert main(["resolve", image, "-c", spec]) == 0
    return capsys.readouterr().out.splitlines()[1:]


def test_the_registry_of_the_image_is_told_from_the_one_that_it_is_renamed_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    renamed = lines(capsys, "rancher/pause:3", "values.yaml")
    assert renamed[0] == "  imageswap makes it harbor.corp/hub/rancher/pause:3"
    assert renamed[1].endswith("(the registry of its new name)")
    own = lines(capsys, "rancher/pause:3", "registries.yaml")
    assert own[-1].endswith("(the image's own registry)")


def test_a_name_that_no_node_can_pull_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, "docker.io:443/a/b:1", "values.yaml")
    assert told[0].startswith("  imageswap makes it")
    assert told[1:] == ["  nothing is asked for: no node pulls this image"]
