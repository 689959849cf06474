"""What a planner.yaml says that its schema cannot judge: words for rules, names and patterns of files."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from planner.core.choice import codes_of, suggestion
from planner.core.document import Node, Spec
from planner.core.lint import BUILT_IN, Finding, built_in_severity

_FILES = ("spec", "images", "packs", "companions", "bundle", "packages")


def unknown_rules(spec: Spec, known: Mapping[str, str]) -> list[Finding]:
    """The words that stand for no rule; ``known`` are the names of all codes."""
    return [
        _finding(
            spec, "CFG001", word, f"there is no rule {word.text!r}", suggestion(word.text, known)
        )
        for word in _words(spec.root.get("lint"))
        if word.text and not codes_of(word.text, known)
    ]


def dead_globs(spec: Spec, places: Sequence[str]) -> list[Finding]:
    """The patterns that match none of the files that were checked."""
    return [
        _finding(spec, "CFG002", key, f"{key.text!r} matches no spec of the project", "remove it")
        for field in ("per_file", "kinds")
        for key in (entry.key for entry in spec.root.get("lint", field).entries)
        if not any(fnmatch.fnmatch(place, key.text) for place in places)
    ]


def missing_files(spec: Spec, is_there: Callable[[str], bool]) -> list[Finding]:
    """The files of clusters that are not there, by names as they are written; addresses of bundles are not looked at."""
    return [
        _finding(
            spec,
            "CFG006",
            named,
            f"{named.text}, which cluster {cluster.get('name').string()!r} names, is not there",
            "correct its path, which is relative to this file, or create it",
        )
        for cluster in spec.root.get("clusters").items
        for named in _files(cluster)
        if named.text and "://" not in named.text and not is_there(named.text)
    ]


def _files(cluster: Node) -> Iterator[Node]:
    for field in _FILES:
        named = cluster.get(field)
        yield from named.items or (named,)


def _words(lint: Node) -> Iterator[Node]:
    lists: Iterable[Node] = (
        lint.get("select"),
        lint.get("ignore"),
        *(words for _, words in lint.get("per_file").fields()),
    )
    return (word for words in lists for word in words.items)


def _finding(spec: Spec, code: str, node: Node, message: str, hint: str) -> Finding:
    name, severity = BUILT_IN[code][0], built_in_severity(code)
    return Finding(spec.file, node.span, code, name, message, hint, severity, node.path)
