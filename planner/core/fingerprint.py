"""What makes two findings the same mistake, although lines have moved and messages were reworded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from planner.core.comments import spanned
from planner.core.document import Node, Path, Spec
from planner.core.edits import lines_of
from planner.core.lint import Finding

_NAMES = ("name", "id")
_SECRET = re.compile(r"password|passwd|auth|token|secret|credential|key", re.IGNORECASE)
_USER_INFO = re.compile(r"//[^/@\s]*@")


def fingerprint(finding: Finding) -> str:
    """The same for the same mistake at the same place of the tree, wherever its line has moved."""
    import hashlib  # noqa: PLC0415 - 4 ms that only reports with fingerprints cost

    parts = finding.identity or (finding.file, *map(str, finding.path))
    text = "\0".join((finding.code, *parts))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def identified(spec: Spec, findings: Iterable[Finding], place: str) -> list[Finding]:
    """The findings with their identities.

    It is made of ``place`` (the file, relative to the project), the path with items by their names, the text they are about,
    and an ordinal for equals. No secret goes in: who knows a fingerprint could guess at it.
    """
    lines, seen, result = lines_of(spec.text), Counter[tuple[str, ...]](), []
    for finding in findings:
        path = "/".join(_named(spec, finding.path))
        source = "" if _SECRET.search(path) else " ".join(spanned(lines, finding.span))
        parts = (place, path, _USER_INFO.sub("//@", " ".join(source.split())))
        number = seen[finding.code, *parts]
        seen[finding.code, *parts] += 1
        result.append(finding._replace(identity=(*parts, str(number))))
    return result


def _named(spec: Spec, path: Path) -> Iterable[str]:
    """The steps of a path, a list's index replaced by the name of the item."""
    roots = [each for each in spec.documents if path and each.get(path[0])] or [spec.root]
    node = roots[0]
    for step in path:
        node = node.get(step)
        yield (_name(node) if isinstance(step, int) else "") or str(step)


def _name(item: Node) -> str:
    return next((name for key in _NAMES if (name := item.get(key).string())), "")
