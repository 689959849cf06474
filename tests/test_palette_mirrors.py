"""The list of mirrors, and the webhook's map file, taken apart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.core.reader import read
from planner.specs.palette.mirrors import (
    Entry,
    join,
    located,
    plain_target,
    split_list,
)
from planner.specs.palette.swapmap import Line, line_node, parse_map

_PIECES = st.text("ab.:/,* \t\n[]\"'", max_size=30)


@given(_PIECES)
def test_nothing_of_a_list_is_lost(text: str) -> None:
    entries = split_list(text)
    assert not text.strip() or ",".join(each.raw for each in entries) == text
    assert all(text[each.start : each.start + len(each.raw)] == each.raw for each in entries)


_NAMES = st.from_regex(r"[a-z][a-z.]{0,8}(:[0-9])?", fullmatch=True)


@given(st.lists(st.tuples(_NAMES, _NAMES), min_size=1), st.sampled_from(["", " ", "\n\t"]))
def test_pairs_survive_splitting_and_joining(written: list[tuple[str, str]], blank: str) -> None:
    text = ",".join(f"{blank}{one}{blank}::{other}" for one, other in written)
    entries = split_list(text)
    assert [(each.source, each.target) for each in entries] == written
    assert join(entries) == ",".join(f"{one}::{other}" for one, other in written)


@given(_PIECES)
def test_joining_twice_changes_nothing_more(text: str) -> None:
    once = join(split_list(text))
    assert join(split_list(once)) == once


@given(_PIECES)
def test_an_entry_stands_where_its_node_says(text: str) -> None:
    for source in (f"list: {json.dumps(text)}", f"list: {text}"):
        spec = read("values.yaml", source)
        node = spec.root.get("list")
        lines = source.split("\n")
        for each in located(spec, node) if node.kind == "scalar" else ():
            if each.is_exact:
                line, column, end_line, end = each.node.span
                assert line == end_line
                assert lines[line - 1][column - 1 : end - 1] == (each.entry.text or each.entry.raw)


def test_a_list_on_several_lines_has_places_on_each() -> None:
    spec = read("values.yaml", 'a:\n  list: "a::b,\\\n    cc::d,\\\n    e::f"\n')
    found = located(spec, spec.root.get("a", "list"))
    assert [each.node.span[:2] for each in found] == [(2, 10), (3, 5), (4, 5)]


@pytest.mark.parametrize(
    ("source", "exact"),
    [
        pytest.param('"a::b,\\x63::d"', [True, False], id="escape"),
        pytest.param("'a::''b,c::d'", [False, False], id="doubled-quote"),
        pytest.param("|\n  a::b,c::d", [False, False], id="literal"),
        pytest.param('"a::b\n  c,d::e"', [False, False], id="broken-entry"),
    ],
)
def test_what_is_written_otherwise_is_blamed_as_a_whole(source: str, exact: list[bool]) -> None:
    spec = read("values.yaml", f"list: {source}\n")
    node = spec.root.get("list")
    found = located(spec, node)
    assert [each.is_exact for each in found] == exact
    assert {each.node.span for each in found if not each.is_exact} == {node.span}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a::b", ""),
        (" ", "empty"),
        ("a=b", "separator"),
        ("a::b::c", "separator"),
        ("::b", "source"),
        ("a::", "target"),
    ],
)
def test_why_an_entry_is_no_pair(text: str, problem: str) -> None:
    entries = split_list(f"x::y,{text}")
    assert entries[1].problem == problem


def test_an_empty_list_has_no_entries() -> None:
    assert split_list(" \n") == ()


@pytest.mark.parametrize(
    ("target", "plain"),
    [
        ("h.example.org/a/b", "h.example.org/a/b"),
        ("h.example.org/v2/a/b/", "h.example.org/a/b"),
        ("https://h.example.org:5000/v2", "h.example.org:5000"),
        ("u:p@h.example.org/a", "h.example.org/a"),
        ("h.example.org//a", "h.example.org/a"),
        ("h.example.org/a/v2", "h.example.org/a/v2"),
    ],
)
def test_a_target_is_one_place_whoever_it_was_written_for(target: str, plain: str) -> None:
    assert plain_target(target) == plain


def test_an_entry_knows_its_parts() -> None:
    (entry,) = split_list(" a.io::h.example.org:5000/b ")
    assert entry == Entry(" a.io::h.example.org:5000/b ", 0, "a.io", "h.example.org:5000/b")
    assert (entry.host, entry.has_blanks) == ("h.example.org:5000", True)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("# a::b", (), id="comment"),
        pytest.param("a::b # c", (Line(0, "a::b # c", key="a", value="b"),), id="behind"),
        pytest.param(
            "b::c # d # e", (Line(0, "b::c # d # e", key="b", value="c#d"),), id="two-comments"
        ),
        pytest.param("default ::", (Line(0, "default ::", key="default"),), id="blank"),
        pytest.param(
            "[EXACT]a:1::b:1", (Line(0, "[EXACT]a:1::b:1", "exact", "a:1", "b:1"),), id="exact"
        ),
        pytest.param(
            "\na:b", (Line(1, "a:b", key="a", value="b", problem="deprecated"),), id="one-colon"
        ),
        pytest.param("a:5:b", (Line(0, "a:5:b", problem="dropped"),), id="port"),
        pytest.param("a::b::c:d", (Line(0, "a::b::c:d", problem="dropped"),), id="too-many"),
    ],
)
def test_a_map_is_read_as_the_webhook_does(text: str, lines: tuple[Line, ...]) -> None:
    assert parse_map(text) == lines


def test_a_line_of_a_map_has_its_own_place() -> None:
    spec = read("values.yaml", "imageSwap:\n  imageChange: |-\n    default::\n\n    a = b  # c\n")
    node = spec.root.get("imageSwap", "imageChange")
    line = parse_map(node.string())[1]
    assert line_node(spec, node, line).span[:2] == (5, 5)
