"""Texts of templates that nobody filled in."""

from __future__ import annotations

import re

_KNOWN = (
    r"REPLACE_WITH_\w+|PLACE_?HOLDER\w*|OCI_URL|IMAGE_PROJECT|(?<![\w.])X(?:\.X){3}(?![\w.])"
    r"|(?i:change[-_ ]?me)"
)
_LEFT = re.compile(rf"<[A-Za-z][^<>]*>|{_KNOWN}")
_IN_SECRETS = re.compile(rf"<[A-Za-z][\w .-]*>|{_KNOWN}")
_VARIABLE = re.compile(r"\$\{\w+\}|\{\{.*?\}\}")


def placeholder(text: str) -> str:
    """The first placeholder for a person in ``text``; empty without one."""
    match = _LEFT.search(text)
    return match[0] if match else ""


def is_unfilled(text: str) -> bool:
    """Whether a person or a program has still to fill in ``text``, so that nothing else can be said about it.

    ``${NAME}`` and ``{{ … }}`` are a program's: the macros of Palette's packs are written so, for example.
    """
    return bool(placeholder(text)) or _VARIABLE.search(text) is not None


def is_secret_placeholder(text: str) -> bool:
    """Whether a password is nothing but a placeholder: a real one may have angle brackets in it."""
    return _IN_SECRETS.fullmatch(text) is not None
