"""Which digest a name shall hold where only some platforms of its image are wanted.

The source's index tells that, and it is asked for by digest once and kept for good; what a HEAD tells to be no index is not
asked for at all. So a plan after an apply takes no request more than one of whole images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from planner.core.content import INDEX_TYPES, MEDIA_TYPES, Descriptor, Manifest
from planner.core.narrowing import narrow
from planner.core.plan import Change
from planner.core.platforms import normalised, taken


class Narrower:
    """Makes the indexes of one plan; threads may share it. ``fetch`` gets a manifest of a change's source by its digest."""

    def __init__(self, fetch: Callable[[Change, str], Manifest]) -> None:
        self.made: dict[str, Manifest] = {}
        self._fetch = fetch
        self._single: set[str] = set()

    def saw(self, held: Descriptor | None) -> None:
        """Learn from the answer to a HEAD what is no index."""
        if held and held.media_type in MEDIA_TYPES and held.media_type not in INDEX_TYPES:
            self._single.add(held.digest)

    def narrowed(self, change: Change) -> Change:
        """A change whose digest is the source's, with the one that it shall have; blocked when no platform fits.

        An image of one platform stays what it is: which one that is stands in its configuration alone. What nodes ask for by
        its digest has to keep it.

        Raises:
            RegistryError: the source's index cannot be had, or cannot be narrowed.
        """
        if change.source.digest or change.digest in self._single:
            return change
        # What is on both sides is read from the target, which counts no pulls.
        asked = replace(change, op="same") if change.current == change.digest else change
        index = self._fetch(asked, change.digest)
        if not index.is_index:
            return change
        wanted = change.wanted_platforms
        found = narrow(index, wanted, lambda digest: self._fetch(asked, digest), str(change.source))
        if found.manifest is None:
            others = f"for {', '.join(found.dropped)}" if found.dropped else "no image at all"
            reason = f"the source has nothing for {', '.join(wanted)}, but {others}"
            return replace(change, op="blocked", reason=reason)
        lacking = f"the source has nothing for {', '.join(found.lacking)}" if found.lacking else ""
        if found.manifest is index:
            return replace(change, reason=lacking)
        self.made.update((each.digest, each) for each in found.made)
        return replace(
            change,
            digest=found.manifest.digest,
            reason=lacking,
            platforms=found.kept,
            source_digest=change.digest,
            dropped_platforms=found.dropped,
        )


def told_if_whole(change: Change) -> Change:
    """A change whose content is known, saying so where more comes along than is wanted, since its digest is asked for."""
    if not change.wanted_platforms or not change.source.digest:
        return change
    there = {each: normalised(each) for each in change.platforms if each != "unknown"}
    accepted = taken(change.wanted_platforms, frozenset(there.values()))
    more = [name for name, each in there.items() if each not in accepted]
    if not more:
        return change
    listed = ", ".join(more)
    reason = (
        f"copied whole, with {listed}: nodes ask for its digest, and a rewritten index has another"
    )
    return replace(change, reason=reason)
