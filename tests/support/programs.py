"""Where the programs are that tests run; ``scripts/obtain-tools`` looks in the same places."""

import os
import shutil
from pathlib import Path

import pytest

_PLACES = ("/usr/sbin", "/sbin", str(Path(__file__).parents[2] / ".tools" / "bin"))
_OTHER_NAMES = {"docker-registry": ("registry",), "chromium": ("google-chrome",)}


def require(name: str) -> Path:
    """Return the path of a program, or end the test.

    A missing program skips the test, and fails it when ``PLANNER_REQUIRE_TOOLS`` is 1.
    """
    for each in (name, *_OTHER_NAMES.get(name, ())):
        if found := shutil.which(each, path=_search_path()):
            return Path(found)
    reason = f"program not found: {name}"
    if os.environ.get("PLANNER_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{reason}; run scripts/obtain-tools", pytrace=False)
    pytest.skip(reason)


def _search_path() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), *_PLACES))
