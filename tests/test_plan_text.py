"""How a plan reads: nothing cut, nothing dangerous hidden, nothing that a name could do to a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.core.errors import UsageError
from planner.core.namespaces import Namespace
from planner.core.plan import Plan
from planner.ui.plan.lines import Page
from planner.ui.plan.obstacles import namespace_lines
from planner.ui.plan.reasons import why_text
from planner.ui.plan_text import Detail, plan_text
from planner.ui.style import Style
from tests.plans import (
    CORP,
    FOLDER,
    WIDTHS,
    change,
    full_plan,
    hostile_plan,
    kept,
    large_plan,
    looks,
    reason,
)

PIPE = Style()
NARROW = Style(width=80)
COMMAND = next(each.command for each in full_plan().namespaces if each.command)


@pytest.mark.parametrize(("file", "look"), [pytest.param(*each, id=each[0]) for each in looks()])
def test_a_plan_looks_as_it_did(file: str, look: str) -> None:
    assert kept(look) == (FOLDER / file).read_text("utf-8"), "python -m tests.plans writes it anew"


@pytest.mark.parametrize("width", WIDTHS)
def test_names_and_commands_are_whole_on_one_line(width: int | None) -> None:
    lines = plan_text(full_plan(), Style(width=width), Detail()).splitlines()
    for each in full_plan().changes:
        own = str(each.target).rpartition("/")[2]
        assert any(own in line for line in lines) or each.op == "same"
    assert [line.strip() for line in lines if "curl" in line] == [COMMAND]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_prose_keeps_to_the_width(width: int) -> None:
    for line in plan_text(full_plan(), Style(width=width), Detail()).splitlines():
        is_name = any(word in line for word in ("curl", "a-team-with-a-very-long-name"))
        assert len(line) <= width or is_name, line


def test_a_pipe_gets_everything() -> None:
    text = plan_text(large_plan(60), PIPE, Detail())
    for each in large_plan(60).changes:
        assert f"← {each.source}  {each.digest[:19]}" in text


def test_the_summary_is_the_last_paragraph() -> None:
    for detail in (Detail(), Detail(summary=True), Detail(concise=True)):
        last = plan_text(full_plan(), NARROW, detail).rstrip().rpartition("\n\n")[2]
        assert last.startswith("Plan: 1 namespace, 7 to create")


def dangerous(count: int) -> Plan:
    """Many changes of one folder that must not be hidden, and as many that may be."""
    names = [f"{CORP}/team/app-{number:03}" for number in range(count)]
    source = "docker.io/team/app"
    deletes = [change("delete", f"{name}:old", f"{name}:old", current="sha256:0") for name in names]
    blocked = [change("blocked", f"{source}:no", f"{name}:no", reason="denied") for name in names]
    new = [change("create", f"{source}:new", f"{name}:new", digest="x") for name in names]
    return Plan((*deletes, *blocked, *new))


@pytest.mark.parametrize("limit", [0, 1, 5, None])
def test_deletes_and_what_is_blocked_are_never_hidden(limit: int | None) -> None:
    text = plan_text(dangerous(40), NARROW, Detail(limit=limit))
    listed = [line.split()[:2] for line in text.splitlines() if line[:3] in ("  -", "  !")]
    assert sum(words[0] == "-" and words[1].endswith(":old") for words in listed) == 40
    assert sum(words[0] == "!" and words[1].endswith(":no") for words in listed) == 40
    assert "… 40 more: +40 (--limit 80 shows them)" in text


def test_a_limit_counts_the_lines_of_a_group() -> None:
    for limit in (0, 3, 24):
        text = plan_text(large_plan(25), PIPE, Detail(limit=limit))
        assert text.count("\n  +  app-") == limit
        assert f"… {25 - limit} more: +{25 - limit} (--limit 25 shows them)" in text
    assert "more" not in plan_text(large_plan(25), NARROW, Detail(limit=25))


def test_the_most_dangerous_group_comes_first() -> None:
    calm = change("create", "docker.io/a/x:1", f"{CORP}/a/x:1", digest="x")
    moved = change("move", "docker.io/b/x:1", f"{CORP}/b/x:1", digest="x", current="sha256:y")
    blocked = change("blocked", "docker.io/c/x:1", f"{CORP}/c/x:1", reason="denied")
    text = plan_text(Plan((calm, moved, blocked)), PIPE, Detail())
    places = [text.index(f"{CORP}/{each}   ") for each in "cba"]
    assert places == sorted(places)


def test_what_several_clusters_or_specs_need_is_in_the_group_of_each() -> None:
    for by, group in (("cluster", "{}   "), ("spec", "clusters/{}/kubeone.yaml   ")):
        text = plan_text(full_plan(), NARROW, Detail(group_by=by))  # type: ignore[arg-type]
        for cluster in ("lab", "prod"):
            below = text.partition(f"\n{group.format(cluster)}")[2].partition("\n\n")[0]
            assert f"{CORP}/k8s/pause:3.10" in below


def test_a_table_for_one_cluster_would_say_nothing() -> None:
    plan = Plan((change("create", "docker.io/a:1", f"{CORP}/a:1", because=(reason("prod", 1),)),))
    assert "By cluster" not in plan_text(plan, NARROW, Detail())
    both = (reason("lab", 1), reason("prod", 1))
    shared = Plan((replace(plan.changes[0], because=both),))
    text = plan_text(shared, NARROW, Detail())
    assert [line.split()[-4] for line in text.splitlines() if line.startswith(("lab", "prod"))]
    assert "shared by several       1" in text
    assert "needed by lab, prod" in text


def test_what_is_in_sync_weighs_nothing_beside_what_shares_its_content() -> None:
    (first, *others) = large_plan(1).changes
    same = replace(first, op="same", target=first.target._replace(repository="mirror/team-000/z"))
    plan = replace(large_plan(1), changes=(first, same, *others))
    text = plan_text(plan, NARROW, Detail(everything=True))
    assert "mirror/team-000   +1 =1   6.0 MiB to send" in text


def test_hostile_names_neither_steer_a_terminal_nor_break_lines() -> None:
    for width in WIDTHS:
        text = plan_text(hostile_plan(), Style(width=width), Detail(everything=True))
        text += why_text(hostile_plan(), ["*"], Style(width=width))
        assert all(each.isprintable() or each == "\n" for each in text)
        assert not any(line.startswith("# x") for line in text.splitlines())


def many_repositories(op: str, count: int, **more: str) -> Plan:
    """A product that wants every repository created first."""
    found = [
        Namespace("r.corp", f"app-{each:03}", "repository", op, **more, repositories=(f"app-{each:03}",))  # type: ignore[arg-type]
        for each in range(count)
    ]  # fmt: skip
    return Plan((), namespaces=tuple(found))


def test_namespaces_that_are_created_have_a_limit_and_blocked_ones_have_none() -> None:
    lines = namespace_lines(Page(many_repositories("create", 50), NARROW, 20))
    assert len(lines) == 1 + 20 + 1
    assert lines[-1] == "     … 30 more (--limit 50 shows them)"
    blocked = many_repositories("blocked", 50, reason="denied", command="create it")
    lines = namespace_lines(Page(blocked, NARROW, 20))
    assert sum(line.startswith("  !") for line in lines) == 50
    assert [line.strip() for line in lines[-3:]] == [
        "denied",
        "an administrator runs:",
        "create it",
    ]


def test_nothing_to_do_is_said_plainly() -> None:
    assert plan_text(Plan(()), NARROW, Detail()).endswith("the specs name no image.\n")
    (one,) = large_plan(1).changes
    text = plan_text(Plan((replace(one, op="same"),)), NARROW, Detail())
    assert text.endswith("No changes. 1 image in sync.\n")


# --why


def why(*patterns: str, plan: Plan | None = None) -> str:
    return why_text(plan or full_plan(), patterns, PIPE)


def test_why_follows_a_name_to_its_specs_its_namespace_and_its_layers() -> None:
    text = why("*/kube-scheduler:*")
    assert text.startswith(f"{CORP}/k8s/kube-scheduler:v1.35.2   + create\n")
    assert "└─ clusters/prod/kubeone.yaml:4:3  listed in images.txt" in text
    assert "project k8s is created first" in text
    assert f"30.0 MiB  comes with {CORP}/k8s/kube-apiserver:v1.35.2" in text
    assert "2 blobs to send, 2.5 MiB" in text


def test_why_says_who_else_needs_what_is_sent() -> None:
    text = why(f"{CORP}/k8s/kube-apiserver:*")
    assert f"30.0 MiB  also for {CORP}/k8s/kube-controller-manager:v1.35.2" in text


def test_why_names_each_cluster() -> None:
    text = why("*pause:3.10")
    assert "├─ needed by lab\n│  └─ clusters/lab/kubeone.yaml:7:3  listed in images.txt" in text
    assert "├─ needed by prod\n│  └─ clusters/prod/kubeone.yaml:12:3  component pause" in text


def test_why_finds_sources_and_prints_each_name_once() -> None:
    assert why("registry.k8s.io/pause:3.10", "*pause:3.10") == why("*k8s/pause:3.10")


def test_why_shows_where_content_lies_already() -> None:
    assert f"12.0 MiB  is at {CORP}/other/app" in why("*etcd*")


def test_why_of_something_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="--why 'nothing' matches no name"):
        why("*pause*", "nothing")


def test_a_change_without_anything_known_has_a_tree() -> None:
    bare = change("blocked", "docker.io/a:1", "docker.io/a:1", reason="no mirror")
    assert why("*", plan=Plan((bare,))) == "docker.io/a:1   ! blocked\n└─ no mirror\n"
