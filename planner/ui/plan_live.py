"""What a saved plan would be now: its own names asked again, or, when its files changed, planned anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace

from planner.config import Cluster, load_config
from planner.core.difference import Side, item_of, side_of_plan
from planner.core.document import Spec
from planner.core.errors import InputError
from planner.core.family import Need
from planner.core.plan import Change, Plan
from planner.core.resolution import Attempt, Resolution
from planner.core.text import printable
from planner.lock import load_lock
from planner.needs import ClusterNeeds, Collected, Wanted, collect, unchanged
from planner.prepare import make_plan
from planner.specs import NAMES, families
from planner.stores.cache import ManifestCache
from planner.stores.opening import Places, Stores
from planner.survey import Note
from planner.ui.options import wanted_from


def live_side(plan: Plan, options: argparse.Namespace, note: Note) -> Side:
    """The same plan, made now.

    What the specs need stands in the plan, so nothing of how they were read has to be said again, unless they changed.

    Raises:
        RegistryError: a registry does not answer, or refuses to.
        InputError: a file that changed cannot be read.
    """
    config = load_config(options.config)
    changed = [path for path in unchanged(plan.inputs) if not _is_lock(plan, path)]
    if changed:
        sys.stderr.write(
            f"note: {printable(', '.join(changed))} changed since this plan was made; all its files are read again,"
            " with the options given here\n"
        )
        collected = collect(config, _wanted_again(plan, options, config.clusters))
    else:
        collected = _recorded(plan)
    access = plan.access
    places = Places(
        config,
        access.read_from,
        access.write_to,
        collected.schemes if changed else access.schemes,
        collected.logins if changed else access.logins,
        collected.authorities if changed else access.authorities,
    )
    stores = Stores(places)
    pins = load_lock(config).pins if any(each.role == "lock" for each in plan.inputs) else {}
    deep = any(each.op == "repair" for each in plan.changes)
    now = make_plan(
        collected,
        stores,
        ManifestCache(),
        pins=pins,
        deep=deep,
        referrers=plan.referrers,
        note=note,
    ).plan
    side = side_of_plan(replace(now, inputs=collected.inputs))
    kept = () if changed else (each for each in plan.changes if not each.has_place)
    still = (*kept, *_still_to_delete(plan, stores))
    return side._replace(items=(*side.items, *map(item_of, still)))


def _is_lock(plan: Plan, path: str) -> bool:
    return any(each.path == path and each.role == "lock" for each in plan.inputs)


def _recorded(plan: Plan) -> Collected:
    """What the plan says that is needed, as if one spec had said it."""
    wanted = (
        each for each in plan.changes if each.has_place and each.op != "delete" and not each.subject
    )
    needs = tuple(
        _need(each, plan.access.schemes.get(each.target.registry, "https")) for each in wanted
    )
    return Collected((ClusterNeeds("", Spec("", "", ()), families()[0], needs),), plan.inputs)


def _need(change: Change, scheme: str) -> Need:
    target = change.target
    endpoint = f"{scheme}://{target.registry}/v2"
    attempt = Attempt(endpoint, target.repository, target.reference, change.source.registry)
    resolution = Resolution(change.source, (attempt,))
    need = Need(change.source, resolution, change.because, change.kind)
    return need._replace(platforms=change.wanted_platforms)


def _wanted_again(plan: Plan, options: argparse.Namespace, clusters: tuple[Cluster, ...]) -> Wanted:
    """The plan's own specs; and its lists, unless planner.yaml says whose they are."""
    configured = {
        path
        for each in clusters
        for path in (*each.images, *each.packs, *each.packages, each.bundle)
    }

    def files(role: str) -> tuple[str, ...]:
        return tuple(
            each.path for each in plan.inputs if each.role == role and each.path not in configured
        )

    specs = tuple(each.path for each in plan.inputs if each.role in NAMES)
    if not specs:
        raise InputError("the plan names no spec that could be read again", "plan again")
    asked, bundles = wanted_from(options, specs), files("bundle")
    return replace(
        asked,
        images=asked.images or files("images"),
        packs=asked.packs or files("packs"),
        packages=asked.packages or files("packages"),
        bundle=asked.bundle or (bundles[0] if len(bundles) == 1 else ""),
    )


def _still_to_delete(plan: Plan, stores: Stores) -> Iterator[Change]:
    """The deletions of which there is still something to delete."""
    for change in plan.changes:
        if change.op == "delete":
            target = change.target
            held = stores.target(target.registry).head(target.repository, target.reference)
            if held:
                yield replace(change, current=held.digest)
