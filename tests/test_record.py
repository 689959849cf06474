"""The record of applies: what is kept, where, and what happens when it cannot be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.core import schema
from planner.core.content import digest_of
from planner.core.errors import InputError
from planner.core.events import ImageDone, Started
from planner.core.plan import Access, Change, Plan
from planner.core.plan_file import plan_id
from planner.core.record import PastRun, Record, Written, from_json, to_json
from planner.core.refs import parse_image
from planner.record import load_record
from planner.recording import Recording
from planner.ui.cli import main
from planner.ui.copying import Copying
from tests.fakes import Fault, Status
from tests.making import MIRROR, World, make_world

DIGEST = digest_of(b"x")
RUN = PastRun("sha256:1", "2026-01-01T00:00:00Z", 1, 0, 0, 10, 1.5, ("s",), ("t",))
LAST = Written(DIGEST, "docker.io/a/b:1", "2026-01-01T00:00:00Z", "sha256:1")
NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        for name in ("one", "two"):
            world.upstream.add_image(f"a/{name}", "1", [name.encode() * 100])
        yield world


def plan_of(name: str, to: str = "") -> Plan:
    target = parse_image(f"r.corp/{name}")
    change = Change("create", target, parse_image(f"docker.io/{name}"), DIGEST)
    return Plan((change,), access=Access(write_to=to, endpoints={"r.corp": to} if to else {}))


def record(folder: Path, plan: Plan, *, when: datetime = NOON) -> Recording:
    """What a run of a plan leaves behind."""
    recording = Recording(folder, plan, lambda: when)
    recording.see(Started(0.0, len(plan.changes), 1, 0))
    for change in plan.changes:
        digest = "" if change.op == "delete" else change.digest
        recording.see(ImageDone(1.0, str(change.target), digest))
    recording.write()
    return recording


def saved(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "record.json").read_bytes())
    assert schema.violations("formats/record", document) == []
    return document


# Values.


def test_what_is_written_is_read_again() -> None:
    whole = Record({"t": {"r.corp/a/b:1": LAST}}, (RUN,))
    assert from_json(to_json(whole), "f") == whole


def test_the_last_twenty_runs_are_kept() -> None:
    kept = Record()
    for number in range(30):
        kept = kept.after(RUN._replace(at=f"2026-01-01T00:00:{number:02}Z"), {})
    assert [each.at[-3:-1] for each in kept.runs] == [f"{each:02}" for each in range(10, 30)]


def test_one_name_in_two_places_is_two_names() -> None:
    both = Record({"t": {"n": LAST}}).after(RUN, {"oci:/m": {"n": LAST._replace(digest="other")}})
    assert both.written("t", "n") == LAST
    assert both.written("elsewhere", "n") is None


def test_what_is_deleted_is_forgotten() -> None:
    assert Record({"t": {"n": LAST}}).after(RUN, {}, [("t", "n"), ("t", "unknown")]).targets == {}


def _broken(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(to_json(Record({"t": {"n": LAST}}, (RUN,))))
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"\xff", id="no-text"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"format": "planner.record/2"}', id="newer"),
        pytest.param(_broken(lambda it: it.pop("runs")), id="missing"),
        pytest.param(_broken(lambda it: it["runs"][0].update(bytes=-1)), id="negative"),
        pytest.param(_broken(lambda it: it["runs"][0].update(bytes=True)), id="bool"),
        pytest.param(_broken(lambda it: it["runs"][0].update(seconds=float("nan"))), id="nan"),
        pytest.param(_broken(lambda it: it["runs"][0].update(read=[1])), id="no-place"),
        pytest.param(_broken(lambda it: it["targets"]["t"]["n"].update(digest="x")), id="digest"),
        pytest.param(_broken(lambda it: it.update(targets=[])), id="targets"),
    ],
)
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="f: "):
        from_json(data, "f")


# The file.


def test_a_run_is_added_to_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / ".planner"
    record(folder, plan_of("a:1"))
    record(folder, plan_of("b:1"), when=NOON + timedelta(hours=1))
    document = saved(folder)
    assert sorted(document["targets"]["r.corp"]) == ["r.corp/a:1", "r.corp/b:1"]
    assert [each["at"] for each in document["runs"]] == [
        "2026-01-31T12:00:00Z",
        "2026-01-31T13:00:00Z",
    ]
    assert document["targets"]["r.corp"]["r.corp/a:1"] == {
        "digest": DIGEST,
        "source": "docker.io/library/a:1",
        "at": "2026-01-31T12:00:00Z",
        "plan": plan_id(plan_of("a:1")),
        "source_digest": "",
    }


def test_git_is_told_to_ignore_the_folder_unless_somebody_made_it(tmp_path: Path) -> None:
    record(tmp_path / "new", plan_of("a:1"))
    assert (tmp_path / "new/.gitignore").read_text() == "*\n"
    (tmp_path / "own").mkdir()
    record(tmp_path / "own", plan_of("a:1"))
    assert not (tmp_path / "own/.gitignore").exists()


def test_a_folder_is_no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "r", plan_of("a:1"))
    record(tmp_path / "r", plan_of("a:1", to="oci:mirror"))
    assert sorted(saved(tmp_path / "r")["targets"]) == [f"oci:{tmp_path}/mirror", "r.corp"]


def test_applies_that_end_at_once_lose_nothing(tmp_path: Path) -> None:
    start = threading.Barrier(16)

    def end(number: int) -> None:
        start.wait()
        notes.append(record(tmp_path / "r", plan_of(f"a{number}:1")).note)

    notes: list[str] = []
    threads = [threading.Thread(target=end, args=(number,)) for number in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (set(notes), len(saved(tmp_path / "r")["targets"]["r.corp"])) == ({""}, 16)
    assert {each.name for each in (tmp_path / "r").iterdir()} == {
        ".gitignore",
        "record.json",
        "record.lock",
    }


def test_what_a_lock_file_leads_to_stays_as_it_is(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "r").mkdir()
    (tmp_path / "r/record.lock").symlink_to(precious)
    record(tmp_path / "r", plan_of("a:1"))
    assert precious.read_text() == "mine"


def test_a_damaged_record_is_moved_aside_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    for number in (1, 2):
        (folder / "record.json").write_bytes(b"damaged %d" % number)
        assert (
            "damaged; it is left out, and the next apply moves it aside" in load_record(folder).note
        )
        note = record(folder, plan_of("a:1")).note
        assert note.endswith(f"could not be used, and was moved to record.json.damaged-{number}")
        assert (folder / f"record.json.damaged-{number}").read_bytes() == b"damaged %d" % number
        assert len(saved(folder)["runs"]) == 1


@pytest.mark.parametrize("name", ["file", "file/below", "none/below"])
def test_a_record_that_cannot_be_written_is_a_note(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    note = record(tmp_path / name, plan_of("a:1")).note
    assert note.startswith("what was applied could not be recorded: ")


def test_what_cannot_be_read_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "record.json").mkdir()
    assert "cannot be read" in load_record(tmp_path).note
    assert "cannot be read" in record(tmp_path, plan_of("a:1")).note
    assert (tmp_path / "record.json").is_dir()


def test_deletions_take_names_out(tmp_path: Path) -> None:
    record(tmp_path, plan_of("a:1"))
    (change,) = plan_of("a:1").changes
    gone = Change("delete", change.target, change.target, current=DIGEST)
    record(tmp_path, Plan((gone,)))
    assert saved(tmp_path)["targets"] == {}


# Runs.


def test_a_run_that_failed_in_part_is_recorded(world: World, tmp_path: Path) -> None:
    plan = world.plan("a/one:1", "a/two:1")
    world.upstream.faults.add(Fault("GET", "/a/two/blobs/", Status(404), every=True))
    recording = Recording(tmp_path / "r", plan)
    list(Copying(plan, plan.pending, world.stores(), recording=recording).events())
    (run,) = saved(tmp_path / "r")["runs"]
    assert (run["done"], run["failed"], run["cancelled"]) == (1, 1, 0)
    assert run["bytes"] > 0
    (names,) = saved(tmp_path / "r")["targets"].values()
    assert list(names) == [f"{MIRROR}/a/one:1"]


def test_a_run_that_is_stopped_is_recorded(world: World, tmp_path: Path) -> None:
    plan = world.plan("a/one:1", "a/two:1")
    recording = Recording(tmp_path / "r", plan)
    copying = Copying(plan, plan.pending, world.stores(), parallelism=1, recording=recording)
    for event in copying.events():
        if isinstance(event, ImageDone):
            copying.stop()
    (run,) = saved(tmp_path / "r")["runs"]
    assert (run["done"], run["failed"], run["cancelled"]) == (1, 0, 1)


def test_a_run_whose_end_nobody_hears_is_recorded(world: World, tmp_path: Path) -> None:
    plan = world.plan("a/one:1", "a/two:1")
    recording = Recording(tmp_path / "r", plan)
    copying = Copying(plan, plan.pending, world.stores(), parallelism=1, recording=recording)
    events = copying.events()
    while not isinstance(next(events), ImageDone):
        pass
    events.close()
    (run,) = saved(tmp_path / "r")["runs"]
    assert (run["done"], run["cancelled"]) == (1, 1)


def test_a_run_that_did_not_begin_is_none(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "r", plan_of("a:1"))
    recording.write()
    assert not (tmp_path / "r").exists()


# Commands.


@pytest.fixture
def site(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project two folders above the working directory."""
    project = tmp_path / "project"
    (project / "a/b").mkdir(parents=True)
    (project / "planner.yaml").write_text(
        "version: 1\nregistries:\n"
        f"  docker.io: {{endpoint: '{world.upstream.url}'}}\n"
        f"  {MIRROR}: {{endpoint: '{world.mirror.url}'}}\n"
        "clusters: [{name: c, spec: registries.yaml, images: [images.txt]}]\n"
    )
    (project / "registries.yaml").write_text(
        f"mirrors: {{docker.io: {{endpoint: ['https://{MIRROR}']}}}}\n"
    )
    (project / "images.txt").write_text("a/one:1\na/two:1\n")
    monkeypatch.chdir(project / "a/b")
    return project


def test_the_record_lies_beside_planner_yaml(site: Path, world: World) -> None:
    assert main(["apply", "--auto-approve"]) == 0
    document = saved(site / ".planner")
    assert list(document["targets"]) == [world.mirror.url]
    assert document["runs"][0]["read"] == [world.upstream.url]
    assert list((site / "a/b").iterdir()) == []


def test_without_planner_yaml_it_lies_in_the_working_directory(
    site: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "planner.yaml").unlink()
    (site / ".git").mkdir()
    monkeypatch.chdir(site)
    wanted = ("registries.yaml", "--images=images.txt", f"--from={world.upstream.url}")
    assert main(["apply", *wanted, f"--to={world.mirror.url}", "--auto-approve"]) == 0
    assert list(saved(site / ".planner")["targets"]) == [world.mirror.url]


def test_an_apply_is_no_worse_for_a_record_that_cannot_be_written(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / ".planner").write_text("in the way")
    assert main(["apply", "--auto-approve"]) == 0
    assert "note: what was applied could not be recorded: " in capsys.readouterr().err


def test_a_plan_says_that_the_record_is_damaged(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / ".planner").mkdir()
    (site / ".planner/record.json").write_text("{}")
    assert main(["plan"]) == 0
    assert "record.json: the record of earlier applies is damaged" in capsys.readouterr().err


def test_no_secret_gets_into_the_record(
    site: Path, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auths = {each.host: {"username": "me", "password": "hunter2"} for each in (world.mirror,)}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert main(["apply", "--auto-approve"]) == 0
    assert "hunter2" not in (site / ".planner/record.json").read_text()


def test_the_demo_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    assert list(tmp_path.iterdir()) == []
