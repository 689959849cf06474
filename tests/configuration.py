"""docs/configuration.md: the keys of planner.yaml, from the descriptions in its schema. ``make examples`` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from planner.core.schema import load

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
_HEAD = """\
# planner.yaml

Commands use the nearest one: in the working directory, or above it up to the root of the git repository. `--config FILE`
names another. The same may stand in `pyproject.toml`, in the table `tool.planner`. Paths are relative to the file. Only
`version`, and `name` and `spec` of a cluster, are required; an unknown key is an error, which `planner lint planner.yaml`
shows in place. `planner schema planner` prints the schema for editors, from which this page is made (`make examples`). No
secret ever stands in the file.
"""


def page() -> str:
    """The whole page."""
    return "".join((_HEAD, *_sections(load("planner"), "")))


def _sections(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """A table of keys, and then one for each of them that holds keys itself."""
    below = []
    yield (f"\n## `{path}`\n" if path else "") + "\n| key | |\n| --- | --- |\n"
    for key, value in table["properties"].items():
        yield f"| `{key}` | {_told(value)} |\n"
        inner = value.get("additionalProperties")
        own = f"{path}.{key}".lstrip(".")
        if value.get("properties"):
            below.append((value, own))
        elif value.get("items", {}).get("properties"):
            below.append((value["items"], f"{own}[]"))
        elif isinstance(inner, dict) and inner.get("properties"):
            below.append((inner, f"{own}.HOST"))
    for each, name in below:
        yield from _sections(each, name)


def _told(value: Mapping[str, Any]) -> str:
    words = [f"`{each}`" for each in value.get("enum", ())]
    usual = [f"By default `{value['default']}`."] if "default" in value else []
    one_of = [f"One of {', '.join(words)}."] if words else []
    text = " ".join((value["description"], *one_of, *usual))
    return text.replace("|", "\\|")
