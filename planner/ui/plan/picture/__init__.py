"""``svg``: a plan as a picture, from the registries that are read over the images to where they go."""

from __future__ import annotations

from planner.core.plan import Plan
from planner.ui.plan.picture.drawing import drawn
from planner.ui.plan.picture.layout import laid_out
from planner.ui.plan.picture.scene import scene_of


def svg(plan: Plan) -> str:
    """An SVG document: self-contained, the same bytes for the same plan, for light and dark backgrounds."""
    return drawn(laid_out(scene_of(plan)))
