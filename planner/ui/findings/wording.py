"""Texts of findings without anything that could steer a terminal, a log or an XML parser."""

from __future__ import annotations

from planner.core.lint import Finding
from planner.core.text import printable


def one_line(text: str) -> str:
    r"""``text`` with everything unprintable made visible, line breaks as ``\n``."""
    return printable(text).replace("\n", "\\n")


def with_hint(finding: Finding) -> str:
    """What is wrong, and on the next line what to do, if that is known."""
    return "\n".join(printable(text) for text in (finding.message, finding.hint) if text)
