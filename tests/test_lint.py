"""Findings of the structural layer, and how rules' hits become findings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from planner.config import config_findings
from planner.core.document import Spec
from planner.core.lint import (
    BUILT_IN,
    Finding,
    Hit,
    Layer,
    Rule,
    Severity,
    Structure,
    lint,
    rule,
    yaml_only,
)
from planner.core.reader import read
from planner.specs.k3s import FAMILY

_CONFIG = "configs:\n  r.corp:\n    tls: "
_MIRROR = "mirrors:\n  quay.io:\n    endpoint: "


def _lint(text: str, *rules: Rule) -> list[Finding]:
    spec = read("registries.yaml", text)
    return lint(spec, FAMILY.layers(spec), rules)


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        pytest.param("mirrors: [\n", "YAM001", (1, 11, 1, 11), id="syntax-at-the-end"),
        pytest.param("configs: {a: , a: }\n", "YAM002", (1, 16, 1, 17), id="duplicate"),
        pytest.param("[" * 999, "YAM003", (1, 201, 1, 202), id="too-deep"),
        pytest.param("mirror: {}\n", "SCH001", (1, 1, 1, 7), id="unknown-key"),
        pytest.param("- a\n", "SCH003", (1, 1, 1, 4), id="root-is-a-list"),
        pytest.param("mirrors: 5\n", "SCH003", (1, 10, 1, 11), id="scalar-points-at-itself"),
        pytest.param("mirrors:\n- a\n", "SCH003", (1, 1, 1, 8), id="collection-points-at-its-key"),
        pytest.param(f"{_MIRROR}'x'\n", "SCH003", (3, 15, 3, 18), id="with-quotes"),
        pytest.param(f"{_MIRROR}[[x]]\n", "SCH003", (3, 16, 3, 19), id="item"),
    ],
)
def test_a_mistake_is_found_where_it_stands(
    text: str, code: str, span: tuple[int, int, int, int]
) -> None:
    (finding,) = _lint(text)
    assert finding.code == code
    assert finding.name == BUILT_IN[code][0]
    assert finding.span == span


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "mirror: {}",
            "unknown key 'mirror': K3s drops it without a message",
            "did you mean 'mirrors'?",
            id="near",
        ),
        pytest.param(
            "registries: {}",
            "unknown key 'registries': K3s drops it without a message",
            "known here: mirrors, configs, auths",
            id="far",
        ),
        pytest.param(
            f"{_CONFIG}{{insecureSkipVerify: true}}",
            "unknown key 'insecureSkipVerify': K3s drops it without a message",
            "did you mean 'insecure_skip_verify'?",
            id="other-spelling",
        ),
    ],
)
def test_an_unknown_key_has_a_suggestion(text: str, message: str, hint: str) -> None:
    (finding,) = _lint(text)
    assert (finding.message, finding.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("mirrors: a", "a mapping, got the string 'a'", id="string"),
        pytest.param("mirrors: 5", "a mapping, got the number '5'", id="number"),
        pytest.param("mirrors: yes", "a mapping, got the boolean 'yes'", id="boolean"),
        pytest.param("mirrors: []", "a mapping, got a list", id="list"),
        pytest.param(f"{_MIRROR}{{}}", "a list, got a mapping", id="mapping"),
        pytest.param(f"{_CONFIG}{{insecure_skip_verify: '1'}}", "a boolean, got", id="scalar"),
        pytest.param("configs: {a: {auth: p}}", "a mapping, got a single value", id="secret"),
    ],
)
def test_a_wrong_type_says_what_was_expected_and_what_is_there(text: str, expected: str) -> None:
    (finding,) = _lint(text)
    assert finding.message.startswith(f"expected {expected}")
    assert finding.message.endswith("K3s cannot decode the file, and the agent does not start")


def test_each_stray_key_is_a_finding_of_its_own() -> None:
    found = _lint("mirror: {}\nx-note: 1\nconfig: {}\n")
    assert [each.span[:2] for each in found] == [(1, 1), (3, 1)]
    assert [each.path for each in found] == [("mirror",), ("config",)]


def test_an_equal_key_names_the_first_one() -> None:
    (finding,) = _lint("configs:\n  a: {}\n  a: {}\n")
    assert finding.severity is Severity.ERROR
    assert [each.span[:2] for each in finding.related] == [(2, 3)]
    assert finding.message.endswith("drops the first without a message")


def test_an_equal_key_that_the_system_merges_is_a_warning() -> None:
    (finding,) = _lint("mirrors: {}\nmirrors: {}\n")
    assert finding.severity is Severity.WARNING
    assert finding.message.endswith("both values are taken together")


@pytest.mark.parametrize(("count", "lines"), [(1, [1]), (2, [1, 3])])
def test_documents_are_checked_as_far_as_the_system_reads(count: int, lines: list[int]) -> None:
    spec = read("registries.yaml", "mirror: 1\n---\nconfig: 2\n")
    structure = FAMILY.layers(spec)[0].structure
    found = lint(spec, [Layer(each, structure) for each in spec.documents[:count]], ())
    assert [each.span.line for each in found] == lines


def test_what_stands_before_a_syntax_error_is_checked() -> None:
    assert [each.code for each in _lint("mirror: 1\n---\nconfigs: [\n")] == ["SCH001", "YAM001"]


def test_an_empty_file_has_no_findings() -> None:
    assert _lint("# nothing\n") == []


def test_a_file_of_no_family_is_read_as_yaml_only() -> None:
    spec = read("x.yaml", "a: 1\na: 2\n---\nb: [\n")
    assert [each.code for each in yaml_only(spec)] == ["YAM002", "YAM001"]


def _rule(check: Callable[[Spec], Iterator[Hit]]) -> Rule:
    return rule("TST001", Severity.WARNING)(check)


def mirrors_found(spec: Spec) -> Iterator[Hit]:
    """There are mirrors.

    More.

    Bad:
        mirrors:  # <- TST001

    Good:
        {}
    """
    mirrors = spec.root.get("mirrors")
    yield Hit(mirrors, "value", "do this", related=((spec.root, "all"),))
    yield Hit(mirrors, "key", on_key=True, severity=Severity.ERROR)


def test_a_rule_takes_name_and_page_from_its_function() -> None:
    made = _rule(mirrors_found)
    assert (made.code, made.name, made.title) == ("TST001", "mirrors_found", "There are mirrors")
    assert made.section("Bad") == "mirrors:  # <- TST001\n"
    assert made.section("Good") == "{}\n"
    assert made.section("Source") == ""


def test_a_hit_points_at_the_value_or_at_the_key() -> None:
    key, value = _lint("mirrors:", _rule(mirrors_found))
    assert (key.span, key.message, key.severity) == ((1, 1, 1, 8), "key", Severity.ERROR)
    assert (value.span, value.message, value.hint) == ((1, 9, 1, 9), "value", "do this")
    assert value.severity is Severity.WARNING
    assert value.related[0].message == "all"


def test_findings_stand_in_the_order_of_the_text_and_once() -> None:
    made = _rule(mirrors_found)
    found = _lint("mirrors: 5\nconfig: 1\n", made, made)
    assert found == sorted(found)
    assert [each.code for each in found] == ["TST001", "SCH003", "TST001", "SCH001"]


_CLUSTER = "version: 1\nclusters: [{name: a, spec: b, kind: "
_LIMIT = "version: 1\nregistries: {r.corp: {parallelism: "


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        pytest.param("lint:\n", "SCH002", "the key 'version' is missing", id="missing"),
        pytest.param("version: 2", "SCH004", "expected 1, got the number '2'", id="const"),
        pytest.param(f"{_CLUSTER}k3}}]", "SCH004", "'k3' is not accepted: did you", id="enum-near"),
        pytest.param(f"{_CLUSTER}x}}]", "SCH004", "'x' is not accepted: one of", id="enum-far"),
        pytest.param(f"{_LIMIT}0}}}}", "SCH004", "0 is below 1", id="minimum"),
        pytest.param(f"{_LIMIT}999}}}}", "SCH004", "999 is above 256", id="maximum"),
        pytest.param(
            "version: 1\nclusters: [{name: '', spec: b}]", "SCH004", "not be empty", id="empty"
        ),
    ],
)
def test_values_are_checked(text: str, code: str, message: str) -> None:
    (finding,) = config_findings(read("planner.yaml", text))
    assert finding.code == code
    assert message in finding.message


@pytest.mark.parametrize(
    ("keyword", "limit", "value"),
    [
        pytest.param("pattern", "^$", "hunter2", id="pattern"),
        pytest.param("enum", ["hunter3"], "hunter2", id="enum"),
        pytest.param("const", "", "hunter2", id="const"),
        pytest.param("minimum", 9, "2", id="minimum"),
        pytest.param("maximum", 1, "2", id="maximum"),
        pytest.param("type", "boolean", "hunter2", id="type"),
    ],
)
def test_no_message_shows_what_may_be_a_password(
    keyword: str, limit: object, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.core.schema.folder", lambda: tmp_path)
    secret = {"title": "Password", "writeOnly": True, keyword: limit}
    schema = {"type": "object", "properties": {"a": secret}}
    (tmp_path / f"secret-{keyword}.json").write_text(json.dumps(schema), "utf-8")
    spec = read("f.yaml", f"a: {value}\n")
    structure = Structure(f"secret-{keyword}", "", "refused", "")
    (found,) = lint(spec, [Layer(spec.root, structure)], ())
    assert found.code in ("SCH003", "SCH004")
    assert value not in found.message


def test_every_missing_key_is_named_at_the_first_line() -> None:
    found = config_findings(read("planner.yaml", "version: 1\nclusters:\n  - kind: k3s\n"))
    assert [each.message for each in found] == [
        "the key 'name' is missing",
        "the key 'spec' is missing",
    ]
    assert {each.span.line for each in found} == {3}
