"""What must exist before the first byte: projects, repositories and organisations on the target registries.

Asks the products with reads alone. A name that a product cannot hold, and one in a namespace that is not there and cannot be
created, is blocked before anybody pushes to it in vain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from planner.core.namespaces import Namespace, NamespaceOp, Standing
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.refs import ImageRef
from planner.core.text import size
from planner.stores.opening import Stores
from planner.stores.products.product import Product


@dataclass(slots=True)
class Ground:
    """What the target registries say about the names that a plan wants."""

    _complaints: dict[Place, str] = field(default_factory=dict)
    _namespaces: dict[Place, Namespace] = field(default_factory=dict)
    _standings: dict[Place, Standing] = field(default_factory=dict)
    _paths: dict[Place, str] = field(default_factory=dict)

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """All that are needed, in order."""
        distinct = {(each.registry, each.name): each for each in self._namespaces.values()}
        return tuple(distinct[key] for key in sorted(distinct))

    def obstacle(self, target: ImageRef) -> str:
        """Why nothing can be pushed to the repository of a name; empty when something can."""
        place = Place(target.registry, target.repository)
        if complaint := self._complaints.get(place):
            return complaint
        namespace = self._namespaces.get(place)
        return namespace.reason if namespace and namespace.op == "blocked" else ""

    def is_new(self, target: ImageRef) -> bool:
        """Whether the namespace of a name is not there, so that nothing can be under the name."""
        standing = self._standings.get(Place(target.registry, target.repository))
        return standing is not None and standing.state == "missing"

    def is_frozen(self, target: ImageRef) -> bool:
        """Whether the registry would not let the tag be moved."""
        place = Place(target.registry, target.repository)
        standing = self._standings.get(place)
        if standing is None or not target.tag:
            return False
        below = self._paths[place].removeprefix(self._namespaces[place].name).lstrip("/")
        return any(each.holds(below, target.tag) for each in standing.freezes)

    def overfull(self, plan: Plan) -> Iterator[tuple[Namespace, str]]:
        """The namespaces whose quota has no room for what the plan would put there, each with that in words."""
        by_namespace: dict[tuple[str, str], list[Change]] = {}
        for each in plan.pending:
            if home := self._namespaces.get(each.place):
                by_namespace.setdefault((home.registry, home.name), []).append(each)
        for namespace in self.namespaces:
            coming = by_namespace.get((namespace.registry, namespace.name), [])
            room = self._standings[coming[0].place].room if coming else None
            if room is None:
                continue
            needed = plan.bytes_to_hold(coming)
            if needed > room:
                yield (
                    namespace,
                    f"the quota of {namespace.kind} {namespace.name} has {size(room)} left, and {size(needed)} are to come",
                )

    def add(self, registry: str, repositories: Iterable[str], stores: Stores) -> None:
        """Ask the product of one registry about repositories.

        Raises:
            RegistryError: its API does not answer.
        """
        product, store = stores.product(registry), stores.target(registry)
        homes: dict[str, list[str]] = {}
        for repository in repositories:
            place, path = Place(registry, repository), store.path_of(repository)
            self._paths[place] = path
            if complaint := product.complaint(path):
                self._complaints[place] = complaint
            elif home := product.namespace(path):
                homes.setdefault(home, []).append(repository)
        standings = product.standings(sorted(homes)) if homes else {}
        for home, members in homes.items():
            standing = standings[home]
            namespace = _namespace(registry, home, product, standing, members)
            for repository in members:
                place = Place(registry, repository)
                self._namespaces[place], self._standings[place] = namespace, standing


def look_around(targets: Iterable[ImageRef], stores: Stores) -> Ground:
    """Ask the products of all target registries.

    Raises:
        RegistryError: a product's API does not answer.
    """
    repositories: dict[str, set[str]] = {}
    for target in targets:
        repositories.setdefault(target.registry, set()).add(target.repository)
    ground = Ground()
    for registry in sorted(repositories):
        ground.add(registry, sorted(repositories[registry]), stores)
    return ground


def _namespace(
    registry: str, name: str, product: Product, standing: Standing, repositories: Iterable[str]
) -> Namespace:
    op, reason = _verdict(product, name, standing)
    somebody_else = op in ("blocked", "unknown") and standing.state != "there"
    command = product.administrators_command(name) if somebody_else else ""
    return Namespace(
        registry,
        name,
        product.word,
        op,
        product.title,
        reason,
        command,
        tuple(sorted(repositories)),
    )


def _verdict(product: Product, name: str, standing: Standing) -> tuple[NamespaceOp, str]:
    """What is to be done about a namespace, and why it cannot be."""
    obstacle = standing.obstacle
    match standing.state:
        case "there":
            return ("blocked", obstacle) if obstacle else ("same", "")
        case "missing":
            said = f"{product.title} has no {product.word} {name!r}"
            return ("blocked", f"{said}, and {obstacle}") if obstacle else ("create", "")
        case "unknown":
            return "unknown", obstacle or "the registry does not say"
