"""The spec families. To add one: its folder, its schema, and its entry here."""

from __future__ import annotations

from planner.core.document import Spec
from planner.core.family import Family
from planner.specs import k3s, kubeone

FAMILIES: tuple[Family, ...] = (k3s.FAMILY, kubeone.FAMILY)


def family_of(spec: Spec) -> Family | None:
    """The family that recognises the file; None when it is not one of ours."""
    return next((family for family in FAMILIES if family.matches(spec)), None)


def family_named(name: str) -> Family | None:
    """The family called ``name``."""
    return next((family for family in FAMILIES if family.name == name), None)
