"""``planner render SPEC``.

The containerd configuration that the system generates from the spec on each node.

Examples:
  planner render registries.yaml
  planner render registries.yaml -o out    # out/certs.d/docker.io/hosts.toml …
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from planner.core.errors import DONE, InputError
from planner.core.text import plural
from planner.needs import load_spec
from planner.specs import NAMES
from planner.ui.options import add_node_arguments, flags_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("spec", metavar="SPEC", help="the spec file")
    parser.add_argument("--kind", default="", help=f"what the spec is: {', '.join(NAMES)}")
    parser.add_argument("-o", "--output", default="", metavar="DIR", help="write files below DIR")
    parser.add_argument(
        "--for",
        dest="what",
        default="containerd-hosts",
        choices=["containerd-hosts"],
        help="which files (default: containerd-hosts)",
    )
    add_node_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print or write the files."""
    spec, family = load_spec(options.spec, options.kind)
    files = family.images().render(spec, flags_from(options))
    if options.output:
        _write(files, Path(options.output))
        sys.stdout.write(f"{plural(len(files), 'file')} written below {options.output}\n")
        return DONE
    for name, text in files.items():
        sys.stdout.write(f"# {name}\n{text}\n")
    if not files:
        sys.stderr.write("the spec makes no file: nodes ask each registry itself\n")
    return DONE


def _write(files: Mapping[str, str], folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        # Names come from the spec: none of them may lead out of the folder.
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"{name}: this name leads out of the folder", "planner lint shows the key"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            message = f"{path}: cannot be written: {error.strerror or error}"
            raise InputError(message, "check the folder and its permissions") from error
