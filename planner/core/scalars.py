"""What a plain YAML scalar means to Go, which is what all four systems are written in.

K3s decodes with gopkg.in/yaml.v2; KubeOne, EKS Anywhere and Helm go through sigs.k8s.io/yaml, which carries a copy
of the same resolver. It is YAML 1.1 with its own edges: ``y`` and ``on`` are booleans, ``0o17`` and ``017`` are
octal, a timestamp stays a string, and ``1:30`` is a string too (Python's loaders differ in each).

Source: gopkg.in/yaml.v2 v2.4.0, ``resolve.go`` (``resolveTable``, ``resolve``).
"""

from __future__ import annotations

import re
from functools import lru_cache

Scalar = str | int | float | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset("y Y yes Yes YES true True TRUE on On ON".split())
_FALSE = frozenset("n N no No NO false False FALSE off Off OFF".split())
_NAN = frozenset({".nan", ".NaN", ".NAN"})
_INFINITY = frozenset(f"{sign}{word}" for sign in ("", "+") for word in (".inf", ".Inf", ".INF"))
_MINUS_INFINITY = frozenset({"-.inf", "-.Inf", "-.INF"})
_WORDS = (
    dict.fromkeys(_NULL, None)
    | dict.fromkeys(_TRUE, True)
    | dict.fromkeys(_FALSE, False)
    | dict.fromkeys(_NAN, float("nan"))
    | dict.fromkeys(_INFINITY, float("inf"))
    | dict.fromkeys(_MINUS_INFINITY, float("-inf"))
)
_MAY_BE_NUMBER = frozenset("+-.0123456789")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)"
    r"|(?P<dec>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_ANYWHERE = re.compile("_")
_BETWEEN_DIGITS = re.compile("(?<=[0-9])_(?=[0-9])")
_MOST_DIGITS = 66
_TOO_LARGE = (float("inf"), float("-inf"))
_TAGGED = {
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (float, int),
    "tag:yaml.org,2002:null": (type(None),),
}


def resolve(text: str, *, plain: bool, tag: str = "") -> Scalar:
    """The value of a scalar: ``plain`` is false for quoted and block scalars, ``tag`` is an explicit one."""
    if tag:
        kinds = _TAGGED.get(tag)
        value = resolve(text, plain=True) if kinds else text
        return value if kinds and isinstance(value, kinds) else text
    return _resolve_plain(text) if plain else text


@lru_cache(maxsize=4096)
def _resolve_plain(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAY_BE_NUMBER:
        return text
    digits = (_BETWEEN_DIGITS if text[0] == "." else _ANYWHERE).sub("", text)
    match = _INTEGER.fullmatch(digits)
    number: float | None = _integer(match) if match else None
    if number is None and _FLOAT.fullmatch(digits):
        number = float(digits)
    return text if number is None or number in _TOO_LARGE else number


def _integer(match: re.Match[str]) -> int | None:
    """The integer, or None when it does not fit into 64 bits: Go then tries a float, and at last a text."""
    base = match.lastgroup or "dec"
    if len(match[base]) > _MOST_DIGITS:
        return None
    number = int(match["sign"] + match[base], _BASES[base])
    return number if -(2**63) <= number < 2**64 else None
