"""Where each blob of an image comes from: sent for it, sent for another one, or on the registry already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from planner.core.place import Place
from planner.core.plan import Change, Plan

Origin = Literal["sent", "shared", "mounted", "there"]
Users = Callable[[str], Sequence[Change]]


@dataclass(frozen=True, slots=True)
class Part:
    """A blob of an image (``size`` in bytes), and how the target comes by it.

    ``sent`` with this image, the first of all that need it (``others`` are the rest of them); ``shared`` with the first of
    ``others``, which brings it; ``mounted`` from ``holder``, or ``there`` in the repository itself.
    """

    digest: str
    size: int
    origin: Origin
    holder: Place | None = None
    others: tuple[Change, ...] = ()


def parts_of(plan: Plan, change: Change, sizes: Mapping[str, int], users: Users) -> Iterator[Part]:
    """The blobs of an image, of which ``sizes`` tells; ``users`` are the pending images that need one, in the plan's order."""
    for digest, size in sizes.items():
        holders = plan.holders(change.target.registry, digest)
        if change.place in holders:
            yield Part(digest, size, "there", change.place)
        elif holders:
            yield Part(digest, size, "mounted", holders[0])
        else:
            found = users(digest)
            is_first = not found or found[0] is change
            others = tuple(each for each in found if each is not change)
            yield Part(digest, size, "sent" if is_first else "shared", others=others)


class Sharing:
    """Knows who needs which blob of a plan. Lives for one page."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._users: dict[tuple[str, str], list[Change]] = {}
        for change in plan.pending:
            for digest in plan.blobs(change):
                self._users.setdefault((change.target.registry, digest), []).append(change)

    def parts(self, change: Change) -> Iterator[Part]:
        """The blobs of an image, in its order; none for what is not pending."""
        sizes = {digest: blob.size for digest, blob in self._plan.blobs(change).items()}
        registry = change.target.registry
        return parts_of(
            self._plan, change, sizes, lambda digest: self._users.get((registry, digest), [])
        )
