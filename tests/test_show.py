"""``planner show``, and the forms of a plan that ``planner plan`` has as well."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from planner.core import schema
from planner.core.plan import Plan
from planner.core.plan_file import from_json, to_json
from planner.ui.cli import main
from planner.ui.plan.markdown import MOST_BYTES, markdown
from tests.plans import CORP, change, full_plan, hostile_plan, large_plan


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A saved plan, ``p.json``."""
    monkeypatch.chdir(tmp_path)
    Path("p.json").write_bytes(to_json(full_plan()))
    return full_plan()


def show(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["show", "p.json", *options]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("plan")
def test_a_part_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = show(capsys, "--target", f"{CORP}/k8s/*", "--exclude", "*:v1.35.2")
    assert "pause:3.10" in text
    assert "kube-proxy" not in text
    assert "eksa" not in text
    assert "project k8s   for 4 images" in text
    images = show(capsys, "--target", "*/k8s/pause:3.10", "--format", "images")
    assert images == f"{CORP}/k8s/pause:3.10\n"


@pytest.mark.usefixtures("plan")
def test_a_part_is_a_plan_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    text = show(capsys, "--target", "*/pause:3.10", "--format", "json")
    part = from_json(text.encode(), "part")
    assert [each.name for each in part.namespaces] == ["k8s"]
    assert part.namespaces[0].repositories == ("k8s/pause",)
    assert len(part.manifests) == 1
    assert schema.violations("formats/plan", json.loads(text)) == []


@pytest.mark.usefixtures("plan")
def test_the_text_can_be_less_or_grouped_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert "kube-proxy" not in show(capsys, "--summary")
    assert f"\n  +  {CORP}/k8s/pause:3.10\n" in show(capsys, "--concise")
    assert "\nfrom registry.k8s.io   " in show(capsys, "--group-by", "source")
    assert "--limit" in show(capsys, "--limit", "1")
    assert "coredns:v1.13 " in show(capsys, "--all")
    assert show(capsys, "--why", "*pause:3.10").startswith(f"{CORP}/k8s/pause:3.10   + create\n├─")


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--limit", "-1"), id="limit"),
        pytest.param(("--group-by", "colour"), id="group"),
        pytest.param(("--why", "*", "--format", "json"), id="why-json"),
        pytest.param(("--why", "nothing"), id="why-nothing"),
        pytest.param(("--target", "nothing"), id="target-nothing"),
    ],
)
def test_options_that_make_no_sense_end_with_64(options: tuple[str, ...]) -> None:
    assert main(["show", "p.json", *options]) == 64


@pytest.mark.usefixtures("plan")
def test_a_picture_is_a_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys, "--format", "svg").startswith("<svg xmlns=")


def test_the_graph_of_hostile_names_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.json").write_bytes(to_json(hostile_plan()))
    for line in show(capsys, "--format", "dot").splitlines()[2:-1]:
        assert re.fullmatch(r'  "(?:[^"\\]|\\.)*"(?: -> "(?:[^"\\]|\\.)*")?;', line)
    assert show(capsys, "--format", "images").count("\n") == 2
    assert all(line.count("\t") == 2 for line in show(capsys, "--format", "tsv").splitlines())


# Markdown


class _Tags(HTMLParser):
    """The elements and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def rendered(text: str) -> _Tags:
    """The page that CommonMark with tables makes of it."""
    return _Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_blocked_and_deletes_come_first_and_the_rest_is_folded() -> None:
    text = markdown(full_plan())
    places = [text.index(each) for each in ("#### Blocked (4)", "#### To delete (2)", "<details>")]
    assert places == sorted(places)
    assert text.count("<details>") == text.count("</details>") == 3
    assert text.index("pause:3.10</code>") > places[-1]
    assert "curl -X POST" in text


def test_hostile_names_are_texts_in_markdown() -> None:
    page = rendered(markdown(hostile_plan()))
    assert page.tags <= set(
        "h3 h4 p table thead tbody tr th td ul li code details summary pre br strong".split()
    )
    assert '<script>alert("1")</script>|`*_@team' in page.words
    for line in markdown(hostile_plan()).splitlines():
        outside = re.sub(r"<code>.*?</code>", "", line)
        assert "team" not in html.unescape(outside) or line.startswith("\\x1b")


def test_a_comment_has_room_for_it() -> None:
    text = markdown(large_plan(2000, same_every=2), everything=True)
    assert len(text.encode()) <= MOST_BYTES
    assert "1,000 in sync" in text
    kept = text.count("<tr>") + len(re.findall(r"^\| \+ \| <code>", text, re.MULTILINE))
    left_out = re.search(r"\*\*([\d,]+) more images\*\*", text)
    assert left_out is not None
    assert int(left_out[1].replace(",", "")) + kept == 2000
    rendered(text)


def test_what_is_in_sync_gives_way_to_what_is_not() -> None:
    text = markdown(large_plan(300, same_every=2), everything=True, most=22_000)
    assert len(re.findall(r"^\| \+ \| <code>", text, re.MULTILINE)) == 150
    assert "in sync. `planner show PLAN` shows them." in text


def test_nothing_dangerous_is_left_out_however_long_it_gets() -> None:
    blocked = [
        change("blocked", f"docker.io/a/b{n}:1", f"{CORP}/a/b{n}:1", reason=f"reason {n}")
        for n in range(400)
    ]
    old = [change("delete", f"{CORP}/x/y:{n}", f"{CORP}/x/y:{n}", current="x") for n in range(400)]
    plan = replace(large_plan(50), changes=(*blocked, *old, *large_plan(50).changes))
    words = rendered(markdown(plan, most=10_000)).words
    assert all(f"{CORP}/a/b{n}:1" in words and f"{CORP}/x/y:{n}" in words for n in range(400))
    assert "50 more images left out" in words
