"""Go's ``regexp``, as far as repository names need it: syntax check, search and ``ReplaceAllString``.

Go and Python agree on what a match is (leftmost, alternatives in order) and differ in syntax and in how a replacement
is read. So a pattern is parsed by Go's rules and written down again in Python's, with every character class spelled
out. Names are ASCII, hence classes hold ASCII only. A pattern that Go rejects is rejected with Go's own words.

Source: Go 1.22 regexp/syntax/parse.go (syntax, errors), regexp/regexp.go (``replaceAll``, ``expand``, ``extract``).
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from functools import cache
from typing import NamedTuple

_ASCII = frozenset(map(chr, range(128)))
_DIGIT = frozenset(string.digits)
_WORD = frozenset(string.ascii_letters + string.digits + "_")
_SPACE = frozenset("\t\n\f\r ")
_PERL = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX = {
    "alnum": _WORD - {"_"},
    "alpha": frozenset(string.ascii_letters),
    "ascii": _ASCII,
    "blank": frozenset("\t "),
    "cntrl": frozenset(map(chr, range(32))) | {"\x7f"},
    "digit": _DIGIT,
    "graph": frozenset(map(chr, range(33, 127))),
    "lower": frozenset(string.ascii_lowercase),
    "print": frozenset(map(chr, range(32, 127))),
    "punct": frozenset(string.punctuation),
    "space": _SPACE | {"\v"},
    "upper": frozenset(string.ascii_uppercase),
    "word": _WORD,
    "xdigit": frozenset(string.hexdigits),
}
_CONTROL = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}")
_NAME = re.compile(r"\w+", re.ASCII)
_MOST_REPEATS = 1000


class PatternError(ValueError):
    """Go would refuse the pattern, in these words."""


class GoRegexp(NamedTuple):
    """A compiled pattern. ``names`` has the name of each capturing group, empty for one without; a name may recur."""

    pattern: re.Pattern[str]
    names: tuple[str, ...]

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere."""
        return self.pattern.search(text) is not None

    def has_group(self, name: str) -> bool:
        """Whether a replacement may refer to the group ``name`` (a number, or a name)."""
        return int(name) <= len(self.names) if _is_number(name) else name in self.names

    def replace_all(self, text: str, replacement: str) -> str:
        """What ``ReplaceAllString`` returns: an empty match right after another match is left alone."""
        result: list[str] = []
        copied = position = 0
        while position <= len(text):
            match = self.pattern.search(text, position)
            if match is None:
                break
            result.append(text[copied : match.start()])
            if match.end() > copied or match.start() == 0:
                result.append(self._expand(replacement, match))
            copied = match.end()
            position = max(position + 1, match.end())
        return "".join(result) + text[copied:]

    def _expand(self, template: str, match: re.Match[str]) -> str:
        result: list[str] = []
        for literal, group in references(template):
            result.append(literal)
            if group is not None:
                result.append(self._group(group, match))
        return "".join(result)

    def _group(self, name: str, match: re.Match[str]) -> str:
        if _is_number(name):
            return (match[int(name)] or "") if int(name) <= len(self.names) else ""
        named = (match[number] for number, each in enumerate(self.names, 1) if each == name)
        return next((text for text in named if text is not None), "")


def references(template: str) -> list[tuple[str, str | None]]:
    """A replacement as Go reads it: literal text, each followed by the group it names (None at the end).

    ``$1x`` names the group ``1x``; a ``$`` that names nothing is literal.
    """
    parts: list[tuple[str, str | None]] = []
    literal = ""
    while template:
        before, dollar, rest = template.partition("$")
        literal += before
        name, after = _reference(rest)
        if not dollar:
            break
        if rest.startswith("$"):
            literal, template = literal + "$", rest[1:]
        elif name:
            parts.append((literal, name))
            literal, template = "", after
        else:
            literal, template = literal + "$", rest
    return [*parts, (literal, None)]


def compile_pattern(source: str) -> GoRegexp:
    """Compile ``source`` as Go would.

    Raises:
        PatternError: Go refuses it.
    """
    translator = _Translator(source)
    translated = translator.run()
    return GoRegexp(re.compile(translated, re.ASCII), tuple(translator.names))


def _reference(text: str) -> tuple[str, str]:
    """The group that ``text`` (after a dollar) names, and what follows; no name when malformed."""
    braced = text.startswith("{")
    match = _NAME.match(text, int(braced))
    if match is None:
        return "", text
    end = match.end()
    if braced and text[end : end + 1] != "}":
        return "", text
    return match[0], text[end + braced :]


def _is_number(name: str) -> bool:
    return name.isdecimal() and (name == "0" or not name.startswith("0"))


class _Flags(NamedTuple):
    ignore_case: bool = False
    multi_line: bool = False
    dot_all: bool = False
    ungreedy: bool = False


_FLAG_NAMES = {"i": "ignore_case", "m": "multi_line", "s": "dot_all", "U": "ungreedy"}


class _Translator:
    """Reads Go's syntax from left to right and writes Python's. Lives for one pattern."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.names: list[str] = []
        self._at = 0
        self._flags = _Flags()
        self._outer: list[tuple[_Flags, int]] = []
        self._out: list[str] = []
        self._repeats: list[int] = []  # per piece of _out: the product of nested counts in it
        self._operand: int | None = (
            None  # where in _out the piece begins that a repetition would repeat
        )
        self._last_repeat = ""

    def run(self) -> str:
        while self._at < len(self.source):
            self._step()
        if self._outer:
            raise PatternError(f"missing closing ): `{self.source}`")
        return "".join(self._out)

    def _step(self) -> None:
        character = self.source[self._at]
        if character in "*+?" or (character == "{" and self._match_repeat()):
            self._repeat(character)
            return
        self._last_repeat = ""
        match character:
            case "(":
                self._open()
            case ")":
                self._close()
            case "|":
                self._emit("|", 1, operand=False)
            case "[":
                self._atom(*self._bracket())
            case ".":
                every = _ASCII if self._flags.dot_all else _ASCII - {"\n"}
                self._emit(_class(every), 1)
            case "^":
                self._emit("(?m:^)" if self._flags.multi_line else r"\A", 1)
            case "$":
                self._emit("(?m:$)" if self._flags.multi_line else r"\Z", 1)
            case "\\":
                self._backslash()
            case _:
                self._atom({character}, self._at + 1)

    def _atom(self, characters: set[str] | frozenset[str], end: int) -> None:
        """One character out of a set."""
        characters = self._folded(characters)
        if len(characters) == 1:
            (only,) = characters
            self._emit(re.escape(only), end - self._at)
        else:
            self._emit(_class(frozenset(characters)), end - self._at)

    def _folded(self, characters: set[str] | frozenset[str]) -> set[str] | frozenset[str]:
        """Both cases of each letter under ``(?i)``; Go does this before it negates a class."""
        if not self._flags.ignore_case:
            return characters
        return characters | {each.swapcase() for each in characters if each in _POSIX["alpha"]}

    def _emit(self, text: str, consumed: int, *, operand: bool = True) -> None:
        self._operand = len(self._out) if operand else None
        self._out.append(text)
        self._repeats.append(1)
        self._at += consumed

    def _match_repeat(self) -> re.Match[str] | None:
        return _REPEAT.match(self.source, self._at)

    def _repeat(self, character: str) -> None:
        match = self._match_repeat() if character == "{" else None
        operator = match[0] if match else character
        end = self._at + len(operator)
        lazy = self.source.startswith("?", end)
        whole = operator + "?" * lazy
        factor = _count(match) if match else 1
        if self._last_repeat:
            raise PatternError(f"invalid nested repetition operator: `{self._last_repeat}{whole}`")
        if self._operand is None:
            raise PatternError(f"missing argument to repetition operator: `{whole}`")
        self._last_repeat = whole
        operand = "".join(self._out[self._operand :])
        count = max(self._repeats[self._operand :]) * factor
        if count > _MOST_REPEATS:
            raise PatternError(f"invalid repeat count: `{whole}`")
        self._repeats[self._operand :] = [count]
        self._out[self._operand :] = [
            f"(?:{operand}){operator}{'?' * (lazy != self._flags.ungreedy)}"
        ]
        self._at = end + lazy

    def _open(self) -> None:
        if not self.source.startswith("(?", self._at):
            self._capture("", 1)
        elif match := re.compile(r"\(\?P?<(\w+)>", re.ASCII).match(self.source, self._at):
            self._capture(match[1], len(match[0]))
        elif match := re.compile(r"\(\?([imsU]*)(-[imsU]+)?([:)])").match(self.source, self._at):
            self._set_flags(match)
        elif self.source.startswith("(?P<", self._at):
            head, closed, _ = self.source[self._at :].partition(">")
            raise PatternError(f"invalid named capture: `{head}{closed}`")
        else:
            raise PatternError(
                f"invalid or unsupported Perl syntax: `{self.source[self._at : self._at + 3]}`"
            )

    def _capture(self, name: str, consumed: int) -> None:
        self.names.append(name)
        self._outer.append((self._flags, len(self._out)))
        self._emit("(", consumed, operand=False)

    def _set_flags(self, match: re.Match[str]) -> None:
        outer = self._flags
        on = dict.fromkeys((_FLAG_NAMES[each] for each in match[1]), True)
        off = dict.fromkeys((_FLAG_NAMES[each] for each in (match[2] or "-")[1:]), False)
        self._flags = outer._replace(**on, **off)
        if match[3] == ":":
            self._outer.append((outer, len(self._out)))
            self._emit("(?:", len(match[0]), operand=False)
        else:
            self._at += len(match[0])

    def _close(self) -> None:
        if not self._outer:
            raise PatternError(f"unexpected ): `{self.source}`")
        self._flags, start = self._outer.pop()
        self._emit(")", 1)
        self._operand = start

    def _backslash(self) -> None:
        following = self.source[self._at + 1 : self._at + 2]
        match following:
            case "A" | "b":
                self._emit(rf"\{following}", 2)
            case "B":
                self._emit(r"(?!\b)", 2)  # Python's own \B does not match in an empty string
            case "z":
                self._emit(r"\Z", 2)
            case "Q":
                literal, _, _ = self.source[self._at + 2 :].partition(r"\E")
                closed = self.source.startswith(r"\E", self._at + 2 + len(literal))
                self._at += 2
                for character in literal:
                    self._atom({character}, self._at + 1)
                self._at += 2 * closed
            case _:
                self._atom(*self._escape(self._at))

    def _escape(self, at: int) -> tuple[frozenset[str], int]:
        """The characters that the escape at ``at`` stands for, and where it ends."""
        following = self.source[at + 1 : at + 2]
        if not following:
            raise PatternError("trailing backslash at end of expression: ``")
        if following in "dws":
            return _PERL[following], at + 2
        if following in "DWS":
            return _ASCII - _PERL[following.lower()], at + 2
        if following in "pP":
            return self._unicode_class(at)
        if following in _CONTROL:
            return frozenset(_CONTROL[following]), at + 2
        if match := re.compile(r"\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\})").match(
            self.source, at
        ):
            return frozenset(_character(match)), match.end()
        if match := re.compile(r"\\(0[0-7]{0,2}|[1-7][0-7]{1,2})").match(self.source, at):
            return frozenset(chr(int(match[1], 8))), match.end()
        if following in _ASCII and (not following.isalnum() or following == "_"):
            return frozenset(following), at + 2
        raise PatternError(f"invalid escape sequence: `\\{following}`")

    def _unicode_class(self, at: int) -> tuple[frozenset[str], int]:
        match = re.compile(r"\\[pP](?:\{(\^?)(\w+)\}|(\w))").match(self.source, at)
        name = (match[2] or match[3]) if match else ""
        if match is None or not _is_unicode_class(name):
            wrong = match[0] if match else self.source[at : at + 3]
            raise PatternError(f"invalid character class range: `{wrong}`")
        negated = (self.source[at + 1] == "P") != bool(match[1])
        found = self._folded({each for each in _ASCII if _in_unicode_class(each, name)})
        return (_ASCII - found if negated else frozenset(found)), match.end()

    def _bracket(self) -> tuple[frozenset[str], int]:
        at = self._at + 1
        negated = self.source.startswith("^", at)
        at += negated
        characters: set[str] = set()
        first = True
        while first or not self.source.startswith("]", at):
            if at >= len(self.source):
                raise PatternError(f"missing closing ]: `{self.source[self._at :]}`")
            found, at = self._bracket_item(at)
            characters |= found
            first = False
        folded = frozenset(self._folded(characters))
        return (_ASCII - folded if negated else folded), at + 1

    def _bracket_item(self, at: int) -> tuple[frozenset[str], int]:
        if match := re.compile(r"\[:(\^?)(\w+):\]").match(self.source, at):
            if match[2] not in _POSIX:
                raise PatternError(f"invalid character class range: `{match[0]}`")
            found = frozenset(self._folded(_POSIX[match[2]]))
            return (_ASCII - found if match[1] else found), match.end()
        low, end = self._bracket_character(at)
        is_range = self.source.startswith("-", end) and self.source[end + 1 : end + 2] not in (
            "",
            "]",
        )
        if len(low) != 1 or not is_range:
            return low, end
        high, end = self._bracket_character(end + 1)
        first, last = ord(next(iter(low))), ord(next(iter(high), "\0"))
        if len(high) != 1 or last < first:
            raise PatternError(f"invalid character class range: `{self.source[at:end]}`")
        return frozenset(map(chr, range(first, min(last, 127) + 1))), end

    def _bracket_character(self, at: int) -> tuple[frozenset[str], int]:
        if self.source[at] == "\\":
            return self._escape(at)
        return frozenset(self.source[at]), at + 1


def _character(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    if code > sys.maxunicode:
        raise PatternError(f"invalid escape sequence: `{match[0]}`")
    return chr(code)


def _count(match: re.Match[str]) -> int:
    """How often ``{n}``, ``{n,}`` or ``{n,m}`` repeats at most; at least, when there is no end."""
    low = int(match[1])
    high = int(match[3]) if match[3] else low
    if max(low, high) > _MOST_REPEATS or high < low:
        raise PatternError(f"invalid repeat count: `{match[0]}`")
    return high


@cache
def _class(characters: frozenset[str]) -> str:
    """A Python character class of escaped ranges; one that matches nothing when empty."""
    if not characters:
        return "(?!)"
    codes = {ord(each) for each in characters & _ASCII}
    starts = sorted(code for code in codes if code - 1 not in codes)
    ends = sorted(code for code in codes if code + 1 not in codes)
    ranges = (f"\\x{first:02x}-\\x{last:02x}" for first, last in zip(starts, ends, strict=True))
    return f"[{''.join(ranges)}]"


def _is_unicode_class(name: str) -> bool:
    return (
        name in ("Any", "Latin", "Greek", "Cyrillic", "Han", "Common")
        or re.fullmatch("L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?|C[cfos]?", name)
        is not None
    )


def _in_unicode_class(character: str, name: str) -> bool:
    category = unicodedata.category(character)
    if name in ("Any", "Latin", "Common"):
        is_letter = category.startswith("L")
        return name == "Any" or is_letter == (name == "Latin")
    return category.startswith(name)
