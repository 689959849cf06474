"""The lists of mirrors of a file, whichever document they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from planner.core.document import Node, Spec
from planner.core.edits import Edit, Fix
from planner.specs.palette.mirrors import Located, shown
from planner.specs.palette.placeholders import is_unfilled
from planner.specs.palette.settings import Settings, entries, settings_of


@dataclass(frozen=True)
class MirrorList:
    """One list, with the settings that it belongs to."""

    settings: Settings
    entries: tuple[Located, ...]

    @property
    def node(self) -> Node:
        """The scalar that holds it."""
        return self.settings.mirrors.node

    @cached_property
    def pairs(self) -> tuple[Located, ...]:
        """The entries with one source and one target that are filled in."""
        return tuple(
            each for each in self.entries if each.entry.is_pair and not is_unfilled(each.entry.raw)
        )

    @cached_property
    def mirrors(self) -> tuple[Located, ...]:
        """The pairs without those that are keywords of the webhook's map file."""
        return tuple(each for each in self.pairs if not keyword(each.entry.source))


@lru_cache(maxsize=16)
def mirror_lists(spec: Spec) -> tuple[MirrorList, ...]:
    """Each list that is not empty."""
    return tuple(
        MirrorList(settings, entries(spec, settings))
        for settings in settings_of(spec)
        if settings.mirrors.is_readable and settings.mirrors.text
    )


def keyword(source: str) -> str:
    """The keyword of the webhook's map file that a source is; empty when it is none.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``, ``swap_image``.
    """
    if source in ("default", "noswap_wildcards"):
        return source
    for mark in ("[EXACT]", "[REPLACE]"):
        if source.startswith(mark):
            return mark
    return "/library" if source.endswith("/library") else ""


def respelt(each: Located, start: int, old: str, new: str) -> Fix | None:
    """Write ``new`` for ``old``, which begins at ``start`` of an entry; None where the entry's own place is not known."""
    if not each.is_exact:
        return None
    begin = each.node.span.column + start
    edit = Edit(each.node.span._replace(column=begin, end_column=begin + len(old)), new)
    return Fix(f"write {shown(new)}", (edit,))
