"""Palette and VerteX: the registry blocks of their charts' values, and the Secret registry-info.

Which images a release deploys is not published: they come from a list.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.core.document import Spec
from planner.core.family import Family, Images
from planner.core.lint import Layer, Structure
from planner.specs.palette.documents import are_values, is_registry_info, secrets, values
from planner.specs.palette.rules import MAP_RULES, RULES
from planner.specs.palette.swapmap import map_spec

_VALUES = Structure(
    schema="palette/values",
    unknown_key="Helm drops it without a message",
    wrong_type="Helm hands it to the templates as it is, where any text that is not empty is true",
    duplicate_key="Helm keeps this one and drops the first without a message",
)
_SECRET = Structure(
    schema="palette/registry-info",
    unknown_key="Palette reads no such field",
    wrong_type="the API server refuses the Secret",
    duplicate_key="kubectl keeps this one and drops the first",
)


def matches(spec: Spec) -> bool:
    """Whether a document has a block that only Palette's charts read, or is the Secret registry-info."""
    return are_values(spec) or any(map(is_registry_info, secrets(spec)))


def layers(spec: Spec) -> Sequence[Layer]:
    """The values, when there are any, and every Secret."""
    found = [Layer(each, _SECRET) for each in secrets(spec)]
    document = values(spec)
    return [Layer(document, _VALUES), *found] if document else found


def _images() -> Images:
    from planner.specs.palette.images import IMAGES  # noqa: PLC0415 - lint does without

    return IMAGES


def _map_images() -> Images:
    from planner.specs.palette.images import MAP_IMAGES  # noqa: PLC0415 - as above

    return MAP_IMAGES


FAMILY = Family(
    name="palette",
    title="Palette registry values and registry-info Secret",
    layers=layers,
    matches=matches,
    rules=RULES,
    images=_images,
)
MAP_FILE = Family(
    name="imageswap-map",
    title="map file of the image-swap webhook",
    layers=lambda _: (),
    matches=lambda _: False,
    rules=MAP_RULES,
    images=_map_images,
    as_read=map_spec,
)
