"""From needs to a plan: what the registries lack, found with reads alone.

First what must exist before a push, then each name on either side. Manifests come by digest, through a cache that keeps them
for good. Nothing is written, and no scope but ``pull`` is ever asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache as cached
from types import MappingProxyType
from typing import NamedTuple

from planner.core.errors import InputError, UsageError
from planner.core.family import Because, Need
from planner.core.namespaces import Namespace
from planner.core.place import Place
from planner.core.plan import Access, Change, Plan
from planner.core.platforms import of_all
from planner.core.refs import ImageRef
from planner.needs import Collected
from planner.preflight import look_around
from planner.prune import Managed, Needed, superfluous
from planner.pulls import Pulls
from planner.stores.cache import ManifestCache
from planner.stores.opening import Stores
from planner.stores.workers import workers
from planner.survey import Asking, Note, Survey, Wish

PARALLELISM = 32


class Prepared(NamedTuple):
    """A plan, and what making it took of the pulls that sources allow."""

    plan: Plan
    pulls: tuple[Pulls, ...] = ()


def quiet(_what: str, _done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def make_plan(  # noqa: PLR0913 - each says another thing
    collected: Collected,
    stores: Stores,
    cache: ManifestCache,
    *,
    pins: Mapping[ImageRef, str] = MappingProxyType({}),
    managed: Managed | None = None,
    deep: bool = False,
    referrers: bool = False,
    note: Note = quiet,
) -> Prepared:
    """Compare what the clusters need with what is there.

    ``pins`` are the digests that sources are locked to: those are not asked. What ``managed`` covers and nothing needs is to
    be deleted. ``deep`` also looks whether the content of names that are right is still there, ``referrers`` what belongs to
    images without being a part of them. ``note`` hears what is being counted, and how far it is.

    Raises:
        InputError: two sources want the same name.
        RegistryError: a registry does not answer, or refuses to.
    """
    needs = list(_named(collected.needs))
    wishes = _wishes(needs, pins)
    _check_apart(stores, wishes)
    with workers(PARALLELISM) as pool:
        _greet(wishes, stores, pool.map)
        ground = look_around((wish.target for wish in wishes), stores)
        judged = [(wish, ground.obstacle(wish.target)) for wish in wishes]
        blocked = [_unplaced(need) for need, target in needs if target is None]
        blocked += [_blocked(wish, reason) for wish, reason in judged if reason]
        needed = Needed([wish.target for wish in wishes], [need.source for need, _ in needs])
        wishes = [wish for wish, reason in judged if not reason]
        survey = Survey(Asking(stores, cache, pool, ground, note, deep, referrers))
        plan = survey.plan(wishes)
        deletions = list(superfluous(needed, managed, stores, pool)) if managed else []
        pulls = tuple(survey.pulls(sorted({wish.source.registry for wish in wishes})))
    changes = (*plan.changes, *_merged(blocked), *deletions)
    plan = replace(
        plan,
        changes=tuple(sorted(changes, key=lambda each: (each.target, each.op))),
        inputs=collected.inputs,
        namespaces=ground.namespaces,
        referrers=referrers,
    )
    for namespace, reason in ground.overfull(plan):
        plan = _without_room(plan, namespace, reason)
    plan = _deleting_where_nothing_is_blocked(plan, stores).trimmed()
    return Prepared(replace(plan, access=_access(stores, plan)), pulls)


def _greet(wishes: Iterable[Wish], stores: Stores, run: Callable[..., Iterable[None]]) -> None:
    """Meet every registry once, before the many requests: one that is down is one clear error."""
    sources = {wish.source.registry for wish in wishes if not wish.pin}
    targets = {wish.target.registry for wish in wishes}
    met = [*map(stores.source, sorted(sources)), *map(stores.target, sorted(targets))]
    list(run(lambda store: store.greet(), met))


def _deleting_where_nothing_is_blocked(plan: Plan, stores: Stores) -> Plan:
    """What is blocked may be what replaces an old tag: until it can come, the old one may still be needed."""
    where = stores.places.target_of
    stuck = {where(each.target) for each in plan.changes if each.op == "blocked"}
    kept = (each for each in plan.changes if each.op != "delete" or where(each.target) not in stuck)
    return replace(plan, changes=tuple(kept))


def _without_room(plan: Plan, namespace: Namespace, reason: str) -> Plan:
    """The plan without what a quota has no room for."""
    places = {Place(namespace.registry, each) for each in namespace.repositories}
    changes = tuple(
        replace(each, op="blocked", reason=reason)
        if each.is_pending and each.op != "delete" and each.place in places
        else each
        for each in plan.changes
    )
    return replace(plan, changes=changes).trimmed()


def _check_apart(stores: Stores, wishes: Iterable[Wish]) -> None:
    """Names of two registries must not meet at one address, where one would be taken for the other."""
    places = stores.places
    root = cached(places.root)
    met: dict[tuple[str, str], str] = {}
    for wish in wishes:
        for image, override in ((wish.source, places.read_from), (wish.target, places.write_to)):
            side = "source" if image is wish.source else "target"
            address = f"{root(image.registry, override)}{image.repository}:{image.reference}"
            other = met.setdefault((side, address), image.registry)
            if other != image.registry:
                endpoint = places.endpoint(image.registry, override).rstrip("/")
                raise UsageError(
                    f"{image.repository}:{image.reference} of {other} and of {image.registry} meet at {endpoint}",
                    "give each registry its own endpoint in planner.yaml (a path is enough), or use oci:DIR",
                )


def _named(needs: Iterable[Need]) -> Iterator[tuple[Need, ImageRef | None]]:
    """Each need with the name that it is stored under.

    Of ``name:tag@digest`` nodes ask for the digest alone. It is stored under its tag as well, by which people find it and
    without which registries clean it up, unless something else wants that tag.
    """
    listed = [(need, need.target, _tagged(need)) for need in needs]
    claims: dict[ImageRef, set[ImageRef]] = {}
    for need, target, tagged in listed:
        if name := tagged or target:
            claims.setdefault(name, set()).add(need.source)
    for need, target, tagged in listed:
        yield need, tagged if tagged and len(claims[tagged]) == 1 else target


def _tagged(need: Need) -> ImageRef | None:
    """The tag beside the digest that a need asks for; None when it has no such pair."""
    target, source = need.target, need.source
    if target and source.tag and target.digest and target.digest == source.digest:
        return target._replace(tag=source.tag, digest="")
    return None


def _wishes(
    needs: Iterable[tuple[Need, ImageRef | None]], pins: Mapping[ImageRef, str]
) -> list[Wish]:
    """One wish for each target name, however many clusters want it."""
    found: dict[ImageRef, list[Need]] = {}
    for need, target in needs:
        if target is None:
            continue
        wanted = found.setdefault(target, [])
        if wanted and wanted[0].source != need.source:
            raise _collision(target, wanted, need)
        wanted.append(need)
    return [
        Wish(
            target,
            each[0].source,
            _reasons(each),
            each[0].kind,
            pins.get(each[0].source, ""),
            of_all(need.platforms for need in each),
        )
        for target, each in sorted(found.items())
    ]


def _reasons(needs: Iterable[Need]) -> tuple[Because, ...]:
    return tuple(sorted({reason for need in needs for reason in need.because}))


def _collision(target: ImageRef, wanted: Sequence[Need], need: Need) -> InputError:
    one, other = _reasons(wanted)[0], need.because[0]
    return InputError(
        f"two sources want the name {target}: {wanted[0].source} ({_place(one)}) and {need.source} ({_place(other)})",
        "give one of them another place: a rewrite, a path, or a registry of its own",
    )


def _place(reason: Because) -> str:
    place = f"{reason.file}:{reason.line}" if reason.line else reason.file
    return f"{reason.cluster}, {place}" if reason.cluster else place


def _unplaced(need: Need) -> Change:
    home = need.home
    if home is None:
        reason = f"no mirror: the nodes pull it from {need.source.registry} itself"
    else:
        reason = f"no registry serves the URL that nodes will ask: {home.url}"
    return Change(
        "blocked", need.source, need.source, reason=reason, because=need.because, kind=need.kind
    )


def _blocked(wish: Wish, reason: str) -> Change:
    return Change(
        "blocked", wish.target, wish.source, reason=reason, because=wish.because, kind=wish.kind
    )


def _merged(changes: Iterable[Change]) -> list[Change]:
    found: dict[tuple[ImageRef, str], Change] = {}
    for change in changes:
        key = (change.target, change.reason)
        earlier = found.get(key, change)
        found[key] = replace(earlier, because=_joined(earlier.because, change.because))
    return [found[key] for key in sorted(found)]


def _joined(one: tuple[Because, ...], other: tuple[Because, ...]) -> tuple[Because, ...]:
    return tuple(sorted({*one, *other}))


def _access(stores: Stores, plan: Plan) -> Access:
    places = stores.places
    contacted = places.contacted(plan.sources, plan.targets)
    return Access(
        places.read_from,
        places.write_to,
        dict(sorted(places.schemes.items())),
        contacted,
        places.logins,
        places.authorities,
        stores.inventories(plan.sources | plan.targets),
    )
