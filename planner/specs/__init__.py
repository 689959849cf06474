"""The spec families. To add one: its folder, its schema, and its signs here.

A family is loaded when a file shows a sign of it: most runs need one, and its rules take longer to load than to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import PurePath
from typing import NamedTuple

from planner.core.document import Spec
from planner.core.family import Family


class Signs(NamedTuple):
    """What a file of a family cannot do without: one of these names, or a match in its text."""

    names: frozenset[str]
    text: re.Pattern[str]


_SIGNS = {
    "k3s": Signs(
        frozenset({"registries.yaml", "registries.yml"}),
        re.compile(r"""^[ \t]*[{"']*(?:mirrors|configs|auths)["']?[ \t]*:""", re.MULTILINE),
    ),
    "kubeone": Signs(frozenset(), re.compile(r"kubeone\.k8c\.io|KubeOneCluster")),
}
NAMES = tuple(_SIGNS)


def may_be_ours(name: str, text: str) -> bool:
    """Whether a file could be a spec of any family, by its name and the beginning of its text, unparsed."""
    return any(_candidates(name, text))


def family_of(spec: Spec) -> Family | None:
    """The family that recognises the file; None when it is not one of ours."""
    families = map(family_named, _candidates(spec.file, spec.text))
    return next((family for family in families if family and family.matches(spec)), None)


def family_named(name: str) -> Family | None:
    """The family called ``name``."""
    return _load(name) if name in _SIGNS else None


@cache
def families() -> tuple[Family, ...]:
    """All of them."""
    return tuple(map(_load, _SIGNS))


def _load(name: str) -> Family:
    family: Family = import_module(f"planner.specs.{name}").FAMILY
    return family


def _candidates(file: str, text: str) -> Iterator[str]:
    base = PurePath(file).name
    return (
        name for name, signs in _SIGNS.items() if base in signs.names or signs.text.search(text)
    )
