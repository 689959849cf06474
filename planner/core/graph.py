"""From a plan's changes to the graph of its steps: what must exist before what.

Every blob is copied once per target registry; the other repositories that need it mount it from there. A namespace comes before
all that lies in it, and what is to be deleted waits for everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from planner.core.content import Descriptor, Manifest
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.refs import subject_of
from planner.core.steps import (
    AllCopied,
    CopyBlob,
    CreateNamespace,
    DeleteTag,
    MountBlob,
    PutManifest,
    PutReferrer,
    PutTag,
    Step,
)

if TYPE_CHECKING:
    import networkx as nx


class Graph:
    """Steps by id, each after all that it needs; the order depends on the plan alone.

    Plain dictionaries: running a plan needs no more, and loading networkx takes longer than copying a dozen images. What
    explains the graph gets it ``as_networkx``.
    """

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}
        self.needs: dict[str, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[str]:
        return iter(self.steps)

    def __contains__(self, step_id: object) -> bool:
        return step_id in self.steps

    def add(self, step: Step, needs: Iterable[str]) -> str:
        """Add a step, after those that it needs, which are there; empty ids are none. The result is its id."""
        step_id = step.id
        if step_id not in self.steps:
            self.steps[step_id] = step
            self.needs[step_id] = frozenset()
        if more := frozenset(filter(None, needs)):
            self.needs[step_id] |= more
        return step_id

    def as_networkx(self) -> nx.DiGraph[str]:
        """The same for networkx: an edge means *must exist before*, nodes have the attribute ``step``."""
        import networkx as nx  # noqa: PLC0415 - it takes long to load

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from((step_id, {"step": step}) for step_id, step in self.steps.items())
        graph.add_edges_from((need, step) for step, needs in self.needs.items() for need in needs)
        return graph


def build_graph(plan: Plan, changes: Iterable[Change]) -> Graph:
    """The steps that carry out ``changes``, which are pending changes of ``plan``.

    Changes are taken in their order: the first repository that needs a blob receives it, the others mount it.
    """
    builder = _GraphBuilder(plan)
    listed = list(changes)
    for change in listed:
        if change.op != "delete":
            builder.add(change)
    builder.add_order(change for change in listed if change.subject)
    builder.add_deletions(change for change in listed if change.op == "delete")
    return builder.graph


def root_id(plan: Plan, change: Change) -> str:
    """The id of the step that completes an image."""
    if change.op == "delete":
        return DeleteTag(change.place, change.target.tag, change.current).id
    return _root(plan, change).id


def _root(plan: Plan, change: Change) -> PutTag | PutManifest | PutReferrer:
    manifest = plan.manifests[change.digest]
    if change.target.tag:
        return PutTag(change.place, change.target.tag, manifest, change.current)
    if manifest.subject and change.subject:
        return PutReferrer(change.place, manifest)
    return PutManifest(change.place, manifest)


class _GraphBuilder:
    """Adds images one by one. Lives for one graph."""

    def __init__(self, plan: Plan) -> None:
        self.graph = Graph()
        self._plan = plan
        self._leaders: dict[tuple[str, str], CopyBlob] = {}
        self._roots: dict[tuple[Place, str], list[str]] = {}
        self._new = plan.new_namespaces

    def add(self, change: Change) -> None:
        """Add one image: blobs, then child manifests, then the manifest under its tag or digest."""
        root = _root(self._plan, change)
        step = self.graph.add(root, self._contents(change, root.manifest))
        self._roots.setdefault((change.place, change.digest), []).append(step)

    def add_order(self, changes: Iterable[Change]) -> None:
        """Let what signs or describes an image wait for it; and for one another, since they may share a list."""
        last: dict[tuple[Place, str], str] = {}
        for change in changes:
            root = _root(self._plan, change)
            subjects = {change.subject, root.manifest.subject}
            needs = [
                each
                for subject in subjects
                for each in self._roots.get((change.place, subject), ())
            ]
            if isinstance(root, PutReferrer):
                key = (change.place, root.manifest.subject)
                needs.append(last.get(key, ""))
                last[key] = root.id
            self.graph.add(root, needs)

    def add_deletions(self, changes: Iterable[Change]) -> None:
        """Add what is to go, after all that is to come."""
        groups: dict[tuple[Place, str], list[Change]] = {}
        for change in changes:
            groups.setdefault((change.place, change.current), []).append(change)
        needed = {need for needs in self.graph.needs.values() for need in needs}
        last = [step_id for step_id in self.graph if step_id not in needed]
        barrier = self.graph.add(AllCopied(), last) if groups and last else ""
        deletions = [
            DeleteTag(place, tag, digest, tags, self._staying.get(place, frozenset()))
            for (place, digest), group in groups.items()
            for tags in [frozenset(change.target.tag for change in group)]
            for tag in sorted(tags)
        ]
        # What signs an image goes after it: a deletion that is refused must not leave an image without its signature.
        for step in sorted(deletions, key=lambda each: bool(subject_of(each.tag))):
            subject = subject_of(step.tag)
            signed = (
                each.id
                for each in deletions
                if subject and (each.target, each.digest) == (step.target, subject)
            )
            self.graph.add(step, (barrier, *signed))

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
            step = PutManifest(change.place, content)
            found.append(self.graph.add(step, self._contents(change, content)))
        return found

    def _namespace(self, place: Place) -> str:
        """Add what creates the namespace of a repository; empty when it is there."""
        namespace = self._new.get(place)
        if namespace is None:
            return ""
        return self.graph.add(CreateNamespace(place.registry, namespace.name), ())

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
            return self.graph.add(copy, (self._namespace(target),))
        if leader.target == target:
            return leader.id
        return self._mount(change, blob, leader.target, leader.id)

    def _mount(self, change: Change, blob: Descriptor, sibling: Place, leader: str = "") -> str:
        step = MountBlob(change.place, blob.digest, blob.size, change.origin, sibling)
        return self.graph.add(step, (self._namespace(change.place), leader))
