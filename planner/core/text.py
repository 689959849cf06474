"""Small renderings shared by everything that people read."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from itertools import islice

_UNITS = ("KiB", "MiB", "GiB", "TiB")
_LONGEST_DIGEST = 12
_FEW = 3


def size(count: int) -> str:
    """``1536`` → ``1.5 KiB``."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in _UNITS:
        amount /= 1024
        if amount < 999.5 or unit == _UNITS[-1]:
            break
    return f"{amount:.1f} {unit}" if amount < 99.95 else f"{amount:.0f} {unit}"


def duration(seconds: float) -> str:
    """``340`` → ``5m40s``."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def short_digest(digest: str) -> str:
    """``sha256:`` and its first digits; empty for none."""
    algorithm, colon, hexadecimal = digest.partition(":")
    return f"{algorithm}{colon}{hexadecimal[:_LONGEST_DIGEST]}" if colon else digest


def plural(count: int, one: str, many: str = "") -> str:
    """``1 image``, ``2 images``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def first_few(things: Collection[object]) -> str:
    """The first of some things in a row; an ellipsis stands for the others."""
    more = ["…"] if len(things) > _FEW else []
    return ", ".join([*map(str, islice(things, _FEW)), *more])


def printable(text: str) -> str:
    """``text`` with everything that could steer a terminal or turn its direction made visible.

    Whatever a file or a registry sent passes through here before a person sees it.
    """
    if text.isprintable():
        return text
    return "".join(each if _is_harmless(each) else _visible(each) for each in text)


def closest(word: str, candidates: Iterable[str]) -> str:
    """The candidate that ``word`` was probably meant to be; empty when none is near."""
    wanted = _folded(word)
    best, fewest = "", max(1, len(word) // 4) + 1
    for candidate in candidates:
        edits = 0 if _folded(candidate) == wanted else _distance(word, candidate, fewest)
        if edits < fewest:
            best, fewest = candidate, edits
    return best


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character == "\n"


def _visible(character: str) -> str:
    code = ord(character)
    if unicodedata.category(character) == "Zs":
        return " "
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _folded(word: str) -> str:
    return word.replace("-", "").replace("_", "").lower()


def _distance(one: str, other: str, limit: int) -> int:
    """Edits from ``one`` to ``other`` with transpositions as one, or ``limit`` when there are as many or more.

    Source: Damerau's distance in its optimal-string-alignment form.
    """
    if abs(len(one) - len(other)) >= limit:
        return limit
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], limit)
