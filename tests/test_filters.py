"""The language of filters, against what each term means, and on the command line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.core.errors import UsageError
from planner.core.plan import Change
from planner.core.plan_file import to_json
from planner.ui.cli import main
from planner.ui.plan.filters import filtered, item_of, parse_filter
from tests.plans import CORP, full_plan

PLAN = replace(
    full_plan(),
    changes=tuple(
        replace(
            each, drift="source" if number % 3 else "", kind="chart" if number % 4 == 0 else "image"
        )
        for number, each in enumerate(full_plan().changes)
    ),
)
Meaning = Callable[[Change, int, bool], bool]
OPS = {"+": "create", "~": "move", "r": "repair", "=": "same", "!": "blocked", "-": "delete"}


def _text(change: Change) -> str:
    return f"{change.target} {change.source} {change.reason}".lower()


def _word(word: str) -> tuple[str, Meaning]:
    return word, lambda change, _size, _selected: word.lower() in _text(change)


def _op(symbol: str) -> tuple[str, Meaning]:
    return f"op:{symbol}", lambda change, _size, _selected: change.op == OPS.get(symbol, symbol)


def _cluster(name: str) -> tuple[str, Meaning]:
    return f"cluster:{name}", lambda change, _size, _selected: any(
        name.lower() in each.cluster.lower() and each.cluster for each in change.because
    )


def _size(sign: str, mib: int) -> tuple[str, Meaning]:
    signs: dict[int, tuple[str, ...]] = {-1: ("<", "<="), 0: ("<=", ">="), 1: (">", ">=")}

    def meaning(_change: Change, size: int, _selected: bool) -> bool:
        bound = mib * 1024**2
        return sign in signs[(size > bound) - (size < bound)]

    return f"size:{sign}{mib}MiB", meaning


def _regular(pattern: str) -> tuple[str, Meaning]:
    return f"/{pattern}/", lambda change, _size, _selected: bool(re.search(pattern, _text(change)))


TERMS = st.one_of(
    st.builds(_word, st.sampled_from(("pause", "K8S", "registry.corp:5000", "quay.io", "no", "zzz", "[2001"))),
    st.builds(_op, st.sampled_from((*OPS, *OPS.values()))),
    st.builds(_cluster, st.sampled_from(("prod", "LAB", "a", "zzz"))),
    st.builds(_size, st.sampled_from((">", ">=", "<", "<=")), st.integers(0, 40)),
    st.builds(_regular, st.sampled_from(("etcd|pause", "^registry", "k8s/.*:v1", "no mirror", "x{3}"))),
    st.sampled_from((
        ("repo:k8s", lambda change, _size, _selected: "k8s" in change.target.name),
        ("src:docker.io", lambda change, _size, _selected: "docker.io" in str(change.source)),
        ("kind:chart", lambda change, _size, _selected: change.kind == "chart"),
        ("drift", lambda change, _size, _selected: change.drift != ""),
        ("blocked", lambda change, _size, _selected: change.op == "blocked"),
        ("selected", lambda _change, _size, selected: selected),
    )),
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.booleans(), TERMS), max_size=4), st.sets(st.integers(0, 20)))
def test_terms_mean_what_they_say(
    terms: list[tuple[bool, tuple[str, Meaning]]], chosen: set[int]
) -> None:
    text = "  ".join(f"{'!' if negated else ''}{term}" for negated, (term, _) in terms)
    passes = parse_filter(text)
    for index, change in enumerate(PLAN.changes):
        size = PLAN.total_bytes([change])
        selected = index in chosen
        expected = all(
            meaning(change, size, selected) != negated for negated, (_, meaning) in terms
        )
        assert passes(item_of(change, size), selected) == expected, (text, str(change.target))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab!/:<>=1opsizekndclutr[]( \\*", max_size=20))
def test_any_text_is_a_filter_or_a_mistake(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert set(filtered(PLAN, text)) <= set(PLAN.changes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("kind:picture", "kind:picture is none of image chart artifact", id="kind"),
        pytest.param("op:copy", "op:copy is none of", id="op"),
    ],
)
def test_a_word_that_is_none_is_told(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_filter(text)


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.json").write_bytes(to_json(PLAN))


@pytest.mark.usefixtures("saved")
def test_show_narrows_as_the_review_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "p.json", "--format", "images", "--filter", "cluster:lab op:move"]) == 0
    assert capsys.readouterr().out == f"{CORP}/k8s/etcd:3.6.8-0\n"
    assert (
        main(["show", "p.json", "--concise", "--filter", "blocked repo:eksa", "--filter", "op:~"])
        == 0
    )
    text = capsys.readouterr().out
    assert ("coredns:v1" in text, "etcd:3.6" in text, "nginx" in text) == (True, True, False)


@pytest.mark.usefixtures("saved")
def test_show_says_that_nothing_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "p.json", "--filter", "zzz"]) == 0
    assert capsys.readouterr().out == "Nothing passes --filter.\n"


@pytest.mark.usefixtures("saved")
def test_show_explains_a_wrong_filter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "p.json", "--filter", "size:10"]) == 64
    told = capsys.readouterr().err
    assert "--filter 'size:10': size:10 is not like size:>10MiB" in told
    assert "cluster:prod" in told
