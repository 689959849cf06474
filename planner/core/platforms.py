"""Platforms as ``os/architecture[/variant]``: which of them are the same, and which one a node takes.

Source: containerd/platforms 09756f5 database.go:62-111 (``normalizeOS``, ``normalizeArch``), compare.go:62-153
(``platformVector``, ``Only``); containerd 0556f45 core/images/handlers.go ``FilterPlatforms``, which takes what names no
platform. Which Windows a node takes (``os.version``), and which features it asks for (``os.features``), is left to the node:
all of a platform are kept.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator

from planner.core.errors import UsageError

ALL = "all"
_WORD = re.compile(r"[A-Za-z0-9_.-]+")
# Source: containerd/platforms 09756f5 database.go:32-60 (``isKnownOS``, ``isKnownArch``), which are Go's own lists.
_SYSTEMS = frozenset(
    "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split()
)
_ARCHITECTURES = frozenset(
    "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc"
    " riscv riscv64 s390 s390x sparc sparc64 wasm".split()
)
_ARM64 = re.compile(r"v([89])(?:\.(\d))?")
_NEWEST_MINOR = 9


def wanted_platforms(words: Iterable[str]) -> tuple[str, ...]:
    """What people ask for, each once, in order; empty for all of them, which ``all`` says too.

    Raises:
        UsageError: one of the words is no platform.
    """
    found = {_checked(word) for word in words}
    return () if ALL in found else tuple(sorted(found))


def of_all(wanted: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """What satisfies everybody: all that anybody wants, and everything where one of them wants everything."""
    listed = list(wanted)
    return tuple(sorted({each for one in listed for each in one})) if all(listed) else ()


def normalised(text: str) -> str:
    """The one way to write a platform: ``linux/arm64`` for ``Linux/aarch64/v8``. One without a system is Linux's."""
    system, slash, rest = text.lower().partition("/")
    system, rest = (system, rest) if slash else ("linux", system)
    architecture, _, variant = rest.partition("/")
    system = {"macos": "darwin"}.get(system, system)
    return "/".join(filter(None, (system, *_architecture(architecture, variant))))


def taken(wanted: Iterable[str], there: Collection[str]) -> frozenset[str]:
    """Of the platforms that are ``there``, those that the nodes of the ``wanted`` ones take; all as ``normalised``.

    A node takes its own platform; where that is missing, the best that its processor also runs.
    """
    best = (next((each for each in _runs(one) if each in there), "") for one in wanted)
    return frozenset(filter(None, best))


def missing(wanted: Iterable[str], there: Collection[str]) -> tuple[str, ...]:
    """The wanted platforms whose nodes find nothing among those that are ``there``."""
    return tuple(each for each in wanted if not taken((each,), there))


def _checked(word: str) -> str:
    if word == ALL:
        return ALL
    parts = word.split("/")
    if not 2 <= len(parts) <= 3 or not all(map(_WORD.fullmatch, parts)):
        raise UsageError(
            f"{word!r} is no platform: one is written as os/architecture[/variant]",
            f"write linux/amd64 or linux/arm/v7; {ALL} for whole images",
        )
    found = normalised(word)
    system, architecture, *_ = found.split("/")
    for name, known in ((system, _SYSTEMS), (architecture, _ARCHITECTURES)):
        if name not in known:
            guess = difflib.get_close_matches(name, sorted(known), 1)
            hint = (
                f"did you mean {found.replace(name, guess[0])}?" if guess else "linux/amd64 is one"
            )
            raise UsageError(f"{word!r} is no platform: nothing is called {name!r}", hint)
    return found


def _architecture(name: str, variant: str) -> tuple[str, str]:
    match name, variant:
        case "i386", _:
            return "386", ""
        case (("x86_64" | "x86-64" | "amd64"), _):
            return "amd64", "" if variant == "v1" else variant
        case (("aarch64" | "arm64"), ("8" | "v8" | "v8.0")):
            return "arm64", ""
        case (("aarch64" | "arm64"), ("9" | "9.0" | "v9.0")):
            return "arm64", "v9"
        case "aarch64", _:
            return "arm64", variant
        case "armhf", _:
            return "arm", "v7"
        case "armel", _:
            return "arm", "v6"
        case "arm", ("" | "7"):
            return "arm", "v7"
        case "arm", ("5" | "6" | "8"):
            return "arm", f"v{variant}"
        case _:
            return name, variant


def _runs(platform: str) -> Iterator[str]:
    """What a node of a platform runs, the best first."""
    yield platform
    system, architecture, *more = platform.split("/")
    variant = more[0] if more else ""
    number = variant.removeprefix("v")
    match architecture:
        case "amd64":
            below = range(int(number) - 1, 1, -1) if number.isdecimal() else ()
            yield from (f"{system}/amd64/v{each}" for each in below)
            yield f"{system}/amd64"
            yield f"{system}/386"
        case "arm" if number.isdecimal():
            yield from (f"{system}/arm/v{each}" for each in range(int(number) - 1, 4, -1))
        case "arm64":
            yield from (normalised(f"{system}/arm64/{each}") for each in _arm64_below(variant))
            yield from (f"{system}/arm/v{each}" for each in range(8, 4, -1))
        case _:
            pass


def _arm64_below(variant: str) -> Iterator[str]:
    """An Arm v9.x has all that v8.(x+5) has."""
    found = _ARM64.fullmatch(variant or "v8")
    if not found:
        return
    major, minor = int(found[1]), int(found[2] or 0)
    yield from (f"v{major}.{each}" for each in range(minor, -1, -1))
    if major == 9:
        yield from (f"v8.{each}" for each in range(min(minor + 5, _NEWEST_MINOR), -1, -1))
