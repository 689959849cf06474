"""``--prune``: which repositories are planner's, so that what no cluster needs may go from them."""

from __future__ import annotations

import argparse

from planner.core.errors import UsageError
from planner.core.place import Place
from planner.core.refs import parse_canonical
from planner.needs import Wanted
from planner.own_folder import folder_of
from planner.prune import Managed
from planner.record import load_record, places_by
from planner.ui.options import Session, wanted_from


def add_prune_argument(parser: argparse.ArgumentParser) -> None:
    """--prune."""
    parser.add_argument(
        "--prune",
        action="store_true",
        help="also delete what no cluster of planner.yaml needs, from repositories that planner filled"
        " and those of prune.scope, after all copies; apply asks for the registry's host first",
    )


def managed_from(options: argparse.Namespace, session: Session) -> Managed | None:
    """What may be deleted from; None without --prune.

    Raises:
        UsageError: not all that is needed is known.
    """
    if not options.prune:
        return None
    if wanted_from(options, tuple(options.specs)) != Wanted() or not session.config.clusters:
        raise UsageError(
            "--prune has to know what all clusters need, or it would delete what one of them runs",
            "say what they are in planner.yaml, and neither name specs nor choose images here",
        )
    remembered = load_record(folder_of(session.config))
    targets = frozenset(each.target.registry for each in session.collected.needs if each.target)
    where = places_by(session.stores.places.contacted(frozenset(), targets))
    names = (
        parse_canonical(name)
        for registry in targets
        for name in remembered.record.targets.get(where(registry), {})
    )
    places = (Place(each.registry, each.repository) for each in names)
    return Managed(
        frozenset(each for each in places if each.registry in targets), session.config.prune_scope
    )
