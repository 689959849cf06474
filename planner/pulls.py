"""Pulls that sources count: spent as long as there are any, and accounted for."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from planner.core.errors import RegistryError
from planner.core.quota import Quota
from planner.stores.store import Store

TOO_MANY_REQUESTS = 429


class Pulls(NamedTuple):
    """What a plan used of a source's pulls: manifests that were fetched, and images that the limit kept out."""

    registry: str
    used: int
    waiting: int
    quota: Quota | None


@dataclass(slots=True)
class Budget:
    """Spends a source's pulls, and never more than it says are left. Threads may share it."""

    used: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _exhausted: set[str] = field(default_factory=set)
    _under_way: Counter[str] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextlib.contextmanager
    def pull(self, registry: str, store: Store) -> Iterator[None]:
        """Around one pull.

        Raises:
            RegistryError: none is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_settled(registry, store))
            if self._is_used_up(registry, store):
                self.refused[registry] += 1
                raise RegistryError(
                    f"the pulls that {registry} allows are used up",
                    "wait for its next window and plan again, or log in",
                    status=TOO_MANY_REQUESTS,
                )
            self._under_way[registry] += 1
            self.used[registry] += 1
        try:
            yield
        except RegistryError as error:
            if error.status == TOO_MANY_REQUESTS:
                with self._changed:
                    self.refused[registry] += 1
                    self._exhausted.add(registry)
            raise
        finally:
            with self._changed:
                self._under_way[registry] -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def free_pull(self, registry: str) -> Iterator[None]:
        """Around a pull that nobody counts, as far as is known; one that is refused waits only once it is asked for again."""
        try:
            yield
        except RegistryError as error:
            if error.status == TOO_MANY_REQUESTS:
                with self._changed:
                    self._exhausted.add(registry)
            raise
        with self._changed:
            self.used[registry] += 1

    def _is_settled(self, registry: str, store: Store) -> bool:
        """Whether what is under way can change nothing about the answer."""
        is_plenty = store.quota is None or store.quota.remaining > self._under_way[registry]
        return is_plenty or not self._under_way[registry] or registry in self._exhausted

    def _is_used_up(self, registry: str, store: Store) -> bool:
        quota = store.quota
        is_spent = quota is not None and quota.remaining <= self._under_way[registry]
        return is_spent or registry in self._exhausted
