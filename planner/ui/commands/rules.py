"""``planner rules [WORD ...]``.

The rules by what they are about, each with its severity and what it finds. A WORD
chooses some: a family (k3s, eksa, kubeone, palette), a code or the beginning of
codes, or a part of a name. planner explain CODE shows the page of one.

Examples:
  planner rules
  planner rules k3s
  planner rules EKS06 mirror
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from planner.check import rules
from planner.core.errors import DONE, UsageError
from planner.core.lint import BUILT_IN, Severity, built_in_severity
from planner.core.text import closest, plural
from planner.specs import families
from planner.ui.paragraphs import wrapped
from planner.ui.style import Style, style_for

_TOPICS = {
    "YAM": "Files as such",
    "SCH": "The structure of specs, by their schemas",
    "SUP": "Comments and baselines that suppress findings",
    "CFG": "planner.yaml",
    "ACR": "Specs compared with each other",
}
_INDENT = " " * 8


class Row(NamedTuple):
    """One rule, and the family it belongs to; empty for none."""

    code: str
    severity: Severity
    name: str
    title: str
    family: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="a family, a beginning of codes, a part of a name"
    )
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    rows = _chosen(list(_rows()), options.words)
    if options.format == "json":
        sys.stdout.write(json.dumps([row._asdict() for row in rows], indent=1) + "\n")
    else:
        sys.stdout.write(_text(rows, style_for(sys.stdout)))
    return DONE


def _rows() -> Iterator[Row]:
    for code, (name, sentence) in BUILT_IN.items():
        yield Row(code, built_in_severity(code), name, sentence.rstrip("."))
    owners = {rule.code: family.name for family in families() for rule in family.rules}
    for rule in rules():
        yield Row(rule.code, rule.severity, rule.name, rule.title, owners.get(rule.code, ""))


def _chosen(rows: Sequence[Row], words: Sequence[str]) -> Sequence[Row]:
    """The rows that any of the words stands for; all of them without words."""
    meant: set[str] = set()
    for word in words:
        if not (found := _codes_of(rows, word)):
            known = [each for row in rows for each in (row.code, row.name, row.family) if each]
            near = closest(word, known)
            hint = f"did you mean {near}?" if near else "planner rules, without words, lists all"
            raise UsageError(f"no rule has to do with {word!r}", hint)
        meant.update(found)
    return [row for row in rows if not words or row.code in meant]


def _codes_of(rows: Sequence[Row], word: str) -> frozenset[str]:
    """What a word stands for: a family, or else the beginning of codes, or else a part of names."""
    ways: tuple[Callable[[Row], bool], ...] = (
        lambda row: row.family == word,
        lambda row: row.code.startswith(word.upper()),
        lambda row: word.lower() in row.name,
    )
    found = (frozenset(row.code for row in rows if is_meant(row)) for is_meant in ways if word)
    return next(filter(None, found), frozenset())


def _text(rows: Sequence[Row], style: Style) -> str:
    titles = {family.name: family.title for family in families()}
    blocks = []
    for topic, group in groupby(rows, lambda row: titles.get(row.family) or _TOPICS[row.code[:3]]):
        found = list(group)
        head = style.paint(f"{topic} ({plural(len(found), 'rule')})", "bold")
        blocks.append("".join([f"{head}\n", *(_entry(row, style) for row in found)]))
    return "\n".join(blocks)


def _entry(row: Row, style: Style) -> str:
    width = (style.width or 80) - len(_INDENT)
    title = wrapped(row.title.replace("``", "`"), width).replace("\n", f"\n{_INDENT}")
    return f"{row.code}  {row.severity:7}  {row.name}\n{_INDENT}{title}\n"
