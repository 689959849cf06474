"""The list ``source::target,source::target`` of ``mirrorRegistries`` and of the Secret's ``MIRROR_REGISTRIES``.

Two consumers read it. The image-swap webhook makes an entry of its map of each pair: the source is compared with the text
before the first slash of an image, and the target is put into the name of the image. The nodes' containerd gets each pair
as a mirror: the target is an endpoint, from which it builds URLs.

Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``; spectrocloud librarium
registry-override.md (``/etc/containerd/config.toml`` in its step "Validate"); validator-labs/validatorctl
pkg/utils/embed/resources/kind/cluster-configuration.tmpl, where the text is split the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Literal

from planner.core.document import Node, Span, Spec
from planner.core.edits import LINE_END, Positions

SEPARATOR = "::"
Problem = Literal["", "empty", "separator", "source", "target"]
_API = "v2"
_CREDENTIALS = re.compile(r"[^\s/@,:]+:[^\s/@,:]+@(?!sha\d+:)")
_BLANKS = " \t\r\n"
_BETWEEN = r"""[\s,\\"']"""  # what stands between entries: commas, quotes, and the ends of lines that go on


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: ``raw`` as it stands between the commas, ``source`` and ``target`` without blanks around them.

    ``start`` is the offset of ``raw`` in the list. ``problem`` says why this is no pair: nothing between two commas, not
    exactly one ``::``, or nothing on one side of it.
    """

    raw: str
    start: int
    source: str = ""
    target: str = ""
    problem: Problem = ""

    @property
    def text(self) -> str:
        """The entry without the blanks around it."""
        return self.raw.strip(_BLANKS)

    @property
    def is_pair(self) -> bool:
        """Whether there is one source and one target."""
        return not self.problem

    @property
    def has_blanks(self) -> bool:
        """Whether blanks stand around or in the entry."""
        return any(each in _BLANKS for each in self.raw)

    @property
    def host(self) -> str:
        """Host of the target, with its port."""
        return host_of(self.target)

    @property
    def plain_target(self) -> str:
        """The target as a place on a registry, whichever consumer it was written for."""
        return plain_target(self.target)


@dataclass(frozen=True, slots=True)
class Located:
    """An entry of a file. ``node`` stands for it in findings: a scalar of its text, at its place where that is known."""

    entry: Entry
    node: Node
    is_exact: bool


def split_list(text: str) -> tuple[Entry, ...]:
    """The entries of a list, nothing left out: joined with commas, their ``raw`` is the list again."""
    return tuple(_entries(text)) if text.strip(_BLANKS) else ()


def located(spec: Spec, node: Node) -> tuple[Located, ...]:
    """The entries of the scalar ``node``, each at its own place where the file shows it as it is."""
    entries = split_list(node.string())
    return tuple(map(_locate, entries, _places(spec, node, entries), repeat(node)))


def encoded(node: Node, text: str) -> tuple[Located, ...]:
    """The entries of a list that stands encoded at ``node``: their places are not known."""
    return tuple(_locate(each, None, node) for each in split_list(text))


def join(entries: Iterable[Entry]) -> str:
    """The list that says the same as ``entries``, without what the consumers could stumble over."""
    return ",".join(_compact(each) for each in entries if each.problem != "empty")


def plain_target(target: str) -> str:
    """``https://user@host:5000/v2/base/`` → ``host:5000/base``."""
    host, _, path = without_scheme(target).strip("/").partition("/")
    host = host.rpartition("@")[2]
    steps = [each for each in path.split("/") if each]
    if steps[:1] == [_API]:
        del steps[0]
    return "/".join([host, *steps])


def has_api(target: str) -> bool:
    """Whether the path of a target begins with ``/v2``."""
    return without_scheme(target).split("/")[1:2] == [_API]


def host_of(target: str) -> str:
    """Host of a target or an endpoint, with its port."""
    return without_scheme(target).partition("/")[0]


def shown(text: str) -> str:
    """The text as a message may show it: ``user:password@`` before a host is left out."""
    return _CREDENTIALS.sub("…@", text)


def without_scheme(text: str) -> str:
    """``https://host/path`` → ``host/path``."""
    return text.rpartition("://")[2]


def _entries(text: str) -> Iterator[Entry]:
    start = 0
    for raw in text.split(","):
        yield _entry(raw, start)
        start += len(raw) + 1


def _entry(raw: str, start: int) -> Entry:
    text = raw.strip(_BLANKS)
    if not text:
        return Entry(raw, start, problem="empty")
    parts = [each.strip(_BLANKS) for each in text.split(SEPARATOR)]
    if len(parts) != 2:
        return Entry(raw, start, problem="separator")
    source, target = parts
    problem: Problem = "source" if not source else "target" if not target else ""
    return Entry(raw, start, source, target, problem)


def _locate(entry: Entry, span: Span | None, node: Node) -> Located:
    place = Node("scalar", span or node.span, node.path, node.key, entry.text, entry.text)
    return Located(entry, place, span is not None)


def _places(spec: Spec, node: Node, entries: Iterable[Entry]) -> Iterator[Span | None]:
    """Where each entry stands in the text of a scalar, which may go on over several lines; None where it is hidden."""
    start, end = Positions(spec.text).range(node.span)
    done = start
    for text in (each.text for each in entries):
        pattern = f"{_BETWEEN}*({re.escape(text)})(?={_BETWEEN}|$)"
        match = re.compile(pattern).match(spec.text, done, end) if text else None
        yield _span(node.span, spec.text[start : match.start(1)], text) if match else None
        done = match.end(1) if match else done


def _span(whole: Span, before: str, text: str) -> Span:
    """The place of ``text``, behind what stands ``before`` it from the beginning of ``whole`` on."""
    *above, last = LINE_END.split(before)
    line = whole.line + len(above)
    column = len(last) + (1 if above else whole.column)
    return Span(line, column, line, column + len(text))


def _compact(entry: Entry) -> str:
    return entry.text if not entry.source or not entry.target else f"{entry.source}::{entry.target}"
