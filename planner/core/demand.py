"""Which steps of a run nobody wants any more, since their images were cancelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from planner.core.graph import Graph, build_graph, root_id
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.steps import AllCopied, DeleteTag


class Demand:
    """Follows what is wanted of a graph. ``dependents`` of it are what waits for each step."""

    def __init__(
        self,
        plan: Plan,
        changes: Iterable[Change],
        graph: Graph,
        dependents: Mapping[str, Sequence[str]],
    ) -> None:
        self._graph = graph
        self._dependents = dependents
        self._wanted: dict[str, None] = {}
        self._subjects: dict[str, set[str]] = {}
        self._find(plan, list(changes))

    def cancel(self, root: str, unwanted: set[str]) -> list[str]:
        """The images that are cancelled with the one of a root, by their roots: none, where something else needs it.

        What signs or describes an image goes with it; and nothing is deleted any more, since that waits for all copies. The
        steps that nobody else needs are added to ``unwanted``.
        """
        together = self._with_followers(root)
        if any(
            each not in together and each not in unwanted
            for one in together
            for each in self._dependents.get(one, ())
        ):
            return []
        cancelled = [each for each in together if each in self._wanted]
        for each in cancelled:
            del self._wanted[each]
        unwanted.update(together)
        self._let_go(together, unwanted)
        return cancelled

    def _find(self, plan: Plan, changes: Sequence[Change]) -> None:
        """All images by their roots, and which of them sign or describe which others."""
        named: dict[tuple[Place, str], set[str]] = {}
        roots = {change: root_id(plan, change) for change in changes}
        for change, root in roots.items():
            self._wanted[root] = None
            named.setdefault((change.place, change.digest), set()).add(root)
        for change, root in roots.items():
            if change.subject and change.op != "delete":
                digests = {change.subject, plan.manifests[change.digest].subject}
                found = (named.get((change.place, each), ()) for each in digests)
                self._subjects.setdefault(root, set()).update(*found)

    def _let_go(self, cancelled: Iterable[str], unwanted: set[str]) -> None:
        """Go down from what is cancelled, as far as nobody else waits for it."""
        waiting = list(cancelled)
        while waiting:
            for need in self._graph.needs[waiting.pop()]:
                is_kept = need in unwanted or need in self._wanted
                if not is_kept and unwanted.issuperset(self._dependents[need]):
                    unwanted.add(need)
                    waiting.append(need)

    def _with_followers(self, root: str) -> dict[str, None]:
        """An image, and what must not be without it."""
        found, waiting = {root: None}, [root]
        while waiting:
            each = waiting.pop()
            for dependent in self._dependents.get(each, ()):
                if dependent not in found and self._follows(dependent, each):
                    found[dependent] = None
                    waiting.append(dependent)
        return found

    def _follows(self, step_id: str, other: str) -> bool:
        # What signs an image is deleted behind it, and all deletions come behind all copies.
        is_order = isinstance(self._graph.steps[step_id], AllCopied | DeleteTag)
        return is_order or other in self._subjects.get(step_id, ())


def images_for(plan: Plan, changes: Sequence[Change], step_id: str) -> list[str]:
    """The names of the images that need a step, in the order of the changes; deletions need none."""
    graph = build_graph(plan, [change for change in changes if change.op != "delete"])
    if step_id not in graph:
        return []
    dependents: dict[str, list[str]] = {}
    for each, needs in graph.needs.items():
        for need in needs:
            dependents.setdefault(need, []).append(each)
    found, waiting = {step_id}, [step_id]
    while waiting:
        new = set(dependents.get(waiting.pop(), ())) - found
        found |= new
        waiting.extend(new)
    return [str(each.target) for each in changes if root_id(plan, each) in found]
