"""Edits by spans: they change what they cover, wherever lines end and however wide characters are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.core.comments import spanned
from planner.core.document import Span
from planner.core.edits import Edit, Fix, Range, apply_edits, first_of_overlapping, lines_of

ENDS = ("\n", "\r\n", "\r", "\x85", "\u2028", "\u2029")
CHARACTERS = "ab: #'\"\t漢😀e\u0301"
LINES = st.lists(st.text(CHARACTERS, max_size=6), min_size=1, max_size=6)


def span(*place: int) -> Span:
    return Span(*place)


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines = draw(LINES)
    ends = [draw(st.sampled_from(ENDS)) for _ in lines[1:]]
    last = draw(st.sampled_from(("", *ENDS)))
    body = "".join(line + end for line, end in zip(lines, [*ends, last], strict=True))
    return draw(st.sampled_from(("", "\ufeff"))) + body


@st.composite
def edits_of(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text, and edits of it that share nothing but ends, in any order."""
    text = draw(texts())
    places = [
        (number, column)
        for number, line in enumerate(lines_of(text), 1)
        for column in range(1, len(line) + 2)
    ]
    count = draw(st.integers(0, min(3, len(places) // 2))) * 2
    indexes = st.sets(st.integers(0, len(places) - 1), min_size=count, max_size=count)
    chosen = [places[index] for index in sorted(draw(indexes))]
    made = [
        Edit(Span(*start, *end), draw(st.text("xyz\n", max_size=3)))
        for start, end in zip(chosen[::2], chosen[1::2], strict=True)
    ]
    return text, draw(st.permutations(made))


@pytest.mark.parametrize(
    ("text", "edit", "expected"),
    [
        pytest.param("a: b", Edit(span(1, 4, 1, 5), "c"), "a: c", id="no-final-end"),
        pytest.param("a\r\nb\r\n", Edit(span(2, 1, 2, 2), "c"), "a\r\nc\r\n", id="crlf"),
        pytest.param("a\rb", Edit(span(2, 1, 2, 2), "c"), "a\rc", id="lone-cr"),
        pytest.param("a\x85b\u2028c", Edit(span(3, 1, 3, 2), "d"), "a\x85b\u2028d", id="unicode"),
        pytest.param("\ufeffa: b", Edit(span(1, 1, 1, 2), "c"), "\ufeffc: b", id="bom"),
        pytest.param("漢😀: b", Edit(span(1, 5, 1, 6), "c"), "漢😀: c", id="wide"),
        pytest.param("a\nb\n", Edit(span(1, 1, 2, 1), ""), "b\n", id="whole-line"),
        pytest.param("a\nb", Edit(span(2, 2, 2, 2), "c"), "a\nbc", id="insert-at-the-end"),
        pytest.param("a\n", Edit(span(2, 1, 2, 1), "b\n"), "a\nb\n", id="insert-behind-the-last"),
        pytest.param("", Edit(span(1, 1, 1, 1), "a"), "a", id="insert-into-nothing"),
        pytest.param("a\vb\fc", Edit(span(1, 5, 1, 6), "d"), "a\vb\fd", id="no-line-ends"),
    ],
)
def test_an_edit_replaces_its_span(text: str, edit: Edit, expected: str) -> None:
    assert apply_edits(text, [edit]).text == expected


def test_insertions_at_one_place_keep_their_order() -> None:
    edits = [Edit(span(1, 2, 1, 2), "b"), Edit(span(1, 2, 1, 2), "c")]
    assert apply_edits("ad", edits).text == "abcd"


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([span(1, 1, 1, 3), span(1, 2, 1, 4)], id="overlap"),
        pytest.param([span(1, 1, 1, 4), span(1, 2, 1, 2)], id="inside"),
        pytest.param([span(1, 3, 1, 2)], id="backwards"),
        pytest.param([span(1, 1, 1, 6)], id="behind-the-line"),
        pytest.param([span(3, 1, 3, 1)], id="behind-the-text"),
        pytest.param([span(0, 1, 1, 1)], id="line-zero"),
        pytest.param([span(1, 0, 1, 1)], id="column-zero"),
    ],
)
def test_edits_that_make_no_sense_are_refused(edits: list[Span]) -> None:
    with pytest.raises(ValueError, match=r"overlaps|there is no place"):
        apply_edits("abcd\n", [Edit(each, "x") for each in edits])


@given(edits_of())
def test_what_no_span_covers_stays_as_it_is(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    edited = apply_edits(text, edits)
    ordered = sorted(edits)
    done, rest = 0, 0
    for edit, before, after in zip(ordered, edited.before, edited.after, strict=True):
        assert edited.text[rest : after.start] == text[done : before.start]
        assert edited.text[after.start : after.end] == edit.text
        done, rest = before.end, after.end
    assert edited.text[rest:] == text[done:]


@given(edits_of())
def test_spans_are_those_that_the_reader_counts(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    lines = lines_of(text)
    for edit, before in zip(sorted(edits), apply_edits(text, edits).before, strict=True):
        covered = lines_of("\ufeff" + text[before.start : before.end])
        assert covered == tuple(spanned(lines, edit.span))


@given(texts())
def test_no_edits_change_nothing(text: str) -> None:
    assert apply_edits(text, []).text == text


@given(edits_of())
def test_putting_back_what_was_there_gives_the_same_text(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    done = apply_edits(text, edits)
    parts: list[str] = []
    at = 0
    for before, after in zip(done.before, done.after, strict=True):
        parts += done.text[at : after.start], text[before.start : before.end]
        at = after.end
    assert "".join([*parts, done.text[at:]]) == text


def test_a_place_moves_with_what_is_inserted_before_it() -> None:
    edited = apply_edits("a: b\nc: d\n", [Edit(span(1, 4, 1, 5), "long")])
    assert edited.moved(Range(5, 6)) == Range(8, 9)
    assert edited.moved(Range(3, 4)) == Range(3, 7)
    assert edited.moved(Range(0, 1)) == Range(0, 1)


def test_of_fixes_that_touch_the_first_is_taken() -> None:
    first = Fix("first", (Edit(span(1, 1, 1, 3), ""),))
    touching = Fix("touching", (Edit(span(4, 1, 4, 1), ""), Edit(span(1, 3, 1, 4), "")))
    apart = Fix("apart", (Edit(span(1, 5, 1, 6), ""),))
    assert first_of_overlapping([first, touching, apart]) == [first, apart]
