"""The keys of the review in ``schemas/planner.json``, from the screens. ``make examples`` writes them anew."""

from __future__ import annotations

import json
import re
from pathlib import Path

from planner.ui.review.keymap import Key, all_keys

SCHEMA = Path(__file__).parents[1] / "schemas" / "planner.json"
_PART = re.compile(
    r'(?<=    "keymap": \{\n)(.*?"properties": \{\n)(.*?)(?=^      \}\n)', re.DOTALL | re.MULTILINE
)


def schema_with_keys(text: str) -> str:
    """The schema, with what the screens have now in its list of bindings."""
    lines = ",\n".join(f"        {_line(each)}" for each in all_keys())
    changed, count = _PART.subn(lambda part: f"{part[1]}{lines}\n", text)
    assert count == 1, "the schema has no list of bindings to replace"
    return changed


def _line(key: Key) -> str:
    title = json.dumps(key.id)
    told = json.dumps(
        f"{key.description[:1].upper()}{key.description[1:]} ({key.place}).", ensure_ascii=False
    )
    keys = json.dumps(", ".join(key.keys), ensure_ascii=False)
    return f'{title}: {{ "title": {title}, "description": {told}, "type": "string", "minLength": 1, "default": {keys} }}'
