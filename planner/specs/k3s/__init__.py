"""K3s and RKE2: registries.yaml, and the image lists of their releases."""

from __future__ import annotations

from pathlib import PurePath

from planner.core.document import Spec
from planner.core.family import Family, Images
from planner.core.lint import Structure, first_document
from planner.specs.k3s.rules import RULES

_KEYS = frozenset({"mirrors", "configs", "auths"})


def matches(spec: Spec) -> bool:
    """Whether the file is named registries.yaml, or has nothing but the keys of one."""
    if PurePath(spec.file).name in ("registries.yaml", "registries.yml"):
        return True
    keys = {key for key, _ in spec.root.fields()}
    return bool(keys) and keys <= _KEYS


def _images() -> Images:
    from planner.specs.k3s.images import IMAGES  # noqa: PLC0415 - lint does without

    return IMAGES


FAMILY = Family(
    name="k3s",
    title="K3s and RKE2 registries.yaml",
    layers=first_document(
        Structure(
            schema="k3s/registries",
            unknown_key="K3s drops it without a message",
            wrong_type="K3s cannot decode the file, and the agent does not start",
            duplicate_key="K3s keeps this one and drops the first without a message",
            tolerated=r"x-.*",
            merged=_KEYS,
        )
    ),
    matches=matches,
    rules=RULES,
    images=_images,
)
