"""The programs that planner is measured beside, and where they are."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".tools" / "bin"
_FOR_TESTS = ROOT / ".tools" / "go"


def find(*names: str) -> str:
    """The first of some programs that is there: in ``.tools``, on PATH, in /usr/sbin. Empty when none is."""
    path = os.pathsep.join(
        (str(_FOR_TESTS), str(BIN), os.environ.get("PATH", os.defpath), "/usr/sbin")
    )
    return next((found for name in names if (found := shutil.which(name, path=path))), "")


def obtain(module: str, *names: str) -> str:
    """As ``find``; what is missing is built into ``.tools/bin`` where there is Go. Empty when that cannot be done."""
    if not find(*names) and (go := find("go") or shutil.which("/usr/local/go/bin/go")):
        environment = {**os.environ, "GOBIN": str(BIN)}
        subprocess.run([go, "install", module], env=environment, check=False)
    return find(*names)
