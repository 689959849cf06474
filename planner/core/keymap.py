"""``review.keymap`` of planner.yaml: which keys there are, and which of them would have two meanings at once.

``schemas/planner.json`` lists the bindings with their keys as ``default``; a test holds it against the screens themselves,
which only the review loads. A binding's id is ``SCREEN.NAME``, or ``PANE.NAME`` of a pane on screens.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from planner.core.document import Node, Spec
from planner.core.lint import BUILT_IN, Finding, built_in_severity
from planner.core.schema import load
from planner.core.text import closest

EVERYWHERE = "app"
SHARED: Mapping[str, tuple[str, ...]] = {
    "list": ("review",),
    "details": ("review", "image"),
    "lines": ("copy", "diff", "problems", "why"),
    "rows": ("run", "live", "replay"),
    "run": ("live", "replay"),
}
"""What is a part of several screens, panes above all, and those whose keys count together with it."""

_ASKING = frozenset({"confirm", "saving"})  # a letter that is typed there is part of the answer
_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMED = frozenset(
    "escape enter return tab space backspace delete insert home end pageup pagedown"
    " up down left right slash plus minus underscore at backslash".split()
) | {f"f{number}" for number in range(1, 25)}
# Source: Textualize/textual 8.2.8, src/textual/keys.py:205-212, KEY_NAME_REPLACEMENTS.
_SHORT = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}


def keys_of(text: str) -> tuple[str, ...]:
    """The keys of ``x, space``, each by its name: ``?`` is ``question_mark``, as Textual calls it."""
    return tuple(_name(each.strip()) for each in text.split(","))


def is_key(name: str) -> bool:
    """Whether a key can have this name: ``x``, ``ctrl+x``, ``f5``, ``question_mark``."""
    *modifiers, key = name.split("+")
    if not _MODIFIERS.issuperset(modifiers) or not key:
        return False
    return len(key) == 1 or key in _NAMED or bool(_character(key))


def keymap_findings(spec: Spec) -> list[Finding]:
    """What a keymap says that its schema cannot judge: keys that do not exist, and keys with two meanings."""
    keymap = spec.root.get("review", "keymap")
    return [*_no_such_keys(spec, keymap), *_conflicts(spec, keymap)] if keymap.entries else []


@cache
def defaults() -> Mapping[str, tuple[str, ...]]:
    """The keys of each binding, by id."""
    known = load("planner")["properties"]["review"]["properties"]["keymap"]["properties"]
    return {name: keys_of(each["default"]) for name, each in known.items()}


def _no_such_keys(spec: Spec, keymap: Node) -> Iterator[Finding]:
    for binding, node in keymap.fields():
        for name in keys_of(node.text):
            if not is_key(name):
                near = closest(name, _NAMED)
                hint = f"did you mean {near}?" if near else "a key is like x, f5, ctrl+x or space"
                yield _finding(spec, "CFG005", node, f"there is no key {name!r}", hint)
            elif binding.partition(".")[0] in _ASKING and _is_typed(name):
                message = f"{name} is a part of what is typed there: it would never be heard"
                yield _finding(spec, "CFG005", node, message, "name one like f5, ctrl+x or escape")


def _conflicts(spec: Spec, keymap: Node) -> Iterator[Finding]:
    own = {name: keys_of(node.text) for name, node in keymap.fields() if name in defaults()}
    told = set()
    for name, keys in own.items():
        for other, key in _others(name, keys, {**defaults(), **own}):
            if (other, name, key) not in told:
                told.add((name, other, key))
                message = f"{key} is the key of {other} already, at the same place"
                hint = f"name another, or give {other} another one, too"
                yield _finding(spec, "CFG004", keymap.get(name), message, hint)


def _others(
    name: str, keys: Iterable[str], effective: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    """What would be meant by one of the keys at the same time, and is not when both are as they were."""
    before = defaults()
    for other, theirs in effective.items():
        if other != name and _meet(name, other):
            for key in keys:
                was = key in before[name] and key in before[other]
                if key in theirs and not was:
                    yield other, key


def _meet(one: str, other: str) -> bool:
    """Whether two bindings can be heard at the same moment; of two panes, one has the focus."""
    first, second = one.partition(".")[0], other.partition(".")[0]
    if first == second or EVERYWHERE in (first, second):
        return True
    return second in SHARED.get(first, ()) or first in SHARED.get(second, ())


def _name(key: str) -> str:
    if len(key) != 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
    return _SHORT.get(name, name)


def _character(name: str) -> str:
    """The character of a key that is named after it; nothing for others."""
    long = {short: long for long, short in _SHORT.items()}.get(name, name)
    for spelled in (long.replace("_", " "), long.replace("_", "-", 1).replace("_", " ")):
        try:
            return unicodedata.lookup(spelled.upper())
        except KeyError:
            continue
    return ""


def _is_typed(name: str) -> bool:
    return "+" not in name and (len(name) == 1 or name == "space" or bool(_character(name)))


def _finding(spec: Spec, code: str, node: Node, message: str, hint: str) -> Finding:
    name, severity = BUILT_IN[code][0], built_in_severity(code)
    return Finding(spec.file, node.span, code, name, message, hint, severity, node.path)
