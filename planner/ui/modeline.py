"""The comment by which editors know the schema of a file: ``# yaml-language-server: $schema=…``.

Source: redhat-developer/yaml-language-server README, "Using inlined schema": a URL, or a path relative to the file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

_MODELINE = re.compile(
    r"^(?P<before>\ufeff?[ \t]*#[ \t]*yaml-language-server[ \t]*:[ \t]*\$schema[ \t]*=[ \t]*)\S*",
    re.MULTILINE,
)
_BOM = "\ufeff"


def modeline(reference: str) -> str:
    """The comment."""
    return f"# yaml-language-server: $schema={reference}"


def with_modeline(text: str, reference: str) -> str:
    """The text with this schema: in the comment that it has, or else in a new first line. Nothing else changes."""
    if match := _MODELINE.search(text):
        return f"{text[: match.start()]}{match['before']}{reference}{text[match.end() :]}"
    body = text.removeprefix(_BOM)
    bom = text[: len(text) - len(body)]
    end = "\r\n" if re.match(r"[^\n]*\r\n", body) else "\n"
    return f"{bom}{modeline(reference)}{end}{body}"


def reference_to(schema: Path, file: str, *, is_beside: bool) -> str:
    """How a file names a schema: relative to itself when that is a file of the project, else from the root."""
    if not is_beside:
        return schema.resolve().as_uri()
    relative = os.path.relpath(os.path.realpath(schema), Path(os.path.realpath(file)).parent)
    return quote(Path(relative).as_posix())
