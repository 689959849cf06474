"""``--prune`` as people use it: what it takes into account, what it refuses, and the word that it wants."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.config import Config
from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.opening import Places, Stores
from tests.test_cli import Output, Planner, elsewhere, planner

__all__ = ["planner"]

HOST = "registry.corp"
SPEC = f'mirrors: {{docker.io: {{endpoint: ["https://{HOST}"]}}}}\n'
PROJECT = """\
version: 1
clusters: [{name: edge, spec: registries.yaml, images: [images.txt]}]
"""
PLACES = ("--from=oci:in", "--to=oci:out")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose cluster got ``a:1`` and ``b:1``, and needs only the first by now."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "registries.yaml").write_text(SPEC)
    (tmp_path / "planner.yaml").write_text(PROJECT)
    stores = Stores(Places(Config(), write_to=f"oci:{tmp_path}/in"))
    write_samples([parse_image(f"k/{each}:1") for each in "ab"], stores.target, kib=1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def filled(folder: Path, planner: Planner) -> Path:
    (folder / "images.txt").write_text("k/a:1\nk/b:1\n")
    assert planner("apply", *PLACES, "--auto-approve").code == 0
    (folder / "images.txt").write_text("k/a:1\n")
    return folder


def names(folder: Path) -> set[str]:
    index = json.loads((folder / "out/index.json").read_bytes())
    return {each["annotations"]["org.opencontainers.image.ref.name"] for each in index["manifests"]}


def deletions(output: Output) -> list[str]:
    return [each["target"] for each in json.loads(output.out)["changes"] if each["op"] == "delete"]


def test_what_planner_filled_and_nothing_needs_any_more_goes(
    filled: Path, planner: Planner
) -> None:
    assert deletions(planner("plan", *PLACES, "--format=json")) == []
    assert deletions(planner("plan", *PLACES, "--prune", "--format=json")) == [f"{HOST}/k/b:1"]
    done = planner("apply", *PLACES, "--prune", "--auto-approve")
    assert (done.code, names(filled)) == (0, {f"{HOST}/k/a:1"})
    assert planner("plan", *PLACES, "--prune", "--detailed-exitcode").code == 0


def test_what_another_configuration_beside_it_filled_stays(folder: Path, planner: Planner) -> None:
    (folder / "other.yaml").write_text(PROJECT.replace("images.txt", "other.txt"))
    other = ("--config", "other.yaml", *PLACES)
    (folder / "images.txt").write_text("k/a:1\n")
    (folder / "other.txt").write_text("k/b:1\n")
    assert planner("apply", *PLACES, "--auto-approve").code == 0
    assert planner("apply", *other, "--auto-approve").code == 0
    assert deletions(planner("plan", *PLACES, "--prune", "--format=json")) == []
    (folder / "other.txt").write_text("k/a:1\n")
    assert deletions(planner("plan", *other, "--prune", "--format=json")) == [f"{HOST}/k/b:1"]


def test_a_damaged_record_is_told_once(filled: Path, planner: Planner) -> None:
    (filled / ".planner/record.json").write_text("{")
    assert planner("plan", *PLACES, "--prune").err.count("damaged") == 1


def test_what_somebody_else_put_there_stays(filled: Path, planner: Planner) -> None:
    stores = Stores(Places(Config(), write_to=f"oci:{filled}/out"))
    write_samples([parse_image(f"{HOST}/theirs/c:1")], stores.target, kib=1)
    assert deletions(planner("plan", *PLACES, "--prune", "--format=json")) == [f"{HOST}/k/b:1"]
    (filled / "planner.yaml").write_text(f"{PROJECT}prune: {{scope: [{HOST}/theirs/*]}}\n")
    assert deletions(planner("plan", *PLACES, "--prune", "--format=json")) == [
        f"{HOST}/k/b:1",
        f"{HOST}/theirs/c:1",
    ]


def test_the_plan_says_what_goes(filled: Path, planner: Planner) -> None:
    text = planner("plan", *PLACES, "--prune").out
    assert "1 to delete" in text
    assert "k/b:1" in text or "b:1" in text


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("registries.yaml",), id="spec"),
        pytest.param(("--images=images.txt",), id="images"),
        pytest.param(("--filter=core",), id="filter"),
    ],
)
def test_a_part_of_what_is_needed_is_not_enough(
    filled: Path, planner: Planner, words: tuple[str, ...]
) -> None:
    refused = planner("plan", *PLACES, *words, "--prune")
    assert refused.code == 64
    assert "what one of them runs" in refused.err or "has no meaning" in refused.err


def test_without_clusters_nothing_is_pruned(filled: Path, planner: Planner) -> None:
    (filled / "planner.yaml").write_text("version: 1\n")
    assert planner("plan", *PLACES, "--prune").code == 64


def test_naming_a_plan_does_not_approve_its_deletions(filled: Path, planner: Planner) -> None:
    planner("plan", *PLACES, "--prune", "-o", "plan.json")
    refused = elsewhere("apply", "plan.json", folder=filled)
    assert (refused.code, "--auto-approve" in refused.err) == (77, True)
    assert len(names(filled)) == 2
    done = elsewhere("apply", "plan.json", "--auto-approve", folder=filled)
    assert (done.code, names(filled)) == (0, {f"{HOST}/k/a:1"})


def test_a_deletion_can_be_left_out(filled: Path, planner: Planner) -> None:
    kept = planner("plan", *PLACES, "--prune", "--exclude", "*/b:*", "--format=json")
    assert deletions(kept) == []


def test_while_what_replaces_it_is_excluded_nothing_is_deleted(
    filled: Path, planner: Planner
) -> None:
    """Nodes still run the old one. Who names a deletion means it."""
    stores = Stores(Places(Config(), write_to=f"oci:{filled}/in"))
    write_samples([parse_image("k/b:2")], stores.target, kib=1)
    (filled / "images.txt").write_text("k/a:1\nk/b:2\n")
    old = [f"{HOST}/k/b:1"]
    assert deletions(planner("plan", *PLACES, "--prune", "--format=json")) == old
    kept = planner("plan", *PLACES, "--prune", "--exclude=*/b:2", "--format=json")
    assert deletions(kept) == []
    named = planner("plan", *PLACES, "--prune", "--target=*/b:1", "--format=json")
    assert deletions(named) == old


def test_a_signature_is_not_deleted_without_what_it_is_about(
    filled: Path, planner: Planner
) -> None:
    index = filled / "out/index.json"
    document = json.loads(index.read_bytes())
    (image,) = [
        each
        for each in document["manifests"]
        if each["annotations"]["org.opencontainers.image.ref.name"].endswith("/k/b:1")
    ]
    name = f"{HOST}/k/b:{image['digest'].replace(':', '-')}.sig"
    named = {"org.opencontainers.image.ref.name": name}
    document["manifests"].append({**document["manifests"][0], "annotations": named})
    index.write_text(json.dumps(document))
    assert deletions(planner("plan", *PLACES, "--prune", "--format=json")) == [
        f"{HOST}/k/b:1",
        name,
    ]
    kept = planner("plan", *PLACES, "--prune", "--exclude=*/b:1", "--format=json")
    assert deletions(kept) == []


def test_a_registry_must_be_asked_itself(filled: Path, planner: Planner) -> None:
    planner("inventory", "--to=oci:out", "-o", "inventory.json")
    refused = planner("plan", "--against=inventory.json", "--from=oci:in", "--prune")
    assert (refused.code, "--prune looks at" in refused.err) == (64, True)
