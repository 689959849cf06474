"""Everything that planner prints for programs matches its published schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.core import schema
from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from planner.ui.cli import main

SPEC = "mirrors: {docker.io: {endpoint: ['https://registry.corp:5000']}}\n"
IMAGES = ("docker.io/rancher/mirrored-pause:3.6", "quay.io/team/tool:v1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec, a list with one image that the spec does not cover, and an upstream layout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("registries.yaml").write_text(SPEC, "utf-8")
    Path("mistakes.yaml").write_text(
        "mirrors: {docker.io: {endpoints: [], endpoints: []}}\n", "utf-8"
    )
    Path("images.txt").write_text("".join(f"{image}\n" for image in IMAGES), "utf-8")
    upstream = LayoutFolder(tmp_path / "upstream")
    write_samples(map(parse_image, IMAGES), lambda registry: Layout(upstream, registry), kib=4)
    return tmp_path


NEEDS = ("registries.yaml", "--images", "images.txt")
PLACES = ("--from", "oci:upstream", "--to", "oci:registry")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param("lint", ("lint", "mistakes.yaml", "--kind", "k3s"), id="lint"),
        pytest.param("images", ("images", *NEEDS), id="images"),
        pytest.param("resolve", ("resolve", IMAGES[0], "-c", "registries.yaml"), id="resolve"),
        pytest.param("plan", ("plan", *NEEDS, *PLACES), id="plan"),
        pytest.param(
            "inventory",
            ("inventory", "-c", NEEDS[0], *NEEDS[1:], "--to", "oci:registry"),
            id="inventory",
        ),
        pytest.param("verify", ("verify", *NEEDS, "--to", "oci:registry"), id="verify"),
        pytest.param("doctor", ("doctor", "127.0.0.1:1"), id="doctor"),
    ],
)
def test_json_output_matches_its_schema(
    name: str, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*command, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == f"planner.{name}/1"
    assert schema.violations(f"formats/{name}", document) == []


def test_the_event_log_matches_its_schema(folder: Path) -> None:
    main(["apply", *NEEDS, *PLACES, "--auto-approve", "--events", "events.jsonl"])
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text("utf-8").splitlines()]
    assert lines[0]["format"] == "planner.events/1"
    assert {"started", "step_done", "image_done", "finished"} <= {line["type"] for line in lines}
    assert not [each for line in lines for each in schema.violations("formats/events", line)]
