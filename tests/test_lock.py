"""planner.lock: the digests that sources are held to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from planner.check import check
from planner.config import load_config
from planner.core import schema
from planner.core.content import digest_of
from planner.core.errors import InputError
from planner.core.lint import Finding
from planner.core.lock import from_text, lockable, relocked, to_text, uncovered, unneeded
from planner.core.refs import parse_image
from planner.ui.cli import main
from tests.making import MIRROR, UPSTREAM, World, make_need, make_world

A, B = digest_of(b"a"), digest_of(b"b")
ONE, TWO, THREE = (parse_image(f"a/{each}:1") for each in ("one", "two", "three"))
HEAD = '{\n"format": "planner.lock/1",\n"sources": {\n'


def needs(*names: str) -> list[Any]:
    return [make_need(each, f"{MIRROR}/{each.partition('@')[0]}") for each in names]


# Values.


def test_a_lock_has_one_source_a_line_in_order() -> None:
    text = to_text({TWO: B, ONE: A})
    assert text == f'{HEAD}"docker.io/a/one:1": "{A}",\n"docker.io/a/two:1": "{B}"\n}}\n}}\n'
    assert from_text(text, "f") == {ONE: A, TWO: B}
    assert schema.violations("formats/lock", json.loads(text)) == []
    assert from_text(to_text({}), "f") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "f:1: this is not JSON", id="empty"),
        pytest.param("[]", "f:1: this is not a lock", id="list"),
        pytest.param('{"sources": {}}', "f:1: this is not a lock", id="no-format"),
        pytest.param("3", "f:1: this is not a lock", id="number"),
        pytest.param("[" * 100_000, "f:1: this is not", id="deep"),
        pytest.param('{"format": "planner.lock/2"}', "expected format planner.lock/1", id="newer"),
        pytest.param(
            '{"format": "planner.lock/1"}', "f:1: sources is not a mapping", id="no-sources"
        ),
        pytest.param(
            f'{HEAD}<<<<<<< ours\n"a": "b"\n}}\n}}', "f:4: this is not JSON", id="conflict"
        ),
        pytest.param(
            f'{HEAD}"docker.io/a/one:1": "{A}",\n"docker.io/a/two:1": "latest"\n}}\n}}',
            "f:5: 'latest' is not a digest",
            id="no-digest",
        ),
        pytest.param(
            f'{HEAD}"docker.io/a/one:1": "{A}",\n"docker.io/a/one:1": "{B}"\n}}\n}}',
            "f:5: docker.io/a/one:1 is pinned twice, to different digests",
            id="merged",
        ),
        pytest.param(f'{HEAD}"docker.io/a/one": "{A}"\n}}\n}}', "f:4: .* with a tag", id="no-tag"),
        pytest.param(f'{HEAD}"docker.io/A:1": "{A}"\n}}\n}}', "f:4: repository 'A' has", id="name"),
        pytest.param(f'{HEAD}"docker.io/a:1": 7\n}}\n}}', "f:4: 7 is not a digest", id="type"),
    ],
)
def test_a_damaged_lock_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        from_text(text, "f")


def test_what_names_a_digest_and_what_has_no_target_need_no_pin() -> None:
    wanted = [*needs("a/one:1", f"a/two@{A}"), make_need("a/three:1")]
    assert lockable(wanted) == (ONE,)
    assert uncovered(wanted, {}) == (ONE,)
    assert unneeded(wanted, {ONE: A, THREE: B}) == (THREE,)


def test_pins_are_kept_added_moved_and_dropped() -> None:
    wanted = needs("a/one:1", "a/two:1")
    done = relocked({ONE: A, THREE: A}, {ONE: B, TWO: B}, wanted, drop=True)
    assert done == ({ONE: B, TWO: B}, (TWO,), ((ONE, A, B),), (THREE,))
    assert relocked({ONE: A, THREE: A}, {}, wanted, drop=False).pins == {ONE: A, THREE: A}


# Commands.


@dataclass
class Site:
    """A project with two clusters, and what commands in it say."""

    world: World
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(list(words))
        return code, *self.capsys.readouterr()

    def planned(self, *words: str) -> list[dict[str, Any]]:
        code, out, err = self.run("plan", "--format", "json", *words)
        assert code == 0, err
        changes: list[dict[str, Any]] = json.loads(out)["changes"]
        return changes

    @property
    def pins(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(Path("planner.lock").read_text())["sources"]
        return found

    def heads(self) -> int:
        return self.world.upstream.count("HEAD", "/manifests/")

    def source(self, name: str) -> str:
        return self.world.upstream.manifest(f"a/{name}", "1").digest


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Site]:
    with make_world(tmp_path) as world:
        for name in ("one", "two", "three"):
            world.upstream.add_image(f"a/{name}", "1", [name.encode()])
        for folder, images in (("x", "a/one:1\na/two:1\n"), ("q", "a/three:1\n")):
            (tmp_path / folder).mkdir()
            spec = f"mirrors:\n  docker.io: {{endpoint: ['https://{MIRROR}']}}\n"
            (tmp_path / folder / "registries.yaml").write_text(spec)
            (tmp_path / folder / "images.txt").write_text(images)
        (tmp_path / "planner.yaml").write_text(
            "version: 1\nregistries:\n"
            f"  {UPSTREAM}: {{endpoint: '{world.upstream.url}'}}\n"
            f"  {MIRROR}: {{endpoint: '{world.mirror.url}'}}\n"
            "clusters:\n"
            "  - {name: x, spec: x/registries.yaml, images: [x/images.txt]}\n"
            "  - {name: q, spec: q/registries.yaml, images: [q/images.txt]}\n"
        )
        monkeypatch.chdir(tmp_path)
        yield Site(world, capsys)


def test_a_lock_pins_what_the_sources_have(site: Site) -> None:
    code, _, err = site.run("plan", "--lock")
    assert (code, err) == (0, "note: planner.lock: 3 added, 3 images pinned\n")
    assert site.pins == {
        f"docker.io/a/{each}:1": site.source(each) for each in ("one", "three", "two")
    }


def test_without_a_lock_nothing_is_said_and_none_is_written(site: Site) -> None:
    assert site.run("plan")[2] == ""
    assert not Path("planner.lock").exists()


def test_a_locked_source_is_not_asked(site: Site) -> None:
    before = site.planned("--lock")
    asked = len(site.world.upstream.requests)
    assert site.planned() == before
    assert site.planned("--locked") == before
    assert len(site.world.upstream.requests) == asked


def test_a_plan_keeps_to_the_lock_when_the_tag_moves(site: Site) -> None:
    site.run("plan", "--lock")
    locked = site.source("one")
    site.world.upstream.add_image("a/one", "1", [b"newer"])
    assert site.planned("--target", "*/one:1")[0]["digest"] == locked
    assert site.run("apply", "--auto-approve")[0] == 0
    assert site.world.mirror.manifest("a/one", "1").digest == locked
    assert {each["op"] for each in site.planned()} == {"same"}


def test_locking_again_changes_nothing(site: Site) -> None:
    site.run("plan", "--lock")
    written = Path("planner.lock").stat()
    site.world.upstream.add_image("a/one", "1", [b"newer"])
    assert site.run("plan", "--lock")[2] == "note: planner.lock: nothing changed, 3 images pinned\n"
    after = Path("planner.lock").stat()
    assert (after.st_ino, after.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_an_update_moves_pins_and_says_which(site: Site) -> None:
    site.run("plan", "--lock")
    before, after = site.source("one"), site.world.upstream.add_image("a/one", "1", [b"newer"])
    err = site.run("plan", "--lock=update")[2]
    assert "1 moved, 3 images pinned" in err
    assert f"docker.io/a/one:1: {before[:19]} → {after[:19]}" in err
    assert site.pins["docker.io/a/one:1"] == after


def test_a_pin_outlives_a_source_that_has_nothing_now(site: Site) -> None:
    site.run("plan", "--lock")
    pinned = site.source("one")
    site.world.upstream._storage.delete_manifest("a/one", pinned)
    err = site.run("plan", "--lock=update")[2]
    assert "1 pin kept as before, since the plan blocks: docker.io/a/one:1" in err
    assert site.pins["docker.io/a/one:1"] == pinned


def test_what_is_not_pinned_is_asked_for_with_one_note(site: Site) -> None:
    site.run("plan", "--lock", "x/registries.yaml")
    asked = site.heads()
    code, _, err = site.run("plan")
    assert (code, site.heads() - asked) == (0, 1)
    assert err.count("note: ") == 1
    assert "planner.lock does not pin 1 of 3 images: docker.io/a/three:1" in err


def test_locked_refuses_what_the_lock_does_not_cover_without_asking(site: Site) -> None:
    site.run("plan", "--lock", "x/registries.yaml")
    fakes = (site.world.upstream, site.world.mirror)
    asked = sum(len(each.requests) for each in fakes)
    for command in (["plan"], ["apply", "--auto-approve"]):
        code, _, err = site.run(*command, "--locked")
        assert (code, "does not pin 1 image of those needed: docker.io/a/three:1" in err) == (
            65,
            True,
        )
    assert sum(len(each.requests) for each in fakes) == asked
    assert site.run("plan", "--locked", "x/registries.yaml")[0] == 0


def test_locked_refuses_when_there_is_no_lock(site: Site) -> None:
    code, _, err = site.run("plan", "--locked")
    assert (code, "planner plan --lock writes it" in err) == (65, True)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["plan", "--lock", "--locked"], id="both"),
        pytest.param(["plan", "--lock=never"], id="unknown"),
        pytest.param(["apply", "plan.json", "--locked"], id="saved-plan"),
    ],
)
def test_what_makes_no_sense_is_refused(site: Site, words: Sequence[str]) -> None:
    site.run("plan", "-o", "plan.json")
    assert site.run(*words)[0] == 64


def test_pins_are_dropped_only_by_a_plan_of_all_clusters(site: Site) -> None:
    site.run("plan", "--lock")
    Path("x/images.txt").write_text("a/one:1\n")
    Path("more.txt").write_text("a/two:1\n")
    for words in (["x/registries.yaml"], ["--images", "more.txt"]):
        site.run("plan", "--lock", *words)
        assert len(site.pins) == 3
    assert "1 dropped, 2 images pinned" in site.run("plan", "--lock")[2]
    assert "docker.io/a/two:1" not in site.pins


def test_a_part_of_the_plan_locks_the_whole(site: Site) -> None:
    site.run("plan", "--lock", "--target", "*/one:1")
    assert len(site.pins) == 3


def test_what_is_blocked_is_not_pinned(site: Site) -> None:
    Path("q/images.txt").write_text("a/none:1\n")
    err = site.run("plan", "--lock")[2]
    assert "1 image not pinned, since the plan blocks: docker.io/a/none:1" in err
    assert len(site.pins) == 2


def test_a_plan_goes_stale_with_its_lock(site: Site) -> None:
    site.run("plan", "--lock", "-o", "plan.json")
    saved = json.loads(Path("plan.json").read_text())
    assert [each["path"] for each in saved["inputs"] if each["role"] == "lock"] == ["planner.lock"]
    site.world.upstream.add_image("a/one", "1", [b"newer"])
    site.run("plan", "--lock=update")
    code, _, err = site.run("apply", "plan.json")
    assert (code, "planner.lock changed since it was made" in err) == (75, True)


def test_a_pinned_digest_that_is_gone_blocks_with_the_way_out(site: Site) -> None:
    site.run("plan", "--lock")
    gone = site.source("one")
    site.world.upstream.add_image("a/one", "1", [b"newer"])
    site.world.upstream._storage.delete_manifest("a/one", gone)
    for cached in (Path.home() / ".cache/planner/manifests").rglob(gone[7:]):
        cached.unlink()
    (change,) = site.planned("--target", "*/one:1")
    assert change["op"] == "blocked"
    assert change["reason"] == (
        f"planner.lock pins docker.io/a/one:1 to {gone[:19]}, which the source no longer has:"
        " planner plan --lock=update moves the pin"
    )


@pytest.mark.parametrize("command", [["plan"], ["plan", "--lock"], ["apply", "--auto-approve"]])
def test_a_damaged_lock_stops_every_plan(site: Site, command: list[str]) -> None:
    Path("planner.lock").write_text(f'{HEAD}"docker.io/a/one:1": "x"\n}}\n}}\n')
    code, _, err = site.run(*command)
    assert (code, "planner.lock:4: 'x' is not a digest" in err) == (65, True)


def test_the_lock_lies_beside_planner_yaml(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path.cwd()
    monkeypatch.chdir("x")
    assert site.run("plan", "--lock")[0] == 0
    assert (root / "planner.lock").is_file()
    assert not Path("planner.lock").exists()


# The rule.

Found = Callable[[str], list[Finding]]


@pytest.fixture
def found(site: Site) -> Found:
    def look(file: str) -> list[Finding]:
        config = load_config("planner.yaml")
        (checked,) = check([file], "", config.lint, config.clusters)
        return [each for each in checked.findings if each.code == "ACR004"]

    return look


def test_a_lock_that_fits_is_no_finding(site: Site, found: Found) -> None:
    for _ in range(2):
        assert [found(each) for each in ("planner.yaml", "x/registries.yaml")] == [[], []]
        site.run("plan", "--lock")


def test_a_cluster_whose_images_are_not_pinned_is_told_so(site: Site, found: Found) -> None:
    site.run("plan", "--lock")
    Path("x/images.txt").write_text("a/one:1\na/new:1\na/newer:1\n")
    (finding,) = found("x/registries.yaml")
    assert "does not pin 2 images that this cluster needs (docker.io/a/new:1" in finding.message
    assert (finding.span.line, finding.hint) == (1, "planner plan --lock adds them")
    assert found("q/registries.yaml") == []


def test_pins_that_no_cluster_needs_are_told_in_planner_yaml(site: Site, found: Found) -> None:
    site.run("plan", "--lock")
    Path("x/images.txt").write_text("a/one:1\n")
    (finding,) = found("planner.yaml")
    assert finding.message == "planner.lock pins 1 image that no cluster needs (docker.io/a/two:1)"
    assert finding.span.line == 5
    assert found("x/registries.yaml") == []


def test_a_damaged_lock_is_told_in_planner_yaml(site: Site, found: Found) -> None:
    Path("planner.lock").write_text("{")
    (finding,) = found("planner.yaml")
    assert (finding.message.partition(": ")[0], finding.severity) == ("planner.lock:1", "error")
    assert found("x/registries.yaml") == []


@pytest.mark.parametrize("what", ["images", "network"])
def test_where_needs_are_not_known_nothing_is_told(site: Site, found: Found, what: str) -> None:
    site.run("plan", "--lock")
    Path("x/images.txt").write_text("a/new:1\n")
    if what == "images":
        Path("q/images.txt").unlink()
    else:
        text = Path("planner.yaml").read_text()
        away = "http://127.0.0.1:9/bundle.yaml"
        Path("planner.yaml").write_text(text.replace("name: q,", f"name: q, bundle: '{away}',"))
    assert found("planner.yaml") == []
    assert len(found("x/registries.yaml")) == (what == "images")


def test_the_rule_is_a_lint_rule_like_others(site: Site) -> None:
    site.run("plan", "--lock")
    Path("x/images.txt").write_text("a/one:1\n")
    code, out, _ = site.run("lint", "--format", "concise", "--fail-on", "warning")
    assert (code, "planner.yaml:5:1: warning ACR004" in out) == (1, True)
    assert site.run("lint", "--ignore", "ACR004", "--fail-on", "warning")[0] == 0
