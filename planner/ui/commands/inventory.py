"""``planner inventory``.

Lists what registries hold: repositories, tags, and the digest of each tag. Without REGISTRY,
the registries that the specs fill. With -o it becomes a file that planner plan --against
takes in place of the registry.

Asks for lists and HEADs alone: nothing counts as a pull. The repositories come from the
product's own API (Harbor, GitLab, ECR), else from the registry's catalog; where it has
none, or shows it to others alone, those are asked that the specs name. Of a registry that
the specs only read from, nothing but the names that they need.

Examples:
  planner inventory
  planner inventory registry.corp:5000 --repository 'team/*'
  planner inventory docker.io quay.io -c registries.yaml -o upstream.json
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from textwrap import wrap

from planner.config import load_config
from planner.core.errors import DONE, FAILED, UsageError
from planner.core.inventory import Holdings, Listing, to_json
from planner.core.refs import name_problem
from planner.core.text import plural, printable, short_digest
from planner.files import write_whole
from planner.inventory import named_by, take
from planner.needs import Collected
from planner.stores.opening import Places, Stores
from planner.ui.commands.plan import live_note
from planner.ui.options import (
    Session,
    add_choice_arguments,
    add_spec_option,
    open_session,
    refuse_files,
)
from planner.ui.style import Style, style_for

_WIDEST_TAG = 56  # with its indent and a digest, 80 columns
_UNCUT = 10_000
_WHO: dict[Listing, str] = {
    "api": "by its own API",
    "catalog": "by its catalog",
    "specs": "that the specs name: it shows no catalog",
    "names": "that the specs read from: nothing else is asked for",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "registries",
        nargs="*",
        metavar="REGISTRY",
        help="HOST[:PORT] (default: the registries that the specs fill)",
    )
    add_spec_option(parser)
    parser.add_argument(
        "--repository",
        action="append",
        default=[],
        metavar="GLOB",
        help="only repositories that match; may be given several times",
    )
    parser.add_argument(
        "--to",
        dest="write_to",
        default="",
        metavar="PLACE",
        help="ask here instead of at the registries themselves: a registry URL, or oci:DIR",
    )
    parser.set_defaults(read_from="")
    parser.add_argument("-o", "--out", default="", metavar="FILE", help="save it as JSON")
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")
    add_choice_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """List them; 1 when something could not be read."""
    session = _session(options)
    named = named_by(session.collected.needs)
    chosen = tuple(dict.fromkeys(options.registries))
    registries = chosen or sorted(name for name, each in named.items() if each.is_target)
    found = {
        name: take(name, session.stores, named.get(name), options.repository, live_note())
        for name in registries
    }
    if options.out:
        write_whole(options.out, to_json(found))
    if options.format == "json":
        sys.stdout.write(to_json(found).decode("utf-8", "surrogatepass"))
    else:
        sys.stdout.write(_text(found, session.stores, style_for(sys.stdout), file=options.out))
    return FAILED if any(each.errors for each in found.values()) else DONE


def _session(options: argparse.Namespace) -> Session:
    """With the specs, where there are any: they may say how their registry is reached."""
    refuse_files(options.registries, "inventory")
    for each in options.registries:
        if problem := name_problem(each, "x"):
            raise UsageError(problem, "name it like registry.corp:5000, without scheme and path")
    config = load_config(options.config)
    if options.specs or config.clusters:
        return open_session(options, tuple(options.specs))
    if not options.registries:
        raise UsageError(
            "there is no registry to look at",
            "name one (planner inventory registry.corp), a spec (-c SPEC), or list clusters in planner.yaml",
        )
    return Session(config, Collected((), ()), Stores(Places(config, write_to=options.write_to)))


def _text(found: Mapping[str, Holdings], stores: Stores, style: Style, *, file: str) -> str:
    """What was found; of what is saved, the figures."""
    if not found:
        return "The specs fill no registry.\n"
    at = stores.places.contacted(frozenset(), frozenset(found))
    parts = []
    for name, holdings in found.items():
        place = f" at {at[name]}" if name in at else ""
        heading = style.paint(printable(f"{name}{place}"), "bold")
        tags = () if file else _tags(holdings, style)
        parts.append(
            "\n".join((f"{heading}\n{_figures(holdings)}", *tags, *_gaps(holdings, style)))
        )
    saved = f"\nSaved to {file}\n  planner plan --against {file}\n" if file else ""
    return "\n\n".join(parts) + "\n" + saved


def _figures(holdings: Holdings) -> str:
    count = plural(len(holdings.repositories), "repository", "repositories")
    return f"{plural(holdings.tag_count, 'tag')} in {count} {_WHO[holdings.listed_by]}"


def _tags(holdings: Holdings, style: Style) -> Iterator[str]:
    for name, tags in sorted(holdings.repositories.items()):
        yield f"\n{printable(name)}"
        width = min(_WIDEST_TAG, max(map(len, tags), default=0))
        for tag, digest in sorted(tags.items()):
            said = style.paint(short_digest(digest), "dim") or "(the registry names no digest)"
            yield f"  {printable(_short(tag)):{width}}  {said}".rstrip()
        if not tags:
            yield "  no tags"


def _short(reference: str) -> str:
    """A tag; of a manifest that specs name by its digest, the beginning of that."""
    return f"@{short_digest(reference)}" if ":" in reference else reference


def _gaps(holdings: Holdings, style: Style) -> Iterator[str]:
    """What is not known, so that nobody takes it for absent."""
    if holdings.errors:
        count = plural(len(holdings.errors), "repository", "repositories")
        yield "\n" + style.paint(f"Not known, or not all of it: {count}", "red", "bold")
        for name, error in sorted(holdings.errors.items()):
            yield f"  ! {printable(name)}"
            yield from wrap(
                _one_line(error),
                style.width or _UNCUT,
                initial_indent="      ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")
