"""``planner schema [KIND]``.

Editors use these schemas for completion and help. Without KIND, the kinds are listed.
"""

from __future__ import annotations

import argparse
import sys

from planner.core.errors import DONE, UsageError
from planner.core.schema import folder
from planner.core.text import closest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "kind", nargs="?", default="", metavar="KIND", help="k3s, kubeone, planner, …"
    )


def run(options: argparse.Namespace) -> int:
    """Print one schema, or the list."""
    root = folder()
    files = {
        path.relative_to(root).with_suffix("").as_posix(): path for path in root.rglob("*.json")
    }
    if not options.kind:
        sys.stdout.write("".join(f"{name}\n" for name in sorted(files)))
        return DONE
    matching = [name for name in sorted(files) if options.kind in (name, *name.split("/"))]
    if not matching:
        near = closest(options.kind, files)
        hint = f"did you mean {near}?" if near else f"one of {', '.join(sorted(files))}"
        raise UsageError(f"there is no schema {options.kind!r}", hint)
    sys.stdout.write(files[matching[0]].read_text("utf-8"))
    return DONE
