"""What the image-swap webhook makes of the image of a pod.

The webhook works on text: it knows no tags, and treats the registry as a regular expression. Its results are kept as they
come out, valid names or not.

Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map`` and ``swap_image``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from planner.specs.palette.swapmap import DEFAULT, LIBRARY, NOSWAP, parse_map

_HUB = "docker.io"
_APPEND = "-"


class SwapError(Exception):
    """The webhook itself fails on this image; its policy then refuses the pod."""


class SwapMap(NamedTuple):
    """The entries of a map file by kind; of ``patterns``, the first that matches counts."""

    exact: Mapping[str, str]
    patterns: Mapping[str, str]
    registries: Mapping[str, str]


def read_map(text: str) -> SwapMap:
    """The entries of a map file; of several for one key the last counts."""
    tables: dict[str, dict[str, str]] = {"exact": {}, "replace": {}, "plain": {}}
    for line in parse_map(text):
        if line.problem != "dropped":
            tables[line.kind][line.key] = line.value
    return SwapMap(tables["exact"], tables["replace"], tables["plain"])


def map_of_list(text: str) -> SwapMap:
    """The map that Palette's chart makes of its list. Without a default the webhook would look at no entry at all."""
    return read_map(text.replace(",", "\n") + f"\n{DEFAULT}::")


def swapped(image: str, table: SwapMap) -> str:
    """``image`` as the webhook leaves it, the same text when it does not touch it.

    Raises:
        SwapError: the webhook fails.
    """
    if image in table.exact:
        return table.exact[image]
    for pattern, value in table.patterns.items():
        if fnmatchcase(image, pattern):
            return posixpath.join(value, image.rpartition("/")[2])
    if DEFAULT not in table.registries:
        return image
    return _by_registry(image, table.registries)


def _by_registry(image: str, table: Mapping[str, str]) -> str:
    head, slash, rest = image.partition("/")
    is_named = "." in head and bool(slash and rest)
    registry = head if is_named else _HUB
    bare = registry.partition(":")[0]
    key = bare if registry not in table and bare in table else registry
    if key in table or key + LIBRARY in table:
        if not slash and key + LIBRARY in table:
            key += LIBRARY
        if key not in table:
            raise SwapError(f"the map has {key}{LIBRARY}, and no {key} for other images")
        prefix = "" if is_named else f"{bare}/"
        return _with(table[key], key, image, appended=prefix + re.sub(r":.*/", "/", image))
    if any(word in image for word in _wildcards(table)):
        return image
    return _with(table[DEFAULT], registry, image, appended=f"{bare}/{image}", key=key)


def _with(value: str, pattern: str, image: str, *, appended: str, key: str = "") -> str:
    """The image with the value of an entry: nothing, a prefix, or what takes the place of the registry."""
    if not value:
        return image
    if value.endswith(_APPEND):
        return value + appended
    if (key or pattern) not in image:
        return f"{value}/{image}"
    try:
        return re.sub(pattern, value, image)
    except re.error as error:
        raise SwapError(f"{pattern} is no regular expression: {error}") from error


def _wildcards(table: Mapping[str, str]) -> list[str]:
    text = table.get(NOSWAP, "")
    return text.split(",") if text else []
