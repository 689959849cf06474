"""What people read to find their way: lists, pages, help, and messages about what they typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from planner.ui.cli import COMMANDS, main
from planner.ui.paragraphs import wrapped


class Output(NamedTuple):
    code: int
    out: str
    err: str


Planner = Callable[..., Output]


@pytest.fixture
def planner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Planner:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: str) -> Output:
        try:
            code = main(list(words))
        except SystemExit as ended:  # --help
            code = int(ended.code or 0)
        return Output(code, *capsys.readouterr())

    return run


def codes(planner: Planner, *words: str) -> list[str]:
    return [each["code"] for each in json.loads(planner("rules", *words, "--format=json").out)]


def test_paragraphs_are_filled_and_examples_are_not() -> None:
    text = "one two three\nfour\n\nBad:\n    a:   # a comment that is rather long\n\n\nend"
    expected = "one two\nthree four\n\nBad:\n    a:   # a comment that is rather long\n\n\nend"
    assert wrapped(text, 10) == expected


def test_a_word_that_is_too_long_stays_whole() -> None:
    assert wrapped("see https://registry.example.com/v2/ now", 10).split("\n")[1:] == [
        "https://registry.example.com/v2/",
        "now",
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_the_terminal(planner: Planner, name: str) -> None:
    output = planner(name, "--help")
    assert output.code == 0
    assert [line for line in output.out.splitlines() if len(line) > 80] == []


def test_rules_are_listed_by_what_they_are_about(planner: Planner) -> None:
    lines = planner("rules").out.splitlines()
    heads = [line for line in lines if line.endswith(" rules)")]
    assert len(heads) == 9
    assert "KubeOne manifest (KubeOneCluster)" in "\n".join(heads)
    assert max(map(len, lines)) <= 80
    assert "``" not in "\n".join(lines)


def test_words_choose_rules(planner: Planner) -> None:
    everything = codes(planner)
    assert codes(planner, "k3s") == [each for each in everything if each.startswith("K3S")]
    assert codes(planner, "SUP001") == codes(planner, "unused_suppression") == ["SUP001"]
    assert codes(planner, "sch", "CFG") == [
        each for each in everything if each.startswith(("SCH", "CFG"))
    ]


def test_a_word_that_chooses_nothing_is_refused(planner: Planner) -> None:
    expected = "error: no rule has to do with 'kubone'\n hint: did you mean kubeone?\n"
    assert planner("rules", "k3s", "kubone") == Output(64, "", expected)


def test_a_page_fits_the_terminal_and_keeps_its_examples(planner: Planner) -> None:
    output = planner("explain", "EKS063")
    lines = output.out.splitlines()
    assert lines[0] == "EKS063 unusable_mirror_certificate (warning)"
    assert "        caCertContent: /etc/ssl/corp.pem  # <- EKS063" in lines
    assert max(map(len, lines)) <= 80


def test_the_beginning_of_codes_has_no_page(planner: Planner) -> None:
    assert "planner rules K3S lists them" in planner("explain", "K3S").err


def test_schemas_are_listed_with_their_titles(planner: Planner) -> None:
    assert ["planner", "planner.yaml"] in [
        line.split() for line in planner("schema").out.splitlines()
    ]


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["lint", "--selct", "K3S"], "not understood: --selct", "did you mean --select?"),
        (["lint", "--fix=nope"], "--fix takes no value 'nope'", "write --fix or --fix=unsafe"),
        (["lint", "--kind", "eks"], "--kind: 'eks' is none of 'k3s'", "--help lists the options"),
        (["lint", "--format"], "--format needs a value", "--help lists the options"),
        (["lint", "--select", ","], "--select names no rule", "leave it out"),
        (["lint", "--stdin-filename", "a"], "there is no -", "planner lint - --stdin-filename a"),
        (["explain"], "missing: CODE", "--help lists the options"),
        (["schema", "kubone"], "there is no schema 'kubone'", "did you mean kubeone?"),
        (["schema", "-o", "a.json"], "nothing says for what", "planner schema KIND -o FILE"),
        (["apply", "--parallelism", "many"], "--parallelism cannot use 'many'", "--help"),
    ],
)
def test_wrong_usage_is_told_with_the_next_step(
    planner: Planner, words: list[str], message: str, hint: str
) -> None:
    output = planner(*words)
    assert (output.code, output.out) == (64, "")
    first, second = output.err.splitlines()
    assert message in first
    assert hint in second


def test_a_baseline_that_is_not_there_is_told_with_the_next_step(planner: Planner) -> None:
    output = planner("lint", "--baseline", "gone.json")
    assert (output.code, "--update-baseline writes it" in output.err) == (65, True)


def test_a_run_that_sees_no_spec_says_so(planner: Planner) -> None:
    Path("deployment.yaml").write_text("kind: Deployment\n")
    output = planner("lint", "deployment.yaml")
    assert (output.code, output.out) == (0, "0 specs checked: no findings\n")
    assert output.err.startswith("note: nothing here is a spec that planner knows\n")
    assert planner("lint", "--hook", "deployment.yaml").err == ""
