"""Fixes: what they make of real files, that they change nothing else, and that a wrong one is never applied."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from planner.check import Checked, check_text
from planner.config import LintSettings
from planner.core.document import Node, Span
from planner.core.edits import Edit, Fix
from planner.core.errors import InputError
from planner.core.lint import Finding
from planner.core.reader import read
from planner.fix import Fixed, fixed, write_fixed

HERE = Path(__file__).parent
NAMES = {"k3s": "registries.yaml", "kubeone": "kubeone.yaml"}
CLUSTER = "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\nname: a\nversions: {kubernetes: 1.35.2}\n"
REST = "cloudProvider: {none: {}}\ncontrolPlane: {hosts: [{publicAddress: 192.0.2.1}]}\n"


def look(text: str, kind: str = "k3s", **options: Any) -> Checked:
    return check_text(NAMES[kind], text, kind, LintSettings(**options))


def again(checked: Checked, text: str) -> Checked:
    return look(text, checked.kind)


def mend(text: str, kind: str = "k3s", *, unsafe: bool = True) -> Fixed:
    return fixed(look(text, kind), again, unsafe=unsafe)


def lines(text: str) -> list[str]:
    return re.findall("[^\n]*\n|[^\n]+", text)


# Conformance files and examples: real specs, in three ways of writing a file


def corpus() -> Iterator[Any]:
    for kind in NAMES:
        path = HERE / "conformance" / f"{kind}_lint.jsonl"
        for line in path.read_text("utf-8").splitlines():
            case = json.loads(line)
            yield pytest.param(kind, case["yaml"], id=f"{kind}-{case['id']}")
        for file in sorted((HERE.parent / "examples" / kind).rglob("*.yaml")):
            yield pytest.param(kind, file.read_text("utf-8"), id=f"{kind}-{file.name}")


def leaves(node: Any) -> Iterator[str]:
    """The texts of all scalars, as ruamel.yaml reads them."""
    match node:
        case ScalarNode():
            yield node.value
        case SequenceNode():
            for each in node.value:
                yield from leaves(each)
        case MappingNode():
            for pair in node.value:
                for each in pair:
                    yield from leaves(each)
        case _:  # an empty document
            pass


def texts(nodes: Iterable[Node]) -> Iterator[str]:
    """The same as planner reads them, which reads more."""
    for node in nodes:
        yield node.text
        yield from texts(part for entry in node.entries for part in (entry.key, entry.value))
        yield from texts(node.items)


def read_by_others(text: str) -> Counter[str]:
    reader = YAML(typ="rt", pure=True)
    documents = reader.compose_all(StringIO(text)) if hasattr(reader, "compose_all") else None
    found = list(documents) if documents is not None else [reader.compose(StringIO(text))]
    return Counter(leaf for document in found for leaf in leaves(document))


@pytest.mark.parametrize(("kind", "text"), list(corpus()))
def test_fixing_a_real_file_keeps_everything_else(kind: str, text: str) -> None:
    def watched(now: Checked, new: str) -> Checked:
        touched = {
            number
            for finding in now.findings
            for edit in (finding.fix.edits if finding.fix else ())
            for number in range(edit.span.line, edit.span.end_line + (edit.span.end_column > 1))
        }
        kept = [
            line for number, line in enumerate(lines(now.spec.text), 1) if number not in touched
        ]
        following = iter(lines(new))
        assert all(line in following for line in kept)
        return again(now, new)

    for unsafe in (False, True):
        result = fixed(look(text, kind), watched, unsafe=unsafe)
        assert result.problem == ""
        assert bool(result.done) == (result.text != text)
        assert mend(result.text, kind, unsafe=unsafe).text == result.text
        if result.done and len(result.after.spec.documents) == 1:
            before, after = read_by_others(text), read_by_others(result.text)
            assert (before - after).total() <= 2 * result.done
            assert (after - before).total() <= result.done


@pytest.mark.parametrize(("kind", "text"), list(corpus()))
def test_line_ends_and_a_bom_make_no_difference(kind: str, text: str) -> None:
    plain = mend(text, kind).text
    assert mend(text.replace("\n", "\r\n"), kind).text == plain.replace("\n", "\r\n")
    assert mend(f"\ufeff{text}", kind).text == f"\ufeff{plain}"


# What the findings of no family's rule become


@pytest.mark.parametrize(
    ("text", "expected", "safe"),
    [
        pytest.param("mirror: {}", "mirrors: {}", False, id="SCH001"),
        pytest.param('{"mirror":{}}', '{"mirrors":{}}', False, id="SCH001-in-json"),
        pytest.param("mirror: {}\nmirrors: {}", "", False, id="SCH001-name-is-taken"),
        pytest.param("'mirror': {}", "'mirrors': {}", False, id="SCH001-quotes"),
        pytest.param("&a mirror: {}", "", False, id="SCH001-anchor"),
        pytest.param(
            "configs: {a.b: {tls: {insecure_skip_verify: 'true'}}}",
            "configs: {a.b: {tls: {insecure_skip_verify: true}}}",
            False,
            id="SCH003-quoted-boolean",
        ),
        pytest.param(
            "configs: {}  # planner: ignore[K3S001] why", "configs: {}", True, id="SUP001-beside"
        ),
        pytest.param(
            "configs: {}\n# planner: ignore[K3S001]\n", "configs: {}\n", True, id="SUP001-alone"
        ),
        pytest.param(
            "# planner: ignore-file[K3S001]\n# kept\nconfigs: {}",
            "# kept\nconfigs: {}",
            True,
            id="SUP001-file",
        ),
        pytest.param(
            "mirrors:\n  r.corp: {}  # planner: ignore[K3S001, K3S027] no endpoint",
            "mirrors:\n  r.corp: {}  # planner: ignore[K3S027] no endpoint",
            True,
            id="SUP001-one-word",
        ),
        pytest.param(
            "configs: {} # planner: disable[K3S001]\n# planner: enable[K3S001]\n",
            "configs: {}\n",
            True,
            id="SUP001-one-reveals-another",
        ),
    ],
)
def test_what_a_finding_of_no_family_becomes(text: str, expected: str, safe: bool) -> None:
    assert mend(text).text == (expected or text)
    assert mend(text, unsafe=False).text == (expected if safe else text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("caBundle: 12", 'caBundle: "12"', id="number"),
        pytest.param("proxy: {http: on}", 'proxy: {http: "on"}', id="boolean"),
        pytest.param("proxy: {http: true}", "", id="which-text"),
        pytest.param("kubeletConfig: {imageMinimumGCAge: 900}", "", id="still-no-duration"),
        pytest.param("apiEndpoint: {port: '6443'}", "apiEndpoint: {port: 6443}", id="integer"),
        pytest.param("apiEndpoint: {port: '64x'}", "", id="no-integer"),
    ],
)
def test_what_looks_like_another_type_gets_quotes_or_loses_them(line: str, expected: str) -> None:
    text = f"{CLUSTER}{line}\n{REST}"
    assert mend(text, "kubeone").text == text.replace(line, expected or line)


def test_a_version_keeps_its_zero_in_quotes() -> None:
    text = f"{CLUSTER}{REST}".replace("1.35.2", "1.30")
    assert 'kubernetes: "1.30"' in mend(text, "kubeone").text


# What stands where a rule's page does not show it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "mirrors: {quay.io: {endpoint: [a.corp, 'b.corp']}}",
            "mirrors: {quay.io: {endpoint: [https://a.corp, 'https://b.corp']}}",
            id="several-in-a-line",
        ),
        pytest.param(
            "x-a: &e\n  endpoint: [https://a.corp/v2/]\nmirrors: {quay.io: *e, ghcr.io: *e}",
            "x-a: &e\n  endpoint: [https://a.corp/v2]\nmirrors: {quay.io: *e, ghcr.io: *e}",
            id="behind-an-anchor",
        ),
        pytest.param(
            "mirrors:\n  https://quay.io: {endpoint: [https://a.corp]}\n"
            "  quay.io/: {endpoint: [https://a.corp]}\n  https://quay.io/v2: {endpoint: []}\n",
            "mirrors:\n  quay.io: {endpoint: [https://a.corp]}\n"
            "  quay.io/: {endpoint: [https://a.corp]}\n  https://quay.io/v2: {endpoint: []}\n",
            id="two-would-get-one-name",
        ),
        pytest.param(
            "mirrors: {'https://index.docker.io': {endpoint: [https://a.corp]}}",
            "mirrors: {'docker.io': {endpoint: [https://a.corp]}}",
            id="one-after-the-other",
        ),
        pytest.param(
            "mirrors: {quay.io: {endpoint: [https://a.corp, https://a.corp, https://a.corp]}}",
            "mirrors: {quay.io: {endpoint: [https://a.corp]}}",
            id="three-equal-ones",
        ),
        pytest.param(
            "mirrors:\n  quay.io:\n    endpoint:\n    - https://a.corp\n    - https://a.corp  # why\n",
            "",
            id="no-comment-is-lost",
        ),
        pytest.param(
            "configs:\n  a.b:\n    auth:\n      username: u\n      password: !a  # c\n",
            "",
            id="comment-or-password",
        ),
        pytest.param("mirrors: {quay.io: {endpoint: [a.corp]}", "", id="not-yaml"),
        pytest.param("mirror: {}\n{{ if .Values.x }}\nconfigs: {}\n{{ end }}\n", "", id="template"),
    ],
)
def test_fixes_suit_their_surroundings(text: str, expected: str) -> None:
    result = mend(text)
    assert result.problem == ""
    assert result.text == (expected or text)


def test_no_edit_holds_a_secret() -> None:
    checked = look("configs:\n  a.b:\n    auth:\n      username: u\n      password: !geheim\n")
    (fix,) = [each.fix for each in checked.findings if each.fix]
    assert "geheim" not in str(fix)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(r"^a\.b/(.*)", "^a[.]b/(.*)", id="dot"),
        pytest.param(r"^a\-b\/(\d+)", "^a-b/([0-9]+)", id="digit"),
        pytest.param(r"^[a\.]/(.*)", "", id="in-a-class"),
        pytest.param(r"^a\bb/(.*)", "", id="word-boundary"),
        pytest.param(r"^a\\b/(.*)", "", id="backslash"),
    ],
)
def test_a_pattern_is_written_without_backslashes(pattern: str, expected: str) -> None:
    form = "mirrors: {{quay.io: {{endpoint: [https://a.corp], rewrite: {{'{}': 'm/$1'}}}}}}"
    text = form.format(pattern)
    assert mend(text).text == form.format(expected or pattern)


# What is left alone


@pytest.mark.parametrize(
    ("comment", "options"),
    [
        pytest.param("  # planner: ignore[K3S016] known", {}, id="comment"),
        pytest.param("", {"ignore": ("K3S016",)}, id="config"),
        pytest.param("", {"per_file": (("*.yaml", ("K3S016",)),)}, id="per-file"),
    ],
)
def test_what_is_suppressed_is_not_fixed(comment: str, options: Any) -> None:
    text = f"mirrors: {{quay.io: {{endpoint: [a.corp]}}}}{comment}\n"
    result = fixed(
        look(text, **options), lambda checked, new: look(new, checked.kind, **options), unsafe=True
    )
    assert (result.text, result.done, result.left) == (text, 0, 0)


def test_unsafe_fixes_are_counted_when_they_are_not_wanted() -> None:
    result = mend("mirrors: {_default: {endpoint: [a.corp]}}", unsafe=False)
    assert (result.done, result.left) == (1, 1)


# A rule that is wrong


def claim(text: str, span: Span, new: str, *, is_safe: bool = False) -> Fixed:
    """What becomes of a fix that a rule offers for the beginning of the text."""
    fix = Fix("a wrong one", (Edit(span, new),), is_safe)
    finding = Finding(NAMES["k3s"], Span(1, 1, 1, 2), "XYZ001", "wrong", "m", fix=fix)
    return fixed(Checked(read(NAMES["k3s"], text), "k3s", (finding,)), again, unsafe=True)


MIRROR = "mirrors: {quay.io: {endpoint: [https://a.corp]}}\nconfigs: {}\n"


@pytest.mark.parametrize(
    ("new", "span", "is_safe", "why"),
    [
        pytest.param("[", Span(1, 9, 1, 10), False, "the YAML would be worse", id="no-yaml"),
        pytest.param("mirrors", Span(2, 1, 2, 8), False, "the YAML would be worse", id="key-twice"),
        pytest.param("---\n", Span(2, 1, 2, 1), False, "the YAML would be worse", id="documents"),
        pytest.param("#", Span(1, 1, 1, 1), False, "more than the edit", id="comment"),
        pytest.param(" ", Span(2, 1, 2, 1), False, "the YAML would be worse", id="indentation"),
        pytest.param("{a: ", Span(1, 10, 1, 11), False, "the YAML would be worse", id="bracket"),
        pytest.param("https://b.corp", Span(1, 32, 1, 46), True, "the system", id="not-safe"),
    ],
)
def test_a_wrong_fix_is_never_applied(new: str, span: Span, is_safe: bool, why: str) -> None:
    result = claim(MIRROR, span, new, is_safe=is_safe)
    assert result.text == MIRROR
    assert result.done == 0
    assert result.problem.startswith("not fixed: the fix of XYZ001 in line 1 does not hold: ")
    assert why in result.problem


def test_a_fix_that_does_not_help_is_never_applied() -> None:
    def stubborn(checked: Checked, text: str) -> Checked:
        return checked._replace(spec=read(NAMES["k3s"], text))

    fix = Fix("a useless one", (Edit(Span(1, 32, 1, 46), "https://b.corp"),))
    finding = Finding(NAMES["k3s"], Span(1, 32, 1, 46), "XYZ001", "wrong", "m", fix=fix)
    result = fixed(Checked(read("a", MIRROR), "k3s", (finding,)), stubborn, unsafe=True)
    assert (result.text, result.done) == (MIRROR, 0)
    assert "the finding would stay" in result.problem


def test_fixes_that_never_end_are_stopped() -> None:
    def restless(checked: Checked, text: str) -> Checked:
        fix = Fix("one more", (Edit(Span(1, 9, 1, 9), " "),), is_safe=True)
        code = f"XYZ{len(text):03}"
        finding = Finding(NAMES["k3s"], Span(1, 1, 1, 2), code, "restless", "m", fix=fix)
        return Checked(read("a", text), "k3s", (finding,))

    start = restless(look(MIRROR), MIRROR)
    result = fixed(start, restless)
    assert result.done == 10
    assert result.problem == "there is more to fix after 10 passes"


def test_a_file_that_has_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_text("# newer\n")
    checked = check_text(str(file), "mirrors: {a.b: {endpoint: [c.d]}}", "k3s", LintSettings())
    with pytest.raises(InputError, match="it has changed meanwhile"):
        write_fixed([fixed(checked, again)])
    assert file.read_text() == "# newer\n"


WORDS = st.sampled_from(
    ["a", "b: c", "- x", "#", "'", '"', "\n", "\n  ", "{", "]", ",", "&y ", "*y"]
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(MIRROR)), st.integers(0, 12), st.lists(WORDS, max_size=3).map("".join))
def test_what_is_proved_differs_only_where_the_edit_was(at: int, length: int, new: str) -> None:
    """Any edit whatever, claimed as a fix: when it is applied, all other scalars are what they were."""
    end = min(at + length, len(MIRROR))

    def place(offset: int) -> tuple[int, int]:
        before = MIRROR[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    result = claim(MIRROR, Span(*place(at), *place(end)), new)
    if result.done:
        untouched = [
            word
            for word in ("mirrors", "quay.io", "endpoint", "https://a.corp", "configs")
            if MIRROR.index(word) + len(word) < at or MIRROR.index(word) > end
        ]
        assert not Counter(untouched) - Counter(texts(result.after.spec.documents))
