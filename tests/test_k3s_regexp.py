"""Go's regexp, by its own results and against RE2, from which it was made."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest

from planner.specs.k3s.regexp import PatternError, compile_pattern, references
from tests.support.conformance import Case, cases

# Pieces on whose syntax Go and RE2 agree.
_ATOMS = r"""
a b lib / - _ . \. \d \D \w \W \s \S \b \B \A \z \Z \n \e \x61 \x{62} \x6 \x{110000} \141 \07 \8 \1 \Q.*\E \Qa
[a-z] [^/] [^a-c] [a-z0-9._-] [[:alpha:]] [[:^digit:]] []a] [^]a] [a\]b] [\d-z] [a-] [-a] [z-a] [[:foo:]] [\w-]
[^\W] [+--] \pL \p{Lu} \p{^Lu} \PN \pZ \p{Foo} ^ $ ( (?: (?i) (?i: (?s: (?U) (?-i: (?m) (?P<n> (?<m> (?P<n (?= (?!
(?<! (?# (?x) (?i-s: (?) (?:) (?:a|) () (?P=n) ) | * + ? *? +? ?? ++ {2} {1,} {0,1} {1,2}? {,2} {2,1} {1001} { } ] [
\ \- \/ \_ \cA \k<n> $1 A Z
""".split()
_TEXTS = "a ab aaa a/b/c x.*y A-b_c.d/e library/nginx team1/App rancher/mirrored-pause".split()


@pytest.mark.parametrize("case", cases("k3s_regexp", lambda case: "result" in case))
def test_replacing_gives_what_go_gives(case: Case) -> None:
    result = compile_pattern(case["pattern"]).replace_all(case["input"], case["replacement"])
    assert result == case["result"]


@pytest.mark.parametrize("case", cases("k3s_regexp", lambda case: "compile_error" in case))
def test_what_go_refuses_is_refused_in_its_words(case: Case) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(case["pattern"])
    assert f"error parsing regexp: {caught.value}" == case["compile_error"]


@pytest.mark.skipif(
    (sys.platform, sys.maxsize > 2**32) != ("linux", True), reason="google-re2 has wheels for Linux"
)
@pytest.mark.parametrize("seed", range(8))
def test_patterns_mean_the_same_as_to_re2(seed: int) -> None:
    re2 = pytest.importorskip("re2")
    options = re2.Options()
    options.log_errors = False
    pick = random.Random(seed)
    for _ in range(300):
        pattern = "".join(pick.choices(_ATOMS, k=pick.randint(1, 6)))
        assert _meaning(pattern) == _meaning_to_re2(re2, options, pattern), pattern


def _meaning(pattern: str) -> object:
    try:
        regexp = compile_pattern(pattern)
    except PatternError:
        return None
    return [_found(regexp.pattern.search(text)) for text in ("", *_TEXTS)]


def _meaning_to_re2(re2: Any, options: Any, pattern: str) -> object:
    try:
        regexp = re2.compile(pattern, options)
    except re2.error:
        return None
    return [_found(regexp.search(text)) for text in ("", *_TEXTS)]


def _found(match: Any) -> object:
    return match and (match.span(), match.groups())


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        pytest.param("(.*", "missing closing ): `(.*`", id="open-group"),
        pytest.param("a)", "unexpected ): `a)`", id="closed-group"),
        pytest.param("[a", "missing closing ]: `[a`", id="open-class"),
        pytest.param("*a", "missing argument to repetition operator: `*`", id="nothing-to-repeat"),
        pytest.param("??", "missing argument to repetition operator: `??`", id="lazy-nothing"),
        pytest.param(r"\p{Foo}", r"invalid character class range: `\p{Foo}`", id="unicode-class"),
        pytest.param("a**", "invalid nested repetition operator: `**`", id="double-repeat"),
        pytest.param("a{1001}", "invalid repeat count: `{1001}`", id="count"),
        pytest.param("(?:a{3}){334}", "invalid repeat count: `{334}`", id="nested-count"),
        pytest.param("(?!a)", "invalid or unsupported Perl syntax: `(?!`", id="lookahead"),
        pytest.param("(?P<n", "invalid named capture: `(?P<n`", id="open-name"),
        pytest.param("(?P<a-b>x)y", "invalid named capture: `(?P<a-b>`", id="name"),
        pytest.param(r"(a)\1", r"invalid escape sequence: `\1`", id="back-reference"),
        pytest.param("a\\", "trailing backslash at end of expression: ``", id="backslash"),
        pytest.param(r"\x{110000}", r"invalid escape sequence: `\x{110000}`", id="no-character"),
        pytest.param("[z-a]", "invalid character class range: `z-a`", id="range"),
    ],
)
def test_errors_have_the_words_of_go(pattern: str, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        pytest.param("x/$1", [("x/", "1"), ("", None)], id="number"),
        pytest.param("$1x", [("", "1x"), ("", None)], id="longest-name"),
        pytest.param("${1}x", [("", "1"), ("x", None)], id="braces"),
        pytest.param("$$1", [("$1", None)], id="dollar"),
        pytest.param("a$", [("a$", None)], id="dollar-at-the-end"),
        pytest.param("${a-b}", [("${a-b}", None)], id="malformed"),
        pytest.param(r"\1", [(r"\1", None)], id="backslash-is-literal"),
    ],
)
def test_a_replacement_is_read_as_by_go(template: str, parts: list[tuple[str, str | None]]) -> None:
    assert references(template) == parts


@pytest.mark.parametrize(
    ("name", "known"),
    [
        pytest.param("0", True, id="whole"),
        pytest.param("2", True, id="number"),
        pytest.param("3", False, id="too-high"),
        pytest.param("n", True, id="name"),
        pytest.param("01", False, id="a-name-with-digits"),
    ],
)
def test_groups_are_known_by_number_and_name(name: str, known: bool) -> None:
    assert compile_pattern("(a)(?P<n>b)").has_group(name) is known
