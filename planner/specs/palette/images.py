"""Palette: everything about images, which planning asks for and linting does not."""

from __future__ import annotations

from planner.core.family import Images
from planner.specs.palette.dialect import read_map, write_map
from planner.specs.palette.map_dialect import write_map as write_map_file
from planner.specs.palette.needs import needs
from planner.specs.palette.nodes import render
from planner.specs.palette.nodes import resolve as resolve_image
from planner.specs.palette.packs import resolve
from planner.specs.palette.trusts import mirror_map, trusts

IMAGES = Images(
    releases=dict,
    needs=needs,
    resolve=resolve,
    render=render,
    read_map=read_map,
    write_map=write_map,
    trusts=trusts,
    mirror_map=mirror_map,
    choices=frozenset({"packs"}),
)
MAP_IMAGES = IMAGES._replace(resolve=resolve_image, write_map=write_map_file, choices=frozenset())
