"""K3s and RKE2: everything about images, which planning asks for and linting does not."""

from __future__ import annotations

from planner.core.family import Images
from planner.specs.k3s.dialect import read_map, write_map
from planner.specs.k3s.needs import needs, releases
from planner.specs.k3s.render import render, resolve
from planner.specs.k3s.trusts import mirror_map, trusts

IMAGES = Images(
    releases=releases,
    needs=needs,
    resolve=resolve,
    render=render,
    read_map=read_map,
    write_map=write_map,
    trusts=trusts,
    mirror_map=mirror_map,
    choices=frozenset({"groups"}),
)
