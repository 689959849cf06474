"""From a plan's changes to the graph of its steps: what must exist before what.

Nodes are step ids with the step as the attribute ``step``; an edge means *must exist before*. Every blob is copied once
per target registry; the other repositories that need it mount it from there. A namespace comes before all that lies in it,
and what is to be deleted waits for everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

import networkx as nx

from planner.core.content import Descriptor, Manifest
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.steps import (
    AllCopied,
    CopyBlob,
    CreateNamespace,
    DeleteTag,
    MountBlob,
    PutManifest,
    PutTag,
    Step,
)

if TYPE_CHECKING:
    Graph = nx.DiGraph[str]
else:
    Graph = nx.DiGraph


def build_graph(plan: Plan, changes: Iterable[Change]) -> Graph:
    """The steps that carry out ``changes``, which are pending changes of ``plan``.

    Changes are taken in their order: the first repository that needs a blob receives it, the others mount it.
    """
    builder = _GraphBuilder(plan)
    listed = list(changes)
    for change in listed:
        if change.op != "delete":
            builder.add(change)
    builder.add_deletions(change for change in listed if change.op == "delete")
    return builder.graph


def step_of(graph: Graph, step_id: str) -> Step:
    """The step behind an id."""
    return cast("Step", graph.nodes[step_id]["step"])


def steps(graph: Graph) -> Iterator[Step]:
    """All steps, each after everything that it needs; the order depends on the graph alone."""
    for step_id in nx.lexicographical_topological_sort(graph):
        yield step_of(graph, step_id)


def predecessors(graph: Graph) -> Mapping[str, frozenset[str]]:
    """What each step waits for: the form that the standard library's ``graphlib`` runs."""
    return {step_id: frozenset(graph.predecessors(step_id)) for step_id in graph}


def needed_for(graph: Graph, step_id: str) -> frozenset[str]:
    """Everything that must happen before a step."""
    return frozenset(nx.ancestors(graph, step_id))


def root_id(plan: Plan, change: Change) -> str:
    """The id of the step that completes an image."""
    if change.op == "delete":
        return DeleteTag(change.place, change.target.tag, change.current).id
    return _root(plan, change).id


def _root(plan: Plan, change: Change) -> PutTag | PutManifest:
    manifest = plan.manifests[change.digest]
    if change.target.tag:
        return PutTag(change.place, change.target.tag, manifest)
    return PutManifest(change.place, manifest)


class _GraphBuilder:
    """Adds images one by one. Lives for one graph."""

    def __init__(self, plan: Plan) -> None:
        self.graph = Graph()
        self._plan = plan
        self._leaders: dict[tuple[str, str], CopyBlob] = {}
        self._new = plan.new_namespaces

    def add(self, change: Change) -> None:
        """Add one image: blobs, then child manifests, then the manifest under its tag or digest."""
        root = _root(self._plan, change)
        self._add(root, self._contents(change, root.manifest))

    def add_deletions(self, changes: Iterable[Change]) -> None:
        """Add what is to go, after all that is to come."""
        groups: dict[tuple[Place, str], list[Change]] = {}
        for change in changes:
            groups.setdefault((change.place, change.current), []).append(change)
        last = [step_id for step_id in self.graph if not self.graph.out_degree(step_id)]
        barrier = self._add(AllCopied(), last) if groups and last else ""
        for (place, digest), group in groups.items():
            tags = frozenset(change.target.tag for change in group)
            for tag in sorted(tags):
                step = DeleteTag(place, tag, digest, tags, self._staying.get(place, frozenset()))
                self._add(step, (barrier,))

    @cached_property
    def _staying(self) -> Mapping[Place, frozenset[str]]:
        """The digests that the plan knows to stay, or to come, in each repository."""
        found: dict[Place, set[str]] = {}
        for change in self._plan.changes:
            if change.op != "delete" and change.digest:
                found.setdefault(change.place, set()).add(change.digest)
        return {place: frozenset(digests) for place, digests in found.items()}

    def _contents(self, change: Change, manifest: Manifest) -> list[str]:
        """Add what ``manifest`` names; return the ids of the steps that it must wait for."""
        found = [self._namespace(change.place)]
        found += [self._blob(change, blob) for blob in manifest.blobs]
        for child in manifest.children:
            content = self._plan.manifests[child.digest]
            found.append(
                self._add(PutManifest(change.place, content), self._contents(change, content))
            )
        return [each for each in found if each]

    def _namespace(self, place: Place) -> str:
        """Add what creates the namespace of a repository; empty when it is there."""
        namespace = self._new.get(place)
        return self._add(CreateNamespace(place.registry, namespace.name), ()) if namespace else ""

    def _blob(self, change: Change, blob: Descriptor) -> str:
        """Add what brings a blob into a repository; empty when it is there."""
        target, registry = change.place, change.target.registry
        holders = self._plan.holders(registry, blob.digest)
        if target in holders:
            return ""
        if holders:
            return self._mount(change, blob, holders[0])
        leader = self._leaders.get((registry, blob.digest))
        if leader is None:
            copy = CopyBlob(target, blob.digest, blob.size, change.origin)
            self._leaders[registry, blob.digest] = copy
            return self._add(copy, (self._namespace(target),))
        if leader.target == target:
            return leader.id
        return self._mount(change, blob, leader.target, leader.id)

    def _mount(self, change: Change, blob: Descriptor, sibling: Place, leader: str = "") -> str:
        step = MountBlob(change.place, blob.digest, blob.size, change.origin, sibling)
        return self._add(step, (self._namespace(change.place), leader))

    def _add(self, step: Step, needs: Iterable[str]) -> str:
        """Add a step, after those that it needs; empty ids are none."""
        self.graph.add_node(step.id, step=step)
        self.graph.add_edges_from((need, step.id) for need in needs if need)
        return step.id
