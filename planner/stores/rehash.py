"""Reading blobs back to see whether they still are what they were: a registry answers HEAD for a file that has rotted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from planner.core.content import Descriptor
from planner.core.errors import RegistryError
from planner.core.text import size
from planner.stores.store import Store

_TRIES = 3

Report = Callable[[int], None]


class Reading(NamedTuple):
    """A blob in one of the repositories that hold it."""

    store: Store
    repository: str
    blob: Descriptor


def damage_of(reading: Reading, report: Report) -> str:
    """What is wrong with a blob, in words; empty when its bytes have its digest. ``report`` hears of bytes as they pass.

    One chunk is held at a time. What looks damaged is read again, since the way here may have done it.

    Raises:
        RegistryError: the store does not answer, or refuses to.
    """
    damage = ""
    for attempt in range(1, _TRIES + 1):
        try:
            damage = _read(reading, report)
        except RegistryError as error:
            if error.status == 404:
                return "is gone"
            if not error.retryable or attempt == _TRIES:
                raise
        else:
            if not damage:
                return ""
    return damage


def _read(reading: Reading, report: Report) -> str:
    store, repository, blob = reading
    algorithm, _, expected = blob.digest.partition(":")
    hasher, received = hashlib.new(algorithm), 0
    with store.open_blob(repository, blob.digest) as chunks:
        for chunk in chunks:
            hasher.update(chunk)
            received += len(chunk)
            report(len(chunk))
            if received > blob.size:
                return f"has more than its {size(blob.size)}"
    if received < blob.size:
        return f"has {received:,} of its {blob.size:,} bytes"
    return "" if hasher.hexdigest() == expected else "has other bytes than its digest says"
