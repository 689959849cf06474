"""KubeOne: everything about images, which planning asks for and linting does not."""

from __future__ import annotations

from planner.core.family import Images
from planner.specs.kubeone.dialect import read_map, write_map
from planner.specs.kubeone.needs import needs
from planner.specs.kubeone.render import render, resolve
from planner.specs.kubeone.tables import releases
from planner.specs.kubeone.trusts import mirror_map, trusts

IMAGES = Images(
    releases=releases,
    needs=needs,
    resolve=resolve,
    render=render,
    read_map=read_map,
    write_map=write_map,
    trusts=trusts,
    mirror_map=mirror_map,
    choices=frozenset({"groups", "kubernetes_versions"}),
)
