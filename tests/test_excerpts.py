"""Lines of specs as they are shown beside findings."""

from __future__ import annotations

import pytest

from planner.check import Checked
from planner.core.document import Span
from planner.core.lint import Finding, Related
from planner.core.reader import read
from planner.ui.findings.excerpts import write
from planner.ui.style import Style


def _text(source: str, related: tuple[Related, ...] = (), line: int = 1) -> str:
    finding = Finding("a.yaml", Span(line, 1, line, 2), "X", "x", "wrong", related=related)
    return write([Checked(read("a.yaml", source), "k3s", (finding,))], Style())


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param("  password: hunter2", "  password: •••", id="plain"),
        pytest.param('  "PASSWORD": "hunter2"', '  "PASSWORD": •••', id="quoted"),
        pytest.param("\tpassword: hunter2", "\tpassword: •••", id="tab"),
        pytest.param("{a: {auth: {x: hunter2}}}", "{a: {auth: •••", id="flow"),
        pytest.param(".dockerconfigjson: hunter2", ".dockerconfigjson: •••", id="docker"),
        pytest.param("licenseToken: hunter2", "licenseToken: •••", id="end-of-the-key"),
        pytest.param("url: https://u:hunter2@h/x", "url: https://•••••••••@h/x", id="in-a-url"),
        pytest.param("  password: |", "  password: |", id="block"),
        pytest.param("  token:  # from vault", "  token:  # from vault", id="empty"),
        pytest.param("authenticate: true", "authenticate: true", id="another-key"),
        pytest.param("auths: {}", "auths: {}", id="plural"),
    ],
)
def test_secrets_are_masked(line: str, shown: str) -> None:
    text = _text(line + "\n")
    assert f"    1 | {shown}\n" in text
    assert "hunter2" not in text


def test_a_related_place_in_another_file_has_no_line_of_this_one() -> None:
    elsewhere = Related("b.yaml", Span(2, 1, 2, 2), "the other one")
    text = _text("first: 1\nsecond: 2\n", (elsewhere,))
    assert "b.yaml:2:1 the other one" in text
    assert "second" not in text


def test_a_related_place_in_the_same_file_is_shown() -> None:
    here = Related("a.yaml", Span(2, 1, 2, 2), "the other one")
    assert "second" in _text("first: 1\nsecond: 2\n", (here,))
