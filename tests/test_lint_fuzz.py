"""Lint of damaged specs: whatever a file holds, lint ends, breaks nothing, and points into the file.

``PLANNER_FUZZ`` is how many are made (``make fuzz``: many). A seed that fails is run alone with ``-k``; a lint that does not
end is ended by pytest's faulthandler, which shows where it was.
"""

import json
import os
import random
import string
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from planner.check import check_text
from planner.config import LintSettings
from planner.core.document import Span
from planner.core.edits import lines_of
from planner.core.fingerprint import fingerprint
from planner.ui.findings import writer_of
from planner.ui.style import Style

MANY = int(os.environ.get("PLANNER_FUZZ", "20000"))
PER_SEED = 200
CASES = sorted((Path(__file__).parent / "conformance").glob("*_lint.jsonl"))
ODD = (
    *("", "~", "null", "yes", "0o17", "-1", "1e400", ".nan", "2001-01-01", "'", '"', "|", ">", "%", "@", "`"),
    *("{", "}", "[", "]", "[]", "{}", "- ", "? ", ": ", "&a ", "*a", "!!binary ", "!x ", "<<: *a", "---\n", "...\n"),
    *("# planner: ignore[K3S]", "# planner: disable[KUB001]", "# planner: ignore", "# planner: kind=k3s"),
    *("{{ .Values.x }}", "${X}", "\t", "\r", "\r\n", "\x85", "\u2028", "\ufeff", "\0", "\x1b[31m", "\u202e"),
    *("é", "漢", "😀", "e\u0301", "\ud7ff", "\uffff", "://", "http://[::1", "a" * 300, "9" * 80, "%zz", "$1", "\\1"),
)  # fmt: skip


class Sample(NamedTuple):
    """A text that is linted as a file of this name, as the kind that its case is of or as whatever it looks like."""

    kind: str
    name: str
    text: str


Mutation = Callable[[random.Random, str], str]


def a_character_goes(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + 1 :]


def a_stretch_goes(chance: random.Random, text: str) -> str:
    first, last = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return text[:first] + text[last:]


def the_end_is_missing(chance: random.Random, text: str) -> str:
    return text[: chance.randrange(len(text) + 1)]


def something_odd_comes_in(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(ODD) + text[at:]


def a_character_is_another(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(string.printable) + text[at + 1 :]


def a_line_stands_twice(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    line = chance.choice(lines)
    lines.insert(chance.randrange(len(lines) + 1), line)
    return "".join(lines)


def lines_change_places(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    one, other = (chance.randrange(len(lines)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return "".join(lines)


def a_line_moves_in_or_out(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((f"  {lines[at]}", lines[at].lstrip(), f"- {lines[at]}"))
    return "".join(lines)


def a_value_is_of_another_type(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = chance.randrange(len(lines))
    key, colon, _ = lines[at].partition(":")
    lines[at] = f"{key}{colon} {chance.choice(ODD)}\n"
    return "".join(lines)


def a_value_is_an_alias(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    one, other = sorted(chance.randrange(len(lines)) for _ in range(2))
    lines[one] = lines[one].replace(":", ": &a", 1)
    lines[other] = f"{lines[other].partition(':')[0]}: *a\n"
    return "".join(lines)


def something_is_nested_deep(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    depth = chance.choice((3, 50, 150, 250, 3000))
    mark = chance.choice(("[", "{a: ", "- "))
    return text[:at] + mark * depth + text[at:]


MUTATIONS: tuple[Mutation, ...] = (
    a_character_goes,
    a_stretch_goes,
    the_end_is_missing,
    something_odd_comes_in,
    a_character_is_another,
    a_line_stands_twice,
    lines_change_places,
    a_line_moves_in_or_out,
    a_value_is_of_another_type,
    a_value_is_an_alias,
    something_is_nested_deep,
)
NAMES = {"k3s": "registries.yaml", "kubeone": "kubeone.yaml"}


@cache
def originals() -> tuple[Sample, ...]:
    return tuple(
        Sample(kind, NAMES.get(kind, "spec.yaml"), json.loads(line)["yaml"])
        for path in CASES
        for kind in [path.name.partition("_")[0]]
        for line in path.read_text("utf-8").splitlines()
    )


def damaged(seed: int) -> Iterator[Sample]:
    """The samples of a seed: the same ones in every run."""
    chance = random.Random(seed)
    for _ in range(PER_SEED):
        sample = chance.choice(originals())
        text = sample.text
        for mutate in chance.choices(MUTATIONS, k=chance.randint(1, 3)):
            text = mutate(chance, text)
        yield sample._replace(text=text, kind=sample.kind if chance.random() < 0.8 else "")


@pytest.mark.parametrize("seed", range(max(1, MANY // PER_SEED)))
def test_a_damaged_spec_is_linted(seed: int) -> None:
    for sample in damaged(seed):
        try:
            points_into_the_file(sample)
        except Exception as error:
            raise AssertionError(f"lint as {sample.kind or 'any kind'}: {sample.text!r}") from error


def points_into_the_file(sample: Sample) -> None:
    checked = check_text(sample.name, sample.text, sample.kind, LintSettings())
    lines = lines_of(sample.text)
    for finding in checked.findings:
        assert finding.message
        assert fingerprint(finding)
        assert_inside(finding.span, lines, finding.code)
        for related in finding.related:
            assert_inside(related.span, lines, finding.code)
        for edit in finding.fix.edits if finding.fix else ():
            assert_inside(edit.span, lines, finding.code)
    for form in ("text", "json"):
        assert writer_of(form)([checked], Style())


def assert_inside(span: Span, lines: tuple[str, ...], code: str) -> None:
    start, end = span[:2], span[2:]
    assert (1, 1) <= start <= end, (code, span)
    for line, column in (start, end):
        assert line <= len(lines), (code, span)
        assert 1 <= column <= len(lines[line - 1]) + 1, (code, span)
