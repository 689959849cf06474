"""Findings as people and programs read them: one module for each format, imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import cast

from planner.check import Checked
from planner.ui.style import Style

Writer = Callable[[Sequence[Checked], Style], str]

# The modules that hold ``write``. They are not named like the formats where that would hide one of Python's.
_MODULES = {
    "text": "excerpts",
    "concise": "concise",
    "json": "document",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "junit": "junit",
    "markdown": "markdown",
}
FORMATS = tuple(_MODULES)
FOR_PEOPLE = frozenset({"text", "concise"})


def writer_of(form: str) -> Writer:
    """The function that writes one of ``FORMATS``."""
    return cast("Writer", import_module(f"{__name__}.{_MODULES[form]}").write)
