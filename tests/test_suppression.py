"""Suppression comments: where they are found, what they reach, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from planner.accepted import error_count
from planner.check import check_text, names_of_rules, rules
from planner.config import LintSettings
from planner.core.choice import codes_of, suggestion
from planner.core.comments import comments
from planner.core.family import Family
from planner.core.lint import Finding
from planner.core.reader import read
from planner.specs import families
from planner.specs.k3s import FAMILY
from planner.ui.cli import main

TODAY = date(2026, 11, 21)
STRAY = "mirrors:\n  quay.io:\n    endpoints: []\n"


def lint(text: str, **settings: Any) -> tuple[Finding, ...]:
    return check_text(
        "registries.yaml", text, "k3s", LintSettings(**settings), today=TODAY
    ).findings


def active(text: str, **settings: Any) -> list[str]:
    return [each.code for each in lint(text, **settings) if each.suppressed is None]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        pytest.param("a: b # planner: x\n", [(1, 6)], id="trailing"),
        pytest.param("# planner: x\na: b\n", [(1, 1)], id="alone"),
        pytest.param("\ufeffa: b # planner: x\n", [(1, 6)], id="byte-order-mark"),
        pytest.param("a: b\r\nc: d # planner: x\r\n", [(2, 6)], id="crlf"),
        pytest.param("a: b#c # planner: x", [(1, 8)], id="hash-in-a-word"),
        pytest.param("a: b# planner: x", [], id="no-space-before"),
        pytest.param("a: https://x/#y # planner: x", [(1, 17)], id="url"),
        pytest.param("a: 'b # planner: x'", [], id="single-quotes"),
        pytest.param('a: "b # planner: x" # planner: y', [(1, 21)], id="double-quotes"),
        pytest.param('a: "b \\" # planner: x"', [], id="escaped-quote"),
        pytest.param("a: 'b\n # planner: x\n c' # planner: y", [(3, 5)], id="quotes-over-lines"),
        pytest.param("'a # planner: x': b", [], id="key"),
        pytest.param("a: |\n  # planner: x\n", [], id="literal"),
        pytest.param("a: |\n  b\n\n # planner: x\nc: d", [(4, 2)], id="below-a-literal"),
        pytest.param("a: >- # planner: x\n  b\n  # planner: y", [(1, 7)], id="header-of-a-block"),
        pytest.param("- |\n # planner: x\n- b # planner: y", [(3, 5)], id="literal-in-a-list"),
        pytest.param("a: [b, # planner: x\n c]", [(1, 8)], id="flow"),
        pytest.param("a: {b: 'x # planner: x'} # planner: y", [(1, 26)], id="quotes-in-flow"),
        pytest.param("# b # planner: x\na: b", [], id="inside-another-comment"),
        pytest.param("# <- K3S001\na: b # planners: x", [], id="other-comments"),
        pytest.param("a: b # planner: x\nc: [\n", [(1, 6)], id="before-a-mistake"),
        pytest.param("a: b\nc: 'd # planner: x\n", [], id="unterminated-quotes"),
        pytest.param("a: b\u2028# planner: x\n", [(2, 1)], id="line-separator"),
    ],
)
def test_comments_are_found_outside_of_strings(
    text: str, places: Sequence[tuple[int, int]]
) -> None:
    found = comments(text, "planner:")
    assert [each.span[:2] for each in found] == places


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("# planner:\na:\n  b: c\nd: e", (2, 3), id="entry-with-everything-below"),
        pytest.param("# planner:\n\n# more\na: b\nc: d", (4, 4), id="blank-lines-and-comments"),
        pytest.param("a:\n  # planner:\n  - b: c\n    d: e\n  - f", (3, 4), id="item"),
        pytest.param("a:\n  - b: c\n    # planner:\n    d: e\n    f: g", (4, 4), id="inside-item"),
        pytest.param("# planner:\na: |\n  b\n\n  c\nd: e", (2, 5), id="block-scalar"),
        pytest.param("# planner:\na: 'b\n  c'\nd: e", (2, 3), id="quotes-over-lines"),
        pytest.param("a: &x {b: c}\nd:\n  # planner:\n  <<: *x\n  e: f", (4, 4), id="merge"),
        pytest.param("a: [\n  # planner:\n  b,\n  c]", (3, 3), id="flow"),
        pytest.param("a: b\n---\n# planner:\nc:\n  d: e", (4, 5), id="second-document"),
        pytest.param("a: b\n# planner:\n", (2, 0), id="nothing-follows"),
        pytest.param("a: b # planner:\n", (1, 1), id="trailing"),
    ],
)
def test_a_comment_is_about_what_it_stands_at(text: str, lines: tuple[int, int]) -> None:
    (found,) = comments(text, "planner:")
    assert (found.first, found.last) == lines


IGNORE = "# planner: ignore[SCH001]"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"mirror: {{}} {IGNORE} why", id="trailing"),
        pytest.param(f"{IGNORE}\nmirror: {{}}", id="alone"),
        pytest.param("mirror: {}  # planner: ignore[unknown_key]", id="name"),
        pytest.param("mirror: {}  # planner: ignore[SCH]", id="beginning"),
        pytest.param("mirror: {}  # planner:ignore[ SCH001 , K3S ]", id="spaces"),
        pytest.param("# planner: ignore[SCH001]\nmirrors:\n  a:\n    b: c\n    d: []", id="below"),
        pytest.param("mirror: {} \nconfig: {} # planner: ignore-file[SCH]", id="file"),
        pytest.param("# planner: disable[SCH]\nmirror: {}\nconfig: {}", id="disable"),
        pytest.param(f"mirror: {{}} {IGNORE} until=2026-11-21 why", id="last-day"),
        pytest.param(f"mirror: {{}} {IGNORE}\r\nconfig: {{}} {IGNORE}\r\n", id="crlf"),
    ],
)
def test_a_comment_suppresses(text: str) -> None:
    assert "SCH001" not in active(text)
    assert {each.suppressed.by for each in lint(text) if each.suppressed} == {"comment"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param(f"{IGNORE}\nmirror: {{}}\nconfig: {{}}", ["SCH001"], id="only-the-next"),
        pytest.param(f"mirror: {{}} {IGNORE}\nconfig: {{}}", ["SCH001"], id="only-its-line"),
        pytest.param(
            "# planner: disable[SCH]\nmirror: {}\n# planner: enable[SCH001]\nconfig: {}",
            ["SCH001"],
            id="enabled-again",
        ),
        pytest.param("mirror: {} # planner: ignore[SCH002]", ["SCH001", "SUP001"], id="other"),
        pytest.param("mirrors: {} # planner: ignore[SCH001]", ["SUP001"], id="unused"),
        pytest.param("mirrors: {}\n# planner: enable[SCH001]", ["SUP001"], id="unused-enable"),
        pytest.param("mirrors: {}\n# planner: disable[SCH001]", ["SUP001"], id="unused-disable"),
        pytest.param("mirrors: {}\n# planner: ignore-file[K3S]", ["SUP001"], id="unused-file"),
        pytest.param(f"mirror: {{}} {IGNORE} until=2026-11-20", ["SCH001", "SUP002"], id="expired"),
        pytest.param(
            "# planner: disable[SCH] until=2026-01-01\nmirror: {}\n# planner: enable[SCH]",
            ["SUP002", "SCH001"],
            id="expired-range",
        ),
        pytest.param("mirrors: {} # planner: ignore[XYZ001]", ["SUP003"], id="unknown"),
        pytest.param("mirror: {} # planner: ignore", ["SCH001", "SUP004"], id="no-brackets"),
        pytest.param("mirror: {} # planner: ignore K3S001", ["SCH001", "SUP004"], id="bare"),
        pytest.param("mirror: {} # planner: ignore[]", ["SCH001", "SUP004"], id="blanket"),
        pytest.param("mirror: {} # planner: ignore[SCH001,]", ["SCH001", "SUP004"], id="comma"),
        pytest.param("mirror: {} # planner: ignore[*]", ["SCH001", "SUP004"], id="star"),
        pytest.param("mirror: {} # planner: ignore[S]", ["SCH001", "SUP003"], id="short"),
        pytest.param("mirror: {} # planner: igore[SCH001]", ["SCH001", "SUP004"], id="verb"),
        pytest.param("mirror: {} # planner: ignore[SCH001", ["SCH001", "SUP004"], id="open"),
        pytest.param(f"mirror: {{}} {IGNORE} until=soon", ["SCH001", "SUP004"], id="no-date"),
        pytest.param(f"mirror: {{}} {IGNORE} until=2026-02-30", ["SCH001", "SUP004"], id="no-day"),
        pytest.param("mirrors: {} # planner: ask Jane", [], id="prose"),
        pytest.param("mirrors: {} # planner: ignore[SCH001,SUP001]", [], id="hides-its-own"),
        pytest.param("mirrors: {} # planner: ignore[KON]", ["SUP003"], id="no-such-family"),
        pytest.param(f"mirrors: {{}} {IGNORE}\nconfigs: [", ["YAM001"], id="unread-is-unjudged"),
        pytest.param("# planner: ignore-file[YAM004]\n{{- if }}\n", [], id="template"),
    ],
)
def test_what_a_comment_leaves(text: str, codes: list[str]) -> None:
    assert active(text) == codes


def test_each_word_of_a_comment_must_be_used() -> None:
    (finding,) = [
        each
        for each in lint("mirror: {} # planner: ignore[SCH001,K3S002,SCH003] x")
        if not each.suppressed
    ]
    assert finding.message == "ignore[K3S002,SCH003] has nothing to suppress"
    assert finding.span == (1, 12, 1, 53)


def test_a_comment_reaches_findings_over_several_lines() -> None:
    text = 'mirrors:\n  quay.io:\n    endpoint: "a\n      b"  # planner: ignore[SCH003] why\n'
    assert active(text) == []


def test_the_reason_keeps_the_ticket_and_loses_the_date() -> None:
    (finding,) = lint(f"mirror: {{}} {IGNORE} until=2027-01-31 ticket=OPS-12 old nodes")
    assert finding.suppressed
    assert finding.suppressed.reason == "ticket=OPS-12 old nodes"


def test_an_unknown_word_has_a_suggestion() -> None:
    (finding,) = lint("mirrors: {} # planner: ignore[unknwon_key]")
    assert (finding.message, finding.hint) == (
        "there is no rule 'unknwon_key'",
        "did you mean unknown_key?",
    )


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"select": ("K3S",)}, id="not-selected"),
        pytest.param({"select": ("K3S", "SUP")}, id="not-run"),
    ],
)
def test_what_was_not_run_is_not_unused(settings: dict[str, tuple[str, ...]]) -> None:
    assert active(f"mirrors: {{}} {IGNORE}", **settings) == []


def test_selected_rules_are_the_only_ones() -> None:
    text = "mirror: {}\nconfigs: {a: , a: }\n"
    assert active(text) == ["SCH001", "K3S037", "YAM002"]
    assert active(text, select=("unknown_key",)) == ["SCH001"]


def test_an_unreadable_file_is_found_whatever_is_selected() -> None:
    assert active("mirrors: [", select=("K3S",)) == ["YAM001"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"ignore": ("SCH",)}, "ignore SCH", id="ignore"),
        pytest.param(
            {"per_file": (("reg*.yaml", ("unknown_key",)),)},
            "per_file reg*.yaml: unknown_key",
            id="per-file",
        ),
    ],
)
def test_configuration_suppresses(settings: dict[str, Any], reason: str) -> None:
    (finding,) = lint("mirror: {}", **settings)
    assert finding.suppressed
    assert (finding.suppressed.by, finding.suppressed.reason) == ("config", reason)


def test_what_is_suppressed_is_no_error_of_a_spec() -> None:
    settings = LintSettings()
    assert error_count(read("r.yaml", "mirror: {}"), FAMILY, settings) == 1
    assert error_count(read("r.yaml", f"mirror: {{}} {IGNORE}"), FAMILY, settings) == 0


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("ABC001", {"ABC001"}),
        ("ABC", {"ABC001", "ABC002"}),
        ("two", {"ABC002"}),
        ("A", set()),
        ("", set()),
    ],
)
def test_words_stand_for_rules(word: str, codes: set[str]) -> None:
    assert codes_of(word, {"ABC001": "one", "ABC002": "two", "XYZ001": "three"}) == codes


def test_a_far_word_is_sent_to_the_table() -> None:
    assert suggestion("zzzzzzzzz", names_of_rules()) == "planner rules lists them"


# Mistakes on lines that can hold no comment: inside a string, beside what a comment would change, or on no line at all.
_NO_ROOM = {"EKS200", "PAL001", "PAL072", "PAL073", "PAL074", "PAL114"}
_BAD = [
    pytest.param(family.name, each.section("Bad"), id=each.code)
    for family in families()
    for each in family.rules
    if each.code not in _NO_ROOM
]


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_a_whole_file_can_be_suppressed_where_a_line_has_no_room(family: Family) -> None:
    for rule in family.rules:
        if rule.code in _NO_ROOM:
            text = f"# planner: ignore-file[{rule.code}] generated\n{rule.section('Bad')}"
            done = check_text("registries.yaml", text, family.name, LintSettings(), today=TODAY)
            found = [each for each in done.findings if each.code == rule.code]
            assert found
            assert all(each.suppressed for each in found), rule.code


@pytest.mark.parametrize(("kind", "text"), _BAD)
def test_generated_comments_suppress_everything_and_all_are_used(kind: str, text: str) -> None:
    name = text.split()[2] if text.startswith("# file: ") else "registries.yaml"
    plain = [line.partition(" # <-")[0].rstrip() for line in text.splitlines()]
    found = check_text(name, "\n".join(plain), kind, LintSettings(), today=TODAY).findings
    codes: dict[int, set[str]] = {}
    for finding in found:
        codes.setdefault(finding.span.end_line, set()).add(finding.code)
    lines = [
        f"{line}  # planner: ignore[{','.join(sorted(codes[number]))}] generated"
        if number in codes
        else line
        for number, line in enumerate(plain, 1)
    ]
    done = check_text(name, "\n".join(lines), kind, LintSettings(), today=TODAY)
    assert found
    assert [each for each in done.findings if each.suppressed is None] == []
    assert [each.code for each in done.findings] == [each.code for each in found]


_PIECES = st.sampled_from(
    ["a", ": ", "'", '"', "|", "\n", "  ", "- ", "[", "]", ",", "\r\n", " # planner: ignore[SCH]"]
)


@hypothesis_settings(deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join))
def test_no_text_is_too_odd(text: str) -> None:
    done = check_text("registries.yaml", text, "k3s", LintSettings(), today=TODAY)
    assert done.spec.text == text
    for comment in comments(text, "planner:"):
        assert comment.text.startswith("planner: ignore[SCH]")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "registries.yaml").write_text(f"mirror: {{}} {IGNORE} why\nconfig: {{}}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint_json(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[Any]]:
    code = main(["lint", "registries.yaml", "--kind", "k3s", "--format", "json", *words])
    return code, [each["suppressed"] for each in json.loads(capsys.readouterr().out)["findings"]]


@pytest.mark.parametrize(
    ("words", "code", "suppressed"),
    [
        pytest.param((), 1, ["comment", None], id="default"),
        pytest.param(("--ignore", "K3S,SCH001"), 0, ["comment", "config"], id="ignore"),
        pytest.param(("--ignore=SCH", "--no-ignores"), 1, [None, None], id="no-ignores"),
        pytest.param(("--select", "K3S,YAM"), 0, [], id="select"),
    ],
)
def test_the_command_counts_what_is_left(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    suppressed: list[Any],
) -> None:
    done, found = lint_json(capsys, *words)
    assert (done, [each and each["by"] for each in found]) == (code, suppressed)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--select", "K3S0001"), "select: there is no rule 'K3S0001'", id="select"),
        pytest.param(("--ignore", "unknwon_key"), "did you mean unknown_key?", id="ignore"),
        pytest.param(("--update-baseline",), "there is no baseline to update", id="baseline"),
    ],
)
def test_options_must_make_sense(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert main(["lint", *words]) == 64
    assert message in capsys.readouterr().err


def test_every_rule_can_be_named() -> None:
    assert {each.code for each in rules()} < set(names_of_rules())
