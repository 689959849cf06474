"""Every rule's page is its test: title, source, and a Bad and a Good block that hold."""

from __future__ import annotations

import re

import pytest

from planner.core.document import Spec
from planner.core.edits import apply_edits, first_of_overlapping
from planner.core.family import Family
from planner.core.lint import BUILT_IN, Finding, Peer, Rule, lint
from planner.core.reader import read
from planner.specs import families

# What a file of the family is called, unless its first line says "# file: NAME".
_FILES = {"k3s": "registries.yaml", "palette": "values.yaml"}
_RULES = [
    pytest.param(family, each, id=f"{each.code}-{each.name}")
    for family in families()
    for each in family.rules
]
_CODES = [each.code for family in families() for each in family.rules]
_NAMES = [each.name for family in families() for each in family.rules]


def _specs(family: Family, text: str) -> list[Spec]:
    """The spec of an example, and those beside it: each but the first begins with the line ``# file: NAME``."""
    first, *others = re.split(r"(?<=\n)(?=# file: )", text)
    return [_named(family, first), *(_named(family, other) for other in others)]


def _named(family: Family, text: str) -> Spec:
    named = re.match(r"# file: (\S+)\n", text)
    return read(named[1] if named else _FILES.get(family.name, f"{family.name}.yaml"), text)


def _found(family: Family, text: str) -> list[Finding]:
    spec, *others = _specs(family, text)
    peers = [Peer(family.name, other) for other in others]
    return lint(spec, family.layers(spec), family.rules, peers)


def _marked(text: str, code: str) -> list[int]:
    pattern = re.compile(rf"#.*<- .*\b{code}\b")
    return [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def _lines(family: Family, each: Rule, text: str) -> list[int]:
    found = _found(family, text)
    return [finding.span.line for finding in found if finding.code == each.code]


@pytest.mark.parametrize(("family", "each"), _RULES)
def test_a_rule_has_a_page(family: Family, each: Rule) -> None:
    assert each.title
    assert "\n\n" in each.doc
    assert "Source:" in each.doc


@pytest.mark.parametrize(("family", "each"), _RULES)
def test_a_rule_finds_exactly_the_marked_lines_of_its_bad_example(
    family: Family, each: Rule
) -> None:
    bad = each.section("Bad")
    expected = _marked(bad, each.code)
    assert expected
    assert _lines(family, each, bad) == expected


@pytest.mark.parametrize(("family", "each"), _RULES)
def test_a_rule_finds_nothing_in_its_good_example(family: Family, each: Rule) -> None:
    good = each.section("Good")
    assert good
    assert not any(spec.problems for spec in _specs(family, good))
    assert _lines(family, each, good) == []


@pytest.mark.parametrize(("family", "each"), _RULES)
def test_messages_follow_the_house_style(family: Family, each: Rule) -> None:
    found = _found(family, each.section("Bad"))
    for finding in found:
        assert finding.message
        assert not finding.message.endswith(".")
        assert "\n" not in finding.message + finding.hint


def _unmarked(text: str) -> str:
    """An example without the remarks of this test."""
    return re.sub(r" *# <- .*", "", text)


def _mended(family: Family, each: Rule, text: str) -> str:
    """The text after all fixes of the rule, as often as there is one."""
    for _ in range(10):
        found = [finding for finding in _found(family, text) if finding.code == each.code]
        fixes = first_of_overlapping([finding.fix for finding in found if finding.fix])
        if not fixes:
            return text
        text = apply_edits(text, (edit for fix in fixes for edit in fix.edits)).text
    pytest.fail("the fixes come to no end")


@pytest.mark.parametrize(("family", "each"), _RULES)
def test_a_rule_makes_of_its_bad_example_what_its_page_shows(family: Family, each: Rule) -> None:
    bad = _unmarked(each.section("Bad"))
    mended = _mended(family, each, bad)
    if each.section("Fixed"):
        assert mended == each.section("Fixed")
    elif mended != bad:
        assert len(_lines(family, each, mended)) < len(_lines(family, each, bad))
    assert _mended(family, each, mended) == mended


@pytest.mark.parametrize(("family", "each"), _RULES)
def test_a_rule_has_nothing_to_fix_in_its_good_example(family: Family, each: Rule) -> None:
    good = each.section("Good")
    assert _mended(family, each, good) == good


def test_codes_are_unique() -> None:
    assert len({*_CODES, *BUILT_IN}) == len(_CODES) + len(BUILT_IN)


def test_names_are_unique() -> None:
    names = [*_NAMES, *(name for name, _ in BUILT_IN.values())]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_codes_stand_in_order_and_share_their_letters(family: Family) -> None:
    codes = [each.code for each in family.rules]
    assert codes == sorted(codes)
    assert len({code[:3] for code in codes}) == 1
    assert all(re.fullmatch(r"[A-Z0-9]{3}[0-9]{3}", code) for code in codes)
