"""The cases in ``tests/conformance``: one JSON object per line, each with an ``id``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

_FOLDER = Path(__file__).parent.parent / "conformance"

Case = dict[str, Any]


def cases(name: str, wanted: Callable[[Case], bool] = lambda _: True) -> list[ParameterSet]:
    """The cases of ``<name>.jsonl`` as parameters."""
    lines = (_FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [pytest.param(case, id=case["id"]) for case in map(json.loads, lines) if wanted(case)]
