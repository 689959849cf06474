"""What the image-swap webhook makes of the image of a pod.

The webhook works on text: it knows no tags, and treats the registry as a regular expression. Its results are kept as they
come out, valid names or not.

Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map`` and ``swap_image``. Its other
mode, IMAGE_PREFIX, is deprecated there; Palette sets a map.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
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


@lru_cache(maxsize=16)
def read_map(text: str) -> SwapMap:
    """The entries of a map file; of several for one key the last counts."""
    tables: dict[str, dict[str, str]] = {"exact": {}, "replace": {}, "plain": {}}
    for line in parse_map(text):
        if line.problem != "dropped":
            tables[line.kind][line.key] = line.value
    return SwapMap(tables["exact"], tables["replace"], tables["plain"])


def map_text(text: str) -> str:
    """The map file that Palette's chart makes of its list.

    The chart is not public. It must add a default, without which the webhook would look at no registry at all.
    """
    return "".join(f"{line}\n" for line in (f"{DEFAULT}::", *text.split(",")))


def map_of_list(text: str) -> SwapMap:
    """The entries of that map file."""
    return read_map(map_text(text))


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
    return _with(table[DEFAULT], registry, image, appended=f"{bare}/{image}")


def _with(value: str, key: str, image: str, *, appended: str) -> str:
    """The image with the value of an entry: nothing, a prefix, or what takes the place of the registry."""
    if not value:
        return image
    if value.endswith(_APPEND):
        return value + appended
    if key not in image:
        return f"{value}/{image}"
    try:
        return re.sub(key, value, image)
    except (re.error, IndexError, OverflowError) as error:
        raise SwapError(f"{key}::{value} is nothing that Python can replace by: {error}") from error


def _wildcards(table: Mapping[str, str]) -> list[str]:
    text = table.get(NOSWAP, "")
    return text.split(",") if text else []
