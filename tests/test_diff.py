"""``planner diff``: two plans, a plan and now, and what the specs of two revisions need."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from planner.core import schema
from planner.core.difference import Difference, Item, Side, compare, side_of_plan
from planner.core.family import Because
from planner.core.plan import Input, Plan
from planner.core.plan_file import to_json
from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from planner.ui.cli import main
from planner.ui.diff_text import as_json, as_markdown, as_text
from planner.ui.plan.markdown import MOST_BYTES
from planner.ui.style import Style
from tests.plans import CORP, HOSTILE, change, full_plan, hostile_plan, large_plan

SPEC = "mirrors: {docker.io: {endpoint: ['https://registry.corp:5000']}}\n"
CLUSTER = "  - {{name: {0}, spec: {0}/registries.yaml, images: [{0}/images.txt]}}\n"
PAUSE, NGINX, BUSYBOX = "docker.io/rancher/pause:3.6", "nginx:1.27", "busybox:1"


class Output(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


class Planner:
    """Runs commands."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Output:
        code = main(words)
        return Output(code, *self._capsys.readouterr())

    def json(self, *words: str) -> dict[str, Any]:
        """The document of a diff, which fits its schema."""
        output = self("diff", *words, "--format", "json")
        assert (output.code, output.err) == (0, "")
        document: dict[str, Any] = json.loads(output.out)
        assert schema.violations("formats/diff", document) == []
        return document


@pytest.fixture
def planner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Planner:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Planner(capsys)


# Comparing


def difference(before: Plan, after: Plan) -> Difference:
    return compare(side_of_plan(before), side_of_plan(after))


def of(items: Sequence[Item]) -> Side:
    return Side(tuple(items))


def item(name: str, *clusters: str, line: int = 1) -> Item:
    because = tuple(Because("s.yaml", line, 1, "listed", each) for each in clusters)
    return Item(f"{CORP}/{name}", f"docker.io/{name}", because=because)


def test_a_plan_does_not_differ_from_itself() -> None:
    for plan in (full_plan(), hostile_plan(), Plan(())):
        found = difference(plan, plan)
        assert found.is_empty
        assert found.unchanged == len(plan.changes)


def test_a_name_is_added_removed_or_changed() -> None:
    first = change("create", "docker.io/a:1", f"{CORP}/a:1", digest="sha256:1")
    again = replace(first, op="same", current="sha256:1")
    gone = change("create", "docker.io/b:1", f"{CORP}/b:1")
    new = change("create", "docker.io/c:1", f"{CORP}/c:1")
    found = difference(Plan((first, gone)), Plan((again, new)))
    assert [each.name for each in found.added] == [f"{CORP}/c:1"]
    assert [each.name for each in found.removed] == [f"{CORP}/b:1"]
    assert [each.fields for each in found.changed] == [("op", "current")]


def test_a_reason_that_moved_to_another_line_is_no_difference() -> None:
    assert compare(of([item("a:1", "lab", line=1)]), of([item("a:1", "lab", line=9)])).is_empty
    found = compare(of([item("a:1", "lab")]), of([item("a:1", "lab", "prod")]))
    assert [each.fields for each in found.changed] == [("clusters",)]


def test_a_name_that_two_clusters_need_is_one() -> None:
    both = of([item("a:1", "lab"), item("a:1", "prod")])
    assert compare(of([item("a:1", "lab", "prod")]), both).is_empty


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        pytest.param(["a:1"], ["a:2"], 1, id="one"),
        pytest.param(["a:1", "b:1"], ["a:2", "b:2"], 2, id="two"),
        pytest.param(["a:1", "a:2"], ["a:3"], 0, id="two-for-one"),
        pytest.param(["a:1", "a:2"], ["a:2", "a:3"], 1, id="one-stays"),
        pytest.param(["a:1"], ["b:1"], 0, id="others"),
    ],
)
def test_another_version_is_a_change(before: list[str], after: list[str], changed: int) -> None:
    found = compare(of([*map(item, before)]), of([*map(item, after)]))
    assert len(found.changed) == changed
    assert all(each.fields[0] == "target" for each in found.changed)


def test_files_are_compared_by_their_content() -> None:
    one, other = Input("a", "0", "k3s"), Input("b", "0", "k3s")
    found = compare(
        Side((), (one, other)), Side((), (replace(one, sha256="1"), Input("c", "", "")))
    )
    assert found.inputs == {"a": "changed", "b": "removed", "c": "added"}
    assert found.is_empty


# Formats


EVERYTHING = difference(full_plan(), Plan(full_plan().changes[2:]))
NAMES = ("old", "new")


def test_the_figures_are_the_last_paragraph() -> None:
    text = as_text(NAMES, EVERYTHING, Style())
    assert text.startswith("old → new\n\n")
    assert text.rstrip().rpartition("\n\n")[2] == "0 added, 2 removed, 0 changed. 14 as before."


def test_hostile_names_are_texts_in_a_diff() -> None:
    found = compare(Side(()), side_of_plan(hostile_plan()))
    text = as_text((HOSTILE, HOSTILE), found, Style())
    assert all(each.isprintable() or each == "\n" for each in text)
    assert "<script>" not in as_markdown((HOSTILE, HOSTILE), found)
    document = json.loads(as_json(NAMES, found))
    assert schema.violations("formats/diff", document) == []


def test_a_long_comment_is_cut_and_says_so() -> None:
    found = compare(Side(()), side_of_plan(large_plan(1500)))
    text = as_markdown(NAMES, found)
    assert len(text.encode()) <= MOST_BYTES
    kept = text.count(f"\n- <code>{CORP}")
    assert f"**{1500 - kept:,} more**" in text


# Two plans, and now


def save(name: str, plan: Plan) -> None:
    Path(name).write_bytes(to_json(plan))


def test_two_plans_are_compared(planner: Planner) -> None:
    save("a.json", full_plan())
    save("b.json", Plan(full_plan().changes[2:], full_plan().manifests))
    document = planner.json("a.json", "b.json")
    assert [each["op"] for each in document["removed"]] == ["create", "blocked"]
    assert document["differs"] is True
    assert planner("diff", "a.json", "b.json").code == 0
    assert planner("diff", "a.json", "b.json", "--detailed-exitcode").code == 2
    assert planner("diff", "a.json", "a.json", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="nothing"),
        pytest.param(("a.json",), id="one"),
        pytest.param(("live", "a.json"), id="live-first"),
        pytest.param(("a", "b", "c"), id="three"),
    ],
)
def test_anything_but_two_plans_ends_with_64(planner: Planner, words: tuple[str, ...]) -> None:
    output = planner("diff", *words)
    assert output.code == 64
    assert "planner diff OLD.json NEW.json" in output.err


@pytest.fixture
def planned(planner: Planner, tmp_path: Path) -> Planner:
    """A spec, three images upstream, an empty registry, and a plan of them that was given a list."""
    Path("registries.yaml").write_text(SPEC)
    Path("images.txt").write_text(f"{PAUSE}\n{NGINX}\nquay.io/team/tool:1\n")
    provide(tmp_path, PAUSE, NGINX, BUSYBOX)
    places = ("--from", f"oci:{tmp_path}/upstream", "--to", f"oci:{tmp_path}/registry")
    wanted = ("registries.yaml", "--images", "images.txt")
    assert planner("plan", *wanted, *places, "-o", "p.json").code == 0
    return planner


def provide(folder: Path, *images: str) -> None:
    upstream = LayoutFolder(folder / "upstream")
    write_samples(map(parse_image, images), lambda registry: Layout(upstream, registry), kib=4)


def test_nothing_changed_since_the_plan_was_made(planned: Planner) -> None:
    document = planned.json("p.json", "live")
    assert (document["differs"], document["unchanged"]) == (False, 3)


def test_live_says_what_was_applied_meanwhile(planned: Planner) -> None:
    planned("apply", "p.json", "--target", "*/pause:*")
    (changed,) = planned.json("p.json", "live")["changed"]
    assert changed["fields"] == ["op", "current"]
    assert (changed["before"]["op"], changed["after"]["op"]) == ("create", "same")
    assert "is: create → in sync" in planned("diff", "p.json", "live").out


def test_live_reads_specs_again_that_changed(planned: Planner) -> None:
    Path("images.txt").write_text(f"{PAUSE}\n{BUSYBOX}\nquay.io/team/tool:1\n")
    output = planned("diff", "p.json", "live", "--format", "json")
    document = json.loads(output.out)
    assert "images.txt changed since this plan was made" in output.err
    assert [each["source"] for each in document["added"]] == ["docker.io/library/busybox:1"]
    assert [each["source"] for each in document["removed"]] == ["docker.io/library/nginx:1.27"]
    assert document["inputs"] == [{"path": "images.txt", "change": "changed"}]


def test_live_looks_whether_there_is_still_something_to_delete(
    planned: Planner, tmp_path: Path
) -> None:
    planned("apply", "p.json")
    held = LayoutFolder(tmp_path / "registry")
    head = Layout(held, "registry.corp:5000").head("rancher/pause", "3.6")
    assert head is not None
    there = change(
        "delete", f"{CORP}/rancher/pause:3.6", f"{CORP}/rancher/pause:3.6", current=head.digest
    )
    gone = change(
        "delete", f"{CORP}/rancher/pause:3.5", f"{CORP}/rancher/pause:3.5", current=head.digest
    )
    saved = json.loads(Path("p.json").read_text())
    plan = Plan((there, gone))
    plan = replace(plan, access=replace(plan.access, write_to=saved["access"]["write_to"]))
    save("deletes.json", plan)
    document = planned.json("deletes.json", "live")
    assert [each["target"] for each in document["removed"]] == [f"{CORP}/rancher/pause:3.5"]
    assert document["unchanged"] == 1


def test_a_registry_that_is_down_ends_with_69(planned: Planner, tmp_path: Path) -> None:
    (tmp_path / "upstream").rename(tmp_path / "elsewhere")
    assert planned("diff", "p.json", "live").code == 69


# Revisions


def git(*words: str) -> None:
    """git, whoever runs this."""
    who = ("-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def commit(*clusters: str, **images: str) -> None:
    """planner.yaml with these clusters, and their lists."""
    write("planner.yaml", "version: 1\nclusters:\n" + "".join(map(CLUSTER.format, clusters)))
    for cluster in clusters:
        write(f"{cluster}/registries.yaml", SPEC)
    for cluster, listed in images.items():
        write(f"{cluster}/images.txt", listed.replace(" ", "\n") + "\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "a change")


@pytest.fixture
def repository(planner: Planner) -> Planner:
    """Two revisions: another version, one image less, and a second cluster that shares one."""
    git("init", "--quiet", "--initial-branch=main")
    commit("edge", edge=f"{PAUSE} {NGINX} {BUSYBOX}")
    git("checkout", "--quiet", "-b", "feature")
    commit("edge", "lab", edge=f"{PAUSE} nginx:1.29", lab=PAUSE)
    return planner


def test_revisions_are_compared(repository: Planner) -> None:
    document = repository.json("--rev", "main..HEAD")
    assert document["before"].startswith("main (")
    assert [each["source"] for each in document["removed"]] == ["docker.io/library/busybox:1"]
    assert document["added"] == []
    version, shared = document["changed"]
    assert version["fields"][0] == "target"
    assert version["after"]["target"] == f"{CORP}/library/nginx:1.29"
    assert (shared["fields"], shared["after"]["clusters"]) == (["clusters"], ["edge", "lab"])
    assert shared["after"]["because"][0] == {
        "file": "edge/images.txt",
        "line": 1,
        "column": 1,
        "text": "listed in images.txt",
        "cluster": "edge",
    }


def test_the_text_says_what_why_and_for_whom(repository: Planner) -> None:
    out = repository("diff", "--rev", "main..feature").out
    assert f"  ~  {CORP}/library/nginx:1.27 → 1.29\n" in out
    assert "       clusters: edge → edge, lab\n" in out
    assert "       edge/images.txt:3:1  edge: listed in images.txt\n" in out
    assert "  added    lab/registries.yaml\n" in out


def test_one_revision_is_compared_with_the_working_tree(repository: Planner) -> None:
    assert repository.json("--rev", "HEAD")["differs"] is False
    write("lab/images.txt", f"{PAUSE}\nalpine:3\n")
    document = repository.json("--rev", "HEAD")
    assert document["after"] == "the working tree"
    assert [each["source"] for each in document["added"]] == ["docker.io/library/alpine:3"]


def test_three_dots_mean_since_a_branch_was_left(repository: Planner) -> None:
    git("checkout", "--quiet", "main")
    commit("edge", edge="redis:7")
    two, three = (repository.json("--rev", f"main{dots}feature") for dots in ("..", "..."))
    assert "docker.io/library/redis:7" in [each["source"] for each in two["removed"]]
    assert [each["source"] for each in three["removed"]] == ["docker.io/library/busybox:1"]


def test_the_working_directory_and_the_repository_stay_as_they_are(repository: Planner) -> None:
    write("lab/images.txt", "alpine:3\n")
    before = sorted(Path().rglob("*")), Path.cwd(), Path(".git/index").read_bytes()
    repository("diff", "--rev", "main..HEAD")
    assert (sorted(Path().rglob("*")), Path.cwd(), Path(".git/index").read_bytes()) == before


def test_files_are_named_from_where_one_is(
    repository: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("lab")
    document = repository.json("--rev", "main..HEAD")
    assert document["removed"][0]["because"][0]["file"] == "../edge/images.txt"
    changed = {each["path"]: each["change"] for each in document["inputs"]}
    assert changed["images.txt"] == "added"
    assert changed["../edge/images.txt"] == "changed"


@pytest.mark.parametrize("absolute", [False, True])
def test_specs_may_be_named(repository: Planner, tmp_path: Path, absolute: bool) -> None:
    spec, images = (
        str(tmp_path / name) if absolute else name for name in ("lab/registries.yaml", "list.txt")
    )
    write("list.txt", "alpine:3\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "a list")
    output = repository("diff", "--rev", "main..HEAD", spec, "--images", images, "--format=json")
    assert "note: lab/registries.yaml is not there at main" in output.err
    added = [each["source"] for each in json.loads(output.out)["added"]]
    assert added == ["docker.io/library/alpine:3", "docker.io/rancher/pause:3.6"]


def test_a_lock_that_moved_is_a_change(repository: Planner) -> None:
    def lock(digit: str) -> None:
        source = "docker.io/rancher/pause:3.6"
        document = {"format": "planner.lock/1", "sources": {source: f"sha256:{digit * 64}"}}
        write("planner.lock", json.dumps(document) + "\n")
        git("add", "--all")
        git("commit", "--quiet", "--message", "a lock")

    lock("a")
    lock("b")
    (changed,) = repository.json("--rev", "HEAD~1..HEAD")["changed"]
    assert changed["fields"] == ["digest"]


@pytest.mark.parametrize("through_others", [False, True], ids=["straight", "through-others"])
def test_links_are_followed_within_a_revision_and_never_out_of_it(
    repository: Planner, tmp_path: Path, through_others: bool
) -> None:
    (tmp_path.parent / "outside.txt").write_text("evil:1\n")
    Path("lab/images.txt").unlink()
    Path("lab/images.txt").symlink_to("../edge/images.txt")
    commit("edge", "lab")
    assert "nginx:1.27 → 1.29" in repository("diff", "--rev", "main..HEAD").out
    Path("lab/images.txt").unlink()
    outside = tmp_path.parent / "outside.txt"
    if through_others:  # each step looks as if it stayed
        Path("lab/here").symlink_to(".")
        way = f"{'here/' * 20}{'../' * 20}{str(outside).lstrip('/')}"
    else:
        way = f"../{os.path.relpath(outside)}"
    Path("lab/images.txt").symlink_to(way)
    commit("edge", "lab")
    output = repository("diff", "--rev", "main..HEAD")
    assert output.code == 65
    assert "at HEAD (" in output.err
    assert "lab/images.txt, which cluster 'lab' names, is not there" in output.err


def test_filters_and_hooks_of_a_repository_do_not_run(repository: Planner, tmp_path: Path) -> None:
    write(".gitattributes", "*.txt filter=evil export-ignore\n")
    git("config", "filter.evil.smudge", f"touch {tmp_path}/ran; cat")
    git("config", "core.fsmonitor", f"touch {tmp_path}/ran")
    commit("edge", "lab")
    (tmp_path / "ran").unlink(missing_ok=True)
    assert repository.json("--rev", "main..HEAD")["differs"] is True
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("revision", "code", "message"),
    [
        pytest.param("nope..HEAD", 64, "there is no revision 'nope'", id="unknown"),
        pytest.param("--all", 64, "there is no revision '--all'", id="option"),
        pytest.param("main..HEAD:planner.yaml", 64, "there is no revision", id="no-commit"),
    ],
)
def test_a_revision_that_is_none_ends_with_64(
    repository: Planner, revision: str, code: int, message: str
) -> None:
    output = repository("diff", f"--rev={revision}")
    assert (output.code, output.out) == (code, "")
    assert message in output.err


def test_a_spec_that_cannot_be_read_tells_at_which_revision(repository: Planner) -> None:
    write("lab/registries.yaml", "mirrors: ]\n")
    git("commit", "--quiet", "--all", "--message", "broken")
    output = repository("diff", "--rev", "main..HEAD")
    assert output.code == 65
    assert "at HEAD (" in output.err
    assert "): lab/registries.yaml:1:10: " in output.err


def test_a_folder_without_git_ends_with_64(planner: Planner) -> None:
    output = planner("diff", "--rev", "main..HEAD")
    assert (output.code, "no work tree" in output.err) == (64, True)


def test_a_machine_without_git_ends_with_65(
    repository: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    output = repository("diff", "--rev", "main..HEAD")
    assert (output.code, "needs git" in output.err) == (65, True)


def test_revisions_without_a_spec_end_with_64(repository: Planner) -> None:
    git("rm", "--quiet", "planner.yaml")
    git("commit", "--quiet", "--message", "gone")
    output = repository("diff", "--rev", "HEAD..HEAD")
    assert (output.code, "there is no spec at" in output.err) == (64, True)
