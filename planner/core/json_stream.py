"""A large JSON document, entry by entry: never is all of it in memory as text and as tables at once."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from planner.core.json_text import encoder

Path = tuple[str, ...]

_CHUNK = 256 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")


class Entries:
    """What a document holds, in its order: pairs of a path and a value. Iterate once.

    ``spread`` are the tables and lists whose entries come one by one, as the document's own do; those of a list have the path
    of the list. ``tell`` gets the document in canonical form (``json_text.canonical``) in pieces, but for its entry
    ``unsigned``.

    Raises:
        ValueError: not JSON, not UTF-8, or the names in a table are not in order; one of them may come twice then.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        spread: Collection[Path],
        tell: Callable[[str], object],
        unsigned: str,
    ) -> None:
        self._text = _Text(read)
        self._spread = spread
        self._tell = tell
        self._unsigned = (unsigned,)
        self._encode = encoder()

    def __iter__(self) -> Iterator[tuple[Path, Any]]:
        yield from self._container(())
        if self._text.peek():
            raise ValueError("there is more than one document")

    def _container(self, path: Path) -> Iterator[tuple[Path, Any]]:
        opened = self._text.take("{[")
        closing = "}" if opened == "{" else "]"
        said, last, is_first = opened, "", True
        while self._text.peek() != closing:
            if not is_first:
                self._text.take(",")
            inner, name = path, ""
            if opened == "{":
                name = self._name(last, is_first=is_first)
                inner = (*path, name)
            last, is_first = name, False
            if inner == self._unsigned:
                yield inner, self._text.value()
                continue
            self._tell(f"{said}{self._encode(name)}:" if opened == "{" else said)
            said = ","
            if inner in self._spread and opened == "{":
                yield from self._container(inner)
            else:
                value = self._text.value()
                self._tell(self._encode(value))
                yield inner, value
        self._text.take(closing)
        self._tell(closing if said == "," else f"{opened}{closing}")

    def _name(self, last: str, *, is_first: bool) -> str:
        name = self._text.value()
        if not isinstance(name, str) or (not is_first and name <= last):
            raise ValueError("the names are not in order")
        self._text.take(":")
        return name


class _Text:
    """What was read and not yet used."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogatepass").decode
        self._scan = json.JSONDecoder().raw_decode
        self._buffer = ""
        self._at = 0
        self._is_over = False

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def take(self, allowed: str) -> str:
        """The next character, which must be one of a few."""
        found = self.peek()
        if not found or found not in allowed:
            raise ValueError(f"expected one of {allowed}")
        self._at += 1
        return found

    def value(self) -> Any:
        """The next value, however large."""
        self.peek()
        while True:
            try:
                value, end = self._scan(self._buffer, self._at)
            except ValueError:
                if not self._more():
                    raise ValueError("the document ends early") from None
                continue
            if end == len(self._buffer) and self._more():  # the rest of a number may follow
                continue
            self._at = end
            return value

    def _more(self) -> bool:
        """Read on; twice as much each time that it was not enough."""
        if self._is_over:
            return False
        rest = self._buffer[self._at :]
        data = self._read(max(_CHUNK, len(rest)))
        self._is_over = not data
        self._buffer = rest + self._decode(data, self._is_over)
        self._at = 0
        return not self._is_over
