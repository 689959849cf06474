"""YAML text to nodes: where everything stands, and what is wrong with the text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from planner.core.document import Node, Span, Spec
from planner.core.reader import DEEPEST, MOST_NODES_FROM_ALIASES, read

_EXAMPLES = sorted((Path(__file__).parent.parent / "examples").rglob("*.yaml"))


def _read(text: str) -> Spec:
    spec = read("f.yaml", text)
    assert not spec.problems
    return spec


@pytest.mark.parametrize(
    ("text", "steps", "span"),
    [
        pytest.param("a: b", ("a",), (1, 4, 1, 5), id="plain"),
        pytest.param("a: 'b'", ("a",), (1, 4, 1, 7), id="quotes-belong-to-it"),
        pytest.param("a:\n  - b\n  - c\n", ("a", 1), (3, 5, 3, 6), id="item"),
        pytest.param("a:\n  b: c\n", ("a",), (2, 3, 2, 7), id="block-mapping"),
        pytest.param("a:\n- b\n\n# c\n", ("a",), (2, 1, 2, 4), id="block-ends-with-its-value"),
        pytest.param("a: {b: [c, d]}", ("a",), (1, 4, 1, 15), id="flow-mapping"),
        pytest.param("a: {b: [c, d]}", ("a", "b"), (1, 8, 1, 14), id="flow-sequence"),
        pytest.param("a: [\n  b,\n]\n", ("a",), (1, 4, 3, 2), id="flow-over-lines"),
        pytest.param("a: |\n  b\n  c\nd: e\n", ("a",), (1, 4, 1, 5), id="block-scalar"),
        pytest.param('a: "b\n  c"\n', ("a",), (1, 4, 2, 5), id="quoted-over-lines"),
        pytest.param("a:\n", ("a",), (1, 3, 1, 3), id="nothing"),
        pytest.param("配置: 镜像", ("配置",), (1, 5, 1, 7), id="cjk-by-code-points"),
        pytest.param("a: 😀 # b", ("a",), (1, 4, 1, 5), id="emoji-is-one-column"),
        pytest.param("a: b\r\nc: d\r\n", ("c",), (2, 4, 2, 5), id="crlf"),
        pytest.param("\ufeffa: b", ("a",), (1, 4, 1, 5), id="byte-order-mark"),
        pytest.param("# x\n---\na: b\n", ("a",), (3, 4, 3, 5), id="document-start"),
        pytest.param("a: !t b", ("a",), (1, 4, 1, 8), id="tag-belongs-to-it"),
        pytest.param("a: &x b\nc: *x\n", ("c",), (2, 4, 2, 6), id="alias-stands-where-it-is"),
    ],
)
def test_a_value_knows_where_it_stands(
    text: str, steps: tuple[str | int, ...], span: tuple[int, int, int, int]
) -> None:
    node = _read(text).root.get(*steps)
    assert node.span == Span(*span)
    assert node.path == steps


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("a: 1\nbcd: 2\n", (2, 1, 2, 4), id="plain"),
        pytest.param("a: 1\n'bcd': 2\n", (2, 1, 2, 6), id="quoted"),
        pytest.param("{a: 1, bcd: 2}", (1, 8, 1, 11), id="flow"),
        pytest.param("a: 1\n? bcd\n: 2\n", (2, 3, 2, 6), id="question-mark"),
    ],
)
def test_a_value_knows_its_key(text: str, key: tuple[int, int, int, int]) -> None:
    assert _read(text).root.get("bcd").key == Span(*key)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", None, id="empty-file"),
        pytest.param("# nothing\n", None, id="comment-only"),
        pytest.param("{}", {}, id="empty-mapping"),
        pytest.param('{"a": [1, "1", null]}', {"a": [1, "1", None]}, id="json"),
        pytest.param("a: 0123\nb: yes\n", {"a": 83, "b": True}, id="types-of-go"),
        pytest.param("5000: x\ntrue: z\n", {"5000": "x", "true": "z"}, id="keys-are-texts"),
        pytest.param("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}, id="alias"),
        pytest.param("a: !!str 1", {"a": "1"}, id="tag"),
        pytest.param("a: |\n  b\n  c\n", {"a": "b\nc\n"}, id="literal"),
        pytest.param("a: >-\n  b\n  c\n", {"a": "b c"}, id="folded"),
    ],
)
def test_a_document_has_this_value(text: str, value: object) -> None:
    assert _read(text).root.plain() == value


def test_merged_keys_come_from_elsewhere() -> None:
    root = _read("b: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n").root
    assert root.get("c").plain() == {"x": 1, "y": 3}
    assert [(entry.key.text, entry.merged) for entry in root.get("c").entries] == [
        ("x", True),
        ("y", True),
        ("y", False),
    ]


def test_the_first_of_several_merged_mappings_wins() -> None:
    root = _read("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n").root
    assert root.get("c").plain() == {"x": 1, "y": 2}


def test_a_merged_key_is_no_duplicate() -> None:
    assert not read("f", "b: &b {x: 1}\nc: {<<: *b, x: 2}\n").problems


def test_a_scalar_remembers_how_it_was_written() -> None:
    node = _read("a: 0o17").root.get("a")
    assert (node.text, node.value, node.string()) == ("0o17", 15, "0o17")


def test_the_last_of_equal_keys_wins_and_both_are_named() -> None:
    spec = read("f", "a: 1\nb:\n  x: 1\n  x: 2\n")
    (problem,) = spec.problems
    assert spec.root.get("b", "x").value == 2
    assert (problem.kind, problem.path) == ("duplicate", ("b", "x"))
    assert (problem.span, problem.first) == (Span(4, 3, 4, 4), Span(3, 3, 3, 4))


def test_three_equal_keys_are_two_problems() -> None:
    assert [each.span.line for each in read("f", "a: 1\na: 2\na: 3\n").problems] == [2, 3]


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        pytest.param("a:\n\t- b\n", (2, 1), "cannot start any token", id="tab"),
        pytest.param("a\n  b: c\n", (2, 4), "mapping values", id="missing-colon"),
        pytest.param("a: @b\n", (1, 4), "cannot start any token", id="at-sign"),
        pytest.param('a: "\\."\n', (1, 5), "unknown escape", id="escape"),
        pytest.param("a: [b\n", (1, 6), "did not find expected", id="open-bracket"),
        pytest.param("a: *b\n", (1, 4), "no anchor 'b'", id="unknown-anchor"),
        pytest.param("[a]: b\n", (1, 1), "a key must be a text", id="list-as-key"),
        pytest.param("a: {{ b }}\n", (1, 5), "a key must be a text", id="template"),
        pytest.param("a: b\x01\n", (1, 5), "U+0001", id="control-character"),
        pytest.param("é: b\nü: c\x02d\n", (2, 5), "U+0002", id="control-after-non-ascii"),
        pytest.param("\ufeffa: b\x01\n", (1, 5), "U+0001", id="control-after-byte-order-mark"),
        pytest.param("a: é\ud800\n", (1, 5), "U+D800", id="lone-surrogate"),
    ],
)
def test_what_is_no_yaml_has_a_place(text: str, place: tuple[int, int], part: str) -> None:
    problem = read("f", text).problems[-1]
    assert problem.kind == "syntax"
    assert problem.span[:2] == place
    assert part in problem.message


def test_documents_stand_in_order() -> None:
    spec = _read("a: 1\n---\nb: 2\n---\n")
    assert [each.plain() for each in spec.documents] == [{"a": 1}, {"b": 2}, None]
    assert spec.documents[1].get("b").span == Span(3, 4, 3, 5)


def test_documents_before_a_mistake_are_kept() -> None:
    spec = read("f", "a: 1\n---\nb: 2\n---\nc: [\n")
    assert [each.plain() for each in spec.documents] == [{"a": 1}, {"b": 2}]
    assert spec.problems[0].kind == "syntax"


def test_anchors_end_with_their_document() -> None:
    assert read("f", "a: &x 1\n---\nb: *x\n").problems[0].kind == "syntax"


def _bomb(levels: int) -> str:
    tens = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels))
    return "\n".join(["a0: &a0 [x]", *tens])


def test_aliases_must_not_multiply() -> None:
    (problem,) = read("f", _bomb(10)).problems
    assert problem.kind == "limit"
    assert f"{MOST_NODES_FROM_ALIASES:,}" in problem.message


def test_a_few_aliases_are_fine() -> None:
    assert not read("f", _bomb(4)).problems


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_depth_is_limited(opening: str) -> None:
    (problem,) = read("f", opening * 100_000).problems
    assert problem.kind == "limit"
    assert f"{DEEPEST} levels" in problem.message


def test_depth_up_to_the_limit_is_fine() -> None:
    assert not read("f", "[" * DEEPEST + "]" * DEEPEST).problems


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ufeff", "\ud800", "%YAML 9.9\n---\na", "a: &a [*a]", "---\n...\n", "?"]
)
def test_odd_texts_do_not_fail(text: str) -> None:
    assert read("f", text).file == "f"


@pytest.mark.parametrize("path", _EXAMPLES, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_positions_are_those_of_ruamel(path: Path) -> None:
    text = path.read_text("utf-8")
    documents = [each for each in YAML().load_all(text) if each is not None]
    spec = read(str(path), text)
    ours = [each for each in spec.documents if not each.is_null()]
    expected = [place for each in documents for place in _their_places(each)]
    assert [place for each in ours for place in _our_places(each)] == expected
    assert expected


def _their_places(value: Any) -> Iterator[tuple[object, int, int]]:
    """Line and column of each key and item, from 1, in the order of the file."""
    if isinstance(value, CommentedMap):
        for key, child in value.items():
            line, column = value.lc.key(key)
            yield str(key), line + 1, column + 1
            yield from _their_places(child)
    if isinstance(value, CommentedSeq):
        for index, child in enumerate(value):
            line, column = value.lc.item(index)
            yield index, line + 1, column + 1
            yield from _their_places(child)


def _our_places(node: Node) -> Iterator[tuple[object, int, int]]:
    for key, child, _ in node.entries:
        yield key.text, *key.span[:2]
        yield from _our_places(child)
    for index, child in enumerate(node.items):
        yield index, *child.span[:2]
        yield from _our_places(child)
