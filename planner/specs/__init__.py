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
    """What a file of a family cannot do without: one of these names, or one of these words, where ``form`` is met as well.

    Thousands of files that are not ours are searched for words alone, which takes a tenth of the time.
    """

    names: frozenset[str]
    words: tuple[str, ...]
    form: re.Pattern[str] | None = None

    def stand_in(self, text: str) -> bool:
        """Whether the text shows them."""
        found = any(word in text for word in self.words)
        return found and (self.form is None or self.form.search(text) is not None)


_SIGNS = {
    "k3s": Signs(
        frozenset({"registries.yaml", "registries.yml"}),
        ("mirrors", "configs", "auths"),
        re.compile(r"""^[ \t]*[{"']*(?:mirrors|configs|auths)["']?[ \t]*:""", re.MULTILINE),
    ),
    "eksa": Signs(frozenset(), ("anywhere.eks.amazonaws.com",)),
    "kubeone": Signs(frozenset(), ("kubeone.k8c.io", "KubeOneCluster")),
    "palette": Signs(
        frozenset(),
        (
            *("ociImageRegistry", "ociPackRegistry", "ociPackEcrRegistry", "imageSwap"),
            *("registry-info", "MIRROR_REGISTRIES"),
            *("cainjectorImage", "amceResolverImage", "acmeResolverImage"),
        ),
    ),
}
# Kinds that are a family's other form: never told from a file itself, only by who names it.
_FORMS = {"imageswap-map": ("palette", "MAP_FILE")}
NAMES = (*_SIGNS, *_FORMS)
_SAID = re.compile(
    r"\A\ufeff?(?:[ \t]*(?:#.*|---.*|%.*)?\r?\n)*?[ \t]*#[ \t]*planner:[ \t]*kind=([\w-]+)"
)


def may_be_ours(name: str, text: str) -> bool:
    """Whether a file could be a spec of any family, by its name and the beginning of its text, unparsed."""
    return any(_candidates(name, text)) or ("kind=" in text and bool(kind_said(text)))


def kind_said(text: str) -> str:
    """The kind that a comment in the head of a file names, ``# planner: kind=NAME``; empty without one."""
    found = _SAID.match(text)
    return found[1] if found else ""


def family_of(spec: Spec) -> Family | None:
    """The family that the file names, or that recognises it; None when it is not one of ours."""
    if said := family_named(kind_said(spec.text)):
        return said
    families = map(family_named, _candidates(spec.file, spec.text))
    return next((family for family in families if family and family.matches(spec)), None)


def family_named(name: str) -> Family | None:
    """The family called ``name``, or the family's form that is."""
    if name in _FORMS:
        return _load(*_FORMS[name])
    return _load(name) if name in _SIGNS else None


@cache
def families() -> tuple[Family, ...]:
    """All of them."""
    return tuple(map(_load, _SIGNS))


@cache
def _load(name: str, form: str = "FAMILY") -> Family:
    family: Family = getattr(import_module(f"planner.specs.{name}"), form)
    return family


def _candidates(file: str, text: str) -> Iterator[str]:
    """The families whose signs a file shows: those that it is named after, then those with the rarest words."""
    base = PurePath(file).name
    yield from (name for name, signs in _SIGNS.items() if base in signs.names)
    yield from (
        name
        for name, signs in reversed(_SIGNS.items())
        if base not in signs.names and signs.stand_in(text)
    )
