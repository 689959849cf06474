"""Where everything in the picture is, in pixels.

There are three columns; bands keep the order of their homes, so that nothing crosses between those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from planner.ui.plan.picture.scene import Band, Home, Row, Scene

MARGIN = 28
TOP = 96
ROW = 20
_HEAD = 30
_GAP = 18
_FOOT = 56
_SOURCE = (MARGIN, 190)
_MIDDLE = (320, 560)
_HOME = (990, 240)
_BOX = 48
WIDTH = _HOME[0] + _HOME[1] + MARGIN
_WIDEST_FLOW, _NARROWEST_FLOW = 26.0, 1.5


class Box(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Half-way down."""
        return self.y + self.height / 2


class PlacedBand(NamedTuple):
    """A band, and its rows with the y of each."""

    band: Band
    box: Box
    rows: Sequence[tuple[Row, float]]


class Flow(NamedTuple):
    """What goes from one box to another: from (x1, y1) to (x2, y2), ``width`` thick."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything with its place. ``heaviest`` is the largest image, for the lengths of bars."""

    scene: Scene
    height: float
    sources: Mapping[str, Box]
    bands: Sequence[PlacedBand]
    homes: Sequence[tuple[Home, Box]]
    flows: Sequence[Flow]
    heaviest: int


def laid_out(scene: Scene) -> Picture:
    """A place for everything."""
    bands, bottom = _bands(scene)
    homes = [
        (home, _around([each.box for each in group]))
        for home, group in groupby(bands, lambda each: each.band.home)
    ]
    thickness = _thickness(bands, bottom - TOP)
    sources = _sources(scene, bands, thickness)
    lowest = max((box.y + box.height for box in sources.values()), default=0)
    flows = [*_flows_in(sources, bands, thickness), *_flows_out(bands, dict(homes), thickness)]
    heaviest = max((row.own + row.shared for each in bands for row, _ in each.rows), default=0)
    return Picture(scene, max(bottom, lowest) + _FOOT, sources, bands, homes, flows, heaviest)


def _bands(scene: Scene) -> tuple[list[PlacedBand], float]:
    y, found = float(TOP), []
    for band in scene.bands:
        rows = [(row, y + _HEAD + ROW * number) for number, row in enumerate(band.rows)]
        height = _HEAD + ROW * len(rows) + 8
        found.append(PlacedBand(band, Box(_MIDDLE[0], y, _MIDDLE[1], height), rows))
        y += height + _GAP
    return found, y


def _around(boxes: Sequence[Box]) -> Box:
    top, bottom = boxes[0].y, boxes[-1].y + boxes[-1].height
    return Box(_HOME[0], top, _HOME[1], max(bottom - top, _BOX))


def _thickness(bands: Sequence[PlacedBand], height: float) -> Callable[[int], float]:
    """How thick so many bytes are: all flows together fit beside the bands, and none is thicker than a band."""
    carried = [sum(each.band.flows.values()) for each in bands]
    scale = min(_WIDEST_FLOW / max(carried), height / 2 / sum(carried)) if sum(carried) else 0
    return lambda count: max(_NARROWEST_FLOW, count * scale)


def _sources(
    scene: Scene, bands: Sequence[PlacedBand], thickness: Callable[[int], float]
) -> dict[str, Box]:
    """Each as near as possible to the middle of what comes from it, none over another, high enough for its flows."""
    wanted, heights = {}, {}
    for name in scene.sources:
        fed = [each for each in bands if name in each.band.flows]
        wanted[name] = sum(each.box.middle for each in fed) / len(fed) if fed else TOP
        heights[name] = max(_BOX, _GAP + sum(thickness(each.band.flows[name]) for each in fed))
    y, found = float(TOP), {}
    for name in sorted(wanted, key=lambda each: (wanted[each], each)):
        y = max(y, wanted[name] - heights[name] / 2)
        found[name] = Box(_SOURCE[0], y, _SOURCE[1], heights[name])
        y += heights[name] + _GAP
    return found


def _flows_in(
    sources: Mapping[str, Box], bands: Sequence[PlacedBand], thickness: Callable[[int], float]
) -> Iterator[Flow]:
    """From registries to bands: beside each other at both ends, as in a diagram of Sankey's."""
    leaving = {}
    for name, box in sources.items():
        fed = (each.band.flows[name] for each in bands if name in each.band.flows)
        leaving[name] = box.middle - sum(map(thickness, fed)) / 2
    for band, box, _ in bands:
        flows = sorted(band.flows, key=lambda name: (sources[name].y, name))
        arriving = box.middle - sum(thickness(band.flows[name]) for name in flows) / 2
        for name in flows:
            width, source = thickness(band.flows[name]), sources[name]
            start, end = leaving[name] + width / 2, arriving + width / 2
            yield Flow(source.x + source.width, start, box.x, end, width, name in band.blocked)
            leaving[name] += width
            arriving += width


def _flows_out(
    bands: Sequence[PlacedBand], homes: Mapping[Home, Box], thickness: Callable[[int], float]
) -> Iterator[Flow]:
    """From bands to where they go, straight."""
    for band, box, _ in bands:
        if band.flows:
            width = thickness(sum(band.flows.values()))
            is_blocked = band.blocked == frozenset(band.flows)
            x = homes[band.home].x
            yield Flow(box.x + box.width, box.middle, x, box.middle, width, is_blocked)
