"""EKS Anywhere: everything about images, which planning asks for and linting does not."""

from __future__ import annotations

from planner.core.family import Images
from planner.specs.eksa.dialect import read_map, write_map
from planner.specs.eksa.mirror import configuration
from planner.specs.eksa.needs import needs
from planner.specs.eksa.nodes import render, resolve
from planner.specs.eksa.trusts import trusts

IMAGES = Images(
    releases=dict,
    needs=needs,
    resolve=resolve,
    render=render,
    read_map=read_map,
    write_map=write_map,
    trusts=trusts,
    mirror_map=configuration,
    choices=frozenset({"packages"}),
)
