"""``planner schema [KIND]``, ``planner schema --modeline FILE``.

Editors use these schemas for completion and help. Without KIND, they are listed. KIND
is one of the list, or a part of its name: k3s, values, lint. A family with a schema for
each Kubernetes kind, eksa, is printed as one, which looks at the kind of a document.

--modeline tells editors the schema of a spec, in a comment that the spec begins with:
the packaged schema, on this machine; with -o SCHEMA, a copy that can be kept with
the spec. Nothing else in FILE changes, and nothing at all the second time.

Examples:
  planner schema
  planner schema kubeone
  planner schema eksa -o eksa.json
  planner schema --modeline clusters/prod/kubeone.yaml
  planner schema --modeline clusters/edge/registries.yaml -o schemas/k3s.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.config import load_config
from planner.core.errors import DONE, InputError, UsageError
from planner.core.reader import read
from planner.core.schema import folder, load
from planner.core.text import closest
from planner.discovery import Project
from planner.files import read_text, write_whole
from planner.specs import family_named
from planner.ui.modeline import modeline, reference_to, with_modeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "kind",
        nargs="?",
        default="",
        metavar="KIND",
        help="which schema: k3s, kubeone, eksa, planner, …",
    )
    parser.add_argument(
        "--modeline", default="", metavar="FILE", help="write a modeline into this spec"
    )
    parser.add_argument(
        "-o", "--output", default="", metavar="SCHEMA", help="write the schema into this file"
    )


def run(options: argparse.Namespace) -> int:
    """Print one schema, or the list; or write a modeline."""
    if options.modeline:
        return _write_modeline(options.modeline, options.kind, options.output)
    if not options.kind:
        if options.output:
            raise UsageError(
                "-o names a file, and nothing says for what", "planner schema KIND -o FILE"
            )
        sys.stdout.write(_listed())
        return DONE
    text = _text(options.kind, _matching(options.kind))
    if options.output:
        write_whole(options.output, text.encode())
    else:
        sys.stdout.write(text)
    return DONE


def _files() -> Mapping[str, Path]:
    root = folder()
    return {
        path.relative_to(root).with_suffix("").as_posix(): path for path in root.rglob("*.json")
    }


def _listed() -> str:
    """Each name with what it describes, in columns."""
    titles = {name: load(name)["title"] for name in sorted(_files())}
    width = max(map(len, titles))
    return "".join(f"{name:{width}}  {title}\n" for name, title in titles.items())


def _matching(kind: str) -> list[str]:
    files = _files()
    matching = [name for name in sorted(files) if kind in (name, *name.split("/"))]
    if not matching:
        near = closest(kind, sorted({part for name in files for part in (name, *name.split("/"))}))
        hint = f"did you mean {near}?" if near else "planner schema lists them"
        raise UsageError(f"there is no schema {kind!r}", hint)
    return matching


def _text(kind: str, names: Sequence[str]) -> str:
    """The schema, or one for each Kubernetes kind as one."""
    if len(names) == 1:
        return _files()[names[0]].read_text("utf-8")
    if not _are_by_kind(names):
        message = f"{kind!r} stands for {len(names)} schemas"
        raise UsageError(message, f"one of {', '.join(names)}")
    return json.dumps(_by_kind(kind, [load(name) for name in names]), indent=2) + "\n"


def _are_by_kind(names: Sequence[str]) -> bool:
    return all("kind" in load(name).get("properties", ()) for name in names)


def _write_modeline(file: str, kind: str, output: str) -> int:
    text = read_text(Path(file))
    kind, names = _schemas_of(file, text, kind)
    if output:
        write_whole(output, _text(kind, names).encode())
        schema = Path(output)
    elif len(names) == 1:
        schema = _files()[names[0]]
    else:
        raise UsageError(
            f"the schema of {kind} is made of several", "name a file for it: -o SCHEMA"
        )
    reference = reference_to(schema, file, is_beside=bool(output))
    changed = with_modeline(text, reference)
    if changed != text:
        write_whole(file, changed.encode())
    sys.stdout.write(f"{modeline(reference)}\n")
    return DONE


def _schemas_of(file: str, text: str, kind: str) -> tuple[str, list[str]]:
    """The kind of a spec, and the names of the schemas for it."""
    if file.endswith((".json", ".toml")):
        raise UsageError(
            f"{file} has no such comments", "name its schema in your editor's settings"
        )
    spec, config = read(file, text), load_config()
    kind = kind or Project(config.lint, config.clusters).kind(spec)
    if not kind:
        raise InputError(
            f"{file}: not a spec that planner knows",
            "say what it is: planner schema KIND --modeline FILE",
        )
    names, family = _matching(kind), family_named(kind)
    if len(names) > 1 and family and not _are_by_kind(names):
        names = [layer.structure.schema for layer in family.layers(spec)][:1]
    return kind, names


def _by_kind(name: str, schemas: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """One schema for all documents of a file: those of other kinds may be anything."""
    return {
        "$schema": schemas[0]["$schema"],
        "title": name,
        "description": f"Any of {', '.join(each['title'] for each in schemas)}.",
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": each["title"]}}, "required": ["kind"]},
                "then": {key: value for key, value in each.items() if key != "$schema"},
            }
            for each in schemas
        ],
    }
